//! The settings of a run, checked by whoever made them.

use crate::{Decay, Rule};

/// The settings of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingOptions {
    /// Passes over the examples.
    pub epochs: usize,
    /// Examples per forward pass.
    pub batch_size: usize,
    /// Batches per optimizer step.
    pub gradient_accumulation_steps: usize,
    /// The schedule's peak.
    pub learning_rate: f64,
    /// How the learning rate falls after warm-up.
    pub decay: Decay,
    /// How long it rises.
    pub warmup: Warmup,
    /// How a gradient becomes an update.
    pub rule: Rule,
    /// Applied to weights, not to biases and layer norms.
    pub weight_decay: f64,
    /// Gradients are scaled down to this global norm; 0 leaves them as they are.
    pub max_grad_norm: f64,
    /// Share of the target that is spread over all classes; multi-label: over yes and no of each label.
    pub label_smoothing: f64,
    /// One weight per class; multi-label: of each label's positives.
    pub class_weights: Option<Vec<f32>>,
    /// How often the validation examples are predicted.
    pub eval_every: EvalEvery,
    /// What makes a model the best one, and when to give up; absent: best macro-F1, all epochs.
    pub early_stopping: Option<EarlyStopping>,
    /// Steps between two records of the training loss.
    pub log_every: usize,
    /// Decides order and dropout.
    pub seed: u64,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_size: 32,
            gradient_accumulation_steps: 1,
            learning_rate: 2e-5,
            decay: Decay::Linear,
            warmup: Warmup::Ratio(0.1),
            rule: Rule::AdamW,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            label_smoothing: 0.05,
            class_weights: None,
            eval_every: EvalEvery::Epoch,
            early_stopping: None,
            log_every: 10,
            seed: 42,
        }
    }
}

impl TrainingOptions {
    /// Optimizer steps of an epoch over so many examples.
    pub fn steps_per_epoch(&self, examples: usize) -> usize {
        let batches = examples.div_ceil(self.batch_size);
        batches.div_ceil(self.gradient_accumulation_steps)
    }
}

/// How long the learning rate rises from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warmup {
    /// This share of all steps, rounded up.
    Ratio(f64),
    /// This many steps.
    Steps(usize),
}

impl Warmup {
    /// In steps.
    pub fn steps(self, total: usize) -> usize {
        match self {
            Self::Ratio(ratio) => (total as f64 * ratio).ceil() as usize,
            Self::Steps(steps) => steps,
        }
    }
}

/// How often the validation examples are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalEvery {
    /// After each epoch.
    Epoch,
    /// After so many steps, and after the last one.
    Steps(usize),
}

/// A figure of the validation examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// Mean of the classes' F1.
    #[default]
    MacroF1,
    /// Mean of the classes' F1, weighted by their support.
    WeightedF1,
    /// Share of right predictions; multi-label: of texts with all labels right.
    Accuracy,
    /// Multi-label: F1 over all decisions.
    MicroF1,
    /// Multi-label: mean of the texts' F1.
    SamplesF1,
    /// Mean cross entropy.
    Loss,
}

impl Metric {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::MacroF1 => "macro_f1",
            Self::WeightedF1 => "weighted_f1",
            Self::Accuracy => "accuracy",
            Self::MicroF1 => "micro_f1",
            Self::SamplesF1 => "samples_f1",
            Self::Loss => "loss",
        }
    }

    /// Whether `value` is better than `than`.
    pub fn improves(self, value: f64, than: f64) -> bool {
        match self {
            Self::Loss => value < than,
            _ => value > than,
        }
    }
}

/// When to give up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    /// What is watched.
    pub metric: Metric,
    /// Evaluations in a row without improvement after which training ends.
    pub patience: usize,
    /// A smaller gain is no improvement.
    pub min_delta: f64,
}
