//! What came of a gate.

use serde::{Deserialize, Serialize};

use crate::Gate;
use crate::gate_side::ROUNDING;

/// What came of a gate, as in `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateOutcome {
    /// As written.
    pub gate: String,
    /// The measured value of its left side; null where an earlier version that it names cannot be compared with.
    pub value: Option<f64>,
    /// The value of its right side; null as `value`.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// With `at LEVEL%`: the end of the interval that was compared with the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// Whether it was met.
    pub passed: bool,
    /// What was measured and by how much it was met or not, in words.
    #[serde(default)]
    pub reason: String,
}

impl GateOutcome {
    /// The gate and what came of it, in words.
    pub fn describe(&self) -> String {
        format!("{}: {}", self.gate, self.reason)
    }
}

impl Gate {
    /// What was measured, and by how much the gate is met or not.
    pub(crate) fn reason(&self, value: f64, threshold: f64, bound: Option<f64>, passed: bool) -> String {
        let mut words = format!("{value:.4}");
        if !self.right.terms.is_empty() {
            words += &format!(" against {threshold:.4}");
        }
        let judged = match (self.level, bound) {
            (None, _) => value,
            (Some(_), None) => return words + ", but there is no resample to judge it by",
            (Some(level), Some(bound)) => {
                let end = if self.operator.wants_more() {
                    "lower"
                } else {
                    "upper"
                };
                let percent = (level * 1e4).round() / 100.0;
                words += &format!(", the {end} end of the {percent}% interval is {bound:.4}");
                bound
            }
        };
        let distance = (judged - threshold).abs();
        let by = match distance {
            ..=ROUNDING => "exactly on the bound".to_owned(),
            ..5e-5 => format!("{distance:.1e}"),
            _ => format!("{distance:.4}"),
        };
        words
            + &match (distance <= ROUNDING, passed, self.operator.wants_more()) {
                (true, ..) => format!(", {by}"),
                (false, true, _) => format!(", {by} to spare"),
                (false, false, true) => format!(", short by {by}"),
                (false, false, false) => format!(", over by {by}"),
            }
    }
}
