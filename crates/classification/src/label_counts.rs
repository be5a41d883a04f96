//! How often each label was given rightly and wrongly, where texts have any number of labels.

use serde::{Serialize, Serializer};

use crate::metrics::{f1_ratio, ratio};
use crate::{ClassMetrics, LabelIds, Metrics, MultiLabelMetrics};

/// Counts over texts with any number of labels.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelCounts {
    labels: Vec<LabelCount>,
    rows: u64,
    /// Texts whose labels were all found, and no other.
    exact: u64,
    /// Sums over the texts of precision, recall and F1 of each text's labels.
    samples: [f64; 3],
}

/// Counts of one label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LabelCount {
    right: u64,
    predicted: u64,
    support: u64,
}

impl LabelCounts {
    /// Counts of nothing.
    pub fn new(classes: usize) -> Self {
        Self {
            labels: vec![LabelCount::default(); classes],
            rows: 0,
            exact: 0,
            samples: [0.0; 3],
        }
    }

    /// Counts one text.
    ///
    /// # Panics
    /// If an id is not below the number of classes.
    pub fn add(&mut self, truth: &LabelIds, predicted: &LabelIds) {
        for &id in truth.ids() {
            self.labels[id].support += 1;
            self.labels[id].right += u64::from(predicted.contains(id));
        }
        for &id in predicted.ids() {
            self.labels[id].predicted += 1;
        }
        self.rows += 1;
        self.exact += u64::from(truth == predicted);
        let (shared, wanted, given) = (
            truth.shared(predicted) as u64,
            truth.len() as u64,
            predicted.len() as u64,
        );
        self.samples[0] += ratio(shared, given);
        self.samples[1] += ratio(shared, wanted);
        self.samples[2] += f1_ratio(shared, wanted + given);
    }

    /// Number of labels.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// Number of texts.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Number of texts that have exactly the labels that they should have.
    pub fn exact(&self) -> u64 {
        self.exact
    }

    /// `[[true negatives, false positives], [false negatives, true positives]]` of each label, as scikit-learn's
    /// `multilabel_confusion_matrix`.
    pub fn matrices(&self) -> impl ExactSizeIterator<Item = [[u64; 2]; 2]> {
        self.labels.iter().map(|label| {
            let (missed, extra) = (label.support - label.right, label.predicted - label.right);
            [
                [self.rows - label.right - missed - extra, extra],
                [missed, label.right],
            ]
        })
    }

    /// The figures, as scikit-learn computes them from indicator matrices.
    pub(crate) fn metrics(&self) -> Metrics {
        let of_label = |label: &LabelCount| ClassMetrics {
            precision: ratio(label.right, label.predicted),
            recall: ratio(label.right, label.support),
            f1: f1_ratio(label.right, label.support + label.predicted),
            support: label.support,
        };
        let sum = |count: fn(&LabelCount) -> u64| self.labels.iter().map(count).sum::<u64>();
        let right = sum(|label| label.right);
        let (predicted, support) = (sum(|label| label.predicted), sum(|label| label.support));
        let rows = self.rows.max(1) as f64;
        let [samples_precision, samples_recall, samples_f1] = self.samples.map(|sum| sum / rows);
        Metrics {
            accuracy: ratio(self.exact, self.rows),
            rows: self.rows,
            multi_label: Some(MultiLabelMetrics {
                micro_precision: ratio(right, predicted),
                micro_recall: ratio(right, support),
                micro_f1: f1_ratio(right, support + predicted),
                samples_precision,
                samples_recall,
                samples_f1,
                hamming_loss: ratio(
                    support + predicted - 2 * right,
                    self.rows * self.labels.len() as u64,
                ),
            }),
            ..Metrics::averaged(self.labels.iter().map(of_label).collect(), support)
        }
    }
}

/// A list of one 2×2 matrix per label.
impl Serialize for LabelCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.matrices())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_hold_negatives_first() {
        let mut counts = LabelCounts::new(2);
        counts.add(&vec![0, 1].into(), &0.into());
        counts.add(&vec![].into(), &1.into());
        counts.add(&vec![].into(), &vec![].into());
        let matrices = serde_json::to_string(&counts).unwrap();
        assert_eq!(matrices, "[[[2,0],[0,1]],[[1,1],[1,0]]]");
        assert_eq!((counts.rows(), counts.exact()), (3, 1));
    }
}
