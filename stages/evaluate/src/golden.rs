//! The golden rows: human-verified, only ever evaluated on.

use classification::{LabelIds, Task};
use dataset::{DropReason, Labelled, Normalize, ReadOptions, read_labelled};
use stage::{Context, Failure};

use crate::GOLDEN;

/// The rows and what identifies them.
pub(crate) struct Golden {
    /// As they stand in the files: each model normalises them its own way.
    pub(crate) rows: Labelled,
    /// blake3 of ids, texts and labels, in hex: equal rows have equal digests, whatever file they came in.
    pub(crate) digest: String,
    /// Rows per class.
    pub(crate) supports: Vec<u64>,
}

impl Golden {
    /// Reads the input `golden`.
    pub(crate) fn read(ctx: &Context) -> Result<Self, Failure> {
        let options = ReadOptions {
            task: ctx.task(),
            labels: ctx.labels(),
            normalize: Normalize::None,
            input_name: GOLDEN,
        };
        let items = ctx.inputs(GOLDEN);
        let rows = read_labelled(items, &options)?;
        if rows.is_empty() {
            let names: Vec<String> = items.iter().map(|item| format!("`{}`", item.name)).collect();
            return Err(Failure::stage(format!("no golden rows in {}", names.join(", ")))
                .hint("a model can only be measured on rows with a text and a label"));
        }
        let names: Vec<&str> = ctx.labels().names().collect();
        Ok(Self::new(rows, &names, ctx.task()))
    }

    pub(crate) fn new(rows: Labelled, names: &[&str], task: Task) -> Self {
        let mut supports = vec![0; names.len()];
        let labels = rows.labels.iter().flat_map(LabelIds::ids);
        labels.for_each(|&label| supports[label] += 1);
        let digest = digest(&rows, names, task);
        Self {
            rows,
            digest,
            supports,
        }
    }

    /// Says what the user should know about the rows.
    pub(crate) fn warn(&self, ctx: &Context) {
        for (label, _) in ctx
            .labels()
            .names()
            .zip(&self.supports)
            .filter(|(_, support)| **support == 0)
        {
            ctx.warn(format!(
                "label `{label}` has no golden row: its F1 counts 0 in macro-F1"
            ));
        }
        let dropped = &self.rows.notes.dropped;
        let empty = dropped
            .iter()
            .filter(|row| row.reason == DropReason::EmptyText)
            .count();
        if empty > 0 {
            ctx.warn(format!("{empty} golden rows have no text and do not count"));
        }
    }
}

/// Every field is followed by a byte that UTF-8 does not have, and every list of labels by another one, so that no
/// two tables are written alike.
fn digest(rows: &Labelled, names: &[&str], task: Task) -> String {
    let mut hasher = blake3::Hasher::new();
    for ((id, text), labels) in rows.ids.iter().zip(&rows.texts).zip(&rows.labels) {
        let labels = labels.ids().iter().map(|label| names[*label]);
        for field in [id.as_str(), text].into_iter().chain(labels) {
            hasher.update(field.as_bytes());
            hasher.update(&[0xFF]);
        }
        if task == Task::MultiLabel {
            hasher.update(&[0xFE]);
        }
    }
    hasher.finalize().to_hex().to_string()
}
