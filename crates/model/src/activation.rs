//! Activation functions on tensors, and the exact GELU, `x Φ(x)`, in loops that the compiler turns into vector instructions.
//!
//! The CPU backend calls a scalar `erff` per element on one thread: a fifth of the time of a small encoder (measured).
//! Elements are independent and nothing is fused, so every processor gives the same bits.

use burn::tensor::{DType, Device, Tensor, TensorData};
use native::{Activation, Normal, normal};
use rayon::prelude::*;

/// Elements per task of a thread.
const CHUNK: usize = 1 << 14;

/// Applies `activation` to every element.
pub(crate) fn activate(activation: Activation, input: Tensor<2>) -> Tensor<2> {
    match activation {
        Activation::Gelu => gelu(input),
        Activation::GeluNew => burn::tensor::activation::gelu_approximate(input),
        Activation::Relu => burn::tensor::activation::relu(input),
        Activation::Tanh => input.tanh(),
    }
}

/// `x Φ(x)`, on an autodiff device with its exact derivative.
fn gelu(input: Tensor<2>) -> Tensor<2> {
    let device = input.device();
    // Elsewhere the values would have to leave the device.
    if device != Device::flex() || input.dtype() != DType::F32 {
        return burn::tensor::activation::gelu(input);
    }
    if device.is_autodiff() {
        differentiable(input)
    } else {
        in_place(input)
    }
}

fn in_place(input: Tensor<2>) -> Tensor<2> {
    let device = input.device();
    let mut data = input.into_data();
    if let Ok(values) = data.as_mut_slice::<f32>() {
        values.par_chunks_mut(CHUNK).for_each(|values| {
            pulp::Arch::new().dispatch(|| {
                for value in values {
                    *value *= normal(*value).distribution;
                }
            });
        });
        return Tensor::from_data(data, &device);
    }
    burn::tensor::activation::gelu(Tensor::from_data(data, &device))
}

/// The tangent at each element: `slope x + offset` has GELU's value and its derivative, and costs the backward pass
/// one multiplication. With `d` the density, the slope is `Φ + x d` and the offset `x Φ - slope x = -x² d`.
fn differentiable(input: Tensor<2>) -> Tensor<2> {
    let device = input.device();
    let data = input.clone().inner().into_data();
    let Ok(values) = data.as_slice::<f32>() else {
        return burn::tensor::activation::gelu(input);
    };
    let mut slopes = vec![0.0; values.len()];
    let mut offsets = vec![0.0; values.len()];
    let chunks = slopes
        .par_chunks_mut(CHUNK)
        .zip(offsets.par_chunks_mut(CHUNK))
        .zip(values.par_chunks(CHUNK));
    chunks.for_each(|((slopes, offsets), values)| {
        pulp::Arch::new().dispatch(|| {
            for ((slope, offset), value) in slopes.iter_mut().zip(offsets).zip(values) {
                let Normal {
                    density,
                    distribution,
                } = normal(*value);
                *slope = distribution + value * density;
                *offset = -value * (value * density);
            }
        });
    });
    let constant = |values| Tensor::<2>::from_data(TensorData::new(values, input.dims()), &device);
    let (slopes, offsets) = (constant(slopes), constant(offsets));
    input * slopes + offsets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<f32> {
        (-1200..=1200)
            .map(|step| step as f32 * 0.01)
            .chain([0.0, -0.0, 1e-20, 88.0, -88.0, 1e30, -1e30])
            .collect()
    }

    fn tensor(device: &Device) -> Tensor<2> {
        let points = points();
        let shape = [1, points.len()];
        Tensor::from_data(TensorData::new(points, shape), device)
    }

    fn assert_close(found: Tensor<2>, expected: Tensor<2>) {
        let found = found.into_data().try_into_vec::<f32>().unwrap();
        let expected = expected.into_data().try_into_vec::<f32>().unwrap();
        for ((x, found), expected) in points().iter().zip(found).zip(expected) {
            assert!(
                (found - expected).abs() <= 5e-7 * expected.abs().max(1.0),
                "at {x}: {found} instead of {expected}"
            );
        }
    }

    #[test]
    fn values_are_those_of_the_backend() {
        let device = Device::flex();
        assert_close(
            gelu(tensor(&device)),
            burn::tensor::activation::gelu(tensor(&device)),
        );
    }

    #[test]
    fn derivatives_are_those_of_the_backend() {
        let device = Device::flex().autodiff();
        let gradient = |gelu: fn(Tensor<2>) -> Tensor<2>| {
            // A gradient from above that differs by element.
            let input = tensor(&device).require_grad();
            let weight = tensor(&device).clamp(-2.0, 2.0);
            let gradients = (gelu(input.clone()) * weight).sum().backward();
            input.grad(&gradients).unwrap()
        };
        assert_close(gradient(gelu), gradient(burn::tensor::activation::gelu));
    }

    #[test]
    fn a_differentiable_value_is_the_plain_one() {
        let plain = gelu(tensor(&Device::flex()));
        assert_close(gelu(tensor(&Device::flex().autodiff())).inner(), plain);
    }

    #[test]
    fn the_other_activations_are_pytorchs() {
        let input = || Tensor::<2>::from_data([[-1.5f32, 0.5]], &Device::flex());
        let expected = [
            (Activation::GeluNew, [-0.100_428_42, 0.345_713_9]),
            (Activation::Relu, [0.0, 0.5]),
            (Activation::Tanh, [-0.905_148_27, 0.462_117_16]),
        ];
        for (activation, expected) in expected {
            let found = activate(activation, input())
                .into_data()
                .try_into_vec::<f32>()
                .unwrap();
            let differences = found
                .iter()
                .zip(expected)
                .map(|(found, expected)| (found - expected).abs());
            assert!(
                differences.fold(0.0, f32::max) < 1e-6,
                "{activation:?}: {found:?}"
            );
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let input = Tensor::<2>::from_data([[f32::NAN, f32::INFINITY]], &Device::flex());
        let output = gelu(input).into_data().try_into_vec::<f32>().unwrap();
        assert!(output[0].is_nan() && output[1] == f32::INFINITY);
    }
}
