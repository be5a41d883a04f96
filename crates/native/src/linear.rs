//! Linear layers.

use crate::Activation;
use crate::classifier::Scratch;
use crate::int8::{Int8Matrix, QuantizedRows};
use crate::matrix::PanelMatrix;
use crate::panel::Rows;

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
    inputs: usize,
    outputs: usize,
}

#[derive(Clone, Debug)]
enum Weight {
    F32(PanelMatrix),
    Int8(Int8Matrix, Vec<f32>),
}

impl Linear {
    /// # Shapes
    /// - weight: `[inputs, outputs]`, row by row (PyTorch's is its transpose)
    /// - bias: `[outputs]`
    pub fn new(weight: Vec<f32>, bias: Vec<f32>, precision: Precision) -> Self {
        let outputs = bias.len();
        let inputs = weight.len() / outputs.max(1);
        let weight = match precision {
            Precision::F32 => Weight::F32(PanelMatrix::new(&weight, &bias)),
            Precision::Int8 => Weight::Int8(Int8Matrix::new(&weight, inputs, outputs), bias),
        };
        Self {
            weight,
            inputs,
            outputs,
        }
    }

    /// Width of a row that goes in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Width of a row that comes out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// # Shapes
    /// - input: `[rows, inputs]`
    /// - output: becomes `[rows, outputs]`
    pub fn multiply(&self, input: &[f32], output: &mut Vec<f32>, scratch: &mut Scratch) {
        self.apply(input, output, &mut scratch.layer.quantized);
    }

    /// As [`Linear::multiply`].
    pub(crate) fn apply(&self, input: &[f32], output: &mut Vec<f32>, quantized: &mut QuantizedRows) {
        let input = Rows {
            values: input,
            stride: self.inputs,
        };
        self.compute(input, None, output, self.outputs, quantized);
    }

    /// As [`Linear::apply`], and `activation` of what comes out.
    ///
    /// # Shapes
    /// - output: becomes `[rows, outputs]`, rows [`stride`] apart
    pub(crate) fn apply_activated(
        &self,
        input: &[f32],
        activation: Activation,
        output: &mut Vec<f32>,
        quantized: &mut QuantizedRows,
    ) {
        let input = Rows {
            values: input,
            stride: self.inputs,
        };
        self.compute(input, Some(activation), output, stride(self.outputs), quantized);
    }

    /// As [`Linear::apply`], on what [`Linear::apply_activated`] gave.
    pub(crate) fn apply_strided(&self, input: &[f32], output: &mut Vec<f32>, quantized: &mut QuantizedRows) {
        let input = Rows {
            values: input,
            stride: stride(self.inputs),
        };
        self.compute(input, None, output, self.outputs, quantized);
    }

    fn compute(
        &self,
        input: Rows<'_>,
        activation: Option<Activation>,
        output: &mut Vec<f32>,
        stride: usize,
        quantized: &mut QuantizedRows,
    ) {
        let rows = input.values.len() / input.stride;
        output.resize(rows * stride, 0.0);
        match &self.weight {
            Weight::F32(weight) => weight.multiply(input, activation, output, stride),
            Weight::Int8(weight, bias) => {
                quantized.quantize(input.values, self.inputs, input.stride);
                weight.multiply(quantized, bias, output, stride);
                if let Some(activation) = activation {
                    activation.apply_columns(output, stride, 0..self.outputs);
                }
            }
        }
    }
}

/// Elements from one wide row to the next. Were rows a multiple of 4096 bytes apart, the same column of all of them
/// would compete for the same few places of the first cache.
fn stride(width: usize) -> usize {
    if width.is_multiple_of(1024) {
        width + 16
    } else {
        width
    }
}
