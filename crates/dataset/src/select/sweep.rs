//! What other thresholds of confidence would keep, and how right that would be.

use classification::LabelSet;
use serde::Serialize;

use super::evidence::Evidence;
use super::funnel::as_map;
use super::policy::Policy;
use super::predictions::{Known, Predictions};

/// Thresholds 0.50, 0.51, …, 0.99, each as if it were that of all classes: margin and agreement count as they are
/// asked for, caps and reviews do not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sweep {
    /// Where the expected precision comes from.
    pub basis: Basis,
    /// All rows; the whole prediction is right or not.
    pub overall: Vec<SweepPoint>,
    /// By predicted label, in id order; the label is right or not.
    #[serde(serialize_with = "as_map")]
    pub classes: Vec<(String, Vec<SweepPoint>)>,
}

/// Where an expected precision comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The share of validation rows at or above the threshold that are right.
    Validation,
    /// The mean confidence of the rows that would be kept, which was calibrated.
    CalibratedConfidence,
    /// The mean confidence of the rows that would be kept, as the model gives it: mostly too high.
    Confidence,
}

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SweepPoint {
    /// Lowest accepted confidence.
    pub threshold: f32,
    /// Rows that reach it.
    pub kept: u64,
    /// The share of them that may be expected to be right; null where there is nothing to tell it from.
    pub precision: Option<f64>,
    /// Its 95 % Wilson interval; null unless it comes from validation rows.
    pub ci95: Option<classification::Interval>,
    /// Validation rows that reach it; null without validation.
    pub validation_rows: Option<u64>,
}

const FIRST: usize = 50;
const LAST: usize = 99;

impl Sweep {
    pub(super) fn of(
        policy: &Policy,
        predictions: &Predictions,
        known: Option<&Known>,
        calibrated: bool,
        labels: &LabelSet,
    ) -> Self {
        let thresholds: Vec<f32> = (FIRST..=LAST).map(|percent| percent as f32 / 100.0).collect();
        let sums = Sums::of(policy, predictions, labels.len(), &thresholds, |row, _| {
            f64::from(predictions.confidences[row])
        });
        let right = known.map(|known| {
            Sums::of(
                policy,
                &known.predictions,
                labels.len(),
                &thresholds,
                |row, class| {
                    let right = match class {
                        Some(class) => known.truth.of(row).contains(&class),
                        None => known.is_right(row),
                    };
                    f64::from(u8::from(right))
                },
            )
        });
        // Column 0 is all rows.
        let points = |column: usize| {
            let point = |(at, threshold): (usize, &f32)| {
                let (kept, confidence) = sums.columns[column][at];
                let evidence = right.as_ref().map(|right| {
                    let (rows, correct) = right.columns[column][at];
                    Evidence::of(correct as u64, rows)
                });
                let mean = (kept > 0).then(|| confidence / kept as f64);
                SweepPoint {
                    threshold: *threshold,
                    kept,
                    precision: evidence.map_or(mean, |evidence| evidence.precision),
                    ci95: evidence.and_then(|evidence| evidence.ci95),
                    validation_rows: evidence.map(|evidence| evidence.rows),
                }
            };
            thresholds.iter().enumerate().map(point).collect()
        };
        Self {
            basis: match (known, calibrated) {
                (Some(_), _) => Basis::Validation,
                (None, true) => Basis::CalibratedConfidence,
                (None, false) => Basis::Confidence,
            },
            overall: points(0),
            classes: labels
                .names()
                .enumerate()
                .map(|(class, name)| (name.to_owned(), points(class + 1)))
                .collect(),
        }
    }
}

/// Per column (all rows, then each class) and threshold: rows that reach it, and the sum of a figure over them.
struct Sums {
    columns: Vec<Vec<(u64, f64)>>,
}

impl Sums {
    fn of(
        policy: &Policy,
        predictions: &Predictions,
        classes: usize,
        thresholds: &[f32],
        figure: impl Fn(usize, Option<u32>) -> f64,
    ) -> Self {
        let mut columns = vec![vec![(0u64, 0.0f64); thresholds.len()]; classes + 1];
        for row in (0..predictions.rows()).filter(|row| policy.is_clear(predictions, *row)) {
            let reached = thresholds.partition_point(|threshold| *threshold <= predictions.confidences[row]);
            let Some(highest) = reached.checked_sub(1) else {
                continue;
            };
            let mut add = |column: usize, class| {
                let (count, sum) = &mut columns[column][highest];
                *count += 1;
                *sum += figure(row, class);
            };
            add(0, None);
            for class in predictions.classes.of(row) {
                add(*class as usize + 1, Some(*class));
            }
        }
        // What reaches a threshold reaches all below it.
        for column in &mut columns {
            for at in (1..column.len()).rev() {
                let (count, sum) = column[at];
                column[at - 1].0 += count;
                column[at - 1].1 += sum;
            }
        }
        Self { columns }
    }
}
