//! Predictions on labelled texts, and how good they are.

use burn::tensor::Device;
use classification::{Metrics, Prediction};
use model::SequenceClassifier;

use crate::{Examples, Metric, TrainingError};

/// Padded tokens per forward pass: large enough to keep the threads busy, small enough for any encoder's memory.
const BATCH_TOKENS: usize = 4096;

/// Predictions on labelled texts, and how good they are.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean cross entropy, without class weights and smoothing: comparable between runs.
    pub loss: f64,
    /// Figures of the predictions.
    pub metrics: Metrics,
    /// In the order of the examples.
    pub predictions: Vec<Prediction>,
}

impl Evaluation {
    /// Runs `model`, which must be plain (`valid()`), over `examples`.
    pub fn run(
        model: &SequenceClassifier,
        examples: &Examples,
        classes: usize,
        pad_id: u32,
        device: &Device,
    ) -> Result<Self, TrainingError> {
        let inference = model::infer(
            model,
            &examples.encodings,
            pad_id,
            BATCH_TOKENS,
            device,
            &mut |_, _| {},
        )?;
        let losses = inference
            .logits
            .iter()
            .zip(&examples.labels)
            .map(|(logits, label)| cross_entropy(logits, *label));
        let loss = losses.sum::<f64>() / examples.len().max(1) as f64;
        let predictions: Vec<Prediction> = inference
            .logits
            .iter()
            .map(|logits| Prediction::from_logits(logits))
            .collect();
        let labels: Vec<usize> = predictions.iter().map(|prediction| prediction.label).collect();
        Ok(Self {
            loss,
            metrics: Metrics::from_predictions(&examples.labels, &labels, classes),
            predictions,
        })
    }

    /// The figure that `metric` names.
    pub fn value(&self, metric: Metric) -> f64 {
        match metric {
            Metric::MacroF1 => self.metrics.macro_f1,
            Metric::WeightedF1 => self.metrics.weighted_f1,
            Metric::Accuracy => self.metrics.accuracy,
            Metric::Loss => self.loss,
        }
    }
}

/// Minus the log probability of `label`.
fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|logit| f64::from(logit - highest).exp()).sum();
    total.ln() - f64::from(logits[label] - highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_of_equal_logits_is_the_log_of_their_number() {
        assert!((cross_entropy(&[3.0; 4], 2) - 4f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn cross_entropy_of_large_logits_is_finite() {
        assert!((cross_entropy(&[1000.0, 0.0], 1) - 1000.0).abs() < 1e-9);
    }
}
