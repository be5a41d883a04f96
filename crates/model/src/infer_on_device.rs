//! Prediction on libtorch and on GPUs: one thread tells the device what to do, and the device has threads of its own.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use tokenizer::{Encoding, length_batches};

use crate::device::{is_cpu, width_step};
use crate::{BATCH_TOKENS, Batch, Inference, ModelError, SequenceClassifier};

/// Batches that a GPU may have to do before the logits of the first are asked for: it is never idle.
const IN_FLIGHT: usize = 4;

/// Tokens per batch on a GPU: enough for full matrix products, and a base model's activations take a few gigabytes.
const GPU_BATCH_TOKENS: usize = 1 << 16;

/// Tokens per batch of libtorch on the CPU, which packs the weights anew for each product: batches of 120 tokens were computed at
/// half the rate of ones of some thousand.
const LIBTORCH_CPU_BATCH_TOKENS: usize = 2048;

/// Tokens per batch when nobody says otherwise.
pub fn batch_tokens(device: &Device) -> usize {
    if *device == Device::flex() {
        BATCH_TOKENS
    } else if is_cpu(device) {
        LIBTORCH_CPU_BATCH_TOKENS
    } else {
        GPU_BATCH_TOKENS
    }
}

/// Logits for `encodings`, none of which is longer than the model takes.
pub(crate) fn infer_on_device(
    classifier: &SequenceClassifier,
    encodings: &[Encoding],
    pad_id: u32,
    batch_tokens: usize,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Inference, ModelError> {
    let mut collector = Collector {
        start: Instant::now(),
        done: 0,
        inference: Inference {
            logits: vec![Vec::new(); encodings.len()],
            ..Inference::default()
        },
        progress,
    };
    let step = width_step(device);
    let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
    let mut pending: VecDeque<(Vec<usize>, Tensor<2>)> = VecDeque::new();
    let batches = if is_cpu(device) {
        // A little padding costs less than small batches.
        let batches = length_batches(&lengths, batch_tokens).into_iter().rev();
        batches.map(|rows| (0, rows)).collect()
    } else {
        batches_of_a_width(&lengths, step, classifier.max_length(), batch_tokens)
    };
    for (width, rows) in batches {
        let ids: Vec<&[u32]> = rows.iter().map(|&row| encodings[row].ids.as_slice()).collect();
        let batch = Batch::of_width(width, &ids, pad_id, device);
        collector.inference.tokens += batch.tokens() as u64;
        collector.inference.padded_tokens += batch.padded_tokens() as u64;
        pending.push_back((rows, classifier.forward(&batch)));
        if pending.len() > IN_FLIGHT
            && let Some((rows, logits)) = pending.pop_front()
        {
            collector.collect(&rows, logits)?;
        }
    }
    for (rows, logits) in pending {
        collector.collect(&rows, logits)?;
    }
    collector.inference.seconds = collector.start.elapsed().as_secs_f64();
    Ok(collector.inference)
}

struct Collector<'p> {
    start: Instant,
    done: usize,
    inference: Inference,
    progress: &'p mut dyn FnMut(usize, usize),
}

impl Collector<'_> {
    /// Waits for the logits of a batch.
    fn collect(&mut self, rows: &[usize], logits: Tensor<2>) -> Result<(), ModelError> {
        let [_, labels] = logits.dims();
        let values = logits.into_data().try_into_vec::<f32>();
        let values = values.map_err(|error| ModelError::Config(format!("logits are not f32: {error:?}")))?;
        for (&row, logits) in rows.iter().zip(values.chunks_exact(labels)) {
            if !logits.iter().all(|logit| logit.is_finite()) {
                return Err(ModelError::NotFinite { row });
            }
            self.inference.logits[row] = logits.to_vec();
        }
        self.done += rows.len();
        (self.progress)(self.done, self.inference.logits.len());
        Ok(())
    }
}

/// Batches of rows whose lengths, rounded up to a multiple of `step` but to no more than `longest`, are the same: that width
/// and the rows, at most `batch_tokens` tokens of them but at least one row. Widest first, so that a batch that does not fit into
/// the device's memory fails at once.
fn batches_of_a_width(
    lengths: &[usize],
    step: usize,
    longest: usize,
    batch_tokens: usize,
) -> Vec<(usize, Vec<usize>)> {
    let mut by_width: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, length) in lengths.iter().enumerate() {
        let width = length.next_multiple_of(step).min(longest);
        by_width.entry(width).or_default().push(row);
    }
    let widths = by_width.into_iter().rev();
    let batches = widths.flat_map(|(width, rows)| {
        let size = (batch_tokens / width.max(1)).max(1);
        let batches: Vec<_> = rows.chunks(size).map(|rows| (width, rows.to_vec())).collect();
        batches
    });
    batches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_equal_length_go_together_widest_first() {
        let batches = batches_of_a_width(&[3, 5, 3, 3], 1, 128, 6);
        assert_eq!(batches, [(5, vec![1]), (3, vec![0, 2]), (3, vec![3])]);
    }

    #[test]
    fn widths_are_multiples_but_no_longer_than_the_model_takes() {
        let batches = batches_of_a_width(&[3, 40, 33, 50], 32, 50, 1000);
        assert_eq!(batches, [(50, vec![1, 2, 3]), (32, vec![0])]);
    }

    #[test]
    fn a_row_longer_than_the_budget_is_alone() {
        assert_eq!(
            batches_of_a_width(&[9, 9], 1, 128, 4),
            [(9, vec![0]), (9, vec![1])]
        );
    }
}
