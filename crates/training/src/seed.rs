//! Seeds for the random choices of a run, each its own stream of the stage's seed.

/// What a stream of random numbers decides.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// The order of the examples.
    Batches = 1,
    /// The dropout masks of a batch.
    Dropout = 2,
}

/// The seed of `stream` in its epoch or batch `number` (0-based).
pub(crate) fn derive(seed: u64, stream: Stream, number: usize) -> u64 {
    mix(mix(mix(seed) ^ stream as u64) ^ number as u64)
}

/// The finalizer of SplitMix64: a bijection in which every input bit moves every output bit.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_seeds_numbers_and_streams_differ() {
        let seeds = [
            derive(42, Stream::Batches, 0),
            derive(42, Stream::Batches, 1),
            derive(42, Stream::Dropout, 0),
            derive(43, Stream::Batches, 0),
        ];
        let different: std::collections::BTreeSet<u64> = seeds.into_iter().collect();
        assert_eq!(different.len(), seeds.len());
    }
}
