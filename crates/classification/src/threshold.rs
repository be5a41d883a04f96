//! The probability from which a label is given, where texts have any number of labels.

use crate::decision::DEFAULT_THRESHOLD;
use crate::metrics::f1_ratio;
use crate::{Decision, LabelIds};

/// For each label the threshold with the highest F1 on these rows; among equals the one closest to 0.5.
///
/// A threshold lies half-way between two probabilities that occur, so that it does not hang on the last digit of
/// one. A label that no row has, or that no threshold finds, keeps 0.5.
///
/// # Panics
/// If there is not one truth per decision.
pub fn tuned_thresholds(decisions: &[Decision], truth: &[LabelIds], classes: usize) -> Vec<f32> {
    assert_eq!(decisions.len(), truth.len(), "one truth per decision");
    (0..classes)
        .map(|class| {
            let row = |(decision, truth): (&Decision, &LabelIds)| {
                (decision.probabilities[class], truth.contains(class))
            };
            tuned(decisions.iter().zip(truth).map(row).collect())
        })
        .collect()
}

fn tuned(mut rows: Vec<(f32, bool)>) -> f32 {
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let support = rows.iter().filter(|(_, is)| *is).count() as u64;
    let mut best = (0.0, DEFAULT_THRESHOLD);
    let mut right = 0;
    for (at, (probability, is)) in rows.iter().enumerate() {
        right += u64::from(*is);
        let next = rows.get(at + 1).map_or(0.0, |(next, _)| *next);
        if next == *probability {
            continue;
        }
        // All rows so far are given the label. Half-way may round to the lower one, which is not to be given it.
        let middle = next + (probability - next) / 2.0;
        let threshold = if middle > next { middle } else { *probability };
        let f1 = f1_ratio(right, support + at as u64 + 1);
        let distance = |threshold: f32| (threshold - DEFAULT_THRESHOLD).abs();
        if f1 > best.0 || (f1 == best.0 && f1 > 0.0 && distance(threshold) < distance(best.1)) {
            best = (f1, threshold);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_cut_lies_half_way() {
        let rows = vec![(0.125, false), (0.25, true), (0.375, true), (0.0625, false)];
        assert_eq!(tuned(rows), 0.1875);
    }

    #[test]
    fn a_label_that_never_occurs_keeps_one_half() {
        assert_eq!(tuned(vec![(0.75, false), (0.25, false)]), 0.5);
        assert_eq!(tuned(Vec::new()), 0.5);
    }

    #[test]
    fn equal_probabilities_are_never_torn_apart() {
        // The only cuts are below 0.25 and below 0.75.
        assert_eq!(tuned(vec![(0.75, true), (0.75, false), (0.25, false)]), 0.5);
    }

    #[test]
    fn among_equal_cuts_the_one_closest_to_one_half_is_taken() {
        // One of two is found either way: F1 2/3 for {0.9}, and 2/3 for all four.
        let rows = vec![(0.875, true), (0.5, false), (0.375, false), (0.125, true)];
        assert_eq!(tuned(rows), 0.6875);
    }

    #[test]
    fn neighbouring_floats_are_told_apart() {
        let (low, high) = (0.5f32, 0.5f32.next_up());
        let threshold = tuned(vec![(high, true), (low, false)]);
        assert!(high >= threshold && low < threshold);
    }
}
