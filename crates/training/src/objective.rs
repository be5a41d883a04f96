//! What training makes small: the loss of the task.

use burn::tensor::{Device, Tensor};
use classification::{LabelIds, Task};

use crate::examples::Targets;
use crate::{BinaryCrossEntropy, CrossEntropy};

/// The loss of a task.
#[derive(Clone, Debug)]
pub enum Objective {
    /// Exactly one label per text.
    Single(CrossEntropy),
    /// Any number of labels per text.
    Multi(BinaryCrossEntropy),
}

impl Objective {
    /// `weights`: of the classes, where the task is multi-label of the labels' positives.
    pub fn new(task: Task, classes: usize, smoothing: f64, weights: Option<&[f32]>) -> Self {
        match task {
            Task::SingleLabel => Self::Single(CrossEntropy::new(classes, smoothing, weights)),
            Task::MultiLabel => Self::Multi(BinaryCrossEntropy::new(classes, smoothing, weights)),
        }
    }

    /// What the sum over texts with these targets is to be divided by.
    pub fn weight(&self, targets: &Targets<'_>) -> f64 {
        match (self, targets) {
            (Self::Single(loss), Targets::Labels(labels)) => {
                loss.weight(labels.iter().map(|labels| class(labels)))
            }
            (Self::Single(_), Targets::Soft(rows)) => rows.len() as f64,
            (Self::Multi(loss), Targets::Labels(labels)) => loss.weight(labels.len()),
            (Self::Multi(loss), Targets::Soft(rows)) => loss.weight(rows.len()),
        }
    }

    /// The loss of a batch times its divisor.
    pub fn sum(&self, logits: Tensor<2>, targets: &Targets<'_>, device: &Device) -> Tensor<1> {
        match (self, targets) {
            (Self::Single(loss), Targets::Labels(labels)) => {
                let classes: Vec<usize> = labels.iter().map(|labels| class(labels)).collect();
                loss.sum(logits, &classes, device)
            }
            (Self::Single(loss), Targets::Soft(rows)) => loss.sum_soft(logits, rows, device),
            (Self::Multi(loss), Targets::Labels(labels)) => loss.sum(logits, labels, device),
            (Self::Multi(loss), Targets::Soft(rows)) => loss.sum_soft(logits, rows, device),
        }
    }
}

/// The class of a text that has exactly one; checked before training begins.
fn class(labels: &LabelIds) -> usize {
    labels.first().unwrap_or_default()
}
