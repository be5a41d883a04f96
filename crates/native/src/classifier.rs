//! Token ids to logits.

use std::ops::Range;

use crate::layer::LayerScratch;
use crate::{Activation, Layer, LayerNorm, Linear};

/// An encoder with a classification head.
#[derive(Clone, Debug)]
pub struct Classifier {
    /// `[vocabulary, embedding]`.
    pub words: Vec<f32>,
    /// `[positions, embedding]`: what is added at each position of a sentence, the token type's vector included.
    pub positions: Vec<f32>,
    /// After the sum of both.
    pub embedding_norm: LayerNorm,
    /// `[embedding, hidden]`, where the two differ.
    pub projection: Option<Linear>,
    /// At least one.
    pub layers: Vec<Layer>,
    /// On the first token of each sentence.
    pub head: Head,
}

/// A dense layer, an activation and the layer that gives the logits.
#[derive(Clone, Debug)]
pub struct Head {
    /// `[hidden, hidden]`.
    pub dense: Linear,
    /// After `dense`.
    pub activation: Activation,
    /// `[hidden, labels]`.
    pub output: Linear,
}

/// How large a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of token ids.
    pub vocabulary: usize,
    /// The most tokens of a sentence.
    pub positions: usize,
    /// Number of logits.
    pub labels: usize,
}

/// Buffers of one thread; they grow to what the largest call needs and are then reused.
#[derive(Debug, Default)]
pub struct Scratch {
    hidden: Vec<f32>,
    narrow: Vec<f32>,
    dense: Vec<f32>,
    pub(crate) layer: LayerScratch,
}

impl Classifier {
    /// Its size.
    pub fn shape(&self) -> Shape {
        let embedding = self.embedding_norm.gamma.len();
        Shape {
            vocabulary: self.words.len() / embedding,
            positions: self.positions.len() / embedding,
            labels: self.head.output.outputs(),
        }
    }

    /// Logits of sentences, one behind the other: `[sentences, labels]`.
    ///
    /// A sentence has at least one token and at most [`Shape::positions`], all ids below [`Shape::vocabulary`]: what
    /// callers check, since they know which row it is. Otherwise this panics.
    pub fn logits(&self, sentences: &[&[u32]], scratch: &mut Scratch) -> Vec<f32> {
        let Some((last, others)) = self.layers.split_last().filter(|_| !sentences.is_empty()) else {
            return Vec::new();
        };
        let ranges = ranges(sentences);
        let Scratch {
            hidden,
            narrow,
            dense,
            layer,
        } = scratch;
        match &self.projection {
            None => self.embed(sentences, hidden),
            Some(projection) => {
                self.embed(sentences, narrow);
                projection.apply(narrow, hidden, &mut layer.quantized);
            }
        }
        for encoder in others {
            encoder.forward(hidden, &ranges, layer);
        }
        last.forward_first(hidden, &ranges, layer);
        self.head.dense.apply(hidden, dense, &mut layer.quantized);
        self.head.activation.apply(dense);
        let mut logits = Vec::new();
        self.head.output.apply(dense, &mut logits, &mut layer.quantized);
        logits
    }

    fn embed(&self, sentences: &[&[u32]], output: &mut Vec<f32>) {
        let width = self.embedding_norm.gamma.len();
        output.clear();
        for sentence in sentences {
            assert!(
                sentence.len() * width <= self.positions.len(),
                "a sentence is longer than there are positions"
            );
            for (id, position) in sentence.iter().zip(self.positions.chunks_exact(width)) {
                let word = &self.words[*id as usize * width..][..width];
                output.extend(word.iter().zip(position).map(|(word, position)| word + position));
            }
        }
        self.embedding_norm.apply(output);
    }
}

/// The tokens of each sentence.
fn ranges(sentences: &[&[u32]]) -> Vec<Range<usize>> {
    let mut end = 0;
    sentences
        .iter()
        .map(|sentence| {
            let start = end;
            end += sentence.len();
            start..end
        })
        .collect()
}
