//! One encoder layer: attention and a feed-forward network, each followed by dropout, a residual sum and LayerNorm.

use std::ops::Range;

use super::arrangement::LayerParts;
use super::attention::{Attention, Projected, ProjectedGradient, Scores};
use super::buffer::Buffer;
use super::norm::{Normalized, ResidualNorm};
use super::product::compute;
use crate::{Activation, DropoutMask};

/// What a layer computes, without its weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer<'a> {
    /// Tokens of each text.
    pub(crate) texts: &'a [Range<usize>],
    /// Whether the output is computed for the first token of each text only.
    pub(crate) first_only: bool,
    pub(crate) hidden: usize,
    pub(crate) inner: usize,
    pub(crate) heads: usize,
    pub(crate) activation: Activation,
    pub(crate) epsilon: f32,
    pub(crate) masks: LayerMasks,
}

/// Dropout of a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerMasks {
    pub(crate) probabilities: Option<DropoutMask>,
    pub(crate) attention_output: Option<DropoutMask>,
    pub(crate) output: Option<DropoutMask>,
}

/// What the backward pass needs. Rows that ask are all tokens, or the first of each text.
#[derive(Debug, Default)]
pub(crate) struct LayerTape {
    /// `[tokens, hidden]`.
    pub(crate) input: Buffer,
    /// `[texts, hidden]`, where only first tokens ask.
    first: Buffer,
    /// `[asking, hidden]`.
    queries: Buffer,
    /// `[tokens, hidden]`.
    keys: Buffer,
    /// `[tokens, hidden]`.
    values: Buffer,
    probabilities: Buffer,
    /// `[asking, hidden]`, as those below.
    context: Buffer,
    attention_normalized: Buffer,
    attention_scales: Buffer,
    attended: Buffer,
    /// `[asking, inner]`.
    slopes: Buffer,
    /// `[asking, inner]`.
    activated: Buffer,
    output_normalized: Buffer,
    output_scales: Buffer,
}

/// Work memory that all layers share.
#[derive(Debug, Default)]
pub(crate) struct LayerWork {
    scores: Scores,
    /// Of a dropout's input, `[asking, hidden]`.
    masked: Buffer,
    /// Gradients of the activated inner rows, and of what attention reads and gives.
    inner: Buffer,
    context: Buffer,
    queries: Buffer,
    keys: Buffer,
    values: Buffer,
    /// Of the first tokens.
    first: Buffer,
    pub(crate) partial: Vec<f32>,
}

