//! Decisions of a review: rows that a person drops or labels anew.

use std::collections::BTreeSet;

use classification::{LabelIds, LabelSet};
use dataset::{DropReason, Dropped, Found, Normalize, Overrides, Rows, Split, Splits, Verdict};
use serde::Serialize;

/// What became of the decisions.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Review {
    /// In the file.
    decisions: u64,
    /// Rows that a person confirmed.
    kept: u64,
    dropped: Vec<Decided>,
    /// Rows whose labels are others now.
    relabelled: Vec<Relabelled>,
    /// Ids whose text is another one now: these decisions were not applied.
    other_text: BTreeSet<String>,
    /// Ids that no table has.
    unknown: BTreeSet<String>,
    /// Ids of raw texts that were given a label, which raw texts do not have.
    raw_labelled: BTreeSet<String>,
    #[serde(skip)]
    applied: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
struct Decided {
    split: Split,
    id: String,
}

#[derive(Debug, Serialize)]
struct Relabelled {
    split: Split,
    id: String,
    from: String,
    to: String,
}

impl Review {
    /// Applies the decisions to every row that they are about.
    pub(crate) fn apply(overrides: &Overrides, splits: &mut Splits, labels: &LabelSet) -> Self {
        let mut review = Self {
            decisions: overrides.len() as u64,
            ..Self::default()
        };
        for (split, rows) in splits.labelled_mut() {
            review.table(overrides, split, rows, &mut |review, id, label, decided| {
                if label != decided {
                    let (from, to) = (names(label, labels), names(decided, labels));
                    let id = id.to_owned();
                    review.relabelled.push(Relabelled { split, id, from, to });
                    *label = decided.clone();
                }
            });
        }
        if let Some(raw) = &mut splits.raw {
            review.table(overrides, Split::Raw, raw, &mut |review, id, _, _| {
                review.raw_labelled.insert(id.to_owned());
            });
        }
        // An id may stand in several tables, and the decision be about the text that it has in one of them.
        review.other_text = &review.other_text - &review.applied;
        let known = &review.applied | &review.other_text;
        let all = overrides.iter().map(|(id, _)| id);
        review.unknown = all.filter(|id| !known.contains(*id)).cloned().collect();
        review
    }

    /// `relabel` is given a row's id, its labels and those that were decided.
    fn table<L: Clone>(
        &mut self,
        overrides: &Overrides,
        split: Split,
        rows: &mut Rows<L>,
        relabel: &mut impl FnMut(&mut Self, &str, &mut L, &LabelIds),
    ) {
        let mut dropped = vec![None; rows.len()];
        for (row, dropped) in dropped.iter_mut().enumerate() {
            let (id, text) = (&rows.ids[row], &rows.texts[row]);
            // The ids of decisions are in NFC.
            let known = || Normalize::Nfc.apply(id).into_owned();
            let decision = match overrides.get(id, text) {
                Found::None => continue,
                Found::OtherText => {
                    self.other_text.insert(known());
                    continue;
                }
                Found::Applies(decision) => decision,
            };
            self.applied.insert(known());
            match &decision.verdict {
                Verdict::Keep => self.kept += 1,
                Verdict::KeepAs(decided) | Verdict::Label(decided) => {
                    relabel(self, id, &mut rows.labels[row], decided)
                }
                Verdict::Drop => {
                    let id = id.clone();
                    self.dropped.push(Decided { split, id });
                    *dropped = Some(Dropped {
                        id: rows.ids[row].clone(),
                        reason: DropReason::Review,
                        twin: None,
                        text: text.clone(),
                    });
                }
            }
        }
        rows.remove(dropped);
    }

    /// What the user should look at; `file` is that of the decisions.
    pub(crate) fn warnings(&self, file: &str) -> Vec<String> {
        let about = |ids: &BTreeSet<String>, what: &str| {
            let first = ids.first()?;
            let (count, s) = (ids.len(), if ids.len() == 1 { "" } else { "s" });
            let count = stage::grouped(count as u64);
            Some(format!(
                "{count} decision{s} in `{file}` {what}; the first is about `{first}`"
            ))
        };
        [
            about(&self.other_text, "not applied, as the text is another one now"),
            about(&self.unknown, "not applied, as no table has such an id"),
            about(&self.raw_labelled, "not applied, as raw texts have no label"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn names(ids: &LabelIds, labels: &LabelSet) -> String {
    let names: Vec<&str> = ids.ids().iter().map(|id| labels.name(*id)).collect();
    names.join(", ")
}
