//! What a person decided, above all rules.

use std::collections::BTreeMap;

use serde::Serialize;

use super::decisions::Decisions;
use super::policy::Reason;
use crate::batches::ParquetTable;
use crate::{DatasetError, Found, Overrides, Verdict, parquet};

/// What became of the decisions of a review.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reviewed {
    /// Decisions in the file.
    pub decisions: u64,
    /// Rows that are kept with the label that they have.
    pub kept: u64,
    /// Rows that are dropped.
    pub dropped: u64,
    /// Rows that are kept with another label.
    pub relabelled: u64,
    /// Decisions that changed what the rules had said: whether a row is kept, or with which label.
    pub changed: u64,
    /// Decisions about another text with the row's id; they are not applied.
    pub other_text: u64,
    /// Decisions about rows that are not in the table.
    pub absent: u64,
}

/// Row → what was decided about it.
pub(super) type Verdicts = BTreeMap<usize, Verdict>;

/// Applies the decisions of a review. They change the rows that they name and no other: no row moves up into a place
/// that they free, and none is pushed out.
pub(super) fn apply(
    overrides: &Overrides,
    source: &ParquetTable<'_>,
    predicted: impl Fn(usize) -> classification::LabelIds,
    decisions: &mut Decisions,
) -> Result<(Reviewed, Verdicts), DatasetError> {
    let mut reviewed = Reviewed {
        decisions: overrides.len() as u64,
        ..Reviewed::default()
    };
    let mut verdicts = Verdicts::new();
    if overrides.is_empty() {
        return Ok((reviewed, verdicts));
    }
    source.each(&["id", "text"], &mut |start, frame| {
        let ids = parquet::strings(&frame, source.name, "id", true)?;
        let texts = parquet::strings(&frame, source.name, "text", false)?;
        for (at, (id, text)) in ids.iter().zip(texts.iter()).enumerate() {
            match overrides.get(id.unwrap_or_default(), text.unwrap_or_default()) {
                Found::None => {}
                Found::OtherText => reviewed.other_text += 1,
                Found::Applies(decision) => {
                    verdicts.insert(start + at, decision.verdict.clone());
                }
            }
        }
        Ok(())
    })?;
    for (row, verdict) in &verdicts {
        let drop = &mut decisions.drops[*row];
        let was_kept = drop.is_none();
        let (count, changed, now) = match verdict {
            Verdict::Keep => (&mut reviewed.kept, !was_kept, None),
            Verdict::Drop => (&mut reviewed.dropped, was_kept, Some(Reason::Review)),
            Verdict::KeepAs(labels) | Verdict::Label(labels) if *labels == predicted(*row) => {
                (&mut reviewed.kept, !was_kept, None)
            }
            Verdict::KeepAs(_) | Verdict::Label(_) => (&mut reviewed.relabelled, true, None),
        };
        *count += 1;
        *drop = now;
        reviewed.changed += u64::from(changed);
    }
    reviewed.absent = reviewed.decisions - reviewed.other_text - verdicts.len() as u64;
    Ok((reviewed, verdicts))
}
