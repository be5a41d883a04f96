//! Decisions held against the rows that there are.

use std::collections::HashMap;

use dataset::{
    DatasetError, Decided, DecisionProblem, Mistake, Normalize, Override, Overrides, Verdict, same_text,
};

use super::decisions::Proposals;
use super::rows::{self, failed};
use super::subject::{Kind, Known, Subject};
use crate::error::CliError;

/// The rows that decisions are about.
pub(super) struct Rows {
    by_id: HashMap<String, Known>,
    /// NFC of an id → the id, read only if some id is not there as it is written.
    spelt: HashMap<String, String>,
    /// All ids there are, for suggestions.
    ids: Vec<String>,
}

impl Rows {
    pub(super) fn find(
        subject: &Subject,
        tables: &[dataset::inspect::Inspector],
        decisions: &[Decided],
    ) -> Result<Self, CliError> {
        let mut rows = Self {
            by_id: HashMap::new(),
            spelt: HashMap::new(),
            ids: Vec::new(),
        };
        let wanted: Vec<&str> = decisions.iter().map(|decided| decided.id.as_str()).collect();
        rows.read(subject, tables, &wanted)?;
        if wanted.iter().all(|id| rows.by_id.contains_key(*id)) {
            return Ok(rows);
        }
        let nfc = |id: &str| Normalize::Nfc.apply(id).into_owned();
        for table in tables {
            rows.ids.extend(rows::ids(table)?);
        }
        rows.spelt = rows.ids.iter().map(|id| (nfc(id), id.clone())).collect();
        let others: Vec<String> = wanted
            .iter()
            .filter(|id| !rows.by_id.contains_key(**id))
            .filter_map(|id| rows.spelt.get(&nfc(id)).cloned())
            .collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        rows.read(subject, tables, &others)?;
        Ok(rows)
    }

    fn read(
        &mut self,
        subject: &Subject,
        tables: &[dataset::inspect::Inspector],
        ids: &[&str],
    ) -> Result<(), CliError> {
        let columns = ["id", "text", subject.label_column()];
        for table in tables {
            for row in rows::with_ids(table, ids.iter().copied(), &columns)?.iter() {
                let known = subject.known(row);
                // Golden comes first: it is worth most.
                self.by_id.entry(known.id.clone()).or_insert(known);
            }
        }
        Ok(())
    }

    fn get(&self, id: &str) -> Option<&Known> {
        let spelt = || self.spelt.get(&*Normalize::Nfc.apply(id));
        self.by_id.get(id).or_else(|| self.by_id.get(spelt()?))
    }
}

/// Decisions about rows that there are.
pub(super) struct Settled {
    pub(super) decisions: Vec<(String, Override)>,
    pub(super) counts: Counts,
    pub(super) undecided: u64,
    pub(super) notes: Vec<String>,
}

/// As the person said it.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) keep: u64,
    pub(super) drop: u64,
    pub(super) label: u64,
}

/// Holds decisions against the rows; all mistakes come at once.
pub(super) fn settle(
    subject: &Subject,
    proposals: Proposals,
    known: &Rows,
    before: &Overrides,
    name: &str,
) -> Result<Settled, CliError> {
    let mut mistakes = proposals.mistakes;
    let mut settled = Settled {
        decisions: Vec::new(),
        counts: Counts::default(),
        undecided: proposals.undecided,
        notes: proposals.notes,
    };
    for Decided {
        at,
        id,
        seen,
        decision,
    } in proposals.decisions
    {
        // A row that an earlier decision dropped may be in no table any more.
        let earlier = || {
            let earlier = before.by_id(&id)?;
            Some(Known {
                id: id.clone(),
                text: earlier.text.clone(),
                label: None,
            })
        };
        let Some(row) = known.get(&id).cloned().or_else(earlier) else {
            let nearest = rows::close_id(&id, known.ids.iter().map(String::as_str));
            let problem = DecisionProblem::UnknownId { id, nearest };
            mistakes.push(Mistake {
                at,
                column: "id",
                problem,
            });
            continue;
        };
        if !decision.text.is_empty() && !row.text.is_empty() && !same_text(&decision.text, &row.text) {
            let text = short(&row.text);
            let problem = DecisionProblem::OtherText { id, text };
            mistakes.push(Mistake {
                at,
                column: "text",
                problem,
            });
            continue;
        }
        // Another model may say something else tomorrow: what was confirmed is the label that the person saw.
        let verdict = match (decision.verdict, seen.or(row.label)) {
            (Verdict::Keep, Some(label)) if subject.kind == Kind::Select && !label.is_empty() => {
                Verdict::KeepAs(label)
            }
            (Verdict::KeepAs(said), Some(label)) if said != label => Verdict::Label(said),
            (verdict, _) => verdict,
        };
        let count = match verdict {
            Verdict::Keep | Verdict::KeepAs(_) => &mut settled.counts.keep,
            Verdict::Drop => &mut settled.counts.drop,
            Verdict::Label(_) => &mut settled.counts.label,
        };
        *count += 1;
        let decision = Override {
            verdict,
            text: row.text,
            note: decision.note,
        };
        settled.decisions.push((row.id, decision));
    }
    if mistakes.is_empty() {
        return Ok(settled);
    }
    mistakes.sort_by_key(|mistake| mistake.at);
    Err(failed(DatasetError::Overrides {
        name: name.to_owned(),
        mistakes,
    })
    .hint("nothing was imported"))
}

/// The beginning of a text, for a message.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 40;
    let line = text.replace(['\n', '\r', '\t'], " ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    line.chars().take(SHOWN).chain(['…']).collect()
}
