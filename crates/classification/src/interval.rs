//! Where figures would lie on another sample of the same kind.

use serde::{Deserialize, Serialize};

/// A closed interval, written as `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl From<[f64; 2]> for Interval {
    fn from([low, high]: [f64; 2]) -> Self {
        Self { low, high }
    }
}

impl From<Interval> for [f64; 2] {
    fn from(interval: Interval) -> Self {
        [interval.low, interval.high]
    }
}

/// Intervals of one model's metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricIntervals {
    /// Of the accuracy.
    pub accuracy: Interval,
    /// Of the macro-F1.
    pub macro_f1: Interval,
    /// Of the weighted F1.
    pub weighted_f1: Interval,
    /// Of each class's F1, in id order. None for a class without rows: there is nothing to resample.
    pub class_f1: Vec<Option<Interval>>,
    /// What there is only where rows have any number of labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_label: Option<MultiLabelIntervals>,
}

/// Intervals of what there is only where rows have any number of labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MultiLabelIntervals {
    /// Of the micro-F1.
    pub micro_f1: Interval,
    /// Of the samples F1.
    pub samples_f1: Interval,
    /// Of the hamming loss.
    pub hamming_loss: Interval,
}
