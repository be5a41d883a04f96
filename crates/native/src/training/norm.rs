//! LayerNorm (Ba, Kiros, Hinton 2016) and its gradient, with the residual sum and the dropout around it.

use rayon::prelude::*;

use super::arrangement::Pair;
use super::buffer::grain;
use crate::DropoutMask;

/// Partial sums of a row: as many as the widest vector has elements, so that the order of additions, and with it the
/// bits, are the same on every processor.
const PARTS: usize = 16;

/// Rows whose contributions to the gradients of scale and shift are summed first: fixed, so that the order of additions
/// does not depend on the number of threads.
const ROWS: usize = 16;

/// Brings `row` to mean 0 and variance 1 and puts it, scaled and shifted, into `output`. Gives what the row was
/// multiplied with.
#[inline(always)]
pub(crate) fn normalize(row: &mut [f32], norm: Pair<&[f32]>, epsilon: f32, output: &mut [f32]) -> f32 {
    let count = row.len() as f32;
    let [mean] = sums(row, row, |value, _| [value]).map(|sum| sum / count);
    let [variance] = sums(row, row, |value, _| [(value - mean) * (value - mean)]).map(|sum| sum / count);
    let scale = 1.0 / (variance + epsilon).sqrt();
    for (((value, output), gamma), beta) in row.iter_mut().zip(output).zip(norm.weight).zip(norm.bias) {
        *value = (*value - mean) * scale;
        *output = *value * gamma + beta;
    }
    scale
}

/// `output = norm(residual + dropout(values + bias))`; `values` become what the norm made of the sum before its own scale
/// and shift, `scales` what it multiplied each row with.
#[derive(Debug)]
pub(crate) struct ResidualNorm<'a> {
    pub(crate) residual: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) mask: Option<DropoutMask>,
    pub(crate) norm: Pair<&'a [f32]>,
    pub(crate) epsilon: f32,
}

impl ResidualNorm<'_> {
    /// # Shapes
    /// - values, output: `[rows, width]`
    /// - scales: `[rows]`
    pub(crate) fn forward(&self, values: &mut [f32], scales: &mut [f32], output: &mut [f32]) {
        let width = self.bias.len();
        let rows = values.par_chunks_exact_mut(width).zip(scales);
        let rows = rows
            .zip(output.par_chunks_exact_mut(width))
            .zip(self.residual.par_chunks_exact(width))
            .enumerate()
            .with_min_len(grain(width));
        rows.for_each(|(index, (((row, scale), output), residual))| {
            vectorized!({
                match self.mask {
                    None => self.add(row, residual, |_| 1.0),
                    Some(mask) => {
                        let start = (index * width) as u32;
                        self.add(row, residual, |column| mask.factor(start.wrapping_add(column)));
                    }
                }
                *scale = normalize(row, self.norm, self.epsilon, output);
            });
        });
    }

    #[inline(always)]
    fn add(&self, row: &mut [f32], residual: &[f32], factor: impl Fn(u32) -> f32) {
        let columns = row.iter_mut().zip(residual).zip(self.bias);
        for (column, ((value, residual), bias)) in columns.enumerate() {
            *value = residual + (*value + bias) * factor(column as u32);
        }
    }
}

/// What the gradient of a norm needs of its forward pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normalized<'a> {
    /// `[rows, width]`, before the norm's own scale and shift.
    pub(crate) values: &'a [f32],
    /// `[rows]`.
    pub(crate) scales: &'a [f32],
    /// `[width]`.
    pub(crate) gamma: &'a [f32],
}

