//! Predictions as a table, with the columns that selection and users rely on.

use std::path::{Path, PathBuf};

use classification::{Decision, LabelIds, LabelSet, Task};
use polars::prelude::{Column as PolarsColumn, IntoColumn, NewChunkedArray, StringChunked};

use crate::write::{
    common, float_column, label_column, label_title, list_column, string_lists, write_concatenated,
    write_in_groups,
};
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
    /// What else is known about the predictions.
    pub optional: OptionalColumns<'a>,
}

/// Columns that a scored table has only where there is something to say in them; each one entry per row.
#[derive(Clone, Copy, Debug, Default)]
pub struct OptionalColumns<'a> {
    /// `raw_conf`: what `pred_conf` was before it was calibrated.
    pub raw_confidence: Option<&'a [f32]>,
    /// `disagreement`: share of the models whose own labels are not the row's.
    pub disagreement: Option<&'a [f32]>,
    /// `votes`: each model's own labels.
    pub votes: Option<&'a [Vec<LabelIds>]>,
}

/// Writes `id`, `text`, `source`, `pred_emotion`, `pred_conf`, `pred_margin`, `pred_second`, `probs`, the optional
/// columns and, with a truth, `label` (where the task is multi-label `labels`; `pred_emotion` is then a list, too, and
/// so is each model's entry of `votes` in one string, names parted by a comma and a space).
pub fn write_scored<L>(path: &Path, scored: &ScoredWriter<'_, L>) -> Result<(), DatasetError> {
    let count = scored.rows.ids.len();
    let optional = scored.optional;
    let lengths = [
        Some(scored.decisions.len()),
        scored.truth.map(<[_]>::len),
        optional.raw_confidence.map(<[_]>::len),
        optional.disagreement.map(<[_]>::len),
        optional.votes.map(<[_]>::len),
    ];
    if lengths.into_iter().flatten().any(|length| length != count) {
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
        let floats = [
            ("raw_conf", optional.raw_confidence),
            ("disagreement", optional.disagreement),
        ];
        for (name, values) in floats {
            columns.extend(values.map(|values| float_column(name, values[range.clone()].iter().copied())));
        }
        columns.extend(
            optional
                .votes
                .map(|votes| votes_column(&votes[range.clone()], labels)),
        );
        if let Some(truth) = scored.truth {
            columns.push(label_column(label_title(task), &truth[range], labels, task));
        }
        columns
    })
}

/// Makes one scored table of several with the same columns, one behind the other, and gives its number of rows. Never
/// holds more than a row group and one of the tables.
pub fn concat_scored(path: &Path, parts: &[PathBuf]) -> Result<u64, DatasetError> {
    write_concatenated(path, parts)
}

fn votes_column(rows: &[Vec<LabelIds>], labels: &LabelSet) -> PolarsColumn {
    let names = |vote: &LabelIds| {
        let names: Vec<&str> = vote.ids().iter().map(|id| labels.name(*id)).collect();
        names.join(", ")
    };
    let votes: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(names).collect()).collect();
    string_lists("votes", votes.iter().map(|row| row.iter().map(String::as_str)))
}

fn seconds(decisions: &[Decision], labels: &LabelSet) -> PolarsColumn {
    let names = decisions
        .iter()
        .map(|decision| decision.second.map(|class| labels.name(class)));
    StringChunked::from_iter_options("pred_second".into(), names).into_column()
}
