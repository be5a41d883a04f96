//! What a run tells while it goes on.

use serde::{Deserialize, Serialize};

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Optimizer steps done.
    pub step: usize,
    /// Epochs done, with the fraction of the current one.
    pub epoch: f64,
    /// `train` or `validation`.
    pub split: String,
    /// What was measured: `loss`, `learning_rate`, `grad_norm`, `accuracy`, `macro_f1`, `weighted_f1`;
    /// multi-label also `micro_f1`, `samples_f1`, `hamming_loss`.
    pub name: String,
    /// The figure.
    pub value: f64,
}

/// What a run tells while it goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// A step was done.
    Step {
        /// Steps done.
        step: usize,
        /// Steps in all, if training is not stopped early.
        total: usize,
        /// 1-based.
        epoch: usize,
        /// Epochs in all.
        epochs: usize,
        /// The step's loss.
        loss: f64,
    },
    /// Figures of the training examples since the last such record, or of the validation examples.
    Records(Vec<Record>),
}