impl Layer<'_> {
    fn attention(&self) -> Attention<'_> {
        Attention {
            texts: self.texts,
            first_only: self.first_only,
            hidden: self.hidden,
            heads: self.heads,
            mask: self.masks.probabilities,
        }
    }

    /// `tape.input` `[tokens, hidden]` to `output` `[asking, hidden]`.
    pub(crate) fn forward(
        &self,
        weights: &LayerParts<&[f32]>,
        tape: &mut LayerTape,
        work: &mut LayerWork,
        output: &mut Buffer,
    ) {
        let LayerTape {
            input,
            first,
            queries,
            keys,
            values,
            probabilities,
            context,
            attention_normalized,
            attention_scales,
            attended,
            slopes,
            activated,
            output_normalized,
            output_scales,
        } = tape;
        let hidden = self.hidden;
        let residual: &[f32] = if self.first_only {
            let rows = first.sized(self.texts.len() * hidden);
            for (row, text) in rows.chunks_exact_mut(hidden).zip(self.texts) {
                row.copy_from_slice(&input[text.start * hidden..][..hidden]);
            }
            rows
        } else {
            input
        };
        let size = residual.len();
        let asking = size / hidden;
        compute([
            weights.query.forward(residual, queries.sized(size)),
            weights.key.forward(input, keys.sized(input.len())),
            weights.value.forward(input, values.sized(input.len())),
        ]);
        let attention = self.attention();
        let projected = Projected {
            queries,
            keys,
            values,
        };
        let probabilities = probabilities.sized(attention.scores());
        attention.forward(projected, probabilities, context.sized(size), &mut work.scores);

        let normalized = attention_normalized.sized(size);
        compute([weights.attention_output.forward_without_bias(context, normalized)]);
        let norm = ResidualNorm {
            residual,
            bias: weights.attention_output.bias,
            mask: self.masks.attention_output,
            norm: weights.attention_norm,
            epsilon: self.epsilon,
        };
        norm.forward(normalized, attention_scales.sized(asking), attended.sized(size));

        let (slopes, activated) = (
            slopes.sized(asking * self.inner),
            activated.sized(asking * self.inner),
        );
        compute([weights
            .intermediate
            .activated(attended, self.activation, activated, slopes)]);
        let normalized = output_normalized.sized(size);
        compute([weights.output.forward_without_bias(activated, normalized)]);
        let norm = ResidualNorm {
            residual: attended,
            bias: weights.output.bias,
            mask: self.masks.output,
            norm: weights.output_norm,
            epsilon: self.epsilon,
        };
        norm.forward(normalized, output_scales.sized(asking), output.sized(size));
    }

    /// `gradient`, of the layer's output, becomes that of its input. `parameters` are replaced, or added to.
    pub(crate) fn backward(
        &self,
        weights: &LayerParts<&[f32]>,
        tape: &LayerTape,
        work: &mut LayerWork,
        gradient: &mut Buffer,
        parameters: LayerParts<&mut [f32]>,
        add: bool,
    ) {
        let LayerWork {
            scores,
            masked,
            inner,
            context,
            queries,
            keys,
            values,
            first,
            partial,
        } = work;
        let size = gradient.len();
        let residual = if self.first_only { &tape.first } else { &tape.input };

        let normalized = Normalized {
            values: &tape.output_normalized,
            scales: &tape.output_scales,
            gamma: weights.output_norm.weight,
        };
        let mask = self.masks.output.map(|mask| (mask, masked.sized(size)));
        normalized.backward(gradient, mask, parameters.output_norm, add, partial);
        let dropped: &[f32] = if self.masks.output.is_some() {
            masked
        } else {
            gradient
        };
        let inner = inner.sized(tape.slopes.len());
        compute([
            weights
                .output
                .activated_input_gradient(dropped, &tape.slopes, inner),
            parameters.output.weight_gradient(&tape.activated, dropped, add),
        ]);
        compute([
            weights.intermediate.input_gradient(inner, gradient, true),
            parameters
                .intermediate
                .weight_gradient(&tape.attended, inner, add),
        ]);

        let normalized = Normalized {
            values: &tape.attention_normalized,
            scales: &tape.attention_scales,
            gamma: weights.attention_norm.weight,
        };
        let mask = self.masks.attention_output.map(|mask| (mask, masked.sized(size)));
        normalized.backward(gradient, mask, parameters.attention_norm, add, partial);
        let dropped: &[f32] = if self.masks.attention_output.is_some() {
            masked
        } else {
            gradient
        };
        let context = context.sized(size);
        compute([
            weights.attention_output.input_gradient(dropped, context, false),
            parameters
                .attention_output
                .weight_gradient(&tape.context, dropped, add),
        ]);

        let projected = Projected {
            queries: &tape.queries,
            keys: &tape.keys,
            values: &tape.values,
        };
        let projected_gradient = ProjectedGradient {
            queries: queries.sized(size),
            keys: keys.sized(tape.keys.len()),
            values: values.sized(tape.values.len()),
        };
        self.attention().backward(
            projected,
            &tape.probabilities,
            context,
            projected_gradient,
            scores,
        );
        compute([
            weights.query.input_gradient(queries, gradient, true),
            parameters.query.weight_gradient(residual, queries, add),
        ]);
        if self.first_only {
            first.sized(size).copy_from_slice(gradient);
            gradient.sized(tape.input.len());
        }
        compute([
            weights.key.input_gradient(keys, gradient, !self.first_only),
            parameters.key.weight_gradient(&tape.input, keys, add),
        ]);
        compute([
            weights.value.input_gradient(values, gradient, true),
            parameters.value.weight_gradient(&tape.input, values, add),
        ]);
        if self.first_only {
            for (row, text) in first.chunks_exact(self.hidden).zip(self.texts) {
                let sums = &mut gradient[text.start * self.hidden..][..self.hidden];
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        }
    }
}
