//! Accuracy, precision, recall and F1 with scikit-learn's meaning.

use serde::{Deserialize, Serialize};

use crate::ConfusionMatrix;

/// One class's figures. What is undefined counts 0, as scikit-learn's `zero_division=0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// Share of the rows predicted as this class that truly are of it.
    pub precision: f64,
    /// Share of this class's rows that were predicted as it.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Number of rows that truly are of this class.
    pub support: u64,
}

/// Figures over all classes. A listed class without rows counts into the macro averages, as scikit-learn does
/// when it is given all labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Share of rows predicted right.
    pub accuracy: f64,
    /// Mean of the classes' precision.
    pub macro_precision: f64,
    /// Mean of the classes' recall.
    pub macro_recall: f64,
    /// Mean of the classes' F1.
    pub macro_f1: f64,
    /// Mean of the classes' precision, weighted by support.
    pub weighted_precision: f64,
    /// Mean of the classes' recall, weighted by support.
    pub weighted_recall: f64,
    /// Mean of the classes' F1, weighted by support.
    pub weighted_f1: f64,
    /// In id order.
    pub per_class: Vec<ClassMetrics>,
    /// Number of rows.
    pub rows: u64,
    /// What there is only where rows have any number of labels; `accuracy` is then the share of rows whose labels
    /// are all found, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_label: Option<MultiLabelMetrics>,
}

/// Figures over rows with any number of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MultiLabelMetrics {
    /// Precision over all decisions, whatever the label.
    pub micro_precision: f64,
    /// Recall over all decisions.
    pub micro_recall: f64,
    /// F1 over all decisions.
    pub micro_f1: f64,
    /// Mean of the rows' precision; a row that is given no label counts 0.
    pub samples_precision: f64,
    /// Mean of the rows' recall; a row without a label counts 0.
    pub samples_recall: f64,
    /// Mean of the rows' F1; a row that neither has nor is given a label counts 0.
    pub samples_f1: f64,
    /// Share of wrong decisions.
    pub hamming_loss: f64,
}

impl Metrics {
    /// The figures of predictions.
    ///
    /// # Panics
    /// If the slices differ in length or hold an id that is not below `classes`.
    pub fn from_predictions(truth: &[usize], predicted: &[usize], classes: usize) -> Self {
        Self::from_confusion(&ConfusionMatrix::from_predictions(truth, predicted, classes))
    }

    /// The figures of counts.
    pub fn from_confusion(matrix: &ConfusionMatrix) -> Self {
        let classes = matrix.classes();
        let per_class: Vec<ClassMetrics> = (0..classes).map(|class| class_metrics(matrix, class)).collect();
        let rows = matrix.total();
        Self {
            accuracy: ratio(matrix.correct(), rows),
            rows,
            ..Self::averaged(per_class, rows)
        }
    }

    /// The averages over the classes, whose supports sum to `support`.
    pub(crate) fn averaged(per_class: Vec<ClassMetrics>, support: u64) -> Self {
        let mean = |value| mean(&per_class, value).unwrap_or_default();
        let weighted = |value: fn(&ClassMetrics) -> f64| {
            let sum: f64 = per_class
                .iter()
                .map(|class| value(class) * class.support as f64)
                .sum();
            if support == 0 { 0.0 } else { sum / support as f64 }
        };
        Self {
            macro_precision: mean(|class| class.precision),
            macro_recall: mean(|class| class.recall),
            macro_f1: mean(|class| class.f1),
            weighted_precision: weighted(|class| class.precision),
            weighted_recall: weighted(|class| class.recall),
            weighted_f1: weighted(|class| class.f1),
            per_class,
            ..Self::default()
        }
    }

    /// The same on a resample of a table with these supports: what a class has no row for here, but has there, is
    /// NaN, and does not count in the macro averages.
    pub(crate) fn of_resample(mut self, supports: &[u64]) -> Self {
        let is_missing = |class: &ClassMetrics, support: &u64| class.support == 0 && *support > 0;
        let classes = || self.per_class.iter().zip(supports);
        if !classes().any(|(class, support)| is_missing(class, support)) {
            return self;
        }
        let mean = |value| {
            let there = classes().filter(|(class, support)| !is_missing(class, support));
            mean(there.map(|(class, _)| class), value).unwrap_or(f64::NAN)
        };
        let macros = [
            mean(|class| class.precision),
            mean(|class| class.recall),
            mean(|class| class.f1),
        ];
        [self.macro_precision, self.macro_recall, self.macro_f1] = macros;
        for (class, support) in self.per_class.iter_mut().zip(supports) {
            if is_missing(class, support) {
                (class.precision, class.recall, class.f1) = (f64::NAN, f64::NAN, f64::NAN);
            }
        }
        self
    }
}

/// The mean over `classes`, if there are any.
fn mean<'a>(
    classes: impl IntoIterator<Item = &'a ClassMetrics>,
    value: fn(&ClassMetrics) -> f64,
) -> Option<f64> {
    let values = classes.into_iter().map(value);
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn class_metrics(matrix: &ConfusionMatrix, class: usize) -> ClassMetrics {
    let (right, support, predicted) = (
        matrix.count(class, class),
        matrix.support(class),
        matrix.predicted(class),
    );
    ClassMetrics {
        precision: ratio(right, predicted),
        recall: ratio(right, support),
        f1: f1_ratio(right, support + predicted),
        support,
    }
}

/// What is undefined counts 0.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// F1 from what was right and the sum of what was wanted and what was given.
pub(crate) fn f1_ratio(right: u64, both: u64) -> f64 {
    ratio(2 * right, both)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_class_counts_into_macro_but_not_into_weighted() {
        let metrics = Metrics::from_predictions(&[0, 0, 1, 1], &[0, 0, 1, 1], 3);
        assert_eq!((metrics.accuracy, metrics.weighted_f1), (1.0, 1.0));
        assert!((metrics.macro_f1 - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn never_predicted_class_has_precision_zero() {
        let metrics = Metrics::from_predictions(&[0, 1], &[0, 0], 2);
        assert_eq!(
            metrics.per_class[1],
            ClassMetrics {
                precision: 0.0,
                recall: 0.0,
                f1: 0.0,
                support: 1
            }
        );
    }

    #[test]
    fn no_rows_is_all_zero() {
        let metrics = Metrics::from_predictions(&[], &[], 2);
        assert_eq!(
            (metrics.accuracy, metrics.macro_f1, metrics.weighted_f1),
            (0.0, 0.0, 0.0)
        );
    }
}
