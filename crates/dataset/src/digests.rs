//! Which of any number of digests occur more than once, in little memory: sorted blocks lie in a temporary file and
//! are merged (external merge sort; Knuth, The Art of Computer Programming 3, 5.4).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// Collects digests. Half a megabyte is in memory, eight bytes a digest in a temporary file once there are more.
#[derive(Default)]
pub(crate) struct Digests {
    block: Vec<u64>,
    file: Option<File>,
    /// Full blocks in the file, each sorted.
    written: u64,
}

/// Digests of a block.
const BLOCK: usize = 1 << 16;
/// Digests of a block that are read at a time.
const PIECE: usize = 1 << 9;
const SIZE: usize = size_of::<u64>();

impl Digests {
    pub(crate) fn push(&mut self, digest: u64) -> io::Result<()> {
        if self.block.len() == BLOCK {
            self.write_block()?;
        }
        self.block.push(digest);
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.block.sort_unstable();
        let bytes: Vec<u8> = self.block.drain(..).flat_map(u64::to_le_bytes).collect();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.write_all(&bytes)?;
        self.written += 1;
        Ok(())
    }

    /// Those that were pushed more than once.
    pub(crate) fn repeated(mut self) -> io::Result<HashSet<u64>> {
        self.block.sort_unstable();
        let block = |number: u64| Block {
            values: Vec::new(),
            at: 0,
            unread: number * (BLOCK * SIZE) as u64..(number + 1) * (BLOCK * SIZE) as u64,
        };
        let mut blocks: Vec<Block> = (0..self.written).map(block).collect();
        blocks.push(Block {
            values: std::mem::take(&mut self.block),
            at: 0,
            unread: 0..0,
        });
        let mut lowest = BinaryHeap::with_capacity(blocks.len());
        for (number, block) in blocks.iter_mut().enumerate() {
            lowest.extend(
                block
                    .next(self.file.as_ref())?
                    .map(|digest| Reverse((digest, number))),
            );
        }
        let (mut repeated, mut before) = (HashSet::new(), None);
        while let Some(Reverse((digest, number))) = lowest.pop() {
            if before == Some(digest) {
                repeated.insert(digest);
            }
            before = Some(digest);
            let next = blocks[number].next(self.file.as_ref())?;
            lowest.extend(next.map(|digest| Reverse((digest, number))));
        }
        Ok(repeated)
    }
}

/// A sorted block from its lowest digest on.
struct Block {
    values: Vec<u64>,
    /// The next of `values`.
    at: usize,
    /// Bytes of the file that come behind `values`.
    unread: std::ops::Range<u64>,
}

impl Block {
    fn next(&mut self, file: Option<&File>) -> io::Result<Option<u64>> {
        if let (true, Some(file)) = (self.at == self.values.len() && !self.unread.is_empty(), file) {
            let mut bytes = [0; PIECE * SIZE];
            file.read_exact_at(&mut bytes, self.unread.start)?;
            self.unread.start += bytes.len() as u64;
            let (numbers, _) = bytes.as_chunks::<SIZE>();
            self.values = numbers.iter().copied().map(u64::from_le_bytes).collect();
            self.at = 0;
        }
        let next = self.values.get(self.at).copied();
        self.at += 1;
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(digests: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut all = Digests::default();
        digests.into_iter().for_each(|digest| all.push(digest).unwrap());
        let mut repeated: Vec<u64> = all.repeated().unwrap().into_iter().collect();
        repeated.sort_unstable();
        repeated
    }

    /// Different for different numbers, and in no order.
    fn mixed(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn repetitions_are_found_within_and_across_blocks() {
        let block = BLOCK as u64;
        let numbers = || (0..3 * block + 100).map(mixed);
        let twice = [5, 5, 2 * block + 7, 3 * block + 50].map(mixed);
        let mut expected = [5, 2 * block + 7, 3 * block + 50].map(mixed);
        expected.sort_unstable();
        assert_eq!(repeated(numbers().chain(twice)), expected);
        assert!(repeated(numbers()).is_empty());
    }

    #[test]
    fn exactly_full_blocks_lose_nothing() {
        let block = BLOCK as u64;
        assert_eq!(repeated((0..block).chain([block - 1])), [block - 1]);
        assert_eq!(repeated((0..2 * block - 1).chain([0])), [0]);
    }

    #[test]
    fn few_digests_stay_in_memory() {
        assert_eq!(repeated([1, 1, 1, 2]), [1]);
        assert!(repeated([]).is_empty());
    }
}
