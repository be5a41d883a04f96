//! Matrix products in f32.

use gemm::Parallelism;

/// A matrix in row-major order whose rows may lie further apart than they are long.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    /// From the first element to the last.
    pub(crate) values: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Elements from one row to the next.
    pub(crate) stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows that touch.
    pub(crate) fn dense(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            stride: columns,
        }
    }

    fn is_within(&self) -> bool {
        self.rows == 0
            || self.columns <= self.stride
                && (self.rows - 1) * self.stride + self.columns <= self.values.len()
    }
}

/// `output = output + left · right`, `output` dense.
pub(crate) fn multiply_add(left: Matrix<'_>, right: Matrix<'_>, output: &mut [f32]) {
    let (rows, columns, inner) = (left.rows, right.columns, left.columns);
    assert!(inner == right.rows && left.is_within() && right.is_within() && rows * columns == output.len());
    // SAFETY: the assertion keeps every element that the product touches within the three slices, of which `output` is
    // borrowed for writing alone.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            output.as_mut_ptr(),
            1,
            columns as isize,
            true,
            left.values.as_ptr(),
            1,
            left.stride as isize,
            right.values.as_ptr(),
            1,
            right.stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_added_to_what_is_there() {
        let left = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let right = [1.0, 0.5, -1.0, 2.0];
        let mut output = [10.0, 20.0, 30.0, 40.0];
        let left = Matrix {
            values: &left,
            rows: 2,
            columns: 2,
            stride: 3,
        };
        multiply_add(left, Matrix::dense(&right, 2, 2), &mut output);
        assert_eq!(output, [9.0, 24.5, 29.0, 49.5]);
    }
}
