//! Scaled dot-product attention (Vaswani et al. 2017) within each sentence.

use std::ops::Range;

use crate::elementwise::exp;

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(crate) struct AttentionScratch {
    /// `[head, keys]`: the keys of one head, transposed.
    keys: Vec<f32>,
    /// Scores of one query.
    scores: Vec<f32>,
}

/// Queries, keys and values of all sentences.
#[derive(Clone, Copy)]
pub(crate) struct Projected<'a> {
    /// `[queries, hidden]`.
    pub(crate) queries: &'a [f32],
    /// `[tokens, 2 * hidden]`: keys, then values.
    pub(crate) keys_values: &'a [f32],
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
}

/// Scores are padded to so many keys, so that vector loops have no remainder.
const LANES: usize = 16;

/// Attention of one sentence: its `queries` look at its `tokens`.
///
/// # Shapes
/// - output: `[queries, hidden]`
pub(crate) fn attend(
    projected: Projected<'_>,
    queries: Range<usize>,
    tokens: Range<usize>,
    output: &mut [f32],
    scratch: &mut AttentionScratch,
) {
    pulp::Arch::new().dispatch(|| {
        for head in 0..projected.heads {
            attend_head(projected, head, queries.clone(), tokens.clone(), output, scratch);
        }
    });
}

#[inline(always)]
fn attend_head(
    projected: Projected<'_>,
    head: usize,
    queries: Range<usize>,
    tokens: Range<usize>,
    output: &mut [f32],
    scratch: &mut AttentionScratch,
) {
    let Projected { hidden, heads, .. } = projected;
    let width = hidden / heads;
    let count = tokens.len();
    let padded = count.next_multiple_of(LANES);
    let stride = 2 * hidden;
    let row = |token: usize| &projected.keys_values[token * stride..][..stride];
    let AttentionScratch { keys, scores } = scratch;
    keys.clear();
    keys.resize(width * padded, 0.0);
    for (position, token) in tokens.clone().enumerate() {
        for (column, value) in row(token)[head * width..][..width].iter().enumerate() {
            keys[column * padded + position] = *value;
        }
    }
    scores.clear();
    scores.resize(padded, 0.0);
    let scale = 1.0 / (width as f32).sqrt();
    for (index, query) in queries.enumerate() {
        let query = &projected.queries[query * hidden + head * width..][..width];
        scores.fill(0.0);
        weighted_sum(scores, query, keys, padded);
        let total = softmax(&mut scores[..count], scale);
        let output = &mut output[index * hidden + head * width..][..width];
        output.fill(0.0);
        let first = tokens.start * stride + hidden + head * width;
        weighted_sum(output, &scores[..count], &projected.keys_values[first..], stride);
        for value in output {
            *value /= total;
        }
    }
}

/// Adds to `sum` the rows of `matrix`, `stride` apart, each multiplied by its weight. Four rows go in one pass: the sum is
/// read and written a quarter as often.
#[inline(always)]
fn weighted_sum(sum: &mut [f32], weights: &[f32], matrix: &[f32], stride: usize) {
    let width = sum.len();
    let (quads, rest) = weights.as_chunks::<4>();
    for (quad, weights) in quads.iter().enumerate() {
        let row = |index: usize| &matrix[(4 * quad + index) * stride..][..width];
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        for (column, value) in sum.iter_mut().enumerate() {
            *value += (weights[0] * a[column] + weights[1] * b[column])
                + (weights[2] * c[column] + weights[3] * d[column]);
        }
    }
    for (index, weight) in rest.iter().enumerate() {
        let row = &matrix[(4 * quads.len() + index) * stride..][..width];
        for (value, other) in sum.iter_mut().zip(row) {
            *value += weight * other;
        }
    }
}

/// Scores to e to the power of what they are below the highest, after scaling; gives their sum.
#[inline(always)]
fn softmax(scores: &mut [f32], scale: f32) -> f32 {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for score in scores.iter_mut() {
        *score = exp((*score - highest) * scale);
    }
    scores.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_gets_the_values_of_the_keys_that_it_is_like() {
        // Two sentences of one and two tokens, one head of width 2.
        let queries = [1.0, 0.0, 2.0, 0.0, 0.0, 2.0];
        let keys_values = [
            5.0, 5.0, 7.0, 8.0, // the first sentence: key, value
            1.0, 0.0, 1.0, 2.0, //
            0.0, 1.0, 3.0, 4.0,
        ];
        let projected = Projected {
            queries: &queries,
            keys_values: &keys_values,
            hidden: 2,
            heads: 1,
        };
        let mut output = [0.0; 6];
        let mut scratch = AttentionScratch::default();
        attend(projected, 0..1, 0..1, &mut output[..2], &mut scratch);
        attend(projected, 1..3, 1..3, &mut output[2..], &mut scratch);
        let weight = 1.0 / (1.0 + (-2.0f32 / 2.0f32.sqrt()).exp());
        let mixed = |share: f32| [share + 3.0 * (1.0 - share), 2.0 * share + 4.0 * (1.0 - share)];
        let expected = [[7.0, 8.0], mixed(weight), mixed(1.0 - weight)].concat();
        for (value, expected) in output.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-5, "{value} instead of {expected}");
        }
    }
}
