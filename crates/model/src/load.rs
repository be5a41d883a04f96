//! A Hugging Face directory to a model: for fine-tuning ([`load_base`]) or for prediction ([`load_trained`]).

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;
use classification::{LabelSet, Task};
use native::{Classifier, Precision};
use tokenizer::Tokenizer;

use crate::build::{Builder, Fill, Source};
use crate::checkpoint::Checkpoint;
use crate::hugging_face::{self, Described};
use crate::init::Seeded;
use crate::names::{before_renaming, is_head, is_pooler};
use crate::{ModelConfig, ModelError, ModelSettings, SequenceClassifier, native_classifier};

/// How the parts that a checkpoint lacks are made, and what fine-tuning changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct BaseOptions {
    /// Determines the weights of a new head.
    pub seed: u64,
    /// Dropout of hidden states and attention instead of the checkpoint's.
    pub dropout: Option<f64>,
    /// Dropout of the head instead of the checkpoint's.
    pub classifier_dropout: Option<f64>,
}

/// A model with all that belongs to it.
#[derive(Debug)]
pub struct Loaded<C = SequenceClassifier> {
    /// The weights.
    pub classifier: C,
    /// The architecture.
    pub config: ModelConfig,
    /// The tokenizer of the same directory.
    pub tokenizer: Tokenizer,
    /// `pipeline.json`, or what holds without one.
    pub settings: ModelSettings,
    /// The classes in the order of the logits.
    pub labels: LabelSet,
    /// Tensors that the checkpoint lacks and that were initialised, sorted.
    pub new_tensors: Vec<String>,
    /// Tensors of the checkpoint that the model has no place for, sorted.
    pub unused_tensors: Vec<String>,
}

/// Loads an encoder to fine-tune on `labels`.
///
/// A checkpoint without a classification head, or with one for other labels, gets a new head. A head for the same
/// labels is kept; one for the same labels in another order is refused, for it is a mistake in the label list.
pub fn load_base(
    directory: &Path,
    labels: &LabelSet,
    options: &BaseOptions,
    device: &Device,
) -> Result<Loaded, ModelError> {
    let mut described = hugging_face::read(directory)?;
    described.config = described
        .config
        .with_dropout(options.dropout, options.classifier_dropout);
    let agreement = described
        .labels
        .as_deref()
        .map_or(Agreement::Other, |found| agreement(labels, found));
    if agreement == Agreement::Permuted {
        return Err(permuted(directory, labels, described.labels.unwrap_or_default()));
    }
    let checkpoint = Checkpoint::open(directory)?;
    let has_head = checkpoint.names().any(is_head);
    let keeps_head = agreement == Agreement::Same && has_head;
    if has_head && !keeps_head {
        tracing::info!(labels = ?described.labels, "the checkpoint's head is for other labels and is replaced");
    }
    let seed = (!keeps_head).then_some(options.seed);
    let build = on_device(device);
    let mut loaded = assemble(directory, described, labels.clone(), checkpoint, seed, build)?;
    loaded.tokenizer = loaded.tokenizer.into_portable();
    Ok(loaded)
}

/// Loads a model to predict with. Its labels must be `labels`, in that order, where they are given.
pub fn load_trained(
    directory: &Path,
    labels: Option<&LabelSet>,
    device: &Device,
) -> Result<Loaded, ModelError> {
    trained(directory, labels, on_device(device))
}

/// As [`load_trained`], for the CPU and without burn.
pub(crate) fn load_native(
    directory: &Path,
    labels: Option<&LabelSet>,
    precision: Precision,
) -> Result<Loaded<Classifier>, ModelError> {
    trained(directory, labels, |config, labels, source| {
        native_classifier::build(config, labels, precision, source)
    })
}

fn on_device(
    device: &Device,
) -> impl FnOnce(&ModelConfig, usize, &mut dyn Source) -> Result<SequenceClassifier, ModelError> {
    move |config, labels, source| SequenceClassifier::build(config, labels, &mut Builder { source, device })
}

