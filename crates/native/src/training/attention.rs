//! Scaled dot-product attention within each text, and its gradient.

use std::ops::Range;

use rayon::prelude::*;

use super::buffer::{Buffer, grain};
use super::product::{View, multiply};
use super::tile::Tile;
use crate::DropoutMask;
use crate::elementwise::exp;

/// Scores of a query are padded to a multiple of so many, so that vector loops have no remainder.
const LANES: usize = 16;

/// The sizes of an attention over several texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attention<'a> {
    /// Tokens of each text.
    pub(crate) texts: &'a [Range<usize>],
    /// Only the first token of each text asks, and has a row of `queries` and `context`.
    pub(crate) first_only: bool,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    /// Of the probabilities.
    pub(crate) mask: Option<DropoutMask>,
}

/// `[tokens, hidden]` each; queries of the tokens that ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projected<'a> {
    pub(crate) queries: &'a [f32],
    pub(crate) keys: &'a [f32],
    pub(crate) values: &'a [f32],
}

/// The gradients of [`Projected`].
#[derive(Debug)]
pub(crate) struct ProjectedGradient<'a> {
    pub(crate) queries: &'a mut [f32],
    pub(crate) keys: &'a mut [f32],
    pub(crate) values: &'a mut [f32],
}

/// Work memory, one matrix of scores per text and head.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    dropped: Buffer,
    gradient: Buffer,
}

/// One head of one text.
#[derive(Clone, Copy, Debug)]
struct Head<'a> {
    queries: View<'a>,
    keys: View<'a>,
    values: View<'a>,
    mask: Option<DropoutMask>,
    /// Of the first probability, for the mask.
    position: u32,
}

