//! What golden rows must be kept apart from, as far as the engine has to know it.

use serde::{Deserialize, Serialize};

/// Whether golden rows are known to be apart from all that the measured models learnt from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Guard {
    /// One stage kept the golden rows out of all that the models learnt from.
    Guarded,
    /// Not so, and the user goes on all the same.
    Unguarded {
        /// Why, in words; never empty.
        reasons: Vec<String>,
    },
    /// Nothing is known of how the models came about: they are measured outside a pipeline, or nothing is measured.
    #[default]
    Unknown,
}

/// What a kind has to do with keeping golden rows apart from what models learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Whatever learns from its outputs learns from its inputs.
    PassesOn,
    /// It takes golden rows out of its other inputs.
    Separates {
        /// The input with golden rows, and the stem of the artifact with them.
        golden: &'static str,
        /// The param that keeps it from doing so, as it is written: `leak_guard: off`.
        off: Option<&'static str>,
    },
    /// It measures models (its inputs under names of the user's choice).
    Measures {
        /// The input with the rows that it measures on.
        golden: &'static str,
        /// Whether the user wants that even if models may have learnt from these rows.
        allow_unguarded: bool,
    },
}

/// What models learn from an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// All that is in it; of a model, all that it learnt from.
    Learnt,
    /// As [`Role::Learnt`] where a stage made it; from elsewhere it is a model that others trained on data of their own.
    Pretrained,
    /// Nothing: what people decided about rows that come from other inputs.
    Decisions,
}
