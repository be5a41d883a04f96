//! `config.json` as transformers writes and reads it.

use std::collections::BTreeMap;
use std::path::Path;

use classification::{LabelSet, Task};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Activation, Architecture, ModelConfig, ModelError};

/// The file's name within a model directory.
pub(crate) const FILE: &str = "config.json";

/// What a `config.json` says.
pub(crate) struct Described {
    pub(crate) config: ModelConfig,
    /// Names by id; none when the file has none, or only `LABEL_0` and so on.
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) task: Task,
}

/// Reads `config.json` of `directory` and refuses what the encoders here would compute wrongly.
pub(crate) fn read(directory: &Path) -> Result<Described, ModelError> {
    let path = directory.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ModelError::Missing {
                directory: directory.to_owned(),
                file: FILE,
            });
        }
        Err(error) => return Err(ModelError::io(&path, error)),
    };
    let file: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| ModelError::invalid(&path, error))?;
    let described = describe(file).map_err(|reason| ModelError::invalid(&path, reason))?;
    described
        .config
        .check()
        .map_err(|error| ModelError::invalid(&path, error))?;
    Ok(described)
}

/// What DistilBERT calls the settings that the other families share, after their name.
const DISTILBERT_KEYS: [(&str, &str); 8] = [
    ("attention_probs_dropout_prob", "attention_dropout"),
    ("classifier_dropout", "seq_classif_dropout"),
    ("hidden_act", "activation"),
    ("hidden_dropout_prob", "dropout"),
    ("hidden_size", "dim"),
    ("intermediate_size", "hidden_dim"),
    ("num_attention_heads", "n_heads"),
    ("num_hidden_layers", "n_layers"),
];

/// The `config.json` of a model that classifies `labels`.
pub(crate) fn write(config: &ModelConfig, labels: &LabelSet, task: Task) -> Value {
    let names: Vec<&str> = labels.names().collect();
    let id2label: Map<String, Value> = names
        .iter()
        .enumerate()
        .map(|(id, name)| (id.to_string(), json!(name)))
        .collect();
    let label2id: Map<String, Value> = names
        .iter()
        .enumerate()
        .map(|(id, name)| ((*name).to_owned(), json!(id)))
        .collect();
    let mut file = json!({
        "architectures": [format!("{}ForSequenceClassification", class(config.architecture))],
        "attention_probs_dropout_prob": config.attention_probs_dropout_prob,
        "classifier_dropout": config.classifier_dropout,
        "dtype": "float32",
        "hidden_act": config.hidden_act.name(),
        "hidden_dropout_prob": config.hidden_dropout_prob,
        "hidden_size": config.hidden_size,
        "id2label": id2label,
        "initializer_range": config.initializer_range,
        "intermediate_size": config.intermediate_size,
        "is_decoder": false,
        "label2id": label2id,
        "layer_norm_eps": config.layer_norm_eps,
        "max_position_embeddings": config.max_position_embeddings,
        "model_type": config.architecture.name(),
        "num_attention_heads": config.num_attention_heads,
        "num_hidden_layers": config.num_hidden_layers,
        "pad_token_id": config.pad_token_id,
        "problem_type": match task {
            Task::SingleLabel => "single_label_classification",
            Task::MultiLabel => "multi_label_classification",
        },
        "type_vocab_size": config.type_vocab_size,
        "vocab_size": config.vocab_size,
    });
    match config.architecture {
        Architecture::Electra => {
            file["embedding_size"] = json!(config.embedding_size);
            file["summary_activation"] = json!("gelu");
            file["summary_type"] = json!("first");
            file["summary_use_proj"] = json!(true);
        }
        Architecture::Distilbert => as_distilbert(&mut file, config),
        Architecture::Bert | Architecture::Roberta => {}
    }
    file
}

/// What transformers' classes of the family begin with.
fn class(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Electra => "Electra",
        Architecture::Roberta => "Roberta",
        Architecture::Bert => "Bert",
        Architecture::Distilbert => "DistilBert",
    }
}

fn as_distilbert(file: &mut Value, config: &ModelConfig) {
    let Some(file) = file.as_object_mut() else { return };
    for absent in ["is_decoder", "layer_norm_eps", "type_vocab_size"] {
        file.remove(absent);
    }
    for (shared, own) in DISTILBERT_KEYS {
        if let Some(value) = file.remove(shared) {
            file.insert(own.to_owned(), value);
        }
    }
    let dropout = config.classifier_dropout.unwrap_or(config.hidden_dropout_prob);
    file.insert("seq_classif_dropout".to_owned(), json!(dropout));
    file.insert("sinusoidal_pos_embds".to_owned(), json!(false));
    file.sort_keys();
}

