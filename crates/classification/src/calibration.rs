//! Whether a confidence means what it says.

use serde::{Deserialize, Serialize};

use crate::{Decision, LabelIds, Task};

/// How far probabilities can be trusted.
///
/// Single-label: every row is one statement, its confidence against whether its class is right. Multi-label: every
/// label of every row is one, its probability against whether the row has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Mean distance between confidence and accuracy over 15 bins of equal width, weighted by their counts
    /// (Naeini et al. 2015; as Guo et al. 2017, <https://arxiv.org/abs/1706.04599>).
    pub expected_error: f64,
    /// The same distance over 15 bins of equal count (Nguyen & O'Connor 2015, <https://arxiv.org/abs/1508.05154>;
    /// Nixon et al. 2019, <https://arxiv.org/abs/1904.01685>). Equal confidences are as right as they are on
    /// average, so that the order of the rows does not matter where a bin ends among them.
    #[serde(default)]
    pub adaptive_error: f64,
    /// Single-label: mean of `-ln(probability of the true class)`. Multi-label: mean over rows and labels of
    /// `-ln(probability of what is true of the label)`. Probabilities are kept at least f32's epsilon away from 0,
    /// as in scikit-learn's `log_loss`.
    pub negative_log_likelihood: f64,
    /// Single-label: mean over the rows of the squared distance between the probabilities and the truth, in [0, 2].
    /// Multi-label: mean over rows and labels, in [0, 1].
    pub brier: f64,
    /// Confidence against accuracy, in the 15 bins.
    pub reliability: Vec<ReliabilityBin>,
}

/// Statements whose confidence lies in (low, high].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Exclusive, but for the first bin.
    pub low: f64,
    /// Inclusive.
    pub high: f64,
    /// Number of statements in it.
    pub count: u64,
    /// Mean confidence; 0 for an empty bin.
    pub confidence: f64,
    /// Share that is right; 0 for an empty bin.
    pub accuracy: f64,
}

const BINS: usize = 15;

impl Calibration {
    /// Measures decisions on rows whose labels are known.
    ///
    /// # Panics
    /// If there is not one truth per decision, or a row of a single-label task has no label.
    pub fn measure(task: Task, decisions: &[Decision], truth: &[LabelIds]) -> Self {
        assert_eq!(truth.len(), decisions.len(), "one truth per decision");
        let rows = || decisions.iter().zip(truth);
        let said: Vec<Statement> = match task {
            Task::SingleLabel => rows()
                .map(|(decision, truth)| Statement {
                    confidence: decision.confidence,
                    right: decision.labels == *truth,
                })
                .collect(),
            Task::MultiLabel => rows()
                .flat_map(|(decision, truth)| of_labels(decision, truth))
                .collect(),
        };
        let statements = said.len() as u64;
        let reliability = reliability(&said);
        let distance = |bin: &ReliabilityBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
        let (mut loss, mut squares) = (0.0, 0.0);
        for (decision, truth) in rows() {
            loss += match task {
                Task::SingleLabel => surprise(decision.probabilities[truth.ids()[0]]),
                Task::MultiLabel => of_labels(decision, truth).map(|label| label.surprise()).sum(),
            };
            squares += of_labels(decision, truth)
                .map(|label| label.square())
                .sum::<f64>();
        }
        Self {
            expected_error: mean(reliability.iter().map(distance).sum(), statements),
            adaptive_error: adaptive_error(said),
            negative_log_likelihood: mean(loss, statements),
            brier: mean(squares, statements),
            reliability,
        }
    }
}

/// Something that a model says with some confidence.
struct Statement {
    confidence: f32,
    right: bool,
}

impl Statement {
    fn surprise(&self) -> f64 {
        let probability = if self.right {
            self.confidence
        } else {
            1.0 - self.confidence
        };
        surprise(probability)
    }

    fn square(&self) -> f64 {
        (f64::from(self.confidence) - f64::from(u8::from(self.right))).powi(2)
    }
}

/// What a decision says about each label.
fn of_labels<'d>(decision: &'d Decision, truth: &'d LabelIds) -> impl Iterator<Item = Statement> + 'd {
    let labels = decision.probabilities.iter().enumerate();
    labels.map(|(id, &confidence)| Statement {
        confidence,
        right: truth.contains(id),
    })
}

fn surprise(probability: f32) -> f64 {
    -f64::from(probability.clamp(f32::EPSILON, 1.0 - f32::EPSILON)).ln()
}