impl Attention<'_> {
    /// The number of probabilities of all texts and heads, padding included.
    pub(crate) fn scores(&self) -> usize {
        self.scores_of_texts().sum::<usize>() * self.heads
    }

    /// Of one head.
    fn scores_of_texts(&self) -> impl Iterator<Item = usize> {
        self.texts
            .iter()
            .map(|text| self.asking(text) * padded(text.len()))
    }

    fn asking(&self, text: &Range<usize>) -> usize {
        if self.first_only { 1 } else { text.len() }
    }

    /// # Shapes
    /// - probabilities: `[scores]`, before dropout
    /// - context: as `projected.queries`
    pub(crate) fn forward(
        &self,
        projected: Projected<'_>,
        probabilities: &mut [f32],
        context: &mut [f32],
        work: &mut Scores,
    ) {
        let dropped = work.dropped.sized(self.dropped());
        let heads = self.heads_of(projected);
        let grain = self.grain(heads.len());
        let tasks = heads.into_par_iter().with_min_len(grain);
        let tasks = tasks
            .zip(self.cut_scores(probabilities))
            .zip(self.cut_scores(dropped))
            .zip(self.cut(context, |text| self.asking(text)));
        tasks.for_each(|(((head, probabilities), dropped), mut context)| {
            head.forward(probabilities, dropped, &mut context);
        });
    }

    /// Replaces `gradient` by what `context_gradient` `[asking, hidden]` gives.
    pub(crate) fn backward(
        &self,
        projected: Projected<'_>,
        probabilities: &[f32],
        context_gradient: &[f32],
        gradient: ProjectedGradient<'_>,
        work: &mut Scores,
    ) {
        let scores = work.gradient.sized(probabilities.len());
        let dropped = work.dropped.sized(self.dropped());
        let heads = self.heads_of(projected);
        let context = self.heads_of(Projected {
            queries: context_gradient,
            ..projected
        });
        let mut first = 0;
        let probabilities = self.per_head().map(|count| {
            first += count;
            &probabilities[first - count..first]
        });
        let probabilities: Vec<&[f32]> = probabilities.collect();
        let grain = self.grain(heads.len());
        let inputs = heads.into_par_iter().with_min_len(grain);
        let inputs = inputs.zip(context).zip(probabilities);
        let work = self
            .cut_scores(scores)
            .into_par_iter()
            .zip(self.cut_scores(dropped));
        let outputs = self
            .cut(gradient.queries, |text| self.asking(text))
            .into_par_iter()
            .zip(self.cut(gradient.keys, Range::len))
            .zip(self.cut(gradient.values, Range::len));
        let tasks = inputs.zip(work).zip(outputs);
        tasks.for_each(
            |((((head, context), probabilities), (scores, dropped)), ((queries, keys), values))| {
                let gradient = [queries, keys, values];
                head.backward(probabilities, context.queries, scores, dropped, gradient);
            },
        );
    }

    /// Length of the buffer for probabilities after dropout.
    fn dropped(&self) -> usize {
        self.mask.map_or(0, |_| self.scores())
    }

    /// Elements of each head of each text.
    fn per_head(&self) -> impl Iterator<Item = usize> {
        self.scores_of_texts()
            .flat_map(|count| std::iter::repeat_n(count, self.heads))
    }

    fn grain(&self, tasks: usize) -> usize {
        let width = self.hidden / self.heads;
        grain(self.scores() * width / 4 / tasks.max(1))
    }

    /// The matrix of scores of each head of each text; empty ones where there is no buffer.
    fn cut_scores<'s>(&self, mut scores: &'s mut [f32]) -> Vec<&'s mut [f32]> {
        let absent = scores.is_empty();
        let counts = self.per_head();
        let counts = counts.map(|count| if absent { 0 } else { count });
        counts
            .map(|count| {
                let (own, others) = std::mem::take(&mut scores).split_at_mut(count);
                scores = others;
                own
            })
            .collect()
    }

    /// The columns of each head in the rows of each text.
    fn cut<'m>(&self, matrix: &'m mut [f32], rows: impl Fn(&Range<usize>) -> usize) -> Vec<Tile<'m>> {
        let mut tiles = Vec::with_capacity(self.texts.len() * self.heads);
        let mut below = Tile::new(matrix, self.hidden);
        for text in self.texts {
            let (own, others) = below.split_rows(rows(text));
            below = others;
            let mut right = own;
            for _ in 0..self.heads {
                let (own, others) = right.split_columns(self.hidden / self.heads);
                tiles.push(own);
                right = others;
            }
        }
        tiles
    }

    fn heads_of<'v>(&self, projected: Projected<'v>) -> Vec<Head<'v>> {
        let width = self.hidden / self.heads;
        let view = |matrix: &'v [f32], rows: Range<usize>, head: usize| {
            let first = rows.start * self.hidden + head * width;
            View::strided(&matrix[first..], rows.len(), width, self.hidden)
        };
        let mut heads = Vec::with_capacity(self.texts.len() * self.heads);
        let mut position = 0;
        for (index, text) in self.texts.iter().enumerate() {
            let asking = if self.first_only {
                index..index + 1
            } else {
                text.clone()
            };
            let scores = asking.len() * padded(text.len());
            for head in 0..self.heads {
                heads.push(Head {
                    queries: view(projected.queries, asking.clone(), head),
                    keys: view(projected.keys, text.clone(), head),
                    values: view(projected.values, text.clone(), head),
                    mask: self.mask,
                    position: position as u32,
                });
                position += scores;
            }
        }
        heads
    }
}

