//! What a run tells while it goes on, and what it leaves to go on from.

use serde::{Deserialize, Serialize};

use crate::Checkpoint;

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

/// A step was done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Steps done.
    pub step: usize,
    /// Steps in all, if training is not stopped early.
    pub total: usize,
    /// 1-based.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// The step's loss.
    pub loss: f64,
}

/// What an observer wants between two steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    #[default]
    GoOn,
    /// A checkpoint.
    Checkpoint,
    /// A checkpoint, and no further step: training ends with [`TrainingError::Interrupted`](crate::TrainingError::Interrupted).
    End,
}

/// Who looks at a run and keeps its checkpoints.
pub trait Observer {
    /// Takes note of a step.
    fn step(&mut self, _step: Step) {}

    /// Asked before each step and each evaluation but those that come first.
    fn wish(&mut self, _steps: usize) -> Wish {
        Wish::GoOn
    }

    /// Keeps `checkpoint`, which was wished for. That it cannot is no reason to end the training.
    fn keep(&mut self, _checkpoint: &Checkpoint<'_>) {}
}

/// One that looks away.
impl Observer for () {}
