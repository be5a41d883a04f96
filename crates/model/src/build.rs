//! Makes burn's layers from named values. Names and shapes are PyTorch's; a linear weight is transposed here,
//! on the way in and on the way out, and nowhere else.

use burn::module::Param;
use burn::nn::{Embedding, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor, TensorData};

use crate::ModelError;

/// What a parameter is when no checkpoint has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Normally distributed around 0.
    Normal,
    /// As `Normal`, but row `.0` is zero.
    NormalWithZeroRow(usize),
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
}

/// Where the values of parameters come from: a checkpoint or a seed.
pub(crate) trait Source {
    /// The values of `name`, row by row.
    fn values(&mut self, name: &str, shape: &[usize], fill: Fill) -> Result<Vec<f32>, ModelError>;
}

/// Builds layers on one device from one source.
pub(crate) struct Builder<'a> {
    pub(crate) source: &'a mut dyn Source,
    pub(crate) device: &'a Device,
}

impl Builder<'_> {
    /// `name.weight` `[output, input]` and `name.bias` `[output]`.
    pub(crate) fn linear(&mut self, name: &str, input: usize, output: usize) -> Result<Linear, ModelError> {
        let weight = self
            .source
            .values(&format!("{name}.weight"), &[output, input], Fill::Normal)?;
        let weight = TensorData::new(transposed(&weight, output, input), [input, output]);
        let bias = self.vector(&format!("{name}.bias"), output, Fill::Zeros)?;
        Ok(Linear {
            weight: Param::from_data(weight, self.device),
            bias: Some(bias),
        })
    }

    /// `name.weight` and `name.bias`, which burn calls gamma and beta.
    pub(crate) fn layer_norm(
        &mut self,
        name: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<LayerNorm, ModelError> {
        let mut norm = LayerNormConfig::new(width)
            .with_epsilon(epsilon)
            .init(self.device);
        norm.gamma = self.vector(&format!("{name}.weight"), width, Fill::Ones)?;
        norm.beta = Some(self.vector(&format!("{name}.bias"), width, Fill::Zeros)?);
        Ok(norm)
    }

    /// `name.weight` `[rows, width]`.
    pub(crate) fn embedding(
        &mut self,
        name: &str,
        rows: usize,
        width: usize,
        fill: Fill,
    ) -> Result<Embedding, ModelError> {
        let values = self
            .source
            .values(&format!("{name}.weight"), &[rows, width], fill)?;
        Ok(Embedding {
            weight: Param::from_data(TensorData::new(values, [rows, width]), self.device),
        })
    }

    fn vector(&mut self, name: &str, length: usize, fill: Fill) -> Result<Param<Tensor<1>>, ModelError> {
        let values = self.source.values(name, &[length], fill)?;
        Ok(Param::from_data(TensorData::new(values, [length]), self.device))
    }
}

/// A parameter on its way into a checkpoint.
pub(crate) struct Exported {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    values: ExportedValues,
}

enum ExportedValues {
    Vector(Tensor<1>),
    Matrix(Tensor<2>),
    Transposed(Tensor<2>),
}

/// Collects the parameters of layers under their names in a checkpoint.
#[derive(Default)]
pub(crate) struct Export {
    pub(crate) parameters: Vec<Exported>,
}

impl Export {
    pub(crate) fn linear(&mut self, name: &str, layer: &Linear) {
        let weight = layer.weight.val();
        let [input, output] = weight.dims();
        self.push(
            format!("{name}.weight"),
            vec![output, input],
            ExportedValues::Transposed(weight),
        );
        if let Some(bias) = &layer.bias {
            self.vector(format!("{name}.bias"), bias);
        }
    }

    pub(crate) fn layer_norm(&mut self, name: &str, layer: &LayerNorm) {
        self.vector(format!("{name}.weight"), &layer.gamma);
        if let Some(beta) = &layer.beta {
            self.vector(format!("{name}.bias"), beta);
        }
    }

    pub(crate) fn embedding(&mut self, name: &str, layer: &Embedding) {
        let weight = layer.weight.val();
        self.push(
            format!("{name}.weight"),
            weight.dims().to_vec(),
            ExportedValues::Matrix(weight),
        );
    }

    fn vector(&mut self, name: String, parameter: &Param<Tensor<1>>) {
        let value = parameter.val();
        self.push(name, value.dims().to_vec(), ExportedValues::Vector(value));
    }

    fn push(&mut self, name: String, shape: Vec<usize>, values: ExportedValues) {
        self.parameters.push(Exported { name, shape, values });
    }
}

impl Exported {
    /// The values, row by row in PyTorch's layout.
    pub(crate) fn values(&self) -> Result<Vec<f32>, ModelError> {
        let read = |data: TensorData| {
            data.try_into_vec::<f32>().map_err(|error| {
                ModelError::Config(format!("parameter `{}` is not f32: {error:?}", self.name))
            })
        };
        match &self.values {
            ExportedValues::Vector(tensor) => read(tensor.clone().into_data()),
            ExportedValues::Matrix(tensor) => read(tensor.clone().into_data()),
            ExportedValues::Transposed(tensor) => {
                let [rows, columns] = tensor.dims();
                Ok(transposed(&read(tensor.clone().into_data())?, rows, columns))
            }
        }
    }
}

/// `[rows, columns]` to `[columns, rows]`, in blocks that stay in the cache.
pub(crate) fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut result = vec![0.0; values.len()];
    for row_start in (0..rows).step_by(BLOCK) {
        for column_start in (0..columns).step_by(BLOCK) {
            for row in row_start..(row_start + BLOCK).min(rows) {
                for column in column_start..(column_start + BLOCK).min(columns) {
                    result[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_twice_gives_the_same_matrix() {
        let values: Vec<f32> = (0..70 * 45).map(|value| value as f32).collect();
        let turned = transposed(&values, 70, 45);
        assert_eq!(turned[1], 45.0);
        assert_eq!(transposed(&turned, 45, 70), values);
    }
}
