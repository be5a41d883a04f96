//! The encoder to train: from a model directory, or new with a vocabulary of its own.

use std::path::Path;

use burn::tensor::Device;
use dataset::Normalize;
use model::{BaseOptions, ModelConfig, SequenceClassifier};
use stage::{Context, Failure, InputItem};
use tokenizer::Tokenizer;

use crate::base_model::Scratch;
use crate::params::Params;

/// Tensor names that a message lists before it counts.
const SHOWN_TENSORS: usize = 8;

/// An encoder with a head, ready to be trained.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) classifier: SequenceClassifier,
    pub(crate) config: ModelConfig,
    pub(crate) tokenizer: Tokenizer,
    /// What its texts were normalised with before, if it says so.
    pub(crate) normalize: Option<Normalize>,
}

/// The model in the directory of `item`. What is new in it and what is not used is said.
pub(crate) fn pretrained(
    ctx: &Context,
    item: &InputItem,
    params: &Params,
    device: &Device,
) -> Result<Encoder, Failure> {
    let options = BaseOptions {
        seed: ctx.seed(),
        dropout: params.dropout,
        classifier_dropout: params.classifier_dropout,
    };
    let loaded = model::load_base(&item.path, ctx.labels(), &options, device)?;
    if !loaded.new_tensors.is_empty() {
        let names = listed(&loaded.new_tensors);
        ctx.info(format!(
            "`{}` lacks these tensors, which start from random values: {names}",
            item.name
        ));
    }
    if !loaded.unused_tensors.is_empty() {
        let names = listed(&loaded.unused_tensors);
        ctx.info(format!("these tensors of `{}` are not used: {names}", item.name));
    }
    let normalize = stored_normalize(&item.path, &loaded.settings.normalize)?;
    Ok(Encoder {
        classifier: loaded.classifier,
        config: loaded.config,
        tokenizer: loaded.tokenizer,
        normalize,
    })
}

/// A new encoder whose vocabulary is learnt from `texts`.
pub(crate) fn from_scratch(
    ctx: &Context,
    scratch: &Scratch,
    texts: &[String],
    params: &Params,
    device: &Device,
) -> Result<Encoder, Failure> {
    ctx.progress("learning the vocabulary", 0, None, "tokens");
    let architecture = scratch.architecture()?;
    let texts = texts.iter().map(String::as_str);
    let vocabulary = tokenizer::train_wordpiece(texts, scratch.vocab_size, architecture.special_tokens());
    ctx.info(format!("the vocabulary has {} tokens", vocabulary.len()));
    let config = scratch
        .config(vocabulary.len())?
        .with_dropout(params.dropout, params.classifier_dropout);
    let tokenizer = Tokenizer::from_vocabulary(vocabulary)?;
    let classifier = SequenceClassifier::init(&config, ctx.labels().len(), device, ctx.seed())?;
    Ok(Encoder {
        classifier,
        config,
        tokenizer,
        normalize: None,
    })
}

/// The normalisation that a model directory names. A plain Hugging Face directory names none and counts as NFC.
fn stored_normalize(directory: &Path, name: &str) -> Result<Option<Normalize>, Failure> {
    serde_json::from_value(name.into()).map(Some).map_err(|_| {
        Failure::stage(format!(
            "`{}`: unknown `normalize: {name}` in pipeline.json",
            directory.display()
        ))
    })
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN_TENSORS)
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN_TENSORS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_tensor_names_are_shortened() {
        let names: Vec<String> = (0..10).map(|number| format!("t{number}")).collect();
        assert_eq!(
            listed(&names),
            "`t0`, `t1`, `t2`, `t3`, `t4`, `t5`, `t6`, `t7` and 2 more"
        );
    }
}
