//! The params of `score`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stage::{CheckContext, Problem};

/// The params of `score`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Tokens per forward pass, padding included; absent: what suits the device.
    pub batch_tokens: Option<usize>,
    /// Tokens that a text is truncated to; absent: the length that the model was trained with.
    pub max_length: Option<usize>,
    /// `f32`, `bf16`, `auto`, `int8`; absent: the pipeline's.
    pub precision: Option<Precision>,
    /// Whether confidences are calibrated on `validation`.
    pub calibrate: Calibrate,
}

/// The number format of the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// bf16 where it is fast, else f32.
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits in matrix products.
    Bf16,
    /// Whole numbers of 8 bits in matrix products.
    Int8,
}

/// How confidences are calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calibrate {
    /// Not at all.
    #[default]
    None,
    /// By one divisor of the logits.
    Temperature,
}

impl stage::Params for Params {
    const ALIASES: &'static [(&'static str, &'static str)] = &[("max_seq_length", "max_length")];

    fn check(&self, _ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.batch_tokens == Some(0) {
            problems.push(Problem::new("batch_tokens", "must be at least 1"));
        }
        if self.max_length.is_some_and(|length| length < 3) {
            problems.push(Problem::new(
                "max_length",
                "must be at least 3: one token between [CLS] and [SEP]",
            ));
        }
        if self.calibrate == Calibrate::Temperature {
            let message = "`calibrate: temperature` is not supported by this version yet";
            problems
                .push(Problem::new("calibrate", message).hint("leave it out, or write `calibrate: none`"));
        }
        problems
    }
}
