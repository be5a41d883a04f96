//! Matrices that several threads write at once, each its own part.

use std::marker::PhantomData;

/// A rectangle of a matrix in row-major order, borrowed for writing. Cutting it gives rectangles that do not overlap.
#[derive(Debug)]
pub(crate) struct Tile<'a> {
    first: *mut f32,
    rows: usize,
    columns: usize,
    /// Elements from one row to the next.
    stride: usize,
    matrix: PhantomData<&'a mut [f32]>,
}

// SAFETY: a tile is the only way to its elements, as a `&mut [f32]` is.
unsafe impl Send for Tile<'_> {}

impl<'a> Tile<'a> {
    /// All of `values`, whose rows are `columns` long.
    pub(crate) fn new(values: &'a mut [f32], columns: usize) -> Self {
        assert!(columns > 0 && values.len().is_multiple_of(columns));
        Self {
            first: values.as_mut_ptr(),
            rows: values.len() / columns,
            columns,
            stride: columns,
            matrix: PhantomData,
        }
    }

    /// The first `columns` columns of `values`, whose rows are `stride` apart.
    pub(crate) fn padded(values: &'a mut [f32], columns: usize, stride: usize) -> Self {
        assert!(columns <= stride);
        Self {
            columns,
            ..Self::new(values, stride)
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.first
    }

    /// Row `index`.
    #[inline(always)]
    pub(crate) fn row(&mut self, index: usize) -> &mut [f32] {
        assert!(index < self.rows);
        // SAFETY: the row is within the matrix that `new` borrowed, and no other tile has elements of it.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(index * self.stride), self.columns) }
    }

    /// The first `columns` columns, and the others.
    pub(crate) fn split_columns(self, columns: usize) -> (Self, Self) {
        assert!(columns <= self.columns);
        let right = Self {
            // SAFETY: at most one past the end of the first row, all of which are in the matrix.
            first: unsafe { self.first.add(columns) },
            columns: self.columns - columns,
            ..self
        };
        (Self { columns, ..self }, right)
    }

    /// The first `rows` rows, and the others.
    pub(crate) fn split_rows(self, rows: usize) -> (Self, Self) {
        assert!(rows <= self.rows);
        let below = Self {
            first: self.first.wrapping_add(rows * self.stride),
            rows: self.rows - rows,
            ..self
        };
        (Self { rows, ..self }, below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_overlap_and_leave_nothing_out() {
        let mut values = vec![0.0; 5 * 7];
        let (top, bottom) = Tile::new(&mut values, 7).split_rows(2);
        let (top_left, top_right) = top.split_columns(3);
        let (bottom_left, bottom_right) = bottom.split_columns(6);
        for (number, mut tile) in [top_left, top_right, bottom_left, bottom_right]
            .into_iter()
            .enumerate()
        {
            for row in 0..tile.rows() {
                for value in tile.row(row) {
                    *value += (number + 1) as f32;
                }
            }
        }
        let expected = [[1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]; 2].into_iter();
        let expected = expected.chain([[3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 4.0]; 3]);
        assert_eq!(values, expected.flatten().collect::<Vec<f32>>());
    }
}
