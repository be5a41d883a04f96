//! How often each class was taken for which.

use serde::{Serialize, Serializer};

/// Counts of (true class, predicted class). Rows are true classes, columns predicted ones, both in id order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// A matrix of zeros.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    /// Counts pairs of true and predicted class.
    ///
    /// # Panics
    /// If the slices differ in length or hold an id that is not below `classes`.
    pub fn from_predictions(truth: &[usize], predicted: &[usize], classes: usize) -> Self {
        assert_eq!(truth.len(), predicted.len(), "one prediction per true class");
        let mut matrix = Self::new(classes);
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            matrix.add(truth, predicted);
        }
        matrix
    }

    /// Counts one pair.
    ///
    /// # Panics
    /// If an id is not below the number of classes.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        assert!(
            truth < self.classes && predicted < self.classes,
            "class id out of range"
        );
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often class `truth` was predicted as class `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * self.classes + predicted]
    }

    /// The rows: one per true class, a count per predicted class.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u64]> {
        self.counts.chunks_exact(self.classes.max(1))
    }

    /// How many rows truly are of `class`.
    pub fn support(&self, class: usize) -> u64 {
        (0..self.classes)
            .map(|predicted| self.count(class, predicted))
            .sum()
    }

    /// How many rows were predicted as `class`.
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).map(|truth| self.count(truth, class)).sum()
    }

    /// How many rows were predicted right.
    pub fn correct(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// How many rows there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// A list of rows.
impl Serialize for ConfusionMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_true_classes() {
        let matrix = ConfusionMatrix::from_predictions(&[0, 0, 1], &[0, 1, 1], 3);
        assert_eq!(
            serde_json::to_string(&matrix).unwrap(),
            "[[1,1,0],[0,1,0],[0,0,0]]"
        );
        assert_eq!(
            (
                matrix.support(0),
                matrix.predicted(1),
                matrix.correct(),
                matrix.total()
            ),
            (2, 2, 2, 3)
        );
    }
}
