//! Whether a confidence means what it says.

use serde::{Deserialize, Serialize};

use crate::Prediction;

/// Predictions whose confidence lies in (low, high].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Exclusive, but for the first bin.
    pub low: f64,
    /// Inclusive.
    pub high: f64,
    /// Number of predictions in it.
    pub count: u64,
    /// Mean confidence; 0 for an empty bin.
    pub confidence: f64,
    /// Share predicted right; 0 for an empty bin.
    pub accuracy: f64,
}

/// Number of bins of [`expected_calibration_error`].
pub const CALIBRATION_BINS: usize = 15;

/// Mean distance between confidence and accuracy over 15 bins of equal width, weighted by their counts
/// (Guo et al. 2017, <https://arxiv.org/abs/1706.04599>).
pub fn expected_calibration_error(predictions: &[Prediction], truth: &[usize]) -> f64 {
    let distance = |bin: &ReliabilityBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    let sum: f64 = reliability(predictions, truth, CALIBRATION_BINS)
        .iter()
        .map(distance)
        .sum();
    mean(sum, predictions.len())
}

/// Confidence against accuracy, in `bins` bins of equal width.
///
/// # Panics
/// If there is not one true class per prediction.
pub fn reliability(predictions: &[Prediction], truth: &[usize], bins: usize) -> Vec<ReliabilityBin> {
    assert_eq!(truth.len(), predictions.len(), "one true class per prediction");
    let mut sums = vec![(0u64, 0.0f64, 0u64); bins];
    for (prediction, &truth) in predictions.iter().zip(truth) {
        let confidence = f64::from(prediction.confidence);
        let bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        let (count, confidences, right) = &mut sums[bin];
        *count += 1;
        *confidences += confidence;
        *right += u64::from(prediction.label == truth);
    }
    let edge = |bin: usize| bin as f64 / bins as f64;
    let finish = |(bin, (count, confidences, right)): (usize, (u64, f64, u64))| ReliabilityBin {
        low: edge(bin),
        high: edge(bin + 1),
        count,
        confidence: mean(confidences, count as usize),
        accuracy: mean(right as f64, count as usize),
    };
    sums.into_iter().enumerate().map(finish).collect()
}

/// Mean of `-ln(probability of the true class)`; probabilities are kept at least f32's epsilon away from 0,
/// as in scikit-learn's `log_loss`.
pub fn negative_log_likelihood(predictions: &[Prediction], truth: &[usize]) -> f64 {
    let loss = |(prediction, &truth): (&Prediction, &usize)| {
        -f64::from(prediction.probabilities[truth].clamp(f32::EPSILON, 1.0 - f32::EPSILON)).ln()
    };
    mean(predictions.iter().zip(truth).map(loss).sum(), predictions.len())
}

/// Mean over the rows of the squared distance between the probabilities and the truth, in [0, 2].
pub fn brier_score(predictions: &[Prediction], truth: &[usize]) -> f64 {
    let distance = |(prediction, &truth): (&Prediction, &usize)| -> f64 {
        let classes = prediction.probabilities.iter().enumerate();
        classes
            .map(|(class, &p)| (f64::from(p) - f64::from(u8::from(class == truth))).powi(2))
            .sum()
    };
    mean(
        predictions.iter().zip(truth).map(distance).sum(),
        predictions.len(),
    )
}

fn mean(sum: f64, count: usize) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_and_certain_is_calibrated() {
        let predictions = [Prediction::from_probabilities(vec![1.0, 0.0])];
        assert_eq!(expected_calibration_error(&predictions, &[0]), 0.0);
        assert_eq!(brier_score(&predictions, &[0]), 0.0);
    }

    #[test]
    fn wrong_and_certain_is_the_worst() {
        let predictions = [Prediction::from_probabilities(vec![1.0, 0.0])];
        assert_eq!(expected_calibration_error(&predictions, &[1]), 1.0);
        assert_eq!(brier_score(&predictions, &[1]), 2.0);
        assert!((negative_log_likelihood(&predictions, &[1]) - 15.942_385).abs() < 1e-5);
    }

    #[test]
    fn bins_cover_zero_to_one() {
        let bins = reliability(&[Prediction::from_probabilities(vec![0.5, 0.5])], &[0], 4);
        assert_eq!((bins[1].low, bins[1].high, bins[1].count), (0.25, 0.5, 1));
    }
}
