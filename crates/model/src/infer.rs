//! Batches of token ids to logits, on all threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use burn::tensor::Device;
use tokenizer::{Encoding, length_batches};

use crate::infer_on_device::infer_on_device;
use crate::{Batch, ModelError, SequenceClassifier};

/// Tokens per batch when nobody says otherwise. Measured on two cores: small enough for a batch's activations to stay
/// in the cache, large enough for full matrix products.
pub const BATCH_TOKENS: usize = 192;

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

/// Logits for `encodings` from `classifier`, which lies on the plain `device` (a model in training: its `valid()`).
pub fn infer(
    classifier: &SequenceClassifier,
    encodings: &[Encoding],
    pad_id: u32,
    batch_tokens: usize,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Inference, ModelError> {
    check_lengths(encodings, classifier.max_length())?;
    if *device != Device::flex() {
        return infer_on_device(classifier, encodings, pad_id, batch_tokens, device, progress);
    }
    let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
    let mut batches = length_batches(&lengths, batch_tokens);
    batches.reverse(); // The largest first: no thread is left alone with them at the end.
    let compute = |classifier: &mut SequenceClassifier, rows: &[usize]| {
        let batch = Batch::new(&ids(encodings, rows), pad_id, device);
        let logits = classifier.forward(&batch).into_data().try_into_vec::<f32>();
        let logits = logits.map_err(|error| ModelError::Config(format!("logits are not f32: {error:?}")))?;
        Ok(Done {
            logits,
            tokens: batch.tokens(),
            padded_tokens: batch.padded_tokens(),
        })
    };
    run(
        encodings.len(),
        &batches,
        || classifier.clone(),
        compute,
        progress,
    )
}

pub(crate) fn check_lengths(encodings: &[Encoding], limit: usize) -> Result<(), ModelError> {
    let too_long = encodings.iter().position(|encoding| encoding.ids.len() > limit);
    too_long.map_or(Ok(()), |row| {
        Err(ModelError::TooLong {
            row,
            length: encodings[row].ids.len(),
            limit,
        })
    })
}

pub(crate) fn ids<'e>(encodings: &'e [Encoding], rows: &[usize]) -> Vec<&'e [u32]> {
    rows.iter().map(|&row| encodings[row].ids.as_slice()).collect()
}

/// The outcome of one batch.
pub(crate) struct Done {
    pub(crate) logits: Vec<f32>,
    pub(crate) tokens: usize,
    pub(crate) padded_tokens: usize,
}

/// The outcomes of batches, put together.
pub(crate) struct Gathered {
    inference: Inference,
    rows_done: usize,
}

impl Gathered {
    pub(crate) fn new(rows: usize) -> Self {
        let inference = Inference {
            logits: vec![Vec::new(); rows],
            ..Inference::default()
        };
        Self {
            inference,
            rows_done: 0,
        }
    }

    /// Takes what came of the rows in `batch`.
    pub(crate) fn take(
        &mut self,
        batch: &[usize],
        done: Done,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), ModelError> {
        let labels = done.logits.len() / batch.len();
        for (&row, logits) in batch.iter().zip(done.logits.chunks_exact(labels)) {
            if !logits.iter().all(|logit| logit.is_finite()) {
                return Err(ModelError::NotFinite { row });
            }
            self.inference.logits[row] = logits.to_vec();
        }
        self.inference.tokens += done.tokens as u64;
        self.inference.padded_tokens += done.padded_tokens as u64;
        self.rows_done += batch.len();
        progress(self.rows_done, self.inference.logits.len());
        Ok(())
    }

    pub(crate) fn finish(mut self, start: Instant) -> Inference {
        self.inference.seconds = start.elapsed().as_secs_f64();
        self.inference
    }
}

/// Computes `batches`, each on one thread with a state of that thread, and puts the outcomes together.
///
/// Every thread of rayon's pool computes whole batches on its own, because most operations of the CPU backend use
/// one thread only; a single batch is left to the backend's own threads.
fn run<S>(
    rows: usize,
    batches: &[Vec<usize>],
    state: impl Fn() -> S + Sync,
    compute: impl Fn(&mut S, &[usize]) -> Result<Done, ModelError> + Sync,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Inference, ModelError> {
    let start = Instant::now();
    let mut gathered = Gathered::new(rows);
    let mut collect = |batch: &[usize], done: Done| gathered.take(batch, done, progress);
    let workers = rayon::current_num_threads().min(batches.len());
    if workers < 2 {
        let mut state = state();
        for batch in batches {
            collect(batch, compute(&mut state, batch)?)?;
        }
    } else {
        on_all_threads(workers, batches, state, compute, &mut collect)?;
    }
    Ok(gathered.finish(start))
}

/// Takes the rows of a batch and what came of them.
type Collect<'a> = dyn FnMut(&[usize], Done) -> Result<(), ModelError> + 'a;

/// Computes `batches` on `workers` threads and hands each outcome to `collect` on this one.
fn on_all_threads<S>(
    workers: usize,
    batches: &[Vec<usize>],
    state: impl Fn() -> S + Sync,
    compute: impl Fn(&mut S, &[usize]) -> Result<Done, ModelError> + Sync,
    collect: &mut Collect<'_>,
) -> Result<(), ModelError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let sender = sender.clone();
            let (next, stop, state, compute) = (&next, &stop, &state, &compute);
            // A pool of one thread keeps the backend from spreading a batch over the other workers.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            let pool = pool.map_err(|error| ModelError::Device(format!("cannot start a thread: {error}")))?;
            scope.spawn(move || {
                pool.install(|| {
                    let mut state = state();
                    while !stop.load(Ordering::Relaxed) {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(batch) = batches.get(index) else { break };
                        if sender.send((index, compute(&mut state, batch))).is_err() {
                            break;
                        }
                    }
                });
            });
        }
        drop(sender);
        for (index, done) in receiver {
            let outcome = done.and_then(|done| collect(&batches[index], done));
            if outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
                return outcome;
            }
        }
        Ok(())
    })
}
