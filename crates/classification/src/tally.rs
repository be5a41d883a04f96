//! What was taken for what, whatever the task.

use serde::Serialize;

use crate::{ConfusionMatrix, LabelCounts, LabelIds, Metrics, Task};

/// Counts of true against predicted labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Tally {
    /// Single-label: classes against classes.
    Classes(ConfusionMatrix),
    /// Multi-label: each label on its own.
    Labels(LabelCounts),
}

impl Tally {
    /// Counts of nothing.
    pub fn new(task: Task, classes: usize) -> Self {
        match task {
            Task::SingleLabel => Self::Classes(ConfusionMatrix::new(classes)),
            Task::MultiLabel => Self::Labels(LabelCounts::new(classes)),
        }
    }

    /// Counts pairs of true and predicted labels.
    ///
    /// # Panics
    /// If the numbers of rows differ, an id is not below `classes`, or a row of a single-label task has no label.
    pub fn count<'l>(
        task: Task,
        classes: usize,
        truth: impl ExactSizeIterator<Item = &'l LabelIds>,
        predicted: impl ExactSizeIterator<Item = &'l LabelIds>,
    ) -> Self {
        assert_eq!(truth.len(), predicted.len(), "one prediction per row");
        let mut tally = Self::new(task, classes);
        truth
            .zip(predicted)
            .for_each(|(truth, predicted)| tally.add(truth, predicted));
        tally
    }

    /// Counts one row.
    pub(crate) fn add(&mut self, truth: &LabelIds, predicted: &LabelIds) {
        match self {
            Self::Classes(matrix) => matrix.add(truth.ids()[0], predicted.ids()[0]),
            Self::Labels(counts) => counts.add(truth, predicted),
        }
    }

    /// The figures that follow.
    pub fn metrics(&self) -> Metrics {
        match self {
            Self::Classes(matrix) => Metrics::from_confusion(matrix),
            Self::Labels(counts) => counts.metrics(),
        }
    }

    /// Number of rows whose labels are exactly right.
    pub fn correct(&self) -> u64 {
        match self {
            Self::Classes(matrix) => matrix.correct(),
            Self::Labels(counts) => counts.exact(),
        }
    }
}
