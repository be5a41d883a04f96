//! Temperature scaling: one divisor of all logits that makes confidences mean what they say
//! (Guo et al. 2017, <https://arxiv.org/abs/1706.04599>).

mod likelihood;

use likelihood::Rows;
use serde::{Deserialize, Serialize};

use crate::{Decision, DecisionRule, LabelIds, Task};

/// Divides the logits before the softmax, or before each sigmoid. Above 1: less confident than the model says.
///
/// The order of the classes, and so the decision, stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Temperature(f64);

impl Temperature {
    /// Leaves everything as it is.
    pub const ONE: Self = Self(1.0);
    /// The lowest that a fit gives: where every row is right, the likelihood alone would go to 0.
    pub const LOWEST: Self = Self(0.05);
    /// The highest that a fit gives: where the logits say nothing about the truth, the likelihood alone may go to
    /// infinity.
    pub const HIGHEST: Self = Self(20.0);

    /// The temperature with the lowest [negative log-likelihood](Self::negative_log_likelihood) between
    /// [`LOWEST`](Self::LOWEST) and [`HIGHEST`](Self::HIGHEST); 1 if none is better than 1.
    ///
    /// # Panics
    /// If there is not one truth per row, or one is no class of a row's logits.
    pub fn fit(task: Task, logits: &[Vec<f32>], truth: &[LabelIds]) -> Self {
        let rows = Rows::new(task, logits, truth);
        let fitted = rows.minimum(1.0 / Self::HIGHEST.0, 1.0 / Self::LOWEST.0);
        if rows.at(fitted).loss < rows.at(1.0).loss {
            Self(1.0 / fitted)
        } else {
            Self::ONE
        }
    }

    /// Single-label: mean of `-ln(probability of the true class)`. Multi-label: mean over rows and labels of
    /// `-ln(probability of what is true of the label)`. Exact, out of the logits; 0 without rows.
    ///
    /// # Panics
    /// As [`fit`](Self::fit).
    pub fn negative_log_likelihood(self, task: Task, logits: &[Vec<f32>], truth: &[LabelIds]) -> f64 {
        Rows::new(task, logits, truth).at(1.0 / self.0).loss
    }

    /// The divisor.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether the rows asked for more than a fit gives, because they are too few or too easy.
    pub fn is_at_bound(self) -> bool {
        let near = |bound: Self| (self.0 / bound.0 - 1.0).abs() < 1e-9;
        near(Self::LOWEST) || near(Self::HIGHEST)
    }

    /// The probability from which a label is given, on this temperature's scale: `p >= threshold` before is
    /// `calibrated p >= scale(threshold)` after.
    pub fn scale(self, threshold: f32) -> f32 {
        if self == Self::ONE {
            return threshold;
        }
        let threshold = f64::from(threshold);
        logistic((threshold / (1.0 - threshold)).ln() / self.0) as f32
    }
}

impl DecisionRule {
    /// The decision of [`decide`](Self::decide) with calibrated probabilities: the same labels and the same second
    /// class, whatever rounding does; confidence, margin and probabilities are those at `temperature`. A margin is
    /// measured from the [scaled](Temperature::scale) thresholds.
    ///
    /// # Panics
    /// As [`decide`](Self::decide).
    pub fn decide_at(&self, logits: &[f32], temperature: Temperature) -> Decision {
        let plain = self.decide(logits);
        if temperature == Temperature::ONE {
            return plain;
        }
        let scaled = || logits.iter().map(|logit| f64::from(*logit) / temperature.0);
        match self {
            Self::Highest => {
                let highest = scaled().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = scaled().map(|logit| (logit - highest).exp()).sum();
                let probabilities: Vec<f32> = scaled()
                    .map(|logit| ((logit - highest).exp() / sum) as f32)
                    .collect();
                let of = |class: Option<usize>| class.map_or(0.0, |class| probabilities[class]);
                let confidence = of(plain.labels.first());
                Decision {
                    confidence,
                    // Two logits that only the f32 softmax holds for equal may stand in the other order here.
                    margin: (confidence - of(plain.second)).max(0.0),
                    probabilities,
                    ..plain
                }
            }
            Self::Thresholds(_) => Decision {
                labels: plain.labels,
                ..Decision::from_probabilities(
                    scaled().map(|logit| logistic(logit) as f32).collect(),
                    &self.thresholds_at(temperature),
                )
            },
        }
    }

    /// The thresholds on the scale of `temperature`, one per class; none where the task is single-label.
    pub fn thresholds_at(&self, temperature: Temperature) -> Vec<f32> {
        match self {
            Self::Highest => Vec::new(),
            Self::Thresholds(thresholds) => thresholds
                .iter()
                .map(|threshold| temperature.scale(*threshold))
                .collect(),
        }
    }
}

