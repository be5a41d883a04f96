//! Activations with their derivatives.

use crate::elementwise::tanh;
use crate::{Activation, Normal, normal};

/// Applies `activation` to `values` and puts its derivative at each into `slopes`, all that the backward pass needs.
/// To be called within vector code.
#[inline(always)]
pub(crate) fn activate(activation: Activation, values: &mut [f32], slopes: &mut [f32]) {
    let elements = values.iter_mut().zip(slopes);
    match activation {
        Activation::Gelu => {
            for (value, slope) in elements {
                let x = *value;
                let Normal {
                    density,
                    distribution,
                } = normal(x);
                *slope = distribution + x * density;
                *value = x * distribution;
            }
        }
        Activation::GeluNew => {
            const SCALE: f32 = 0.797_884_6; // √(2/π)
            const CUBE: f32 = 0.044_715;
            for (value, slope) in elements {
                let x = *value;
                let tangent = tanh(SCALE * (x + CUBE * x * x * x));
                let rise = (1.0 - tangent * tangent) * SCALE * (1.0 + 3.0 * CUBE * x * x);
                *slope = 0.5 * (1.0 + tangent) + 0.5 * x * rise;
                *value = 0.5 * x * (1.0 + tangent);
            }
        }
        Activation::Relu => {
            for (value, slope) in elements {
                let x = *value;
                *slope = if x > 0.0 { 1.0 } else { 0.0 };
                // Not `max`, which would make a number of what is none.
                *value = if x < 0.0 { 0.0 } else { x };
            }
        }
        Activation::Tanh => {
            for (value, slope) in elements {
                let tangent = tanh(*value);
                *slope = 1.0 - tangent * tangent;
                *value = tangent;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_prediction() {
        for activation in Activation::ALL {
            let points: Vec<f32> = (-400..=400).map(|step| step as f32 * 0.02).collect();
            let (mut values, mut slopes) = (points.clone(), points.clone());
            activate(activation, &mut values, &mut slopes);
            let mut expected = points;
            activation.apply(&mut expected);
            let differences = values.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            assert!(differences.fold(0.0, f32::max) < 1e-6, "{activation:?}");
        }
    }

    #[test]
    fn slopes_are_differences_over_distances() {
        // Smooth enough for a distance at which rounding does not count; relu's kink at 0 is between two points.
        let distance = 1.0 / 128.0;
        for activation in Activation::ALL {
            for step in -300..300 {
                let x = 0.02 * step as f32 + 0.01;
                let mut values = [x - distance, x, x + distance];
                let mut slopes = [0.0; 3];
                activate(activation, &mut values, &mut slopes);
                let expected = (values[2] - values[0]) / (2.0 * distance);
                assert!(
                    (slopes[1] - expected).abs() < 1e-4
                        || activation == Activation::Relu && x.abs() < distance,
                    "{activation:?} at {x}: {} instead of {expected}",
                    slopes[1]
                );
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for activation in Activation::ALL {
            let (mut values, mut slopes) = ([f32::NAN], [0.0]);
            activate(activation, &mut values, &mut slopes);
            assert!(values[0].is_nan(), "{activation:?}");
        }
    }
}
