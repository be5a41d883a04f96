//! `pipeline.json`: what a model directory says beyond what transformers has a place for.

use std::path::Path;

use classification::{LabelSet, Task};
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The file's name within a model directory.
pub(crate) const FILE: &str = "pipeline.json";

/// How a model wants its texts and its outputs treated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// Version of this file's format.
    pub format: u32,
    /// Single- or multi-label.
    #[serde(default)]
    pub task: Task,
    /// How texts are normalised before the tokenizer sees them: `none`, `nfc`, `kcelectra`.
    pub normalize: String,
    /// Tokens that a text is truncated to, `[CLS]` and `[SEP]` included.
    pub max_length: usize,
    /// Divides the logits before the softmax, where a calibration was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Multi-label: probability from which a label is given, in label order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<f32>>,
    /// Identity of the stage result that the model is, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The classes with their slugs and aliases, in the order of the logits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelSet>,
}

impl ModelSettings {
    /// The version of the format that the program reads and writes.
    pub const FORMAT: u32 = 1;

    /// Settings of a model that was just trained.
    pub fn new(task: Task, labels: &LabelSet, normalize: &str, max_length: usize, fingerprint: &str) -> Self {
        Self {
            format: Self::FORMAT,
            task,
            normalize: normalize.to_owned(),
            max_length,
            temperature: None,
            thresholds: None,
            fingerprint: Some(fingerprint.to_owned()),
            labels: Some(labels.clone()),
        }
    }

    /// What holds for a model that says nothing: NFC, the tokenizer's length.
    pub(crate) fn absent(task: Task, max_length: usize) -> Self {
        Self {
            format: Self::FORMAT,
            task,
            normalize: "nfc".to_owned(),
            max_length,
            temperature: None,
            thresholds: None,
            fingerprint: None,
            labels: None,
        }
    }

    /// The settings in `directory`, if it has any.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, ModelError> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ModelError::io(&path, error)),
        };
        let settings: Self =
            serde_json::from_str(&text).map_err(|error| ModelError::invalid(&path, error))?;
        if settings.format != Self::FORMAT {
            let reason = format!(
                "format {} is not known to this version of the program",
                settings.format
            );
            return Err(ModelError::invalid(&path, reason));
        }
        if settings.max_length < 3 {
            return Err(ModelError::invalid(&path, "`max_length` must be at least 3"));
        }
        if settings
            .temperature
            .is_some_and(|temperature| !(temperature.is_finite() && temperature > 0.0))
        {
            return Err(ModelError::invalid(
                &path,
                "`temperature` must be a number above 0",
            ));
        }
        Ok(Some(settings))
    }
}