fn logistic(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINGLE: Task = Task::SingleLabel;

    fn fit(logits: &[[f32; 3]], truth: &[usize]) -> Temperature {
        let (logits, truth) = rows(logits, truth);
        Temperature::fit(SINGLE, &logits, &truth)
    }

    fn rows(logits: &[[f32; 3]], truth: &[usize]) -> (Vec<Vec<f32>>, Vec<LabelIds>) {
        let truth = truth.iter().map(|class| (*class).into()).collect();
        (logits.iter().map(|row| row.to_vec()).collect(), truth)
    }

    #[test]
    fn an_overconfident_model_is_cooled_to_what_it_gets_right() {
        // Right in 3 of 4 rows, so the confidence has to become 3/4: e^(4/T) / (e^(4/T) + 2) = 3/4.
        let temperature = fit(&[[4.0, 0.0, 0.0]; 4], &[0, 0, 0, 1]);
        assert!(
            (temperature.get() - 4.0 / 6f64.ln()).abs() < 1e-9,
            "{temperature:?}"
        );
        let decision = DecisionRule::Highest.decide_at(&[4.0, 0.0, 0.0], temperature);
        assert!((decision.confidence - 0.75).abs() < 1e-6);
        assert!((decision.margin - 0.625).abs() < 1e-6);
    }

    #[test]
    fn where_the_likelihood_has_no_optimum_the_temperature_stops_at_a_bound() {
        let right = fit(&[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]], &[0, 1]);
        let wrong = fit(&[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]], &[1, 2]);
        let one_row = fit(&[[0.5, 0.0, 0.1]], &[0]);
        assert_eq!((right, one_row), (Temperature::LOWEST, Temperature::LOWEST));
        assert!((wrong.get() - 20.0).abs() < 1e-9);
        assert!(right.is_at_bound() && wrong.is_at_bound() && !Temperature::ONE.is_at_bound());
    }

    #[test]
    fn logits_that_say_nothing_and_no_rows_leave_one() {
        assert_eq!(fit(&[[1.0; 3]; 5], &[0, 1, 2, 0, 0]), Temperature::ONE);
        assert_eq!(fit(&[], &[]), Temperature::ONE);
        let nothing = Temperature::ONE.negative_log_likelihood(SINGLE, &[], &[]);
        assert_eq!(nothing, 0.0);
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let temperature = fit(&[[5000.0, -5000.0, 0.0], [0.0, 9000.0, 0.0]], &[1, 0]);
        assert!((temperature.get() - 20.0).abs() < 1e-9);
        let (logits, truth) = rows(&[[5000.0, -5000.0, 0.0]], &[1]);
        let loss = temperature.negative_log_likelihood(SINGLE, &logits, &truth);
        assert!((loss - 500.0).abs() < 1e-9, "{loss}");
    }

    #[test]
    fn a_temperature_of_one_changes_no_bit() {
        for rule in [DecisionRule::Highest, DecisionRule::Thresholds(vec![0.3; 3])] {
            let logits = [0.1, -0.7, 0.3];
            assert_eq!(rule.decide_at(&logits, Temperature::ONE), rule.decide(&logits));
        }
    }

    #[test]
    fn labels_stay_where_rounding_makes_classes_equal() {
        let logits = [1.0, 1.0f32.next_up(), 0.0];
        let plain = DecisionRule::Highest.decide(&logits);
        let flat = DecisionRule::Highest.decide_at(&logits, Temperature::HIGHEST);
        assert_eq!((&flat.labels, flat.second), (&plain.labels, plain.second));
        assert!(flat.margin >= 0.0);
    }

    #[test]
    fn thresholds_move_with_the_probabilities() {
        let rule = DecisionRule::Thresholds(vec![0.25, 0.5, 0.9]);
        for temperature in [Temperature(0.2), Temperature(3.0)] {
            for logits in [[-1.0, 0.0, 2.0], [-1.2, 0.1, 2.3], [3.0, -3.0, 0.0]] {
                let (plain, calibrated) = (rule.decide(&logits), rule.decide_at(&logits, temperature));
                assert_eq!(plain.labels, calibrated.labels);
                for (class, threshold) in rule.thresholds_at(temperature).iter().enumerate() {
                    let given = calibrated.probabilities[class] >= *threshold;
                    assert_eq!(given, plain.labels.contains(class), "{logits:?} {temperature:?}");
                }
            }
        }
        assert_eq!(Temperature(3.0).scale(0.5), 0.5);
        assert_eq!(
            (Temperature(3.0).scale(0.0), Temperature(3.0).scale(1.0)),
            (0.0, 1.0)
        );
    }

    #[test]
    fn several_labels_are_fitted_each_on_its_own() {
        // Three of four statements at logit 2 are true: 1 / (1 + e^(-2/T)) = 3/4.
        let logits = vec![vec![2.0, 2.0], vec![2.0, 2.0]];
        let truth = vec![vec![0, 1].into(), 0.into()];
        let temperature = Temperature::fit(Task::MultiLabel, &logits, &truth);
        assert!(
            (temperature.get() - 2.0 / 3f64.ln()).abs() < 1e-9,
            "{temperature:?}"
        );
    }
}
