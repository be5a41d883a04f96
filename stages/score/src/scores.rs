//! What is known about some rows once the models have predicted them.

use classification::{Decision, LabelIds};
use dataset::OptionalColumns;

/// One entry per row everywhere.
pub(crate) struct Scores {
    /// As they stand in the table.
    pub(crate) decisions: Vec<Decision>,
    /// As they would be without temperatures.
    pub(crate) plain: Vec<Decision>,
    /// With a calibration: the confidences of `plain`.
    pub(crate) raw_confidence: Option<Vec<f32>>,
    /// With several models: share of them whose own labels are not those of `decisions`.
    pub(crate) disagreement: Option<Vec<f32>>,
    /// With several models: each one's own labels.
    pub(crate) votes: Option<Vec<Vec<LabelIds>>>,
}

impl Scores {
    /// The columns that only some tables have.
    pub(crate) fn optional(&self) -> OptionalColumns<'_> {
        OptionalColumns {
            raw_confidence: self.raw_confidence.as_deref(),
            disagreement: self.disagreement.as_deref(),
            votes: self.votes.as_deref(),
        }
    }
}