/// `build` makes the weights from a configuration, the number of labels and the parameters' values.
fn trained<C>(
    directory: &Path,
    labels: Option<&LabelSet>,
    build: impl FnOnce(&ModelConfig, usize, &mut dyn Source) -> Result<C, ModelError>,
) -> Result<Loaded<C>, ModelError> {
    let described = hugging_face::read(directory)?;
    let settings = ModelSettings::read(directory)?;
    let checkpoint = Checkpoint::open(directory)?;
    let own = own_labels(directory, &described, settings, &checkpoint)?;
    let labels = match labels {
        None => own,
        Some(expected) => {
            let found: Vec<String> = own.names().map(str::to_owned).collect();
            match agreement(expected, &found) {
                Agreement::Same => expected.clone(),
                Agreement::Permuted => return Err(permuted(directory, expected, found)),
                Agreement::Other => {
                    let expected = expected.names().map(str::to_owned).collect();
                    return Err(ModelError::OtherLabels {
                        directory: directory.to_owned(),
                        expected,
                        found,
                    });
                }
            }
        }
    };
    assemble(directory, described, labels, checkpoint, None, build)
}

/// What a model predicts.
#[derive(Clone, Debug)]
pub struct Description {
    /// The classes in the order of the logits.
    pub labels: LabelSet,
    /// Single- or multi-label.
    pub task: Task,
}

/// Reads what the model in `directory` predicts, without its weights.
pub fn describe(directory: &Path) -> Result<Description, ModelError> {
    let described = hugging_face::read(directory)?;
    let settings = ModelSettings::read(directory)?;
    let checkpoint = Checkpoint::open(directory)?;
    let labels = own_labels(directory, &described, settings, &checkpoint)?;
    Ok(Description {
        labels,
        task: described.task,
    })
}

fn assemble<C>(
    directory: &Path,
    described: Described,
    labels: LabelSet,
    checkpoint: Checkpoint,
    new_head: Option<u64>,
    build: impl FnOnce(&ModelConfig, usize, &mut dyn Source) -> Result<C, ModelError>,
) -> Result<Loaded<C>, ModelError> {
    let Described { config, task, .. } = described;
    let tokenizer = Tokenizer::load(directory)?.without_added_from(config.vocab_size)?;
    if tokenizer.vocab_size() > config.vocab_size {
        return Err(ModelError::Vocabulary {
            directory: directory.to_owned(),
            tokenizer: tokenizer.vocab_size(),
            embedding: config.vocab_size,
        });
    }
    let new_head = new_head.map(|seed| Seeded {
        seed,
        standard_deviation: config.initializer_range,
    });
    let mut source = CheckpointSource::new(checkpoint, config.architecture.name(), new_head);
    let classifier = build(&config, labels.len(), &mut source)?;
    let (new_tensors, unused_tensors) = source.new_and_unused();
    let longest = config
        .max_length()
        .min(tokenizer.max_length().unwrap_or(usize::MAX));
    let mut settings =
        ModelSettings::read(directory)?.unwrap_or_else(|| ModelSettings::absent(task, longest));
    settings.max_length = settings.max_length.min(config.max_length());
    Ok(Loaded {
        classifier,
        config,
        tokenizer,
        settings,
        labels,
        new_tensors,
        unused_tensors,
    })
}

/// A checkpoint as a source of parameters; names in it may begin with the encoder's name.
struct CheckpointSource {
    checkpoint: Checkpoint,
    prefix: String,
    new_head: Option<Seeded>,
    used: BTreeSet<String>,
    new: BTreeSet<String>,
}

impl CheckpointSource {
    fn new(checkpoint: Checkpoint, model_type: &'static str, new_head: Option<Seeded>) -> Self {
        // transformers names the encoder within a model after its family; an encoder saved alone has no prefix.
        let has = |prefix: &str| checkpoint.contains(&format!("{prefix}embeddings.word_embeddings.weight"));
        let own = format!("{model_type}.");
        let prefix = [own.as_str(), "electra.", "roberta.", "bert.", "distilbert.", ""]
            .into_iter()
            .find(|prefix| has(prefix))
            .unwrap_or(&own)
            .to_owned();
        Self {
            checkpoint,
            prefix,
            new_head,
            used: BTreeSet::new(),
            new: BTreeSet::new(),
        }
    }

    fn new_and_unused(self) -> (Vec<String>, Vec<String>) {
        let is_buffer = |name: &str| name.ends_with("position_ids") || name.ends_with("token_type_ids");
        let unused = self
            .checkpoint
            .names()
            .filter(|name| !self.used.contains(*name) && !is_buffer(name));
        (
            self.new.iter().cloned().collect(),
            unused.map(str::to_owned).collect(),
        )
    }
}

