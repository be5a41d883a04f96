//! Weights in f32, ready for products.

use crate::Activation;
use crate::panel::{COLUMNS, PanelRow, Product, Rows, Start};

/// Columns of the left side that are multiplied with all panels before the next ones: of 192 rows they stay in
/// the second cache.
const DEPTH: usize = 768;

/// `x W + b` with `W` as panels of columns.
#[derive(Clone, Debug)]
pub(crate) struct PanelMatrix {
    /// Panel after panel, each from the first row of the weights to the last; zeros fill the last panel.
    rows: Vec<PanelRow>,
    /// One per panel.
    bias: Vec<PanelRow>,
    inputs: usize,
    outputs: usize,
}

impl PanelMatrix {
    /// `weight` is `[inputs, outputs]`, `bias` `[outputs]`.
    pub(crate) fn new(weight: &[f32], bias: &[f32]) -> Self {
        let outputs = bias.len();
        let inputs = weight.len() / outputs.max(1);
        let panels = outputs.div_ceil(COLUMNS);
        let mut rows = vec![PanelRow::ZERO; panels * inputs];
        for (input, row) in weight.chunks_exact(outputs.max(1)).enumerate() {
            for (panel, columns) in row.chunks(COLUMNS).enumerate() {
                rows[panel * inputs + input].0[..columns.len()].copy_from_slice(columns);
            }
        }
        let mut padded = vec![PanelRow::ZERO; panels];
        for (padded, bias) in padded.iter_mut().zip(bias.chunks(COLUMNS)) {
            padded.0[..bias.len()].copy_from_slice(bias);
        }
        Self {
            rows,
            bias: padded,
            inputs,
            outputs,
        }
    }

    /// `output = activation(left · self + bias)`.
    ///
    /// # Shapes
    /// - left: `[rows, inputs]`
    /// - output: `[rows, outputs]`, each row `stride` behind the last
    pub(crate) fn multiply(
        &self,
        left: Rows<'_>,
        activation: Option<Activation>,
        output: &mut [f32],
        stride: usize,
    ) {
        let rows = output.len() / stride;
        if rows == 0 {
            return;
        }
        for begin in (0..self.inputs).step_by(DEPTH) {
            let end = self.inputs.min(begin + DEPTH);
            let mut panels = self
                .rows
                .chunks_exact(self.inputs)
                .zip(&self.bias)
                .enumerate()
                .peekable();
            while let Some((panel, (weights, bias))) = panels.next() {
                let next = panels.peek().map_or(weights, |(_, (next, _))| next);
                let first = panel * COLUMNS;
                let columns = COLUMNS.min(self.outputs - first);
                Product {
                    left: Rows {
                        values: &left.values[begin..],
                        stride: left.stride,
                    },
                    rows,
                    panel: &weights[begin..end],
                    next: &next[begin..end],
                    start: if begin == 0 {
                        Start::Columns(bias)
                    } else {
                        Start::Output
                    },
                    output: &mut output[first..],
                    output_stride: stride,
                    columns,
                }
                .compute();
                if let Some(activation) = activation.filter(|_| end == self.inputs) {
                    activation.apply_columns(output, stride, first..first + columns);
                }
            }
        }
    }
}
