//! What is done to each element by itself, in loops that the compiler turns into vector instructions. Nothing is
//! fused, so every processor gives the same bits.

use std::ops::Range;

/// What stands between two linear layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x Φ(x)`.
    Gelu,
    /// An approximation of it by a hyperbolic tangent.
    GeluNew,
    /// `max(x, 0)`.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gelu, Self::GeluNew, Self::Relu, Self::Tanh];

    /// The name in the `config.json` of a model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gelu => "gelu",
            Self::GeluNew => "gelu_new",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
        }
    }

    /// Applies it to every element.
    pub fn apply(self, values: &mut [f32]) {
        let all = 0..values.len();
        self.apply_columns(values, values.len(), all);
    }

    /// Applies it to some columns of rows that are `stride` apart.
    pub(crate) fn apply_columns(self, values: &mut [f32], stride: usize, columns: Range<usize>) {
        vectorized!(match self {
            Self::Gelu => each(
                values,
                stride,
                columns,
                #[inline(always)]
                |x| x * normal(x).distribution
            ),
            Self::GeluNew => each(
                values,
                stride,
                columns,
                #[inline(always)]
                |x| 0.5 * x * (1.0 + tanh(0.797_884_6 * (x + 0.044_715 * x * x * x)))
            ),
            Self::Relu => each(
                values,
                stride,
                columns,
                #[inline(always)]
                |x| x.max(0.0)
            ),
            Self::Tanh => each(values, stride, columns, tanh),
        });
    }
}

#[inline(always)]
fn each(values: &mut [f32], stride: usize, columns: Range<usize>, function: impl Fn(f32) -> f32) {
    for row in values.chunks_exact_mut(stride.max(1)) {
        for value in &mut row[columns.clone()] {
            *value = function(*value);
        }
    }
}

/// The standard normal distribution at one point.
#[derive(Clone, Copy, Debug)]
pub struct Normal {
    /// `φ(x)`.
    pub density: f32,
    /// `Φ(x)`.
    pub distribution: f32,
}

/// Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7, as good as f32 at the values that matter.
#[inline(always)]
pub fn normal(x: f32) -> Normal {
    let magnitude = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let bell = exp(-magnitude * magnitude);
    let t = 1.0 / (1.0 + 0.327_591_1 * magnitude);
    let series =
        t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let tail = 0.5 * series * bell;
    Normal {
        density: bell * 0.398_942_3, // 1 / √(2π)
        distribution: if x < 0.0 { tail } else { 1.0 - tail },
    }
}

/// e to the power of `x`, for `x` of at most 0; 0 below -87. Cephes' polynomial, relative error below 2e-7.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// Adding 1.5 · 2²³ rounds to an integer, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let below = x < -87.0;
    // Not `max`, which would make a number of what is none.
    let x = if below { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    // ln 2 in two parts, of which the first has few digits, so that the product is exact.
    let rest = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let series = 0.166_666_65
        + rest * (0.041_665_795 + rest * (0.008_333_452 + rest * (0.001_398_199_9 + rest * 0.000_198_756_9)));
    let mantissa = 1.0 + rest + rest * rest * (0.5 + rest * series);
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    if below {
        0.0
    } else {
        mantissa * f32::from_bits(exponent)
    }
}

/// `(1 - e^-2|x|) / (1 + e^-2|x|)` with the sign of `x`; near 0, where that loses digits, the first terms of the series.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let power = exp(-2.0 * magnitude);
    let large = (1.0 - power) / (1.0 + power);
    let square = magnitude * magnitude;
    let small = magnitude
        * (1.0
            + square
                * (-0.333_333_34
                    + square * (0.133_333_34 + square * (-0.053_968_254 + square * 0.021_869_488))));
    let value = if magnitude < 0.25 { small } else { large };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> impl Iterator<Item = f32> {
        (-2000..=2000)
            .map(|step| step as f32 * 0.005)
            .chain([-0.0, 1e-20, 88.0, -88.0, 1e30, -1e30])
    }

    #[test]
    fn tanh_is_the_hyperbolic_tangent() {
        for x in points() {
            let expected = f64::from(x).tanh();
            assert!((f64::from(tanh(x)) - expected).abs() < 2e-7, "at {x}");
        }
    }

    #[test]
    fn exp_is_the_exponential_function() {
        for x in points().filter(|x| *x <= 0.0) {
            let expected = f64::from(x).exp();
            // What is below the smallest normal number counts as 0.
            assert!(
                (f64::from(exp(x)) - expected).abs() <= 2e-7 * expected + 1.2e-38,
                "at {x}"
            );
        }
    }

    #[test]
    fn activations_are_pytorchs() {
        // torch 2.9: gelu(x), gelu(x, approximate="tanh"), relu(x), tanh(x) at -1.5 and 0.5.
        let expected = [
            (Activation::Gelu, [-0.100_210_8, 0.345_731_23]),
            (Activation::GeluNew, [-0.100_428_42, 0.345_713_9]),
            (Activation::Relu, [0.0, 0.5]),
            (Activation::Tanh, [-0.905_148_27, 0.462_117_16]),
        ];
        for (activation, expected) in expected {
            let mut values = [-1.5, 0.5];
            activation.apply(&mut values);
            for (value, expected) in values.iter().zip(expected) {
                assert!(
                    (value - expected).abs() < 5e-7,
                    "{activation:?}: {value} instead of {expected}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for activation in [Activation::Gelu, Activation::GeluNew, Activation::Tanh] {
            let mut values = [f32::NAN];
            activation.apply(&mut values);
            assert!(values[0].is_nan(), "{activation:?}");
        }
    }
}
