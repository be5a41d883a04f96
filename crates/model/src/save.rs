//! A model to a Hugging Face directory that transformers loads as it is.

use std::path::Path;

use classification::LabelSet;
use serde::Serialize;
use tokenizer::Tokenizer;

use crate::{ModelConfig, ModelError, ModelSettings, SequenceClassifier, checkpoint, hugging_face, settings};

/// Writes `config.json`, `model.safetensors`, the tokenizer's files and `pipeline.json` into `directory`, which is made
/// if needed. Equal models give equal bytes. Whoever calls it makes sure that a half-written directory does not count.
///
/// `labels` and the task in `model_settings` say what the logits mean.
pub fn save(
    directory: &Path,
    classifier: &SequenceClassifier,
    config: &ModelConfig,
    labels: &LabelSet,
    tokenizer: &Tokenizer,
    model_settings: &ModelSettings,
) -> Result<(), ModelError> {
    if classifier.labels() != labels.len() {
        let (outputs, classes) = (classifier.labels(), labels.len());
        return Err(ModelError::Config(format!(
            "a model of {outputs} outputs cannot be saved for {classes} labels"
        )));
    }
    std::fs::create_dir_all(directory).map_err(|error| ModelError::io(directory, error))?;
    write_json(
        &directory.join(hugging_face::FILE),
        &hugging_face::write(config, labels, model_settings.task),
    )?;
    checkpoint::write(directory, classifier.export(config.architecture).parameters)?;
    let max_length = model_settings.max_length.min(config.max_length());
    // RoBERTa has one token type only, for which it needs no ids.
    tokenizer.save(directory, max_length, config.type_vocab_size > 1)?;
    write_json(&directory.join(settings::FILE), model_settings)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ModelError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| ModelError::invalid(path, error))?;
    text.push('\n');
    std::fs::write(path, text).map_err(|error| ModelError::io(path, error))
}
