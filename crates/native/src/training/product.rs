//! Matrix products of linear layers, with what is done to their results while these are in the cache.

use std::ops::Range;

use gemm::Parallelism;
use rayon::prelude::*;

use super::activation::activate;
use super::tile::Tile;
use crate::Activation;

/// A matrix to read: element (i, j) is `i * row_stride + j * column_stride` behind the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// Rows of `columns` elements that touch.
    pub(crate) fn new(values: &'a [f32], columns: usize) -> Self {
        Self::strided(values, values.len() / columns, columns, columns)
    }

    /// Rows whose first elements are `stride` apart.
    pub(crate) fn strided(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(rows == 0 || columns == 0 || (rows - 1) * stride + columns <= values.len());
        Self {
            values,
            rows,
            columns,
            row_stride: stride,
            column_stride: 1,
        }
    }

    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(crate) fn width(self) -> usize {
        self.columns
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Some of its rows.
    fn rows_of(self, range: Range<usize>) -> Self {
        self.transposed().columns(range).transposed()
    }

    /// Some of its columns.
    pub(crate) fn columns(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.columns);
        let skipped = (range.start * self.column_stride).min(self.values.len());
        Self {
            values: &self.values[skipped..],
            columns: range.len(),
            ..self
        }
    }
}

/// `output = left · right`, or `output = output + left · right`.
pub(crate) fn multiply(left: View<'_>, right: View<'_>, output: &mut Tile<'_>, add: bool) {
    let (rows, columns, inner) = (left.rows, right.columns, left.columns);
    assert!(inner == right.rows && rows == output.rows() && columns == output.columns());
    // SAFETY: views and tiles have their elements within what they borrow, the assertion makes the shapes fit, and
    // the tile is borrowed for writing alone.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            output.as_mut_ptr(),
            1,
            output.stride() as isize,
            add,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// What follows a product.
#[derive(Debug)]
pub(crate) enum Then<'a> {
    Nothing,
    /// The vector is added to every row.
    Bias(&'a [f32]),
    /// As `Bias`; then the activation, whose slopes are kept.
    Activate {
        bias: &'a [f32],
        activation: Activation,
        slopes: Tile<'a>,
    },
    /// Every element is multiplied with its slope.
    Slope(View<'a>),
    /// The sums of the right matrix' columns: a bias' gradient.
    ColumnSums {
        sums: &'a mut [f32],
        add: bool,
    },
}

/// A product to be computed.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    pub(crate) left: View<'a>,
    pub(crate) right: View<'a>,
    pub(crate) output: Tile<'a>,
    /// To what is there; otherwise that is replaced.
    pub(crate) add: bool,
    pub(crate) then: Then<'a>,
}

/// A product is cut into so many pieces at least, so that threads have something to share,
const PIECES: usize = 4;
/// and into pieces of at most so many columns; of a weight's gradient, rows.
const LARGEST: usize = 192;
/// Columns that the kernel of `gemm` takes at a time. Pieces have a multiple of them.
const KERNEL: usize = 64;
/// A piece of fewer multiplications is not worth a task of its own.
const WORK: usize = 1 << 20;

/// How much of a dimension, whose elements take `work` multiplications each, a piece has.
fn piece(length: usize, work: usize) -> usize {
    let usual = (length / PIECES).min(LARGEST);
    usual.max(WORK / work.max(1)).next_multiple_of(KERNEL)
}

/// Computes `products`, in pieces on all threads. The pieces depend on the shapes alone, and with them the bits.
pub(crate) fn compute<'a>(products: impl IntoIterator<Item = Product<'a>>) {
    let mut pieces = Vec::with_capacity(64);
    for product in products {
        product.cut(&mut pieces);
    }
    pieces.into_par_iter().with_max_len(1).for_each(Product::run);
}

