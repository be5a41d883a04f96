//! One encoder layer: attention and a feed-forward network, each followed by a residual sum and LayerNorm.

use std::ops::Range;

use crate::attention::{AttentionScratch, Projected, attend};
use crate::classifier::Scratch;
use crate::int8::QuantizedRows;
use crate::{Activation, LayerNorm, Linear};

/// The weights of a layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// `[hidden, hidden]`.
    pub query: Linear,
    /// `[hidden, 2 * hidden]`: the weights of the keys, then those of the values.
    pub key_value: Linear,
    /// `[hidden, hidden]`.
    pub attention_output: Linear,
    /// After the attention.
    pub attention_norm: LayerNorm,
    /// `[hidden, inner]`.
    pub intermediate: Linear,
    /// `[inner, hidden]`.
    pub output: Linear,
    /// After the feed-forward network.
    pub output_norm: LayerNorm,
    /// Between the linear layers of the feed-forward network.
    pub activation: Activation,
    /// Number of attention heads.
    pub heads: usize,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(crate) struct LayerScratch {
    queries: Vec<f32>,
    keys_values: Vec<f32>,
    context: Vec<f32>,
    added: Vec<f32>,
    inner: Vec<f32>,
    attention: AttentionScratch,
    pub(crate) quantized: QuantizedRows,
}

impl Layer {
    /// `hidden` `[tokens, hidden]` to the layer's output; `sentences` are ranges of tokens.
    pub(crate) fn forward(&self, hidden: &mut [f32], sentences: &[Range<usize>], scratch: &mut LayerScratch) {
        self.key_value
            .apply(hidden, &mut scratch.keys_values, &mut scratch.quantized);
        self.attend(hidden, sentences, |sentence| sentences[sentence].clone(), scratch);
        self.feed_forward(hidden, scratch);
    }

    /// As [`Layer::forward`], for the first token of each sentence: `hidden` becomes `[sentences, hidden]`.
    pub(crate) fn forward_first(
        &self,
        hidden: &mut Vec<f32>,
        sentences: &[Range<usize>],
        scratch: &mut LayerScratch,
    ) {
        self.key_value
            .apply(hidden, &mut scratch.keys_values, &mut scratch.quantized);
        let width = self.query.inputs();
        for (index, sentence) in sentences.iter().enumerate() {
            let first = sentence.start * width;
            hidden.copy_within(first..first + width, index * width);
        }
        hidden.truncate(sentences.len() * width);
        self.attend(hidden, sentences, |sentence| sentence..sentence + 1, scratch);
        self.feed_forward(hidden, scratch);
    }

    /// Fills `scratch.context` with what the tokens in `asking` find in `scratch.keys_values`; `queries_of` says which
    /// of them are of a sentence.
    fn attend(
        &self,
        asking: &[f32],
        sentences: &[Range<usize>],
        queries_of: impl Fn(usize) -> Range<usize>,
        scratch: &mut LayerScratch,
    ) {
        let width = self.query.outputs();
        self.query
            .apply(asking, &mut scratch.queries, &mut scratch.quantized);
        let LayerScratch {
            queries,
            keys_values,
            context,
            attention,
            ..
        } = scratch;
        context.resize(queries.len(), 0.0);
        let projected = Projected {
            queries,
            keys_values,
            hidden: width,
            heads: self.heads,
        };
        attend_each(projected, sentences, queries_of, context, attention);
    }

    /// What each token finds in its sentence, for the linear layer `attention_output`; `hidden` becomes it.
    ///
    /// # Shapes
    /// - queries, hidden: `[tokens, hidden]`
    /// - keys_values: `[tokens, 2 * hidden]`
    pub fn attention(
        &self,
        queries: &[f32],
        keys_values: &[f32],
        sentences: &[Range<usize>],
        hidden: &mut Vec<f32>,
        scratch: &mut Scratch,
    ) {
        hidden.resize(queries.len(), 0.0);
        let projected = Projected {
            queries,
            keys_values,
            hidden: self.query.outputs(),
            heads: self.heads,
        };
        let queries_of = |sentence: usize| sentences[sentence].clone();
        attend_each(
            projected,
            sentences,
            queries_of,
            hidden,
            &mut scratch.layer.attention,
        );
    }

    fn feed_forward(&self, hidden: &mut [f32], scratch: &mut LayerScratch) {
        let LayerScratch {
            context,
            added,
            inner,
            quantized,
            ..
        } = scratch;
        self.attention_output.apply(context, added, quantized);
        self.attention_norm.add_apply(hidden, added);
        self.intermediate
            .apply_activated(hidden, self.activation, inner, quantized);
        self.output.apply_strided(inner, added, quantized);
        self.output_norm.add_apply(hidden, added);
    }
}

/// Attention of every sentence, one after the other.
fn attend_each(
    projected: Projected<'_>,
    sentences: &[Range<usize>],
    queries_of: impl Fn(usize) -> Range<usize>,
    output: &mut [f32],
    scratch: &mut AttentionScratch,
) {
    let width = projected.hidden;
    for (index, tokens) in sentences.iter().enumerate() {
        let queries = queries_of(index);
        let output = &mut output[queries.start * width..queries.end * width];
        attend(projected, queries, tokens.clone(), output, scratch);
    }
}