fn describe(mut file: Map<String, Value>) -> Result<Described, String> {
    let known = Architecture::known();
    // Before anything else: another family's file lacks settings that would be missed first.
    let architecture = match file.get("model_type").and_then(Value::as_str) {
        Some(name) => Architecture::parse(name)
            .map_err(|_| format!("`model_type` `{name}` is not supported; {known} are"))?,
        None => return Err(format!("no `model_type`; {known} are supported")),
    };
    if architecture == Architecture::Distilbert {
        file.entry("seq_classif_dropout").or_insert(json!(0.2));
        for (shared, own) in DISTILBERT_KEYS {
            if let Some(value) = file.remove(own) {
                file.insert(shared.to_owned(), value);
            }
        }
        file.insert("layer_norm_eps".to_owned(), json!(1e-12));
        file.insert("type_vocab_size".to_owned(), json!(0));
    }
    let file: ConfigFile = serde_json::from_value(Value::Object(file)).map_err(|error| error.to_string())?;
    file.describe(architecture)
}

#[derive(Deserialize)]
struct ConfigFile {
    vocab_size: usize,
    embedding_size: Option<usize>,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    pad_token_id: Option<usize>,
    #[serde(default = "small_epsilon")]
    layer_norm_eps: f64,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    classifier_dropout: Option<f64>,
    #[serde(default = "fiftieth")]
    initializer_range: f64,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
    #[serde(default)]
    add_cross_attention: bool,
    problem_type: Option<String>,
    id2label: Option<BTreeMap<String, String>>,
    label2id: Option<BTreeMap<String, Value>>,
}

// Defaults of transformers, for files that leave out what equals them.
fn two() -> usize {
    2
}
fn small_epsilon() -> f64 {
    1e-12
}
fn tenth() -> f64 {
    0.1
}
fn fiftieth() -> f64 {
    0.02
}

impl ConfigFile {
    fn describe(self, architecture: Architecture) -> Result<Described, String> {
        self.refuse_what_differs()?;
        let hidden_act = self.activation()?;
        let embedding_size = match architecture {
            Architecture::Electra => self.embedding_size.unwrap_or(128),
            _ => self.hidden_size,
        };
        let pad_token_id = match architecture {
            Architecture::Roberta => self.pad_token_id.unwrap_or(1),
            _ => self.pad_token_id.unwrap_or(0),
        };
        let task = match self.problem_type.as_deref() {
            Some("multi_label_classification") => Task::MultiLabel,
            None | Some("single_label_classification") => Task::SingleLabel,
            Some(other) => return Err(format!("`problem_type` `{other}` is not supported")),
        };
        let labels = self
            .id2label
            .map(names_by_id)
            .transpose()?
            .filter(|names| !are_placeholders(names));
        if let Some((names, ids)) = labels.as_deref().zip(self.label2id.as_ref()) {
            refuse_other_order(names, ids)?;
        }
        let config = ModelConfig {
            architecture,
            vocab_size: self.vocab_size,
            embedding_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            type_vocab_size: self.type_vocab_size,
            pad_token_id,
            hidden_act,
            layer_norm_eps: self.layer_norm_eps,
            hidden_dropout_prob: self.hidden_dropout_prob,
            attention_probs_dropout_prob: self.attention_probs_dropout_prob,
            classifier_dropout: self.classifier_dropout,
            initializer_range: self.initializer_range,
        };
        Ok(Described { config, labels, task })
    }

    fn activation(&self) -> Result<Activation, String> {
        let name = self.hidden_act.as_deref().unwrap_or("gelu");
        let known = Activation::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| {
            let known = Activation::ALL
                .map(|known| format!("`{}`", known.name()))
                .join(", ");
            format!("`hidden_act` `{name}` is not supported; {known} are")
        })
    }

    /// Settings under which transformers computes something else than the encoders here.
    fn refuse_what_differs(&self) -> Result<(), String> {
        if let Some(kind) = self
            .position_embedding_type
            .as_deref()
            .filter(|kind| *kind != "absolute")
        {
            return Err(format!(
                "`position_embedding_type` `{kind}` is not supported; `absolute` is"
            ));
        }
        if self.is_decoder || self.add_cross_attention {
            return Err(
                "`is_decoder` and `add_cross_attention` are not supported: an encoder is needed".to_owned(),
            );
        }
        Ok(())
    }
}

fn names_by_id(id2label: BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let mut names = vec![None; id2label.len()];
    for (id, name) in id2label {
        let slot = id.parse::<usize>().ok().and_then(|id| names.get_mut(id));
        *slot.ok_or_else(|| format!("`id2label` has the id `{id}`, but ids count from 0"))? = Some(name);
    }
    names
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| "`id2label` names an id twice".to_owned())
}

/// Ids of the same names in another order: which of the two holds cannot be known.
fn refuse_other_order(names: &[String], ids: &BTreeMap<String, Value>) -> Result<(), String> {
    let other: Vec<Option<u64>> = names
        .iter()
        .map(|name| ids.get(name).and_then(Value::as_u64))
        .collect();
    let mut sorted: Vec<u64> = other.iter().copied().flatten().collect();
    sorted.sort_unstable();
    let same_ids = sorted.iter().copied().eq(0..names.len() as u64);
    if same_ids && !other.iter().copied().eq((0..names.len() as u64).map(Some)) {
        return Err("`label2id` numbers the labels in another order than `id2label`".to_owned());
    }
    Ok(())
}

fn are_placeholders(names: &[String]) -> bool {
    names
        .iter()
        .enumerate()
        .all(|(id, name)| *name == format!("LABEL_{id}"))
}
