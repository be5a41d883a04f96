//! Predictions as a table, with the columns that selection and users rely on.

use std::path::Path;

use classification::{Decision, LabelIds, LabelSet, Task};
use polars::prelude::{Column as PolarsColumn, IntoColumn, NewChunkedArray, StringChunked};

use crate::write::{common, float_column, label_column, label_title, list_column, write_in_groups};
use crate::{DatasetError, Rows};

/// What a scored table is written from: one decision per row.
#[derive(Clone, Copy, Debug)]
pub struct ScoredWriter<'a, L> {
    /// The rows that were scored.
    pub rows: &'a Rows<L>,
    /// In the order of `rows`.
    pub decisions: &'a [Decision],
    /// The pipeline's labels.
    pub labels: &'a LabelSet,
    /// Whether a row has one label or a list.
    pub task: Task,
    /// The true labels, for a table that has them.
    pub truth: Option<&'a [LabelIds]>,
}

/// Writes `id`, `text`, `source`, `pred_emotion`, `pred_conf`, `pred_margin`, `pred_second`, `probs` and, with a
/// truth, `label` (where the task is multi-label `labels`; `pred_emotion` is then a list, too).
pub fn write_scored<L>(path: &Path, scored: &ScoredWriter<'_, L>) -> Result<(), DatasetError> {
    let count = scored.rows.ids.len();
    if scored.decisions.len() != count || scored.truth.is_some_and(|truth| truth.len() != count) {
        let message = format!("{} predictions for {count} rows", scored.decisions.len());
        return Err(DatasetError::Write {
            name: path.display().to_string(),
            message,
        });
    }
    let (labels, task) = (scored.labels, scored.task);
    write_in_groups(path, count, scored.rows.notes.normalize, |range| {
        let decisions = &scored.decisions[range.clone()];
        let given = decisions.iter().map(|decision| &decision.labels);
        let mut columns: Vec<_> = common(scored.rows, range.clone()).into();
        columns.extend([
            label_column("pred_emotion", given, labels, task),
            float_column("pred_conf", decisions.iter().map(|decision| decision.confidence)),
            float_column("pred_margin", decisions.iter().map(|decision| decision.margin)),
            seconds(decisions, labels),
            list_column(
                "probs",
                decisions.iter().map(|decision| decision.probabilities.as_slice()),
            ),
        ]);
        if let Some(truth) = scored.truth {
            columns.push(label_column(label_title(task), &truth[range], labels, task));
        }
        columns
    })
}

fn seconds(decisions: &[Decision], labels: &LabelSet) -> PolarsColumn {
    let names = decisions
        .iter()
        .map(|decision| decision.second.map(|class| labels.name(class)));
    StringChunked::from_iter_options("pred_second".into(), names).into_column()
}
