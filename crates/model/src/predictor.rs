//! Inference: texts to logits, in batches of similar length.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use burn::tensor::Device;
use classification::LabelSet;
use tokenizer::{Encoding, Tokenizer, length_batches};

use crate::{Batch, Loaded, ModelError, ModelSettings, SequenceClassifier, load_trained};

/// Padded tokens per batch when nobody says otherwise. Measured on two cores: small enough for a batch's
/// activations to stay in the cache, large enough for full matrix products.
pub const BATCH_TOKENS: usize = 512;

/// What a model says about texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inference {
    /// One logit per label for every text, in input order.
    pub logits: Vec<Vec<f32>>,
    /// Tokens of all texts.
    pub tokens: u64,
    /// Tokens of all batches, padding included.
    pub padded_tokens: u64,
    /// Time for tokenising and computing.
    pub seconds: f64,
}

/// A model ready to predict.
#[derive(Debug)]
pub struct Predictor {
    loaded: Loaded,
    device: Device,
    load_seconds: f64,
}

impl Predictor {
    /// Loads the model in `directory`; its labels must be `labels`, in that order, where they are given.
    pub fn load(directory: &Path, labels: Option<&LabelSet>, device: &Device) -> Result<Self, ModelError> {
        let start = Instant::now();
        let loaded = load_trained(directory, labels, device)?;
        Ok(Self {
            loaded,
            device: device.clone(),
            load_seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// Logits for `texts`, which the caller has normalised as [`ModelSettings::normalize`] says.
    ///
    /// Texts are truncated to `max_length` tokens, absent: the model's own. `batch_tokens` bounds the padded tokens of
    /// a batch. `progress` is told the number of texts done, and of all.
    pub fn predict(
        &self,
        texts: &[String],
        max_length: Option<usize>,
        batch_tokens: Option<usize>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Inference, ModelError> {
        let start = Instant::now();
        let max_length = max_length
            .unwrap_or(self.max_length())
            .min(self.loaded.config.max_length());
        let encodings = self.loaded.tokenizer.encode_batch(texts, max_length);
        let batch_tokens = batch_tokens.unwrap_or(BATCH_TOKENS);
        let (classifier, pad_id) = (&self.loaded.classifier, self.loaded.tokenizer.pad_id());
        let mut inference = infer(
            classifier,
            &encodings,
            pad_id,
            batch_tokens,
            &self.device,
            progress,
        )?;
        inference.seconds = start.elapsed().as_secs_f64();
        Ok(inference)
    }

    /// The classes in the order of the logits.
    pub fn labels(&self) -> &LabelSet {
        &self.loaded.labels
    }

    /// What the model says about itself.
    pub fn settings(&self) -> &ModelSettings {
        &self.loaded.settings
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.loaded.tokenizer
    }

    /// Tokens that a text is truncated to unless the caller says otherwise.
    pub fn max_length(&self) -> usize {
        self.loaded.settings.max_length
    }

    /// Time that loading took.
    pub fn load_seconds(&self) -> f64 {
        self.load_seconds
    }
}

/// Logits for `encodings` from `classifier`, which lies on the plain `device` (a model in training: its `valid()`).
///
/// Every thread of rayon's pool computes whole batches on its own, because most operations of the CPU backend use
/// one thread only; a single batch is left to the backend's own threads.
pub fn infer(
    classifier: &SequenceClassifier,
    encodings: &[Encoding],
    pad_id: u32,
    batch_tokens: usize,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Inference, ModelError> {
    let start = Instant::now();
    let limit = classifier.max_length();
    if let Some(row) = encodings.iter().position(|encoding| encoding.ids.len() > limit) {
        return Err(ModelError::TooLong {
            row,
            length: encodings[row].ids.len(),
            limit,
        });
    }
    let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
    let mut batches = length_batches(&lengths, batch_tokens);
    batches.reverse(); // The largest first: no thread is left alone with them at the end.
    let mut inference = Inference {
        logits: vec![Vec::new(); encodings.len()],
        ..Inference::default()
    };
    let compute = |classifier: &SequenceClassifier, rows: &[usize]| {
        let ids: Vec<&[u32]> = rows.iter().map(|&row| encodings[row].ids.as_slice()).collect();
        let batch = Batch::new(&ids, pad_id, device);
        let logits = classifier.forward(&batch).into_data().try_into_vec::<f32>();
        let logits = logits.map_err(|error| ModelError::Config(format!("logits are not f32: {error:?}")))?;
        Ok(Done {
            logits,
            tokens: batch.tokens(),
            padded_tokens: batch.padded_tokens(),
        })
    };
    let mut collect = |rows: &[usize], done: Done| {
        for (&row, logits) in rows.iter().zip(done.logits.chunks_exact(classifier.labels())) {
            if !logits.iter().all(|logit| logit.is_finite()) {
                return Err(ModelError::NotFinite { row });
            }
            inference.logits[row] = logits.to_vec();
        }
        inference.tokens += done.tokens as u64;
        inference.padded_tokens += done.padded_tokens as u64;
        Ok(())
    };
    let workers = rayon::current_num_threads().min(batches.len());
    if workers < 2 {
        let mut rows_done = 0;
        for rows in &batches {
            collect(rows, compute(classifier, rows)?)?;
            rows_done += rows.len();
            progress(rows_done, encodings.len());
        }
    } else {
        on_all_threads(
            workers,
            classifier,
            &batches,
            compute,
            &mut |rows_done, rows, done| {
                collect(rows, done)?;
                progress(rows_done, encodings.len());
                Ok(())
            },
        )?;
    }
    inference.seconds = start.elapsed().as_secs_f64();
    Ok(inference)
}

/// The outcome of one batch.
struct Done {
    logits: Vec<f32>,
    tokens: usize,
    padded_tokens: usize,
}

/// Takes the number of rows done so far, the rows of a batch and what came of them.
type Collect<'a> = dyn FnMut(usize, &[usize], Done) -> Result<(), ModelError> + 'a;

/// Computes `batches` on `workers` threads and hands each result, with the number of rows done, to `collect` on this one.
fn on_all_threads(
    workers: usize,
    classifier: &SequenceClassifier,
    batches: &[Vec<usize>],
    compute: impl Fn(&SequenceClassifier, &[usize]) -> Result<Done, ModelError> + Sync,
    collect: &mut Collect<'_>,
) -> Result<(), ModelError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, classifier) = (sender.clone(), classifier.clone());
            let (next, stop, compute) = (&next, &stop, &compute);
            // A pool of one thread keeps the backend from spreading a batch over the other workers.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            let pool = pool.map_err(|error| ModelError::Device(format!("cannot start a thread: {error}")))?;
            scope.spawn(move || {
                pool.install(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(rows) = batches.get(index) else { break };
                        if sender.send((index, compute(&classifier, rows))).is_err() {
                            break;
                        }
                    }
                });
            });
        }
        drop(sender);
        let mut rows_done = 0;
        for (index, done) in receiver {
            rows_done += batches[index].len();
            let outcome = done.and_then(|done| collect(rows_done, &batches[index], done));
            if outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
                return outcome;
            }
        }
        Ok(())
    })
}
