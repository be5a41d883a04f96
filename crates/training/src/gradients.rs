//! The gradient of a loss with respect to a module's parameters, on the host.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::TrainingError;

/// Values that one task sums. Fixed, so that a sum does not depend on the number of threads.
const CHUNK: usize = 8192;

/// One gradient per float parameter, in the order in which a module visits them; none where a parameter took no part.
///
/// They are on the host: there the norm and the update are one parallel pass each, where tensor operations would walk
/// over all parameters a dozen times. burn's own sum over a tensor is not reproducible beyond four million values.
#[derive(Debug, Default)]
pub struct Gradients {
    pub(crate) tensors: Vec<Option<Vec<f32>>>,
}

impl Gradients {
    /// Takes what `found`, the result of `backward`, holds for `module`.
    pub fn collect<M: Module>(module: &M, found: burn::tensor::Gradients) -> Result<Self, TrainingError> {
        let mut collector = Collector {
            found,
            tensors: Vec::new(),
            error: None,
        };
        module.visit(&mut collector);
        match collector.error {
            Some(error) => Err(error),
            None => Ok(Self {
                tensors: collector.tensors,
            }),
        }
    }

    /// Adds the gradient of another batch through the same module.
    pub fn add(&mut self, other: Self) {
        if self.tensors.is_empty() {
            *self = other;
            return;
        }
        for (sum, more) in self.tensors.iter_mut().zip(other.tensors) {
            match (sum.as_mut(), more) {
                (Some(sum), Some(more)) => {
                    sum.par_iter_mut()
                        .with_min_len(CHUNK)
                        .zip(more)
                        .for_each(|(sum, more)| *sum += more);
                }
                (None, more) => *sum = more,
                (Some(_), None) => {}
            }
        }
    }

    /// The Euclidean norm over all parameters.
    pub fn norm(&self) -> f64 {
        let squares = |tensor: &Vec<f32>| -> f64 {
            let chunks: Vec<f64> = tensor.par_chunks(CHUNK).map(sum_of_squares).collect();
            chunks.iter().sum()
        };
        self.tensors.iter().flatten().map(squares).sum::<f64>().sqrt()
    }
}

/// In sixteen running sums, which is what lets the compiler use vector instructions.
fn sum_of_squares(values: &[f32]) -> f64 {
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

struct Collector {
    found: burn::tensor::Gradients,
    tensors: Vec<Option<Vec<f32>>>,
    error: Option<TrainingError>,
}

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param
            .is_require_grad()
            .then(|| param.val().grad_remove(&mut self.found))
            .flatten();
        let values = gradient
            .map(|tensor| tensor.into_data().try_into_vec_as::<f32>())
            .transpose();
        match values {
            Ok(values) => self.tensors.push(values),
            Err(error) => self.error = Some(TrainingError::tensor(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_is_over_all_parameters() {
        let gradients = Gradients {
            tensors: vec![Some(vec![3.0; 16]), None, Some(vec![4.0; 16])],
        };
        assert_eq!(gradients.norm(), 20.0);
    }

    #[test]
    fn norm_of_many_values_is_exact_enough() {
        let gradients = Gradients {
            tensors: vec![Some(vec![0.5; 1_000_003])],
        };
        assert!((gradients.norm() / (0.5 * 1_000_003f64.sqrt()) - 1.0).abs() < 1e-7);
    }

    #[test]
    fn a_parameter_that_joins_later_is_kept() {
        let mut gradients = Gradients {
            tensors: vec![None, Some(vec![1.0])],
        };
        gradients.add(Gradients {
            tensors: vec![Some(vec![2.0]), Some(vec![3.0])],
        });
        assert_eq!(gradients.tensors, [Some(vec![2.0]), Some(vec![4.0])]);
    }
}
