//! Products in 8-bit integers with dynamic quantisation, as ONNX Runtime's `quantize_dynamic` has them, but finer: one
//! scale per column of the weights and one scale and offset per row of the activations.
//!
//! With `x ≈ offset + scale · q` (q in 0..=255) and `w ≈ step · v` (v in -127..=127),
//! `Σ x w ≈ step · (scale · Σ q v + offset · Σ v)`. `Σ q v` is exact in 32 bits for rows of up to 66,000 elements.

mod portable;
#[cfg(target_arch = "x86_64")]
mod vnni;

/// Columns of a panel.
pub(crate) const COLUMNS: usize = 32;
/// Rows of a tile.
pub(crate) const ROWS: usize = 14;
/// Products that are summed at once.
pub(crate) const DEPTH: usize = 4;

/// The sums of a tile.
pub(crate) type Sums = [[i32; COLUMNS]; ROWS];

/// Four consecutive elements of each column of a panel. Aligned to a cache line, so that no vector lies across two.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Step(pub(crate) [[i8; DEPTH]; COLUMNS]);

/// Four consecutive elements of each row of a tile.
pub(crate) type RowStep = [[u8; DEPTH]; ROWS];

/// Weights, quantised.
#[derive(Clone, Debug)]
pub(crate) struct Int8Matrix {
    /// Panel after panel, each from the first row of the weights to the last.
    steps: Vec<Step>,
    /// Steps of a panel.
    depth: usize,
    /// Per column: what 1 stands for.
    scales: Vec<f32>,
    /// Per column: `step · Σ v`.
    sums: Vec<f32>,
}

/// Activations, quantised row by row.
#[derive(Debug, Default)]
pub(crate) struct QuantizedRows {
    /// Tile after tile, each from the first column to the last.
    steps: Vec<RowStep>,
    depth: usize,
    /// Per row: what 1 stands for.
    scales: Vec<f32>,
    /// Per row: what 0 stands for.
    offsets: Vec<f32>,
    bytes: Vec<u8>,
}

impl Int8Matrix {
    /// `weight` is `[inputs, outputs]`. Zeros fill the last step and the last panel.
    pub(crate) fn new(weight: &[f32], inputs: usize, outputs: usize) -> Self {
        let depth = inputs.div_ceil(DEPTH);
        let panels = outputs.div_ceil(COLUMNS);
        let mut highest = vec![0.0f32; outputs];
        for row in weight.chunks_exact(outputs) {
            for (highest, value) in highest.iter_mut().zip(row) {
                *highest = highest.max(value.abs());
            }
        }
        let scales: Vec<f32> = highest.iter().map(|highest| highest / 127.0).collect();
        let mut steps = vec![Step([[0; DEPTH]; COLUMNS]); panels * depth];
        let mut sums = vec![0i32; outputs];
        for (input, row) in weight.chunks_exact(outputs).enumerate() {
            for (output, value) in row.iter().enumerate() {
                let scale = scales[output];
                // A column of zeros has no scale; `as` makes 0 of the NaN.
                let quantized = (value / scale).round_ties_even() as i8;
                sums[output] += i32::from(quantized);
                let step = &mut steps[output / COLUMNS * depth + input / DEPTH];
                step.0[output % COLUMNS][input % DEPTH] = quantized;
            }
        }
        let sums = sums
            .iter()
            .zip(&scales)
            .map(|(sum, scale)| *sum as f32 * scale)
            .collect();
        Self {
            steps,
            depth,
            scales,
            sums,
        }
    }

    /// `output = rows · self + bias`.
    ///
    /// # Shapes
    /// - output: `[rows, outputs]`, each row `stride` behind the last
    pub(crate) fn multiply(&self, rows: &QuantizedRows, bias: &[f32], output: &mut [f32], stride: usize) {
        self.multiply_with(kernel(), rows, bias, output, stride);
    }

    fn multiply_with(
        &self,
        kernel: Kernel,
        rows: &QuantizedRows,
        bias: &[f32],
        output: &mut [f32],
        stride: usize,
    ) {
        let outputs = self.scales.len();
        let count = rows.scales.len();
        assert!(rows.depth == self.depth && bias.len() == outputs && output.len() == count * stride);
        let mut sums: Sums = [[0; COLUMNS]; ROWS];
        for (panel, weights) in self.steps.chunks_exact(self.depth).enumerate() {
            let first_column = panel * COLUMNS;
            let columns = first_column..outputs.min(first_column + COLUMNS);
            for (tile, activations) in rows.steps.chunks_exact(self.depth).enumerate() {
                kernel(activations, weights, &mut sums);
                let first_row = tile * ROWS;
                for (row, sums) in (first_row..count.min(first_row + ROWS)).zip(&sums) {
                    let (scale, offset) = (rows.scales[row], rows.offsets[row]);
                    let output = &mut output[row * stride..][columns.clone()];
                    let columns = self.scales[columns.clone()]
                        .iter()
                        .zip(&self.sums[columns.clone()])
                        .zip(&bias[columns.clone()]);
                    for ((output, sum), ((step, total), bias)) in output.iter_mut().zip(sums).zip(columns) {
                        *output = *sum as f32 * (scale * step) + (offset * total + bias);
                    }
                }
            }
        }
    }
}