impl Head<'_> {
    fn forward(&self, probabilities: &mut [f32], dropped: &mut [f32], context: &mut Tile<'_>) {
        let count = self.keys.rows();
        let padded = padded(count);
        let mut scores = Tile::padded(probabilities, count, padded);
        multiply(self.queries, self.keys.transposed(), &mut scores, false);
        vectorized!({
            for row in probabilities.chunks_exact_mut(padded) {
                row[count..].fill(f32::NEG_INFINITY);
                softmax(row, self.scale());
            }
            if let Some(mask) = self.mask {
                drop_out(probabilities, dropped, mask, self.position);
            }
        });
        let weights = self.mask.map_or(&*probabilities, |_| dropped);
        let weights = View::strided(weights, self.queries.rows(), count, padded);
        multiply(weights, self.values, context, false);
    }

    /// `scores` and `dropped` are work memory as large as `probabilities`; `gradient` is that of queries, keys and values.
    fn backward(
        &self,
        probabilities: &[f32],
        context: View<'_>,
        scores: &mut [f32],
        dropped: &mut [f32],
        gradient: [Tile<'_>; 3],
    ) {
        let (asking, count) = (self.queries.rows(), self.keys.rows());
        let padded = padded(count);
        let scale = self.scale();
        let [mut queries, mut keys, mut values] = gradient;
        let mut products = Tile::padded(scores, count, padded);
        multiply(context, self.values.transposed(), &mut products, false);
        vectorized!({
            if let Some(mask) = self.mask {
                drop_out(probabilities, dropped, mask, self.position);
                for (index, score) in scores.iter_mut().enumerate() {
                    *score *= mask.factor(self.position.wrapping_add(index as u32));
                }
            }
            let rows = scores
                .chunks_exact_mut(padded)
                .zip(probabilities.chunks_exact(padded));
            for (row, probabilities) in rows {
                row[count..].fill(0.0);
                softmax_gradient(row, probabilities, scale);
            }
        });
        let weights = self.mask.map_or(probabilities, |_| dropped);
        let weights = View::strided(weights, asking, count, padded);
        multiply(weights.transposed(), context, &mut values, false);
        let scores = View::strided(scores, asking, count, padded);
        multiply(scores, self.keys, &mut queries, false);
        multiply(scores.transposed(), self.queries, &mut keys, false);
    }

    /// One over the root of the width.
    fn scale(&self) -> f32 {
        1.0 / (self.keys.width() as f32).sqrt()
    }
}

fn padded(count: usize) -> usize {
    count.next_multiple_of(LANES)
}

/// `dropped = probabilities` after dropout.
#[inline(always)]
fn drop_out(probabilities: &[f32], dropped: &mut [f32], mask: DropoutMask, position: u32) {
    for (index, (dropped, probability)) in dropped.iter_mut().zip(probabilities).enumerate() {
        *dropped = probability * mask.factor(position.wrapping_add(index as u32));
    }
}

/// Scores to probabilities: e to the power of what they are below the highest, after scaling, over the sum of all.
#[inline(always)]
fn softmax(row: &mut [f32], scale: f32) {
    let (chunks, _) = row.as_chunks_mut::<LANES>();
    let mut highest = [f32::NEG_INFINITY; LANES];
    for chunk in chunks.iter() {
        for (highest, score) in highest.iter_mut().zip(chunk) {
            *highest = if *score > *highest { *score } else { *highest };
        }
    }
    let highest = highest.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut total = [0.0; LANES];
    for chunk in chunks.iter_mut() {
        for (total, score) in total.iter_mut().zip(chunk) {
            *score = exp((*score - highest) * scale);
            *total += *score;
        }
    }
    let share = 1.0 / total.iter().sum::<f32>();
    for score in row {
        *score *= share;
    }
}

/// The gradient of `row`'s probabilities to that of the scores before scaling.
#[inline(always)]
fn softmax_gradient(row: &mut [f32], probabilities: &[f32], scale: f32) {
    let (chunks, _) = row.as_chunks::<LANES>();
    let (weights, _) = probabilities.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (chunk, weights) in chunks.iter().zip(weights) {
        for ((sum, value), weight) in sums.iter_mut().zip(chunk).zip(weights) {
            *sum += value * weight;
        }
    }
    let mean = sums.iter().sum::<f32>();
    for (value, probability) in row.iter_mut().zip(probabilities) {
        *value = (*value - mean) * probability * scale;
    }
}
