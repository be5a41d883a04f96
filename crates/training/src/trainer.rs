//! The loop itself.

use burn::tensor::Device;
use classification::{LabelIds, Task};
use model::{ModelError, SequenceClassifier};
use serde::{Deserialize, Serialize};

use crate::run::Run;
use crate::{
    Checkpoint, DeviceLearner, Evaluation, Examples, Learner, NativeLearner, Objective, Observer, Optimizer,
    Record, Thresholds, TrainingError, TrainingOptions,
};

/// What a model learns from and is measured on.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// To learn from.
    pub train: &'a Examples,
    /// To choose the best model by; absent: the last one is taken.
    pub validation: Option<&'a Examples>,
    /// Whether a text has exactly one label.
    pub task: Task,
    /// Number of classes.
    pub classes: usize,
    /// From which probability a label is given, where the task is multi-label.
    pub thresholds: &'a Thresholds,
    /// The token that fills up batches.
    pub pad_id: u32,
}

/// A model after training.
#[derive(Debug)]
pub struct Trained {
    /// The best model, without autodiff.
    pub model: SequenceClassifier,
    /// Its evaluation, if there were validation examples.
    pub validation: Option<Evaluation>,
    /// What happened.
    pub summary: Summary,
    /// Figures of the training examples every so many steps, and of the validation examples at each evaluation.
    pub records: Vec<Record>,
}

/// What happened in a run; where it was interrupted, in all its parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Epoch of the best model, 1-based.
    pub best_epoch: usize,
    /// Step of the best model, 1-based.
    pub best_step: usize,
    /// Whether training ended before its last epoch was done.
    pub stopped_early: bool,
    /// Epochs that were at least begun.
    pub epochs_run: usize,
    /// Optimizer steps done.
    pub steps: usize,
    /// Seconds in optimizer steps, evaluation not counted.
    pub seconds: f64,
    /// Examples seen in those seconds, repeated ones counted.
    pub examples: u64,
    /// Their tokens, padding not counted.
    pub tokens: u64,
}

/// Trains `model`, whose parameters are on `device`, an autodiff device; from the beginning, or from a `checkpoint` of
/// the same training. On the CPU (`flex`) the result is the same, bit for bit; there burn computes the loss only.
pub fn train(
    model: SequenceClassifier,
    data: &Data<'_>,
    options: &TrainingOptions,
    device: &Device,
    checkpoint: Option<Checkpoint<'static>>,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainingError> {
    check(&model, data, options)?;
    if let Some(checkpoint) = &checkpoint {
        checkpoint.check(&model, data)?;
    }
    let objective = Objective::new(
        data.task,
        data.classes,
        options.label_smoothing,
        options.class_weights.as_deref(),
    );
    let optimizer = Optimizer::new(options.rule, options.weight_decay);
    let learner: Box<dyn Learner> = if *device == Device::flex() {
        Box::new(NativeLearner::new(&model, objective.clone(), optimizer)?)
    } else {
        let learner = DeviceLearner::new(model, objective.clone(), optimizer, data.pad_id, device);
        Box::new(learner)
    };
    let mut run = Run::new(data, options, objective, learner, observer);
    if let Some(checkpoint) = checkpoint {
        run.restore(checkpoint)?;
    }
    run.complete()
}

fn check(
    model: &SequenceClassifier,
    data: &Data<'_>,
    options: &TrainingOptions,
) -> Result<(), TrainingError> {
    if data.train.is_empty() || options.epochs == 0 {
        return Err(TrainingError::NoExamples);
    }
    for examples in [Some(data.train), data.validation].into_iter().flatten() {
        if examples.ids.len() != examples.len() || examples.encodings.len() != examples.len() {
            return Err(TrainingError::Mismatch(
                "ids, texts and labels differ in number".into(),
            ));
        }
        let limit = model.max_length();
        if let Some(row) = examples
            .encodings
            .iter()
            .position(|encoding| encoding.ids.len() > limit)
        {
            let length = examples.encodings[row].ids.len();
            return Err(ModelError::TooLong { row, length, limit }.into());
        }
        let ids = examples.labels.iter().flat_map(LabelIds::ids);
        if let Some(label) = ids.max().filter(|label| **label >= data.classes) {
            return Err(TrainingError::Mismatch(format!(
                "there is no class {label} of {}",
                data.classes
            )));
        }
        let one = |labels: &LabelIds| labels.len() == 1;
        if data.task == Task::SingleLabel && !examples.labels.iter().all(one) {
            return Err(TrainingError::Mismatch("a text has not exactly one label".into()));
        }
    }
    if let Some(soft) = &data.train.soft {
        check_soft(soft, data)?;
    }
    if let Thresholds::Fixed(thresholds) = data.thresholds
        && data.task == Task::MultiLabel
        && thresholds.len() != data.classes
    {
        return Err(TrainingError::Mismatch(format!(
            "{} thresholds for {} classes",
            thresholds.len(),
            data.classes
        )));
    }
    match &options.class_weights {
        Some(weights) if weights.len() != data.classes => Err(TrainingError::Mismatch(format!(
            "{} weights for {} classes",
            weights.len(),
            data.classes
        ))),
        _ => Ok(()),
    }
}

/// Every text has one probability per class.
fn check_soft(soft: &[Vec<f32>], data: &Data<'_>) -> Result<(), TrainingError> {
    if soft.len() != data.train.len() {
        let message = format!("{} soft labels for {} texts", soft.len(), data.train.len());
        return Err(TrainingError::Mismatch(message));
    }
    let is_probability = |value: &f32| (0.0..=1.0).contains(value);
    let fits = |row: &Vec<f32>| row.len() == data.classes && row.iter().all(is_probability);
    match soft.iter().position(|row| !fits(row)) {
        None => Ok(()),
        Some(row) => Err(TrainingError::Mismatch(format!(
            "the soft label of row `{}` is not {} probabilities",
            data.train.ids[row], data.classes
        ))),
    }
}

#[cfg(test)]
mod tests;