impl QuantizedRows {
    /// Takes `[rows, width]`, each row `stride` behind the last. Rows of zeros fill the last tile.
    pub(crate) fn quantize(&mut self, values: &[f32], width: usize, stride: usize) {
        self.depth = width.div_ceil(DEPTH);
        let rows = values.len() / stride;
        let tiles = rows.div_ceil(ROWS);
        self.steps.clear();
        self.steps.resize(tiles * self.depth, [[0; DEPTH]; ROWS]);
        self.bytes.clear();
        self.bytes.resize(self.depth * DEPTH, 0);
        self.scales.clear();
        self.offsets.clear();
        vectorized!({
            for (row, values) in values.chunks_exact(stride).enumerate() {
                let values = &values[..width];
                let (lowest, highest) = bounds(values);
                let scale = (highest - lowest) / 255.0;
                let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
                for (byte, value) in self.bytes.iter_mut().zip(values) {
                    // Adding one half and cutting off is rounding, for what is not negative.
                    *byte = ((value - lowest) * inverse + 0.5) as u8;
                }
                self.scales.push(scale);
                self.offsets.push(lowest);
                let (tile, place) = (row / ROWS, row % ROWS);
                let steps = &mut self.steps[tile * self.depth..][..self.depth];
                for (step, bytes) in steps.iter_mut().zip(self.bytes.as_chunks::<DEPTH>().0) {
                    step[place] = *bytes;
                }
            }
        });
    }
}

#[inline(always)]
fn bounds(values: &[f32]) -> (f32, f32) {
    const PARTS: usize = 16;
    let (chunks, rest) = values.as_chunks::<PARTS>();
    let mut lowest = [f32::INFINITY; PARTS];
    let mut highest = [f32::NEG_INFINITY; PARTS];
    for chunk in chunks {
        for ((lowest, highest), value) in lowest.iter_mut().zip(&mut highest).zip(chunk) {
            *lowest = lowest.min(*value);
            *highest = highest.max(*value);
        }
    }
    (
        lowest.iter().chain(rest).copied().fold(f32::INFINITY, f32::min),
        highest
            .iter()
            .chain(rest)
            .copied()
            .fold(f32::NEG_INFINITY, f32::max),
    )
}

/// Fills a tile's sums; both slices have the same length.
type Kernel = fn(&[RowStep], &[Step], &mut Sums);

fn kernel() -> Kernel {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = vnni::kernel() {
        return kernel;
    }
    portable::sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::noise;

    fn product(kernel: Kernel, rows: usize, inputs: usize, outputs: usize) -> (Vec<f32>, Vec<f32>) {
        let (input, weight) = (noise(rows * inputs, 1), noise(inputs * outputs, 2));
        let bias = noise(outputs, 3);
        let mut expected = vec![0.0; rows * outputs];
        for row in 0..rows {
            for column in 0..outputs {
                let sum: f64 = (0..inputs)
                    .map(|at| f64::from(input[row * inputs + at]) * f64::from(weight[at * outputs + column]))
                    .sum();
                expected[row * outputs + column] = (sum + f64::from(bias[column])) as f32;
            }
        }
        let mut quantized = QuantizedRows::default();
        quantized.quantize(&input, inputs, inputs);
        let mut output = vec![f32::NAN; rows * outputs];
        Int8Matrix::new(&weight, inputs, outputs).multiply_with(
            kernel,
            &quantized,
            &bias,
            &mut output,
            outputs,
        );
        (output, expected)
    }

    const SHAPES: [(usize, usize, usize); 5] =
        [(1, 1, 1), (14, 64, 32), (15, 67, 33), (3, 130, 70), (40, 768, 6)];

    #[test]
    fn products_are_near_those_in_floats() {
        for (rows, inputs, outputs) in SHAPES {
            let (found, expected) = product(kernel(), rows, inputs, outputs);
            // Each product is off by at most half a step of either side: 1/255 and 1/254.
            let bound = 0.006 * (inputs as f32).sqrt() + 0.01;
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < bound, "{found} instead of {expected}");
            }
        }
    }

    #[test]
    fn every_kernel_gives_the_same_bits() {
        for (rows, inputs, outputs) in SHAPES {
            let bits =
                |(values, _): (Vec<f32>, _)| -> Vec<u32> { values.into_iter().map(f32::to_bits).collect() };
            let portable = bits(product(portable::sums, rows, inputs, outputs));
            assert_eq!(bits(product(kernel(), rows, inputs, outputs)), portable);
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        let width = 4096;
        let mut quantized = QuantizedRows::default();
        let mut input = vec![1.0; width];
        input[0] = 0.0;
        quantized.quantize(&input, width, width);
        for weight in [1.0f32, -1.0] {
            let mut output = [0.0];
            Int8Matrix::new(&vec![weight; width], width, 1).multiply(&quantized, &[0.0], &mut output, 1);
            assert!(
                (output[0] - weight * (width - 1) as f32).abs() < 1e-2,
                "{}",
                output[0]
            );
        }
    }

    #[test]
    fn rows_and_columns_of_zeros_are_zeros() {
        let mut quantized = QuantizedRows::default();
        quantized.quantize(&[0.0; 8], 4, 4);
        let mut output = [f32::NAN; 4];
        Int8Matrix::new(&[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 4, 2).multiply(
            &quantized,
            &[0.5, 0.25],
            &mut output,
            2,
        );
        assert_eq!(output, [0.5, 0.25, 0.5, 0.25]);
    }
}
