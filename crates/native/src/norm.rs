//! LayerNorm (Ba, Kiros, Hinton 2016), with the residual sum before it.

/// Scale and shift after each row was brought to mean 0 and variance 1.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// One per column.
    pub gamma: Vec<f32>,
    /// One per column.
    pub beta: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

/// Partial sums of a row: as many as the widest vector has elements, so that the order of additions, and with it the
/// bits, are the same on every processor.
const PARTS: usize = 16;

impl LayerNorm {
    /// Normalises each row of `hidden`.
    pub fn apply(&self, hidden: &mut [f32]) {
        let width = self.gamma.len();
        vectorized!({
            for row in hidden.chunks_exact_mut(width) {
                self.normalize(row);
            }
        });
    }

    /// `hidden = norm(hidden + added)`.
    pub(crate) fn add_apply(&self, hidden: &mut [f32], added: &[f32]) {
        let width = self.gamma.len();
        vectorized!({
            for (row, added) in hidden.chunks_exact_mut(width).zip(added.chunks_exact(width)) {
                for (value, added) in row.iter_mut().zip(added) {
                    *value += added;
                }
                self.normalize(row);
            }
        });
    }

    #[inline(always)]
    fn normalize(&self, row: &mut [f32]) {
        let count = row.len() as f32;
        let mean = sum(
            row,
            #[inline(always)]
            |value| value,
        ) / count;
        let variance = sum(
            row,
            #[inline(always)]
            |value| (value - mean) * (value - mean),
        ) / count;
        let scale = 1.0 / (variance + self.epsilon).sqrt();
        for ((value, gamma), beta) in row.iter_mut().zip(&self.gamma).zip(&self.beta) {
            *value = (*value - mean) * scale * gamma + beta;
        }
    }
}

#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<PARTS>();
    let mut parts = [0.0; PARTS];
    for chunk in chunks {
        for (part, value) in parts.iter_mut().zip(chunk) {
            *part += term(*value);
        }
    }
    let rest: f32 = rest.iter().map(|value| term(*value)).sum();
    parts.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_summed_and_normalised() {
        let norm = LayerNorm {
            gamma: vec![1.0, 2.0, 1.0],
            beta: vec![0.0, 0.0, 5.0],
            epsilon: 1e-12,
        };
        let mut hidden = [1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
        norm.add_apply(&mut hidden, &[0.0, 0.0, 0.0, 2.0, 4.0, 6.0]);
        let root = 1.5f32.sqrt();
        for (value, expected) in hidden
            .iter()
            .zip([-root, 0.0, 5.0 + root, -root, 0.0, 5.0 + root])
        {
            assert!((value - expected).abs() < 1e-5, "{value} instead of {expected}");
        }
    }
}