impl CheckpointSource {
    /// What the checkpoint calls the parameter `name`.
    fn stored(&self, name: &str) -> String {
        if is_head(name) {
            return name.to_owned();
        }
        let stored = format!("{}{name}", self.prefix);
        let before = before_renaming(&stored).filter(|before| self.checkpoint.contains(before));
        match before {
            Some(before) if !self.checkpoint.contains(&stored) => before,
            _ => stored,
        }
    }
}

impl Source for CheckpointSource {
    fn values(&mut self, name: &str, shape: &[usize], fill: Fill) -> Result<Vec<f32>, ModelError> {
        let stored = self.stored(name);
        let is_new = is_head(name) || is_pooler(name) && !self.checkpoint.contains(&stored);
        if let Some(new_head) = self.new_head.as_mut().filter(|_| is_new) {
            self.new.insert(name.to_owned());
            return new_head.values(name, shape, fill);
        }
        let values = self.checkpoint.read(&stored, shape)?;
        self.used.insert(stored);
        Ok(values)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Agreement {
    Same,
    Permuted,
    Other,
}

/// How a checkpoint's label names relate to a task's labels, which may have other names for the same class.
fn agreement(labels: &LabelSet, found: &[String]) -> Agreement {
    let ids: Option<Vec<usize>> = found.iter().map(|name| labels.resolve(name)).collect();
    let Some(ids) = ids.filter(|ids| ids.len() == labels.len()) else {
        return Agreement::Other;
    };
    if ids.iter().enumerate().all(|(position, id)| position == *id) {
        return Agreement::Same;
    }
    let distinct: BTreeSet<_> = ids.iter().collect();
    if distinct.len() == ids.len() {
        Agreement::Permuted
    } else {
        Agreement::Other
    }
}

/// The labels that the directory itself names: `pipeline.json`'s, else `config.json`'s, else `LABEL_0` and so on.
fn own_labels(
    directory: &Path,
    described: &Described,
    settings: Option<ModelSettings>,
    checkpoint: &Checkpoint,
) -> Result<LabelSet, ModelError> {
    let path = directory.join(hugging_face::FILE);
    let names = match &described.labels {
        Some(names) => names.clone(),
        None => {
            let (_, last) = described.config.architecture.head_names();
            let count = checkpoint.rows(&format!("{last}.weight"))?;
            (0..count).map(|id| format!("LABEL_{id}")).collect()
        }
    };
    match settings.and_then(|settings| settings.labels) {
        Some(labels) if labels.names().eq(names.iter().map(String::as_str)) => Ok(labels),
        Some(_) => Err(ModelError::invalid(
            &path,
            "`id2label` and the labels in `pipeline.json` differ",
        )),
        None => LabelSet::from_names(names)
            .map_err(|error| ModelError::invalid(&path, format!("`id2label`: {error}"))),
    }
}

fn permuted(directory: &Path, expected: &LabelSet, found: Vec<String>) -> ModelError {
    let expected = expected.names().map(str::to_owned).collect();
    ModelError::PermutedLabels {
        directory: directory.to_owned(),
        expected,
        found,
    }
}

#[cfg(test)]
mod tests {
    use classification::Label;

    use super::*;

    fn set(names: &[&str]) -> LabelSet {
        LabelSet::from_names(names.iter().copied()).unwrap()
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn labels_agree_under_an_alias() {
        let joy = Label {
            name: "기쁨".to_owned(),
            slug: None,
            aliases: vec!["joy".to_owned()],
        };
        let anger = Label {
            name: "분노".to_owned(),
            slug: None,
            aliases: Vec::new(),
        };
        let labels = LabelSet::new(vec![joy, anger]).unwrap();
        assert_eq!(agreement(&labels, &strings(&["joy", "분노"])), Agreement::Same);
    }

    #[test]
    fn another_order_is_a_permutation() {
        assert_eq!(
            agreement(&set(&["가", "나"]), &strings(&["나", "가"])),
            Agreement::Permuted
        );
    }

    #[test]
    fn another_label_or_another_number_of_labels_is_another_task() {
        assert_eq!(
            agreement(&set(&["가", "나"]), &strings(&["가", "다"])),
            Agreement::Other
        );
        assert_eq!(
            agreement(&set(&["가", "나"]), &strings(&["가"])),
            Agreement::Other
        );
    }
}
