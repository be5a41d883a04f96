//! What of a scored table the decision needs, in memory.

use classification::{LabelSet, Task};
use polars::prelude::DataFrame;

use crate::batches::{ParquetTable, finite};
use crate::write::label_title;
use crate::{DatasetError, parquet};

/// Column with the share of several models that say something else.
pub(super) const DISAGREEMENT: &str = "disagreement";

/// Some class ids per row. A vector each would take ten times the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct ClassLists {
    ids: Vec<u32>,
    /// Where each row's ids end.
    ends: Vec<u32>,
}

/// The predictions of a table: one entry per row.
#[derive(Clone, Debug, Default)]
pub(super) struct Predictions {
    /// Exactly one each where the task is single-label.
    pub(super) classes: ClassLists,
    pub(super) confidences: Vec<f32>,
    pub(super) margins: Vec<f32>,
    /// Empty unless it was asked for.
    pub(super) disagreements: Vec<f32>,
}

/// Predictions of rows whose labels are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) predictions: Predictions,
    pub(super) truth: ClassLists,
}

impl ClassLists {
    fn push(&mut self, ids: impl IntoIterator<Item = u32>) {
        self.ids.extend(ids);
        self.ends.push(self.ids.len() as u32);
    }

    /// The class ids of a row, ascending.
    pub(super) fn of(&self, row: usize) -> &[u32] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.ids[start as usize..self.ends[row] as usize]
    }

    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Appends the labels of `frame`, which must be names of the label set.
    fn read(
        &mut self,
        frame: &DataFrame,
        name: &str,
        column: &str,
        labels: &LabelSet,
        task: Task,
    ) -> Result<(), DatasetError> {
        let id = |row: usize, label: &str| {
            let position = labels.names().position(|known| known == label);
            position
                .map(|id| id as u32)
                .ok_or_else(|| DatasetError::ForeignLabel {
                    name: name.to_owned(),
                    row,
                    label: label.to_owned(),
                })
        };
        match task {
            Task::SingleLabel => {
                let values = parquet::strings(frame, name, column, false)?;
                for value in values.iter() {
                    let id = id(self.rows(), value.unwrap_or_default())?;
                    self.push([id]);
                }
            }
            Task::MultiLabel => {
                for names in parquet::string_lists(frame, name, column)? {
                    let ids = names.iter().map(|name| id(self.rows(), name));
                    let mut ids: Vec<u32> = ids.collect::<Result<_, _>>()?;
                    ids.sort_unstable();
                    ids.dedup();
                    self.push(ids);
                }
            }
        }
        Ok(())
    }
}

impl Predictions {
    pub(super) fn rows(&self) -> usize {
        self.confidences.len()
    }

    /// Reads the predictions of a scored table.
    pub(super) fn read(
        source: &ParquetTable<'_>,
        labels: &LabelSet,
        task: Task,
        disagreement: bool,
    ) -> Result<Self, DatasetError> {
        let mut predictions = Self::default();
        source.each(&columns(disagreement), &mut |start, frame| {
            predictions.add(&frame, source.name, start, labels, task, disagreement)
        })?;
        Ok(predictions)
    }

    fn add(
        &mut self,
        frame: &DataFrame,
        name: &str,
        start: usize,
        labels: &LabelSet,
        task: Task,
        disagreement: bool,
    ) -> Result<(), DatasetError> {
        self.classes.read(frame, name, PREDICTED, labels, task)?;
        self.confidences.extend(finite(frame, name, CONFIDENCE, start)?);
        self.margins.extend(finite(frame, name, MARGIN, start)?);
        if disagreement {
            self.disagreements
                .extend(finite(frame, name, DISAGREEMENT, start)?);
        }
        Ok(())
    }
}

impl Known {
    /// Reads predictions with the true labels.
    pub(super) fn read(
        source: &ParquetTable<'_>,
        labels: &LabelSet,
        task: Task,
        disagreement: bool,
    ) -> Result<Self, DatasetError> {
        let mut known = Self::default();
        let truth = label_title(task);
        let mut wanted = columns(disagreement);
        wanted.push(truth);
        source.each(&wanted, &mut |start, frame| {
            known
                .predictions
                .add(&frame, source.name, start, labels, task, disagreement)?;
            known.truth.read(&frame, source.name, truth, labels, task)
        })?;
        Ok(known)
    }

    /// Whether the whole prediction of a row is right.
    pub(super) fn is_right(&self, row: usize) -> bool {
        self.predictions.classes.of(row) == self.truth.of(row)
    }
}

pub(super) const PREDICTED: &str = "pred_emotion";
const CONFIDENCE: &str = "pred_conf";
const MARGIN: &str = "pred_margin";

/// What a decision is made from.
pub(super) fn columns(disagreement: bool) -> Vec<&'static str> {
    let mut columns = vec![PREDICTED, CONFIDENCE, MARGIN];
    columns.extend(disagreement.then_some(DISAGREEMENT));
    columns
}
