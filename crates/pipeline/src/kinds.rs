//! The stage kinds of this program.

use stage::StageKind;

/// Every kind that a pipeline file can name.
pub(crate) static KINDS: &[&dyn StageKind] = &[
    &stage_prepare::Prepare,
    &stage_fine_tune::FineTune,
    &stage_score::Score,
    &stage_select::Select,
    &stage_evaluate::Evaluate,
];
