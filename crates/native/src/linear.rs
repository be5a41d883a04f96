//! Linear layers.

use crate::int8::{Int8Matrix, QuantizedRows};
use crate::matrix::{Matrix, multiply_add};

/// In what the products of linear layers are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// 8-bit integers: weights quantised once, per column; activations as they come, per row.
    Int8,
}

impl Precision {
    /// By its name in a pipeline file.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "f32" => Some(Self::F32),
            "int8" => Some(Self::Int8),
            _ => None,
        }
    }
}

/// `y = x W + b`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Weight,
    bias: Vec<f32>,
    inputs: usize,
}

#[derive(Clone, Debug)]
enum Weight {
    /// `[inputs, outputs]`.
    F32(Vec<f32>),
    Int8(Int8Matrix),
}

impl Linear {
    /// # Shapes
    /// - weight: `[inputs, outputs]`, row by row (PyTorch's is its transpose)
    /// - bias: `[outputs]`
    pub fn new(weight: Vec<f32>, bias: Vec<f32>, precision: Precision) -> Self {
        let inputs = weight.len() / bias.len().max(1);
        let weight = match precision {
            Precision::F32 => Weight::F32(weight),
            Precision::Int8 => Weight::Int8(Int8Matrix::new(&weight, inputs, bias.len())),
        };
        Self { weight, bias, inputs }
    }

    /// Width of a row that goes in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Width of a row that comes out.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// # Shapes
    /// - input: `[rows, inputs]`
    /// - output: becomes `[rows, outputs]`
    pub(crate) fn apply(&self, input: &[f32], output: &mut Vec<f32>, quantized: &mut QuantizedRows) {
        let rows = input.len() / self.inputs;
        let outputs = self.outputs();
        output.resize(rows * outputs, 0.0);
        match &self.weight {
            Weight::F32(weight) => {
                for row in output.chunks_exact_mut(outputs) {
                    row.copy_from_slice(&self.bias);
                }
                let left = Matrix::dense(input, rows, self.inputs);
                multiply_add(left, Matrix::dense(weight, self.inputs, outputs), output);
            }
            Weight::Int8(weight) => {
                quantized.quantize(input, self.inputs);
                weight.multiply(quantized, &self.bias, output);
            }
        }
    }
}