impl Normalized<'_> {
    /// `gradient`, of the norm's output, becomes that of its input. `norm_gradient` is replaced, or added to.
    /// Where there is a `mask`, `masked` becomes the gradient of what went through that dropout into the input.
    pub(crate) fn backward(
        &self,
        gradient: &mut [f32],
        mask: Option<(DropoutMask, &mut [f32])>,
        norm_gradient: Pair<&mut [f32]>,
        add: bool,
        partial: &mut Vec<f32>,
    ) {
        let width = self.gamma.len();
        let chunk = ROWS * width;
        partial.resize(self.scales.len().div_ceil(ROWS) * 2 * width, 0.0);
        let chunks = gradient
            .par_chunks_mut(chunk)
            .zip(self.values.par_chunks(chunk))
            .zip(self.scales.par_chunks(ROWS))
            .zip(partial.par_chunks_exact_mut(2 * width));
        let grain = grain(chunk);
        match mask {
            None => chunks
                .with_min_len(grain)
                .for_each(|(((gradient, values), scales), partial)| {
                    self.backward_rows(gradient, values, scales, partial);
                }),
            Some((mask, masked)) => {
                let chunks = chunks.zip(masked.par_chunks_mut(chunk)).enumerate();
                let chunks = chunks.with_min_len(grain);
                chunks.for_each(|(index, ((((gradient, values), scales), partial), masked))| {
                    self.backward_rows(gradient, values, scales, partial);
                    let start = (index * chunk) as u32;
                    vectorized!({
                        for (index, (masked, gradient)) in masked.iter_mut().zip(gradient.iter()).enumerate()
                        {
                            *masked = gradient * mask.factor(start.wrapping_add(index as u32));
                        }
                    });
                });
            }
        }
        if !add {
            norm_gradient.weight.fill(0.0);
            norm_gradient.bias.fill(0.0);
        }
        for partial in partial.chunks_exact(2 * width) {
            let (gamma, beta) = partial.split_at(width);
            let sums = norm_gradient.weight.iter_mut().zip(norm_gradient.bias.iter_mut());
            for ((gamma_sum, beta_sum), (gamma, beta)) in sums.zip(gamma.iter().zip(beta)) {
                *gamma_sum += gamma;
                *beta_sum += beta;
            }
        }
    }

    /// `partial` `[2, width]` becomes the rows' contributions to the gradients of gamma and beta.
    fn backward_rows(&self, gradient: &mut [f32], values: &[f32], scales: &[f32], partial: &mut [f32]) {
        let width = self.gamma.len();
        let (gamma_sums, beta_sums) = partial.split_at_mut(width);
        vectorized!({
            gamma_sums.fill(0.0);
            beta_sums.fill(0.0);
            let rows = gradient.chunks_exact_mut(width).zip(values.chunks_exact(width));
            for ((gradient, values), scale) in rows.zip(scales) {
                let sums_of_columns = gamma_sums.iter_mut().zip(beta_sums.iter_mut());
                let row = gradient.iter_mut().zip(values).zip(self.gamma);
                for (((gradient, value), gamma), (gamma_sum, beta_sum)) in row.zip(sums_of_columns) {
                    *gamma_sum += *gradient * value;
                    *beta_sum += *gradient;
                    *gradient *= gamma;
                }
                let sums = sums(gradient, values, |gradient, value| [gradient, gradient * value]);
                let [mean, slope] = sums.map(|sum| sum / width as f32);
                for (gradient, value) in gradient.iter_mut().zip(values) {
                    *gradient = (*gradient - mean - value * slope) * scale;
                }
            }
        });
    }
}

/// The sums of `terms` over two rows.
#[inline(always)]
fn sums<const N: usize>(left: &[f32], right: &[f32], terms: impl Fn(f32, f32) -> [f32; N]) -> [f32; N] {
    let (left, left_rest) = left.as_chunks::<PARTS>();
    let (right, right_rest) = right.as_chunks::<PARTS>();
    let mut parts = [[0.0; PARTS]; N];
    for (left, right) in left.iter().zip(right) {
        for part in 0..PARTS {
            let terms = terms(left[part], right[part]);
            for (parts, term) in parts.iter_mut().zip(terms) {
                parts[part] += term;
            }
        }
    }
    let mut sums = parts.map(|parts| parts.iter().sum::<f32>());
    for (left, right) in left_rest.iter().zip(right_rest) {
        for (sum, term) in sums.iter_mut().zip(terms(*left, *right)) {
            *sum += term;
        }
    }
    sums
}
