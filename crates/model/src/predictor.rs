//! A model directory to a model that predicts: texts to logits.

use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use classification::LabelSet;
use native::Classifier;
use tokenizer::Tokenizer;

use crate::infer::{BATCH_TOKENS, Inference, infer};
use crate::infer_native::infer_native;
use crate::load::load_native;
use crate::{Loaded, ModelError, ModelSettings, Precision, SequenceClassifier, load_trained};

/// A model ready to predict.
#[derive(Debug)]
pub struct Predictor {
    engine: Engine,
    tokenizer: Tokenizer,
    settings: ModelSettings,
    labels: LabelSet,
    load_seconds: f64,
}

/// What computes.
#[derive(Debug)]
enum Engine {
    /// The CPU.
    Native(Box<Classifier>),
    /// Any other device.
    Burn(Box<SequenceClassifier>, Device),
}

impl Predictor {
    /// Loads the model in `directory`; its labels must be `labels`, in that order, where they are given.
    pub fn load(directory: &Path, labels: Option<&LabelSet>, device: &Device) -> Result<Self, ModelError> {
        Self::load_in(directory, labels, device, "f32")
    }

    /// As [`Predictor::load`], computing in `precision`, which [`resolve_precision`](crate::resolve_precision) gave.
    pub fn load_in(
        directory: &Path,
        labels: Option<&LabelSet>,
        device: &Device,
        precision: &str,
    ) -> Result<Self, ModelError> {
        let precision = Precision::from_name(precision)
            .ok_or_else(|| ModelError::Device(format!("precision `{precision}` is not offered")))?;
        let start = Instant::now();
        let native = |precision| -> Result<Self, ModelError> {
            let engine = |classifier| Engine::Native(Box::new(classifier));
            Ok(Self::new(load_native(directory, labels, precision)?, engine))
        };
        let mut predictor = match (*device == Device::flex(), precision) {
            (true, Precision::F32) => native(native::Precision::F32)?,
            (true, Precision::Int8) => native(native::Precision::Int8)?,
            (false, Precision::F32 | Precision::Bf16) => {
                let engine = |classifier: SequenceClassifier| {
                    Engine::Burn(Box::new(classifier.lowered(precision)), device.clone())
                };
                Self::new(load_trained(directory, labels, device)?, engine)
            }
            (true, Precision::Bf16) => {
                return Err(ModelError::Device(
                    "precision `bf16` is not for the CPU".to_owned(),
                ));
            }
            (false, Precision::Int8) => {
                return Err(ModelError::Device("precision `int8` is for the CPU".to_owned()));
            }
        };
        predictor.load_seconds = start.elapsed().as_secs_f64();
        Ok(predictor)
    }

    fn new<C>(loaded: Loaded<C>, engine: impl FnOnce(C) -> Engine) -> Self {
        Self {
            engine: engine(loaded.classifier),
            tokenizer: loaded.tokenizer,
            settings: loaded.settings,
            labels: loaded.labels,
            load_seconds: 0.0,
        }
    }

    /// Logits for `texts`, which the caller has normalised as [`ModelSettings::normalize`] says.
    ///
    /// Texts are truncated to `max_length` tokens, absent: the model's own. `batch_tokens` bounds the tokens of
    /// a batch, padding included. `progress` is told the number of texts done, and of all.
    pub fn predict(
        &self,
        texts: &[String],
        max_length: Option<usize>,
        batch_tokens: Option<usize>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Inference, ModelError> {
        let start = Instant::now();
        let max_length = max_length.unwrap_or(self.max_length()).min(self.longest());
        let encodings = self.tokenizer.encode_batch(texts, max_length);
        let mut inference = match &self.engine {
            Engine::Native(classifier) => {
                let batch_tokens = batch_tokens.unwrap_or(BATCH_TOKENS);
                infer_native(classifier, &encodings, batch_tokens, progress)?
            }
            Engine::Burn(classifier, device) => {
                let pad_id = self.tokenizer.pad_id();
                let batch_tokens = batch_tokens.unwrap_or_else(|| crate::batch_tokens(device));
                infer(classifier, &encodings, pad_id, batch_tokens, device, progress)?
            }
        };
        inference.seconds = start.elapsed().as_secs_f64();
        Ok(inference)
    }

    /// The most tokens that there are positions for.
    fn longest(&self) -> usize {
        match &self.engine {
            Engine::Native(classifier) => classifier.shape().positions,
            Engine::Burn(classifier, _) => classifier.max_length(),
        }
    }

    /// The classes in the order of the logits.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// What the model says about itself.
    pub fn settings(&self) -> &ModelSettings {
        &self.settings
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens that a text is truncated to unless the caller says otherwise.
    pub fn max_length(&self) -> usize {
        self.settings.max_length
    }

    /// Time that loading took.
    pub fn load_seconds(&self) -> f64 {
        self.load_seconds
    }
}
