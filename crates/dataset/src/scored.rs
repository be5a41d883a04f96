//! Predictions as a table, with the columns that selection and users rely on.

use std::path::Path;

use classification::{LabelSet, Prediction};

use crate::write::{common, float_column, list_column, string_column, write_in_groups};
use crate::{DatasetError, Rows};

/// What a scored table is written from: one prediction per row.
#[derive(Clone, Copy, Debug)]
pub struct ScoredWriter<'a, L> {
    /// The rows that were scored.
    pub rows: &'a Rows<L>,
    /// In the order of `rows`.
    pub predictions: &'a [Prediction],
    /// The pipeline's labels.
    pub labels: &'a LabelSet,
    /// The true classes, for a table that has them.
    pub truth: Option<&'a [usize]>,
}

/// Writes `id`, `text`, `source`, `pred_emotion`, `pred_conf`, `pred_margin`, `pred_second`, `probs` and, with a truth, `label`.
pub fn write_scored<L>(path: &Path, scored: &ScoredWriter<'_, L>) -> Result<(), DatasetError> {
    let count = scored.rows.ids.len();
    if scored.predictions.len() != count || scored.truth.is_some_and(|truth| truth.len() != count) {
        let message = format!("{} predictions for {count} rows", scored.predictions.len());
        return Err(DatasetError::Write {
            name: path.display().to_string(),
            message,
        });
    }
    write_in_groups(path, count, |range| {
        let predictions = &scored.predictions[range.clone()];
        let name = |class: usize| scored.labels.name(class);
        let mut columns: Vec<_> = common(scored.rows, range.clone()).into();
        columns.extend([
            string_column(
                "pred_emotion",
                predictions.iter().map(|prediction| name(prediction.label)),
            ),
            float_column(
                "pred_conf",
                predictions.iter().map(|prediction| prediction.confidence),
            ),
            float_column(
                "pred_margin",
                predictions.iter().map(|prediction| prediction.margin),
            ),
            string_column(
                "pred_second",
                predictions.iter().map(|prediction| name(prediction.second)),
            ),
            list_column(
                "probs",
                predictions
                    .iter()
                    .map(|prediction| prediction.probabilities.as_slice()),
            ),
        ]);
        if let Some(truth) = scored.truth {
            columns.push(string_column(
                "label",
                truth[range].iter().map(|class| name(*class)),
            ));
        }
        columns
    })
}
