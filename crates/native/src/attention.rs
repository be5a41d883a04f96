//! Scaled dot-product attention (Vaswani et al. 2017) within each sentence.

use std::ops::Range;

use crate::elementwise::exp;
use crate::panel::{COLUMNS, LANES, PanelRow, Product, Rows, Start};

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(crate) struct AttentionScratch {
    /// One head's keys, transposed: panels of keys, each as deep as the head is wide.
    keys: Vec<PanelRow>,
    /// One head's values: panels of columns, each as deep as there are keys.
    values: Vec<PanelRow>,
    /// `[queries, keys]`, keys padded to whole vectors.
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
    let Projected { hidden, heads, .. } = projected;
    let width = hidden / heads;
    let (asking, count) = (queries.len(), tokens.len());
    let padded = count.next_multiple_of(LANES);
    let scale = 1.0 / (width as f32).sqrt();
    let keys_values = &projected.keys_values[tokens.start * 2 * hidden..tokens.end * 2 * hidden];
    let queries = &projected.queries[queries.start * hidden..queries.end * hidden];
    let AttentionScratch { keys, values, scores } = scratch;
    keys.resize(count.div_ceil(COLUMNS) * width, PanelRow::ZERO);
    values.resize(width.div_ceil(COLUMNS) * count, PanelRow::ZERO);
    scores.resize(asking * padded, 0.0);
    for first in (0..hidden).step_by(width) {
        vectorized!(pack(keys_values, hidden, first..first + width, keys, values));
        let left = Rows {
            values: &queries[first..],
            stride: hidden,
        };
        multiply(left, asking, keys, width, scores, padded, padded);
        vectorized!({
            for row in scores.chunks_exact_mut(padded) {
                softmax(row, count, scale);
            }
        });
        let left = Rows {
            values: scores,
            stride: padded,
        };
        multiply(left, asking, values, count, &mut output[first..], hidden, width);
    }
}

/// Lays out the columns `head` of keys and values. What stands in panels behind the last key or column does not matter:
/// [`softmax`] makes those scores 0, and such columns are not written.
#[inline(always)]
fn pack(
    keys_values: &[f32],
    hidden: usize,
    head: Range<usize>,
    keys: &mut [PanelRow],
    values: &mut [PanelRow],
) {
    let width = head.len();
    let count = keys_values.len() / (2 * hidden);
    for (token, row) in keys_values.chunks_exact(2 * hidden).enumerate() {
        let (key, value) = row.split_at(hidden);
        let panel = &mut keys[token / COLUMNS * width..][..width];
        for (row, element) in panel.iter_mut().zip(&key[head.clone()]) {
            row.0[token % COLUMNS] = *element;
        }
        for (panel, columns) in value[head.clone()].chunks(COLUMNS).enumerate() {
            values[panel * count + token].0[..columns.len()].copy_from_slice(columns);
        }
    }
}

/// `output = left · panels`.
fn multiply(
    left: Rows<'_>,
    rows: usize,
    panels: &[PanelRow],
    depth: usize,
    output: &mut [f32],
    output_stride: usize,
    columns: usize,
) {
    for (panel, first) in panels.chunks_exact(depth).zip((0..columns).step_by(COLUMNS)) {
        Product {
            left,
            rows,
            panel,
            next: &[],
            start: Start::Columns(&PanelRow::ZERO),
            output: &mut output[first..],
            output_stride,
            columns: COLUMNS.min(columns - first),
        }
        .compute();
    }
}

/// The softmax of the first `count` scores after scaling, and zeros behind them.
#[inline(always)]
fn softmax(scores: &mut [f32], count: usize, scale: f32) {
    scores[count..].fill(f32::NEG_INFINITY);
    let highest = reduce(
        scores,
        f32::NEG_INFINITY,
        #[inline(always)]
        |a, b| if a > b { a } else { b },
    );
    for score in scores.iter_mut() {
        *score = exp((*score - highest) * scale);
    }
    let inverse = 1.0
        / reduce(
            scores,
            0.0,
            #[inline(always)]
            |a, b| a + b,
        );
    for score in scores {
        *score *= inverse;
    }
}

/// All scores to one: through as many parts as the widest vector has elements, then half with half, so that every
/// processor goes in the same order.
#[inline(always)]
fn reduce(scores: &[f32], start: f32, combine: impl Fn(f32, f32) -> f32) -> f32 {
    let mut parts = [start; LANES];
    for chunk in scores.as_chunks::<LANES>().0 {
        for (part, score) in parts.iter_mut().zip(chunk) {
            *part = combine(*part, *score);
        }
    }
    for half in [8, 4, 2, 1] {
        for at in 0..half {
            parts[at] = combine(parts[at], parts[at + half]);
        }
    }
    parts[0]
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
