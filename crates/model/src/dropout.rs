//! Dropout whose masks are computed in vector instructions.
//!
//! The CPU backend draws a number per element from one generator behind a lock, and multiplies twice: a quarter of a
//! training step of a small encoder (measured). Here a mask takes two numbers from that generator, so that the device's
//! seed still determines everything, and hashes them with each element's position.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use native::DropoutMask;
use rayon::prelude::*;

/// Elements per task of a thread.
const CHUNK: usize = 1 << 14;

/// Sets elements to zero with some probability and scales the others up; on plain devices it does nothing.
#[derive(Module, Debug)]
pub(crate) struct Dropout {
    probability: f64,
}

impl Dropout {
    /// A probability in [0, 1), which was checked with the configuration.
    pub(crate) fn new(probability: f64) -> Self {
        Self { probability }
    }

    pub(crate) fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let device = input.device();
        if !device.is_autodiff() || self.probability == 0.0 {
            return input;
        }
        let keep = 1.0 - self.probability;
        if device != Device::flex() {
            let kept = input.random_like(Distribution::Bernoulli(keep));
            return input * kept * (1.0 / keep);
        }
        let shape = input.shape();
        let mask = mask(shape.num_elements(), keep, seeds(&device));
        input * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}

/// Two numbers from the device's generator.
fn seeds(device: &Device) -> [u32; 2] {
    // 24 bits each: every integer below 2²⁴ is an f32.
    let drawn = Tensor::<1>::random([2], Distribution::Uniform(0.0, 16_777_216.0), device).into_data();
    let mut drawn = drawn.iter::<f32>().map(|number| number as u32);
    [drawn.next().unwrap_or(0), drawn.next().unwrap_or(0)]
}

/// 0 or `1 / keep` for each of `count` elements.
fn mask(count: usize, keep: f64, seeds: [u32; 2]) -> Vec<f32> {
    let mask = DropoutMask::new(keep, seeds);
    let mut factors = vec![0.0; count];
    let chunks = factors.par_chunks_mut(CHUNK).enumerate();
    chunks.for_each(|(chunk, factors)| mask.fill((chunk * CHUNK) as u32, factors));
    factors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prediction_is_without_dropout() {
        let input = Tensor::<2>::ones([4, 4], &Device::flex());
        let output = Dropout::new(0.5).forward(input).into_data();
        assert!(output.iter::<f32>().all(|value| value == 1.0));
    }

    #[test]
    fn training_drops_and_scales() {
        let input = Tensor::<2>::ones([64, 64], &Device::flex().autodiff());
        let values: Vec<f32> = Dropout::new(0.5)
            .forward(input)
            .into_data()
            .iter::<f32>()
            .collect();
        assert!(values.iter().all(|value| *value == 0.0 || *value == 2.0));
        assert!(values.contains(&0.0) && values.contains(&2.0));
    }
}
