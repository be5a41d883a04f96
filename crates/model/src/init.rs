//! New parameters from a seed: the same on every device, whatever else is built before them.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::ModelError;
use crate::build::{Fill, Source};

/// Weights as BERT's authors initialise them; each parameter has a random stream of its own.
pub(crate) struct Seeded {
    pub(crate) seed: u64,
    pub(crate) standard_deviation: f64,
}

impl Source for Seeded {
    fn values(&mut self, name: &str, shape: &[usize], fill: Fill) -> Result<Vec<f32>, ModelError> {
        let count = shape.iter().product();
        Ok(match fill {
            Fill::Zeros => vec![0.0; count],
            Fill::Ones => vec![1.0; count],
            Fill::Normal => self.normal(name, count),
            Fill::NormalWithZeroRow(row) => {
                let mut values = self.normal(name, count);
                let width = count / shape[0];
                values[row * width..(row + 1) * width].fill(0.0);
                values
            }
        })
    }
}

impl Seeded {
    /// Box and Muller's transform.
    fn normal(&self, name: &str, count: usize) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream(name));
        let mut values = Vec::with_capacity(count + 1);
        while values.len() < count {
            // 1 - [0, 1) is never 0, whose logarithm is infinite.
            let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt() * self.standard_deviation;
            let (sine, cosine) = (std::f64::consts::TAU * random.random::<f64>()).sin_cos();
            values.push((radius * cosine) as f32);
            values.push((radius * sine) as f32);
        }
        values.truncate(count);
        values
    }
}

/// FNV-1a: a fixed number for a name.
fn stream(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(seed: u64, name: &str, count: usize) -> Vec<f32> {
        Seeded {
            seed,
            standard_deviation: 0.02,
        }
        .values(name, &[count], Fill::Normal)
        .unwrap()
    }

    #[test]
    fn the_same_seed_and_name_give_the_same_values() {
        assert_eq!(normal(1, "a.weight", 5), normal(1, "a.weight", 5));
        assert_ne!(normal(1, "a.weight", 5), normal(2, "a.weight", 5));
        assert_ne!(normal(1, "a.weight", 5), normal(1, "b.weight", 5));
    }

    #[test]
    fn values_have_the_asked_for_spread() {
        let values = normal(3, "a.weight", 40_000);
        let mean = values.iter().sum::<f32>() / 40_000.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 40_000.0;
        assert!(mean.abs() < 5e-4, "{mean}");
        assert!((variance.sqrt() - 0.02).abs() < 5e-4, "{variance}");
    }

    #[test]
    fn the_padding_row_is_zero() {
        let mut source = Seeded {
            seed: 1,
            standard_deviation: 0.02,
        };
        let values = source.values("a", &[3, 2], Fill::NormalWithZeroRow(1)).unwrap();
        assert_eq!(values[2..4], [0.0, 0.0]);
        assert!(values[0] != 0.0 && values[4] != 0.0);
    }
}