fn reliability(statements: &[Statement]) -> Vec<ReliabilityBin> {
    let mut sums = [(0u64, 0.0f64, 0u64); BINS];
    for statement in statements {
        let confidence = f64::from(statement.confidence);
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let (count, confidences, right) = &mut sums[bin];
        *count += 1;
        *confidences += confidence;
        *right += u64::from(statement.right);
    }
    let edge = |bin: usize| bin as f64 / BINS as f64;
    let finish = |(bin, (count, confidences, right)): (usize, (u64, f64, u64))| ReliabilityBin {
        low: edge(bin),
        high: edge(bin + 1),
        count,
        confidence: mean(confidences, count),
        accuracy: mean(right as f64, count),
    };
    sums.into_iter().enumerate().map(finish).collect()
}

fn adaptive_error(mut statements: Vec<Statement>) -> f64 {
    statements.sort_unstable_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let right: Vec<f64> = statements
        .chunk_by(|a, b| a.confidence == b.confidence)
        .flat_map(|equal| {
            let right = equal.iter().filter(|statement| statement.right).count();
            std::iter::repeat_n(right as f64 / equal.len() as f64, equal.len())
        })
        .collect();
    let bins = BINS.min(statements.len());
    let edge = |bin: usize| bin * statements.len() / bins;
    let distance = |bin: usize| {
        let rows = edge(bin)..edge(bin + 1);
        let confidences: f64 = statements[rows.clone()]
            .iter()
            .map(|s| f64::from(s.confidence))
            .sum();
        (right[rows].iter().sum::<f64>() - confidences).abs()
    };
    mean((0..bins).map(distance).sum(), statements.len() as u64)
}

fn mean(sum: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Prediction;

    fn single(probabilities: [f32; 2], truth: usize) -> Calibration {
        let decision = Prediction::from_probabilities(probabilities.to_vec()).into();
        Calibration::measure(Task::SingleLabel, &[decision], &[truth.into()])
    }

    #[test]
    fn right_and_certain_is_calibrated() {
        let calibration = single([1.0, 0.0], 0);
        assert_eq!((calibration.expected_error, calibration.brier), (0.0, 0.0));
    }

    #[test]
    fn wrong_and_certain_is_the_worst() {
        let calibration = single([1.0, 0.0], 1);
        assert_eq!((calibration.expected_error, calibration.brier), (1.0, 2.0));
        assert!((calibration.negative_log_likelihood - 15.942_385).abs() < 1e-5);
    }

    #[test]
    fn bins_cover_zero_to_one() {
        let bins = single([0.5, 0.5], 0).reliability;
        assert_eq!((bins[0].low, bins[14].high), (0.0, 1.0));
        assert_eq!((bins[7].count, bins[7].accuracy), (1, 1.0));
    }

    #[test]
    fn bins_of_equal_count_do_not_depend_on_the_order_of_equal_confidences() {
        let measure = |rights: [bool; 20]| {
            let decision = Decision::from(Prediction::from_probabilities(vec![0.75, 0.25]));
            let decisions = vec![decision; rights.len()];
            let truth = rights.map(|right| LabelIds::from(usize::from(!right)));
            Calibration::measure(Task::SingleLabel, &decisions, &truth).adaptive_error
        };
        let half = std::array::from_fn(|row| row < 10);
        let mixed = std::array::from_fn(|row| row % 2 == 0);
        assert_eq!(measure(half), measure(mixed));
        assert!((measure(half) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn fewer_rows_than_bins_have_a_bin_each() {
        assert_eq!(single([0.75, 0.25], 0).adaptive_error, 0.25);
        assert_eq!(
            Calibration::measure(Task::SingleLabel, &[], &[]).adaptive_error,
            0.0
        );
    }

    #[test]
    fn every_label_of_a_row_with_several_is_a_statement() {
        let decision = Decision::from_probabilities(vec![1.0, 0.0, 0.5], &[0.5; 3]);
        let calibration = Calibration::measure(Task::MultiLabel, &[decision], &[vec![0, 2].into()]);
        assert_eq!(calibration.brier, 0.25 / 3.0);
        assert!((calibration.expected_error - 0.5 / 3.0).abs() < 1e-12);
        assert!((calibration.negative_log_likelihood - 2f64.ln() / 3.0).abs() < 1e-6);
    }
}
