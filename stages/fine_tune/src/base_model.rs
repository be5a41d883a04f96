//! The param `base_model`: where the encoder comes from.

use std::borrow::Cow;

use model::{Architecture, ModelConfig, ModelError, Sizes};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use stage::{HubModel, Problem};

/// Where the encoder comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum BaseModel {
    /// A directory, or a model of the Hub.
    Named(String),
    /// An encoder to train from scratch.
    Scratch(Scratch),
}

/// The shape of an encoder to train from scratch. Names are those of Hugging Face's `config.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scratch {
    /// The family.
    pub architecture: ArchitectureName,
    /// Tokens that the vocabulary may have.
    #[serde(default = "Scratch::vocab_size")]
    pub vocab_size: usize,
    /// Width of the embeddings; absent: `hidden_size`. ELECTRA only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_size: Option<usize>,
    /// Width of the hidden states.
    #[serde(default = "Scratch::hidden_size")]
    pub hidden_size: usize,
    /// Encoder layers.
    #[serde(default = "Scratch::num_hidden_layers")]
    pub num_hidden_layers: usize,
    /// Attention heads per layer.
    #[serde(default = "Scratch::num_attention_heads")]
    pub num_attention_heads: usize,
    /// Width of the feed-forward network.
    #[serde(default = "Scratch::intermediate_size")]
    pub intermediate_size: usize,
    /// Positions that the encoder has room for; roberta uses two of them itself.
    #[serde(default = "Scratch::max_position_embeddings")]
    pub max_position_embeddings: usize,
}

/// A family of encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArchitectureName {
    /// As KcELECTRA.
    Electra,
    /// As klue/roberta.
    Roberta,
    /// As klue/bert.
    Bert,
    /// As distilbert-base-multilingual.
    Distilbert,
}

impl Scratch {
    const fn vocab_size() -> usize {
        8000
    }
    const fn hidden_size() -> usize {
        128
    }
    const fn num_hidden_layers() -> usize {
        2
    }
    const fn num_attention_heads() -> usize {
        2
    }
    const fn intermediate_size() -> usize {
        512
    }
    const fn max_position_embeddings() -> usize {
        130
    }

    /// The family, if this version knows it.
    pub(crate) fn architecture(&self) -> Result<Architecture, ModelError> {
        Architecture::parse(self.architecture.name())
    }

    /// The encoder, with a vocabulary of `vocab_size` tokens.
    pub(crate) fn config(&self, vocab_size: usize) -> Result<ModelConfig, ModelError> {
        let sizes = Sizes {
            vocab_size,
            embedding_size: self.embedding_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
        };
        ModelConfig::from_scratch(self.architecture()?, &sizes)
    }
}

impl ArchitectureName {
    fn name(self) -> &'static str {
        match self {
            Self::Electra => "electra",
            Self::Roberta => "roberta",
            Self::Bert => "bert",
            Self::Distilbert => "distilbert",
        }
    }
}

impl BaseModel {
    /// The directory or the model of the Hub (`hf://…`) that is named, if one is.
    pub(crate) fn location(&self) -> Option<String> {
        match self {
            Self::Named(name) if is_directory(name) || name.starts_with(HubModel::SCHEME) => {
                Some(name.clone())
            }
            Self::Named(name) => Some(format!("{}{name}", HubModel::SCHEME)),
            Self::Scratch(_) => None,
        }
    }

    /// Says why no encoder can come from here.
    pub(crate) fn check(&self, max_length: usize) -> Vec<Problem> {
        match self {
            Self::Named(name) if is_directory(name) => Vec::new(),
            Self::Named(name) => check_hub_name(name),
            Self::Scratch(scratch) => check_scratch(scratch, max_length),
        }
    }
}

fn check_scratch(scratch: &Scratch, max_length: usize) -> Vec<Problem> {
    if let Err(error) = scratch.architecture() {
        return vec![Problem::new(
            "base_model.architecture",
            format!("not supported by this version yet: {error}"),
        )];
    }
    let mut problems = Vec::new();
    if scratch.vocab_size < 16 {
        problems.push(Problem::new(
            "base_model.vocab_size",
            "a vocabulary needs at least 16 tokens",
        ));
    }
    match scratch.config(scratch.vocab_size.max(16)) {
        Err(error) => problems.push(Problem::new("base_model", error.to_string())),
        Ok(config) if config.max_length() < max_length => problems.push(
            Problem::new(
                "max_length",
                format!(
                    "{max_length} tokens do not fit into the encoder's {} positions",
                    config.max_length()
                ),
            )
            .hint("lower `max_length` or raise `base_model.max_position_embeddings`"),
        ),
        Ok(_) => {}
    }
    problems
}

fn is_directory(name: &str) -> bool {
    name == "." || name == ".." || ["./", "../", "/"].iter().any(|start| name.starts_with(start))
}

fn check_hub_name(name: &str) -> Vec<Problem> {
    let Err(error) = name.parse::<HubModel>() else {
        return Vec::new();
    };
    let problem = if name.contains('/') {
        Problem::new("base_model", error.to_string())
    } else {
        Problem::new(
            "base_model",
            format!("`{name}` is neither a directory nor a model of the Hub (`owner/name`)"),
        )
    };
    vec![problem.hint(format!(
        "a directory beside the pipeline file is written `./{name}`"
    ))]
}

impl<'de> Deserialize<'de> for BaseModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match Value::deserialize(deserializer)? {
            Value::String(name) => Ok(Self::Named(name)),
            map @ Value::Object(_) => serde_json::from_value(map)
                .map(Self::Scratch)
                .map_err(D::Error::custom),
            _ => Err(D::Error::custom(
                "must be a directory (`./…`), a model of the Hub (`owner/name`) or a map that describes an encoder to train from scratch",
            )),
        }
    }
}

impl JsonSchema for BaseModel {
    fn schema_name() -> Cow<'static, str> {
        "BaseModel".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let scratch = generator.subschema_for::<Scratch>();
        json_schema!({"anyOf": [{"type": "string"}, scratch]})
    }
}
