//! What the backward pass needs of the forward pass.

use std::ops::Range;

use super::buffer::Buffer;
use super::embeddings::EmbeddingsTape;
use super::head::HeadTape;
use super::layer::{LayerTape, LayerWork};

/// What [`Network::backward`](super::Network::backward) needs of the forward pass, and work memory. It grows to what the
/// largest batch needs and is then reused.
#[derive(Debug, Default)]
pub struct Tape {
    /// Of dropout.
    pub(crate) seed: Option<u64>,
    /// The tokens of each text.
    pub(crate) ranges: Vec<Range<usize>>,
    pub(crate) embeddings: EmbeddingsTape,
    /// Embeddings before they are widened.
    pub(crate) narrow: Buffer,
    pub(crate) layers: Vec<LayerTape>,
    pub(crate) head: HeadTape,
    pub(crate) layer_work: LayerWork,
    /// Of hidden states.
    pub(crate) gradient: Buffer,
    /// Of embeddings before they are widened.
    pub(crate) narrow_gradient: Buffer,
}

impl Tape {
    /// Notes where `texts` begin and end, one behind the other.
    pub(crate) fn read(&mut self, texts: &[&[u32]]) {
        self.ranges.clear();
        let mut end = 0;
        for text in texts {
            self.ranges.push(end..end + text.len());
            end += text.len();
        }
    }
}
