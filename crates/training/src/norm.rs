//! The norm of a gradient.

use rayon::prelude::*;

/// Values that one task sums. Fixed, so that a sum does not depend on the number of threads.
const CHUNK: usize = 8192;

/// Added to a norm that is divided by.
pub(crate) const CLIPPING_EPSILON: f64 = 1e-6;

/// The Euclidean norm over all of `tensors`.
pub(crate) fn norm<'a>(tensors: impl IntoIterator<Item = &'a Vec<f32>>) -> f64 {
    let chunks: Vec<&[f32]> = tensors
        .into_iter()
        .flat_map(|tensor| tensor.chunks(CHUNK))
        .collect();
    let squares: Vec<f64> = chunks.into_par_iter().map(sum_of_squares).collect();
    squares.into_iter().sum::<f64>().sqrt()
}

/// What `torch.nn.utils.clip_grad_norm_` multiplies a gradient of this norm by.
pub(crate) fn clipping(norm: f64, max_norm: Option<f64>) -> f32 {
    max_norm.map_or(1.0, |limit| (limit / (norm + CLIPPING_EPSILON)).min(1.0) as f32)
}

fn sum_of_squares(values: &[f32]) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || sum_in_lanes(values),
    )
}

/// In sixteen running sums, which is what lets the compiler use vector instructions.
#[inline(always)]
fn sum_in_lanes(values: &[f32]) -> f64 {
    let mut sums = [0f32; 16];
    let mut blocks = values.chunks_exact(16);
    for block in &mut blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += value * value;
        }
    }
    let rest: f64 = blocks
        .remainder()
        .iter()
        .map(|value| f64::from(value * value))
        .sum();
    sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_is_over_all_parameters() {
        assert_eq!(norm(&[vec![3.0; 16], Vec::new(), vec![4.0; 16]]), 20.0);
    }

    #[test]
    fn only_long_gradients_are_shortened() {
        assert!((clipping(4.0, Some(1.0)) - 0.25).abs() < 1e-6);
        assert_eq!(clipping(0.5, Some(1.0)), 1.0);
        assert_eq!(clipping(4.0, None), 1.0);
    }

    #[test]
    fn norm_of_many_values_is_exact_enough() {
        let norm = norm(&[vec![0.5; 1_000_003]]);
        assert!((norm / (0.5 * 1_000_003f64.sqrt()) - 1.0).abs() < 1e-7);
    }
}