impl<'a> Product<'a> {
    fn cut(self, pieces: &mut Vec<Self>) {
        let (rows, columns) = (self.output.rows(), self.output.columns());
        let work = self.left.columns;
        let mut rest = self;
        if matches!(rest.then, Then::ColumnSums { .. }) {
            // `gemm` copies the left side of such a product slowly, and once for each piece of columns.
            let height = piece(rows, work * columns);
            while rest.output.rows() >= 2 * height {
                let (piece, others) = rest.split_rows(height);
                pieces.push(piece);
                rest = others;
            }
        } else {
            let width = piece(columns, work * rows);
            while rest.output.columns() >= 2 * width {
                let (piece, others) = rest.split_columns(width);
                pieces.push(piece);
                rest = others;
            }
        }
        pieces.push(rest);
    }

    /// What follows the product is done by the upper piece, which is right where it does not follow from the product.
    fn split_rows(self, at: usize) -> (Self, Self) {
        let rows = self.output.rows();
        let (output, other_output) = self.output.split_rows(at);
        let others = Self {
            left: self.left.rows_of(at..rows),
            output: other_output,
            then: Then::Nothing,
            ..self
        };
        let piece = Self {
            left: self.left.rows_of(0..at),
            output,
            ..self
        };
        (piece, others)
    }

    fn split_columns(self, at: usize) -> (Self, Self) {
        let columns = self.output.columns();
        let (output, other_output) = self.output.split_columns(at);
        let (then, other_then) = match self.then {
            Then::Nothing => (Then::Nothing, Then::Nothing),
            Then::Bias(bias) => (Then::Bias(&bias[..at]), Then::Bias(&bias[at..])),
            Then::Activate {
                bias,
                activation,
                slopes,
            } => {
                let (slopes, other_slopes) = slopes.split_columns(at);
                let activate = |bias, slopes| Then::Activate {
                    bias,
                    activation,
                    slopes,
                };
                (activate(&bias[..at], slopes), activate(&bias[at..], other_slopes))
            }
            Then::Slope(slopes) => (
                Then::Slope(slopes.columns(0..at)),
                Then::Slope(slopes.columns(at..columns)),
            ),
            Then::ColumnSums { sums, add } => {
                let (sums, other_sums) = sums.split_at_mut(at);
                let column_sums = |sums| Then::ColumnSums { sums, add };
                (column_sums(sums), column_sums(other_sums))
            }
        };
        let piece = Self {
            right: self.right.columns(0..at),
            output,
            then,
            ..self
        };
        let others = Self {
            right: self.right.columns(at..columns),
            output: other_output,
            then: other_then,
            ..self
        };
        (piece, others)
    }

    fn run(mut self) {
        multiply(self.left, self.right, &mut self.output, self.add);
        let (right, mut output) = (self.right, self.output);
        vectorized!(match self.then {
            Then::Nothing => {}
            Then::Bias(bias) => {
                for row in 0..output.rows() {
                    add(output.row(row), bias);
                }
            }
            Then::Activate {
                bias,
                activation,
                mut slopes,
            } => {
                for row in 0..output.rows() {
                    let values = output.row(row);
                    add(values, bias);
                    activate(activation, values, slopes.row(row));
                }
            }
            Then::Slope(slopes) => {
                for row in 0..output.rows() {
                    for (value, slope) in output.row(row).iter_mut().zip(slopes.row(row)) {
                        *value *= slope;
                    }
                }
            }
            Then::ColumnSums { sums, add: keep } => {
                if !keep {
                    sums.fill(0.0);
                }
                for row in 0..right.rows {
                    add(sums, right.row(row));
                }
            }
        });
    }
}

impl<'a> View<'a> {
    /// Row `index`, whose elements touch.
    #[inline(always)]
    fn row(self, index: usize) -> &'a [f32] {
        debug_assert_eq!(self.column_stride, 1);
        &self.values[index * self.row_stride..][..self.columns]
    }
}

#[inline(always)]
fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
