//! Params that are one of a few words, or something else.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// How the learning rate falls after warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheduler {
    /// Straight down to 0.
    #[default]
    Linear,
    /// Half a cosine down to 0.
    Cosine,
    /// Not at all.
    #[serde(alias = "constant_with_warmup")]
    Constant,
}

/// How a gradient becomes an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerName {
    /// Adam with decoupled weight decay.
    #[default]
    #[serde(alias = "adamw_torch", alias = "adamw_torch_fused", alias = "adamw_hf")]
    Adamw,
    /// Adam, weight decay added to the gradient.
    Adam,
    /// Plain gradient descent.
    Sgd,
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
    /// Not for training.
    Int8,
}

/// What is watched by early stopping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// Mean of the classes' F1.
    #[default]
    MacroF1,
    /// The same, weighted by the classes' support.
    WeightedF1,
    /// Share of right predictions; multi-label: of texts with all labels right.
    Accuracy,
    /// Multi-label: F1 over all decisions.
    MicroF1,
    /// Multi-label: mean of the texts' F1.
    SamplesF1,
    /// Mean cross entropy.
    Loss,
}

/// When to give up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// What is watched; the best model by it is kept.
    pub metric: MetricName,
    /// Evaluations in a row without gain after which training ends.
    pub patience: usize,
    /// A smaller gain is none.
    pub min_delta: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self {
            metric: MetricName::default(),
            patience: 2,
            min_delta: 0.0,
        }
    }
}

impl EarlyStopping {
    /// A map, or `none`.
    pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        use serde::de::Error;
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(None),
            Value::String(word) if word == "none" => Ok(None),
            map @ Value::Object(_) => serde_json::from_value(map).map(Some).map_err(D::Error::custom),
            _ => Err(D::Error::custom(
                "must be `none` or a map with `metric`, `patience`, `min_delta`",
            )),
        }
    }
}

/// How often the validation texts are predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EvalEvery {
    /// After each epoch.
    #[default]
    Epoch,
    /// After so many steps.
    Steps(usize),
}

impl Serialize for EvalEvery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Epoch => serializer.serialize_str("epoch"),
            Self::Steps(steps) => serializer.serialize_u64(*steps as u64),
        }
    }
}

impl<'de> Deserialize<'de> for EvalEvery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match (value.as_str(), value.as_u64()) {
            (Some("epoch"), _) => Ok(Self::Epoch),
            (_, Some(steps)) if steps > 0 => Ok(Self::Steps(steps as usize)),
            _ => Err(serde::de::Error::custom(
                "must be `epoch` or a number of steps, 1 or more",
            )),
        }
    }
}

impl JsonSchema for EvalEvery {
    fn schema_name() -> Cow<'static, str> {
        "EvalEvery".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"const": "epoch"}, {"type": "integer", "minimum": 1}]})
    }
}

/// How often a training leaves a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CheckpointEvery {
    /// So many minutes after the one before.
    Minutes(f64),
    /// After so many steps.
    Steps(usize),
}

/// `{minutes: 5}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Minutes {
    minutes: f64,
}

impl Default for CheckpointEvery {
    fn default() -> Self {
        Self::Minutes(5.0)
    }
}

impl Serialize for CheckpointEvery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Minutes(minutes) => Minutes { minutes }.serialize(serializer),
            Self::Steps(steps) => serializer.serialize_u64(steps as u64),
        }
    }
}

impl<'de> Deserialize<'de> for CheckpointEvery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Some(steps) = value.as_u64().filter(|steps| *steps > 0) {
            return Ok(Self::Steps(steps as usize));
        }
        match serde_json::from_value(value) {
            Ok(Minutes { minutes }) if minutes > 0.0 => Ok(Self::Minutes(minutes)),
            _ => Err(serde::de::Error::custom(
                "must be a number of steps, 1 or more, or `{minutes: M}` with M above 0",
            )),
        }
    }
}

impl JsonSchema for CheckpointEvery {
    fn schema_name() -> Cow<'static, str> {
        "CheckpointEvery".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 1},
            {
                "type": "object",
                "properties": {"minutes": {"type": "number", "exclusiveMinimum": 0}},
                "required": ["minutes"],
                "additionalProperties": false
            }
        ]})
    }
}

/// How much each class counts in the loss; where the task is multi-label, how much each label's positives count
/// beside its negatives.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All alike.
    #[default]
    None,
    /// Each in inverse proportion to its number of texts; multi-label: negatives divided by positives.
    Balanced,
    /// As given; a class that is not named weighs 1.
    #[serde(untagged)]
    Given(BTreeMap<String, f64>),
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "none" => Ok(Self::None),
            Value::String(word) if word == "balanced" => Ok(Self::Balanced),
            map @ Value::Object(_) => serde_json::from_value(map)
                .map(Self::Given)
                .map_err(D::Error::custom),
            _ => Err(D::Error::custom(
                "must be `none`, `balanced` or a map from label to weight",
            )),
        }
    }
}

impl JsonSchema for ClassWeights {
    fn schema_name() -> Cow<'static, str> {
        "ClassWeights".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"enum": ["none", "balanced"]},
            {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}}
        ]})
    }
}

impl From<EarlyStopping> for training::EarlyStopping {
    fn from(stopping: EarlyStopping) -> Self {
        let EarlyStopping {
            metric,
            patience,
            min_delta,
        } = stopping;
        let metric = match metric {
            MetricName::MacroF1 => training::Metric::MacroF1,
            MetricName::WeightedF1 => training::Metric::WeightedF1,
            MetricName::Accuracy => training::Metric::Accuracy,
            MetricName::MicroF1 => training::Metric::MicroF1,
            MetricName::SamplesF1 => training::Metric::SamplesF1,
            MetricName::Loss => training::Metric::Loss,
        };
        Self {
            metric,
            patience,
            min_delta,
        }
    }
}

impl From<EvalEvery> for training::EvalEvery {
    fn from(every: EvalEvery) -> Self {
        match every {
            EvalEvery::Epoch => Self::Epoch,
            EvalEvery::Steps(steps) => Self::Steps(steps),
        }
    }
}

impl From<Scheduler> for training::Decay {
    fn from(scheduler: Scheduler) -> Self {
        match scheduler {
            Scheduler::Linear => Self::Linear,
            Scheduler::Cosine => Self::Cosine,
            Scheduler::Constant => Self::Constant,
        }
    }
}

impl From<OptimizerName> for training::Rule {
    fn from(name: OptimizerName) -> Self {
        match name {
            OptimizerName::Adamw => Self::AdamW,
            OptimizerName::Adam => Self::Adam,
            OptimizerName::Sgd => Self::Sgd,
        }
    }
}
