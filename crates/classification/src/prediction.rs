//! What a model says about one text.

use serde::{Deserialize, Serialize};

/// The classes of one text by probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The class with the highest probability; among equals the lowest id.
    pub label: usize,
    /// Its probability, in [0, 1].
    pub confidence: f32,
    /// Confidence minus the second highest probability, in [0, 1].
    pub margin: f32,
    /// The class with the second highest probability; among equals the lowest id.
    pub second: usize,
    /// One per class, in id order.
    pub probabilities: Vec<f32>,
}

impl Prediction {
    /// The prediction that follows from a model's logits, one per class.
    ///
    /// Logits that are not finite give probabilities that are not; callers that can name the row refuse them first.
    ///
    /// # Panics
    /// With fewer than two logits.
    pub fn from_logits(logits: &[f32]) -> Self {
        Self::from_probabilities(softmax(logits))
    }

    /// The prediction that follows from probabilities, one per class.
    ///
    /// # Panics
    /// With fewer than two probabilities.
    pub fn from_probabilities(probabilities: Vec<f32>) -> Self {
        assert!(
            probabilities.len() >= 2,
            "a prediction needs at least two classes"
        );
        let (mut label, mut second) = if probabilities[1] > probabilities[0] {
            (1, 0)
        } else {
            (0, 1)
        };
        for class in 2..probabilities.len() {
            if probabilities[class] > probabilities[label] {
                (label, second) = (class, label);
            } else if probabilities[class] > probabilities[second] {
                second = class;
            }
        }
        let confidence = probabilities[label];
        let margin = confidence - probabilities[second];
        Self {
            label,
            confidence,
            margin,
            second,
            probabilities,
        }
    }
}

/// Logits to probabilities that sum to 1, in f32 and without overflow.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut probabilities: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
    let sum: f32 = probabilities.iter().sum();
    probabilities
        .iter_mut()
        .for_each(|probability| *probability /= sum);
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_lower_id() {
        let prediction = Prediction::from_logits(&[1.0, 3.0, 3.0, 3.0]);
        assert_eq!(
            (prediction.label, prediction.second, prediction.margin),
            (1, 2, 0.0)
        );
    }

    #[test]
    fn all_equal_gives_the_first_two_classes() {
        let prediction = Prediction::from_logits(&[0.0; 4]);
        assert_eq!(
            (prediction.label, prediction.second, prediction.confidence),
            (0, 1, 0.25)
        );
    }

    #[test]
    fn second_is_the_lower_id_among_equals() {
        let prediction = Prediction::from_logits(&[1.0, 1.0, 5.0]);
        assert_eq!((prediction.label, prediction.second), (2, 0));
    }

    #[test]
    fn second_is_found_after_and_before_the_first() {
        assert_eq!(Prediction::from_logits(&[3.0, 1.0, 2.0]).second, 2);
        assert_eq!(Prediction::from_logits(&[2.0, 1.0, 3.0]).second, 0);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let probabilities = softmax(&[1000.0, 999.0, -1000.0]);
        assert!((probabilities[0] - 0.731_058_6).abs() < 1e-6, "{probabilities:?}");
        assert_eq!(probabilities[2], 0.0);
    }

    #[test]
    fn logits_that_are_not_numbers_show_in_the_confidence() {
        assert!(Prediction::from_logits(&[f32::NAN, 1.0]).confidence.is_nan());
    }
}
