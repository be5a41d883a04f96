//! Token ids to the first hidden states, and what that learns.

use rayon::prelude::*;

use super::arrangement::Pair;
use super::buffer::{Buffer, grain};
use super::norm::{Normalized, normalize};
use crate::DropoutMask;

/// Word, position and token type vectors, summed, normalised and dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Embeddings<'a> {
    /// `[vocabulary, width]`.
    pub(crate) words: &'a [f32],
    /// `[positions, width]`.
    pub(crate) positions: &'a [f32],
    /// `[types, width]`, of which the first is used.
    pub(crate) token_types: Option<&'a [f32]>,
    pub(crate) norm: Pair<&'a [f32]>,
    pub(crate) epsilon: f32,
    /// The row of `positions` for the first token of a text.
    pub(crate) position_offset: usize,
    pub(crate) mask: Option<DropoutMask>,
}

/// The gradients of [`Embeddings`].
#[derive(Debug)]
pub(crate) struct EmbeddingsGradient<'a> {
    pub(crate) words: &'a mut [f32],
    pub(crate) positions: &'a mut [f32],
    pub(crate) token_types: Option<&'a mut [f32]>,
    pub(crate) norm: Pair<&'a mut [f32]>,
}

/// What the backward pass needs.
#[derive(Debug, Default)]
pub(crate) struct EmbeddingsTape {
    /// Id and position of each token.
    pub(crate) tokens: Vec<(u32, u32)>,
    normalized: Buffer,
    scales: Buffer,
}

impl Embeddings<'_> {
    fn width(&self) -> usize {
        self.norm.weight.len()
    }

    /// # Shapes
    /// - output: becomes `[tokens, width]`
    pub(crate) fn forward(&self, texts: &[&[u32]], tape: &mut EmbeddingsTape, output: &mut Buffer) {
        let width = self.width();
        tape.tokens.clear();
        for text in texts {
            let positions = self.position_offset as u32..;
            tape.tokens.extend(text.iter().copied().zip(positions));
        }
        let tokens = tape.tokens.len();
        let normalized = tape.normalized.sized(tokens * width);
        let rows = normalized.par_chunks_exact_mut(width);
        let rows = rows
            .zip(tape.scales.sized(tokens))
            .zip(output.sized(tokens * width).par_chunks_exact_mut(width))
            .zip(&tape.tokens)
            .enumerate()
            .with_min_len(grain(width));
        rows.for_each(|(index, (((row, scale), output), (id, position)))| {
            let word = &self.words[*id as usize * width..][..width];
            let position = &self.positions[*position as usize * width..][..width];
            vectorized!({
                for ((value, word), position) in row.iter_mut().zip(word).zip(position) {
                    *value = word + position;
                }
                if let Some(types) = self.token_types {
                    for (value, token_type) in row.iter_mut().zip(types) {
                        *value += token_type;
                    }
                }
                *scale = normalize(row, self.norm, self.epsilon, output);
                self.drop_out(index, output);
            });
        });
    }

    /// `gradient` `[tokens, width]`, of the output, is used up.
    pub(crate) fn backward(
        &self,
        gradient: &mut [f32],
        tape: &EmbeddingsTape,
        parameters: EmbeddingsGradient<'_>,
        add: bool,
        partial: &mut Vec<f32>,
    ) {
        let width = self.width();
        if self.mask.is_some() {
            let rows = gradient.par_chunks_exact_mut(width).enumerate();
            rows.with_min_len(grain(width))
                .for_each(|(index, row)| vectorized!(self.drop_out(index, row)));
        }
        let normalized = Normalized {
            values: &tape.normalized,
            scales: &tape.scales,
            gamma: self.norm.weight,
        };
        normalized.backward(gradient, None, parameters.norm, add, partial);
        let EmbeddingsGradient {
            words,
            positions,
            token_types,
            ..
        } = parameters;
        if !add {
            words.par_chunks_mut(1 << 18).for_each(|values| values.fill(0.0));
            positions.fill(0.0);
        }
        let mut total = token_types;
        if let (Some(total), false) = (&mut total, add) {
            total.fill(0.0);
        }
        // A few rows: done in order, so that a token that comes twice always gives the same sum.
        for (row, (id, position)) in gradient.chunks_exact(width).zip(&tape.tokens) {
            add_to(&mut words[*id as usize * width..][..width], row);
            add_to(&mut positions[*position as usize * width..][..width], row);
            if let Some(total) = &mut total {
                add_to(&mut total[..width], row);
            }
        }
    }

    /// Row `index` of the output after dropout, or of its gradient before.
    #[inline(always)]
    fn drop_out(&self, index: usize, row: &mut [f32]) {
        if let Some(mask) = self.mask {
            let start = (index * row.len()) as u32;
            for (column, value) in row.iter_mut().enumerate() {
                *value *= mask.factor(start.wrapping_add(column as u32));
            }
        }
    }
}

fn add_to(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
