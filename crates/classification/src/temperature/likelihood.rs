//! The negative log-likelihood of rows as a function of the inverse temperature, and its minimum.

use super::logistic;
use crate::{LabelIds, Task};

/// Logits with what is true of them.
pub(super) struct Rows<'a> {
    task: Task,
    logits: &'a [Vec<f32>],
    truth: &'a [LabelIds],
}

/// The mean loss and its first two derivatives by the inverse temperature, in which it is convex.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slope {
    pub(super) loss: f64,
    first: f64,
    second: f64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(task: Task, logits: &'a [Vec<f32>], truth: &'a [LabelIds]) -> Self {
        assert_eq!(logits.len(), truth.len(), "one truth per row");
        Self { task, logits, truth }
    }

    pub(super) fn at(&self, inverse: f64) -> Slope {
        let (mut sum, mut statements) = (Slope::default(), 0);
        for (logits, truth) in self.logits.iter().zip(self.truth) {
            match self.task {
                Task::SingleLabel => {
                    sum.add(softmax_slope(logits, truth.ids()[0], inverse));
                    statements += 1;
                }
                Task::MultiLabel => {
                    for (class, logit) in logits.iter().enumerate() {
                        sum.add(sigmoid_slope(*logit, truth.contains(class), inverse));
                    }
                    statements += logits.len();
                }
            }
        }
        let count = statements.max(1) as f64;
        Slope {
            loss: sum.loss / count,
            first: sum.first / count,
            second: sum.second / count,
        }
    }

    /// Newton's method within a bracket, which is bisected where a step would leave it or not be half the one before
    /// (`rtsafe` in Press et al., Numerical Recipes, 9.4).
    pub(super) fn minimum(&self, mut low: f64, mut high: f64) -> f64 {
        // Steps are halved at least: 200 are more than there are bits.
        const STEPS: usize = 200;
        if self.at(low).first >= 0.0 {
            return low;
        }
        if self.at(high).first <= 0.0 {
            return high;
        }
        let mut at = 1.0f64.clamp(low, high);
        let mut step = high - low;
        for _ in 0..STEPS {
            let slope = self.at(at);
            if slope.first == 0.0 {
                break;
            }
            if slope.first < 0.0 {
                low = at;
            } else {
                high = at;
            }
            let newton = at - slope.first / slope.second;
            let halved = 2.0 * slope.first.abs() <= step * slope.second;
            let next = if halved && newton > low && newton < high {
                newton
            } else {
                (low + high) / 2.0
            };
            step = (next - at).abs();
            at = next;
            if step <= 1e-12 * at {
                break;
            }
        }
        at
    }
}

impl Slope {
    fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.first += other.first;
        self.second += other.second;
    }
}

/// `ln Σ exp(β z) - β z_true`: its derivatives are the mean and the variance of the logits under the softmax.
fn softmax_slope(logits: &[f32], truth: usize, inverse: f64) -> Slope {
    let value = |logit: &f32| f64::from(*logit);
    // Measured from the highest, so that nothing overflows.
    let highest = logits.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    for distance in logits.iter().map(|logit| value(logit) - highest) {
        let weight = (inverse * distance).exp();
        sum += weight;
        first += weight * distance;
        second += weight * distance * distance;
    }
    let mean = first / sum;
    let of_truth = value(&logits[truth]) - highest;
    Slope {
        loss: sum.ln() - inverse * of_truth,
        first: mean - of_truth,
        second: (second / sum - mean * mean).max(0.0),
    }
}

/// `ln(1 + exp(-β z))` for a label that is there, `ln(1 + exp(β z))` for one that is not.
fn sigmoid_slope(logit: f32, there: bool, inverse: f64) -> Slope {
    let wrong = if there {
        -f64::from(logit)
    } else {
        f64::from(logit)
    };
    let at = inverse * wrong;
    let probability = logistic(at);
    Slope {
        loss: at.max(0.0) + (-at.abs()).exp().ln_1p(),
        first: wrong * probability,
        second: wrong * wrong * probability * (1.0 - probability),
    }
}
