//! What a model decides about one text, whatever the task.

use serde::{Deserialize, Serialize};

use crate::{LabelIds, Prediction, Task};

/// The labels that a text is given, and how sure that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Exactly one where the task is single-label; may be none where it is multi-label.
    pub labels: LabelIds,
    /// Single-label: the class's probability. Multi-label: the least of `max(p, 1 - p)` over the labels.
    pub confidence: f32,
    /// Single-label: the distance to the second probability. Multi-label: the least distance of a label's
    /// probability from its threshold.
    pub margin: f32,
    /// The class with the second highest probability; none where the task is multi-label.
    pub second: Option<usize>,
    /// One per class, in id order; they sum to 1 only where the task is single-label.
    pub probabilities: Vec<f32>,
}

/// How logits become labels.
#[derive(Clone, Debug, PartialEq)]
pub enum DecisionRule {
    /// Single-label: softmax, the class with the highest probability.
    Highest,
    /// Multi-label: a sigmoid each, every label whose probability reaches its threshold. In id order.
    Thresholds(Vec<f32>),
}

/// The probability from which a label is given unless something else is known.
pub const DEFAULT_THRESHOLD: f32 = 0.5;

impl DecisionRule {
    /// The rule of a task over `classes` classes; `thresholds` matter where it is multi-label, and are 0.5 without.
    pub fn new(task: Task, classes: usize, thresholds: Option<&[f32]>) -> Self {
        match (task, thresholds) {
            (Task::SingleLabel, _) => Self::Highest,
            (Task::MultiLabel, Some(thresholds)) => Self::Thresholds(thresholds.to_vec()),
            (Task::MultiLabel, None) => Self::Thresholds(vec![DEFAULT_THRESHOLD; classes]),
        }
    }

    /// The decision that follows from a model's logits, one per class.
    ///
    /// # Panics
    /// With fewer than two logits, or not one threshold per logit.
    pub fn decide(&self, logits: &[f32]) -> Decision {
        match self {
            Self::Highest => Prediction::from_logits(logits).into(),
            Self::Thresholds(thresholds) => Decision::from_probabilities(sigmoid(logits), thresholds),
        }
    }
}

impl Decision {
    /// The multi-label decision on probabilities, one per class.
    ///
    /// # Panics
    /// If there is not one threshold per probability.
    pub fn from_probabilities(probabilities: Vec<f32>, thresholds: &[f32]) -> Self {
        assert_eq!(
            probabilities.len(),
            thresholds.len(),
            "one threshold per probability"
        );
        let pairs = || probabilities.iter().zip(thresholds);
        // `f32::min` would pass over a NaN, which must show.
        let least = |least: f32, value: f32| {
            if value.is_nan() || value < least {
                value
            } else {
                least
            }
        };
        Self {
            labels: pairs()
                .enumerate()
                .filter(|(_, (probability, threshold))| probability >= threshold)
                .map(|(id, _)| id)
                .collect(),
            confidence: probabilities.iter().map(|p| p.max(1.0 - p)).fold(1.0, least),
            margin: pairs()
                .map(|(p, threshold)| (p - threshold).abs())
                .fold(1.0, least),
            second: None,
            probabilities,
        }
    }
}

impl From<Prediction> for Decision {
    fn from(prediction: Prediction) -> Self {
        let Prediction {
            label,
            confidence,
            margin,
            second,
            probabilities,
        } = prediction;
        Self {
            labels: label.into(),
            confidence,
            margin,
            second: Some(second),
            probabilities,
        }
    }
}

/// Logits to probabilities, each on its own.
pub fn sigmoid(logits: &[f32]) -> Vec<f32> {
    logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(probabilities: [f32; 3], thresholds: [f32; 3]) -> Decision {
        Decision::from_probabilities(probabilities.to_vec(), &thresholds)
    }

    #[test]
    fn a_label_at_its_threshold_is_given() {
        let decision = decide([0.25, 0.25, 0.875], [0.5, 0.25, 0.75]);
        assert_eq!(decision.labels.ids(), [1, 2]);
        assert_eq!(
            (decision.confidence, decision.margin, decision.second),
            (0.75, 0.0, None)
        );
    }

    #[test]
    fn a_text_may_have_no_label() {
        let decision = decide([0.25, 0.125, 0.125], [0.5; 3]);
        assert!(decision.labels.is_empty());
        assert_eq!((decision.confidence, decision.margin), (0.75, 0.25));
    }

    #[test]
    fn sigmoids_do_not_sum_to_one_and_do_not_overflow() {
        assert_eq!(sigmoid(&[0.0, 200.0, -200.0]), [0.5, 1.0, 0.0]);
    }

    #[test]
    fn the_highest_probability_decides_where_the_task_is_single_label() {
        let decision = DecisionRule::new(Task::SingleLabel, 3, None).decide(&[0.0, 2.0, 1.0]);
        assert_eq!((decision.labels, decision.second), (1.into(), Some(2)));
    }
}
