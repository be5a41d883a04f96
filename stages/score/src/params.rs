//! The params of `score`.

use classification::Combination;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stage::{CheckContext, Problem};

use crate::VALIDATION;

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
    /// How confidences are calibrated; absent: `temperature` with the input `validation`, else `none`.
    pub calibrate: Option<Calibrate>,
    /// How several models become one prediction.
    pub combine: Combine,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calibrate {
    /// Not at all.
    None,
    /// By one divisor of each model's logits, fitted on `validation`.
    Temperature,
}

/// How several models become one prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// By the mean of their probabilities.
    #[default]
    Mean,
    /// By the label that most of them give, ties by the mean; the probabilities are the mean all the same.
    Vote,
}

impl From<Combine> for Combination {
    fn from(combine: Combine) -> Self {
        match combine {
            Combine::Mean => Self::Mean,
            Combine::Vote => Self::Vote,
        }
    }
}

impl Params {
    /// With what `calibrate` is when it is not given.
    pub(crate) fn resolved(mut self, has_validation: bool) -> Self {
        let default = if has_validation {
            Calibrate::Temperature
        } else {
            Calibrate::None
        };
        self.calibrate.get_or_insert(default);
        self
    }
}

impl stage::Params for Params {
    const ALIASES: &'static [(&'static str, &'static str)] = &[("max_seq_length", "max_length")];

    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
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
        if self.calibrate == Some(Calibrate::Temperature) && !ctx.inputs.contains(VALIDATION) {
            let message = "a temperature is fitted on the input `validation`, which is missing";
            problems.push(Problem::new("calibrate", message).hint(
                "give labelled rows that the model was not trained on, `validation: prepare.validation`, or write `calibrate: none`",
            ));
        }
        problems
    }
}
