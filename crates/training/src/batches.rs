//! The order of the examples in an epoch: random, yet with texts of similar length in a batch.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::seed::{Stream, derive};

/// Batches that are sorted by length together, at most: enough for little padding.
const BATCHES_PER_POOL: usize = 50;
/// Pools of an epoch, at least, so that examples meet different ones in each epoch. Both as transformers'
/// `get_length_grouped_indices`.
const POOLS: usize = 4;

/// The batches of `epoch` (0-based): positions in `lengths`, each exactly once.
pub(crate) fn epoch_batches(
    lengths: &[usize],
    batch_size: usize,
    seed: u64,
    epoch: usize,
) -> Vec<Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(derive(seed, Stream::Batches, epoch));
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.shuffle(&mut random);
    let mut batches: Vec<Vec<usize>> = Vec::with_capacity(lengths.len().div_ceil(batch_size));
    let batches_per_pool = (lengths.len() / (batch_size * POOLS)).clamp(1, BATCHES_PER_POOL);
    for pool in order.chunks_mut(batch_size * batches_per_pool) {
        pool.sort_by_key(|row| lengths[*row]);
        batches.extend(pool.chunks(batch_size).map(<[usize]>::to_vec));
    }
    batches.shuffle(&mut random);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(count: usize) -> Vec<usize> {
        (0..count).map(|row| row * 7919 % 60 + 2).collect()
    }

    #[test]
    fn every_example_comes_once() {
        let mut rows: Vec<usize> = epoch_batches(&lengths(1003), 8, 1, 0).concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..1003).collect::<Vec<_>>());
    }

    #[test]
    fn only_one_batch_is_short() {
        let batches = epoch_batches(&lengths(1003), 8, 1, 0);
        assert_eq!(batches.len(), 126);
        assert_eq!(batches.iter().filter(|batch| batch.len() < 8).count(), 1);
    }

    #[test]
    fn batches_have_little_padding() {
        let lengths = lengths(2000);
        let padded: usize = epoch_batches(&lengths, 8, 1, 0)
            .iter()
            .map(|batch| batch.len() * batch.iter().map(|row| lengths[*row]).max().unwrap_or(0))
            .sum();
        let tokens: usize = lengths.iter().sum();
        assert!(padded as f64 <= tokens as f64 * 1.05, "{padded} for {tokens}");
    }

    #[test]
    fn epochs_differ_and_repeat_with_the_seed() {
        let lengths = lengths(200);
        assert_eq!(epoch_batches(&lengths, 8, 5, 1), epoch_batches(&lengths, 8, 5, 1));
        assert_ne!(epoch_batches(&lengths, 8, 5, 1), epoch_batches(&lengths, 8, 5, 2));
        assert_ne!(epoch_batches(&lengths, 8, 5, 1), epoch_batches(&lengths, 8, 6, 1));
    }
}
