//! Batches of token ids to logits on the CPU, without burn and without padding.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use native::{Classifier, Scratch};
use tokenizer::Encoding;

use crate::infer::{Done, Gathered, check_lengths, ids};
use crate::{Inference, ModelError};

/// The fewest tokens of a batch, but for the last: below, reading the weights takes longer than computing.
const SMALL_BATCH_TOKENS: usize = 96;

thread_local! {
    /// Kept from call to call, so that memory neither grows nor is asked for anew.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Logits for `encodings`, in batches of at most `batch_tokens` tokens, on the threads of rayon's pool. They do not
/// depend on batches or threads: a row is computed in the same way among any others.
pub fn infer_native(
    classifier: &Classifier,
    encodings: &[Encoding],
    batch_tokens: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Inference, ModelError> {
    let start = Instant::now();
    check_lengths(encodings, classifier.shape().positions)?;
    // One of the pool's own threads must not wait for the others.
    let workers = match rayon::current_thread_index() {
        Some(_) => 1,
        None => rayon::current_num_threads(),
    };
    let batches = batches(encodings, batch_tokens, workers);
    let compute = |rows: &[usize]| {
        let ids = ids(encodings, rows);
        let tokens = ids.iter().map(|ids| ids.len()).sum();
        let logits = SCRATCH.with_borrow_mut(|scratch| classifier.logits(&ids, scratch));
        Done {
            logits,
            tokens,
            padded_tokens: tokens,
        }
    };
    let mut gathered = Gathered::new(encodings.len());
    if workers < 2 || batches.len() < 2 {
        for batch in &batches {
            gathered.take(batch, compute(batch), progress)?;
        }
        return Ok(gathered.finish(start));
    }
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    rayon::in_place_scope(|scope| {
        for _ in 0..workers.min(batches.len()) {
            let sender = sender.clone();
            let (next, stop, batches, compute) = (&next, &stop, &batches, &compute);
            scope.spawn(move |_| {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(batch) = batches.get(index) else { break };
                    if sender.send((index, compute(batch))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (index, done) in receiver {
            let outcome = gathered.take(&batches[index], done, progress);
            if outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
                return outcome;
            }
        }
        Ok(())
    })?;
    Ok(gathered.finish(start))
}

/// Rows in order. A batch has at most `most` tokens, or one row; towards the end batches become smaller, so that all
/// workers end at about the same time (guided self-scheduling; Polychronopoulos and Kuck 1987).
fn batches(encodings: &[Encoding], most: usize, workers: usize) -> Vec<Vec<usize>> {
    let mut left: usize = encodings.iter().map(|encoding| encoding.ids.len()).sum();
    let mut batches = Vec::new();
    let (mut batch, mut tokens) = (Vec::new(), 0);
    for (row, encoding) in encodings.iter().enumerate() {
        let length = encoding.ids.len();
        let share = if workers < 2 { most } else { left / (2 * workers) };
        let limit = share.max(SMALL_BATCH_TOKENS).min(most);
        if !batch.is_empty() && tokens + length > limit {
            batches.push(std::mem::take(&mut batch));
            left -= tokens;
            tokens = 0;
        }
        batch.push(row);
        tokens += length;
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encodings(lengths: &[usize]) -> Vec<Encoding> {
        let of = |length: &usize| Encoding {
            ids: vec![0; *length],
        };
        lengths.iter().map(of).collect()
    }

    #[test]
    fn batches_hold_all_rows_in_order_within_the_limit_and_the_last_are_small() {
        let encodings = encodings(&[40; 100]);
        let batches = batches(&encodings, 512, 2);
        let rows: Vec<usize> = batches.concat();
        assert_eq!(rows, (0..100).collect::<Vec<_>>());
        assert!(batches.iter().all(|batch| batch.len() * 40 <= 512));
        assert_eq!(batches[0].len(), 12);
        let last = &batches[batches.len() - 2..];
        assert!(last.iter().all(|batch| batch.len() <= 2), "{last:?}");
    }

    #[test]
    fn a_row_longer_than_a_batch_is_alone() {
        let encodings = encodings(&[3, 90, 2]);
        assert_eq!(batches(&encodings, 10, 1), [vec![0], vec![1], vec![2]]);
    }
}
