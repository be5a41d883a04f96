//! How many of some rows are right, and what that says about others.

use classification::wilson;
use serde::Serialize;

/// How many of some rows are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// Rows.
    pub rows: u64,
    /// Rows of those that are predicted rightly.
    pub correct: u64,
    /// `correct` of `rows`; null without rows.
    pub precision: Option<f64>,
    /// Its 95 % Wilson interval.
    pub ci95: Option<classification::Interval>,
}

impl Evidence {
    pub(super) fn of(correct: u64, rows: u64) -> Self {
        Self {
            rows,
            correct,
            precision: (rows > 0).then(|| correct as f64 / rows as f64),
            ci95: wilson(correct, rows),
        }
    }

    /// The lower end of the interval; 0 without rows.
    pub(super) fn low(&self) -> f64 {
        self.ci95.map_or(0.0, |interval| interval.low)
    }
}
