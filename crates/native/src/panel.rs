//! Matrix products in f32: tiles of sums that stay in registers, against panels of columns.
//!
//! After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), for weights that lie
//! ready as panels. Rows are read where they are; each sum is added up in the order of the depth, so that a row's
//! outcome depends on nothing but the row.

#[cfg(target_arch = "x86_64")]
use std::any::TypeId;

use pulp::{Simd, WithSimd};

#[cfg(target_arch = "x86_64")]
use crate::avx512;
use crate::vectors::dispatch;

/// Elements of the widest vector, one of AVX-512, and the columns that sums are written by.
pub(crate) const LANES: usize = 16;
/// The widest vectors of a panel.
pub(crate) const VECTORS: usize = 3;
/// Columns of a panel.
pub(crate) const COLUMNS: usize = VECTORS * LANES;
/// The most rows of a tile, where there are 32 registers: 27 sums, 3 vectors of the panel and two elements.
pub(crate) const ROWS: usize = 9;
/// Steps between two lines that are asked for ahead of time.
const AHEAD: usize = 4;

/// One row of a panel. Aligned to a cache line, so that no vector lies across two.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct PanelRow(pub(crate) [f32; COLUMNS]);

impl PanelRow {
    pub(crate) const ZERO: Self = Self([0.0; COLUMNS]);
}

/// Rows whose first elements are `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
}

/// What a sum begins with.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// One value per column.
    Columns(&'a PanelRow),
    /// What is in the output.
    Output,
}

/// A product of rows with a panel, or with some of its depth.
pub(crate) struct Product<'a> {
    /// As many elements of each row as there are rows in `panel`.
    pub(crate) left: Rows<'a>,
    pub(crate) rows: usize,
    pub(crate) panel: &'a [PanelRow],
    /// What the processor may fetch meanwhile.
    pub(crate) next: &'a [PanelRow],
    pub(crate) start: Start<'a>,
    /// From the first element of the first row on.
    pub(crate) output: &'a mut [f32],
    pub(crate) output_stride: usize,
    /// Columns that are written, at most [`COLUMNS`].
    pub(crate) columns: usize,
}

impl Product<'_> {
    pub(crate) fn compute(self) {
        let within = |length: usize, stride: usize, width: usize| {
            width <= stride && (self.rows - 1) * stride + width <= length
        };
        assert!(
            self.rows == 0
                || self.columns <= COLUMNS
                    && within(self.left.values.len(), self.left.stride, self.panel.len())
                    && within(self.output.len(), self.output_stride, self.columns)
        );
        dispatch(self);
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let highest = if S::REGISTER_COUNT < 32 { 6 } else { ROWS };
        let tiles = self.rows.div_ceil(highest);
        // Lines that one tile asks for: so many rows of the next panel.
        let fetched = self.panel.len().div_ceil(VECTORS * AHEAD);
        let vectors = self.columns.div_ceil(LANES);
        let mut whole = [PanelRow::ZERO; ROWS];
        for tile in 0..tiles {
            // Tiles of nearly the same height: a low one would wait for its own sums.
            let first = tile * self.rows / tiles;
            let rows = (tile + 1) * self.rows / tiles - first;
            let left = &self.left.values[first * self.left.stride..];
            let output = &mut self.output[first * self.output_stride..];
            let (sums, stride): (&mut [f32], usize) = if self.columns == vectors * LANES {
                (output, self.output_stride)
            } else {
                for (row, whole) in whole.iter_mut().take(rows).enumerate() {
                    let output = &output[row * self.output_stride..][..self.columns];
                    whole.0[..self.columns].copy_from_slice(output);
                }
                (PanelRow::flat(&mut whole), COLUMNS)
            };
            let next = self.next.get(tile * fetched..).filter(|rest| !rest.is_empty());
            let sums = sums.as_mut_ptr();
            let (start, start_stride) = match self.start {
                Start::Columns(start) => (start.0.as_ptr(), 0),
                Start::Output => (sums.cast_const(), stride),
            };
            let operands = Tile {
                left: left.as_ptr(),
                left_stride: self.left.stride,
                panel: self.panel,
                next: next.unwrap_or(self.panel).as_ptr().cast(),
                start,
                start_stride,
                sums,
                sums_stride: stride,
            };
            // SAFETY: `compute` has checked that all rows lie within the slices; what does not fill its last vector goes
            // through `whole`, which has all columns.
            unsafe { operands.compute_rows(simd, rows, vectors) };
            if self.columns < vectors * LANES {
                let output = &mut self.output[first * self.output_stride..];
                for (row, whole) in whole.iter().take(rows).enumerate() {
                    output[row * self.output_stride..][..self.columns]
                        .copy_from_slice(&whole.0[..self.columns]);
                }
            }
        }
    }
}

impl PanelRow {
    fn flat(rows: &mut [Self]) -> &mut [f32] {
        // SAFETY: a row is floats without a gap.
        unsafe { std::slice::from_raw_parts_mut(rows.as_mut_ptr().cast(), rows.len() * COLUMNS) }
    }
}

/// A tile, so many vectors of [`LANES`] columns wide as its sums are. Strides are from row to row.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// Rows of the panel's depth.
    pub(crate) left: *const f32,
    pub(crate) left_stride: usize,
    pub(crate) panel: &'a [PanelRow],
    /// Cache lines that are asked for meanwhile, one every [`AHEAD`] steps.
    pub(crate) next: *const f32,
    /// What the sums begin with: as many rows, or one for all.
    pub(crate) start: *const f32,
    pub(crate) start_stride: usize,
    pub(crate) sums: *mut f32,
    pub(crate) sums_stride: usize,
}

impl Tile<'_> {
    /// # Safety
    /// `left`, `start` and `sums` have `rows` rows, the latter two of so many vectors.
    #[inline(always)]
    unsafe fn compute_rows<S: Simd>(&self, simd: S, rows: usize, vectors: usize) {
        #[cfg(target_arch = "x86_64")]
        if TypeId::of::<S>() == TypeId::of::<pulp::x86::V4>() {
            // SAFETY: handed on; a value of `S` proves the instructions.
            unsafe { avx512::compute(self, rows, vectors) };
            return;
        }
        // SAFETY: handed on.
        unsafe {
            match rows {
                1 => self.compute::<S, 1>(simd, vectors),
                2 => self.compute::<S, 2>(simd, vectors),
                3 => self.compute::<S, 3>(simd, vectors),
                4 => self.compute::<S, 4>(simd, vectors),
                5 => self.compute::<S, 5>(simd, vectors),
                6 => self.compute::<S, 6>(simd, vectors),
                7 => self.compute::<S, 7>(simd, vectors),
                8 => self.compute::<S, 8>(simd, vectors),
                _ => self.compute::<S, 9>(simd, vectors),
            }
        }
    }

    /// # Safety
    /// As [`Tile::compute_rows`], with `R` rows.
    #[inline(always)]
    unsafe fn compute<S: Simd, const R: usize>(&self, simd: S, vectors: usize) {
        let mut column = 0;
        while column < vectors * LANES {
            // SAFETY: two vectors of at most eight elements are within a widest one.
            unsafe { self.compute_columns::<S, R>(simd, column) };
            column += 2 * S::F32_LANES;
        }
    }

    /// Two vectors of each row.
    ///
    /// # Safety
    /// As [`Tile::compute_rows`], with `R` rows; two vectors from `column` on are within the sums.
    #[inline(always)]
    unsafe fn compute_columns<S: Simd, const R: usize>(&self, simd: S, column: usize) {
        let lanes = S::F32_LANES;
        // SAFETY: both vectors are within the row that begins at `at`.
        let pair = |at: *const f32| unsafe {
            let at = at.add(column).cast::<S::f32s>();
            [at.read_unaligned(), at.add(1).read_unaligned()]
        };
        let mut sums = [[simd.splat_f32s(0.0); 2]; R];
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller gives so many rows.
            *sums = pair(unsafe { self.start.add(row * self.start_stride) });
        }
        let mut next = self.next;
        for (step, columns) in self.panel.iter().enumerate() {
            if step % AHEAD == 0 {
                fetch(next);
                next = next.wrapping_add(16);
            }
            let columns = pair(columns.0.as_ptr());
            for (row, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the caller gives so many rows, each as long as the panel is deep.
                let element = unsafe { *self.left.add(row * self.left_stride + step) };
                let element = simd.splat_f32s(element);
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = simd.mul_add_e_f32s(element, column, *sum);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (vector, sum) in sums.iter().enumerate() {
                // SAFETY: the caller gives so many rows of sums.
                unsafe {
                    let at = self.sums.add(row * self.sums_stride + column + vector * lanes);
                    at.cast::<S::f32s>().write_unaligned(*sum);
                }
            }
        }
    }
}

/// Asks for a cache line; it need not be ours.
#[inline(always)]
fn fetch(address: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction reads nothing that the program sees, and never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::noise;

    fn product<'a>(
        left: &'a [f32],
        rows: usize,
        panel: &'a [PanelRow],
        start: Start<'a>,
        output: &'a mut [f32],
        columns: usize,
    ) -> Product<'a> {
        Product {
            left: Rows {
                values: left,
                stride: panel.len() + 1,
            },
            rows,
            panel,
            next: &[],
            start,
            output,
            output_stride: COLUMNS + 1,
            columns,
        }
    }

    fn panel(depth: usize) -> Vec<PanelRow> {
        let values = noise(depth * COLUMNS, 2);
        let rows = values.as_chunks::<COLUMNS>().0;
        rows.iter().map(|row| PanelRow(*row)).collect()
    }

    #[test]
    fn every_kernel_gives_the_sums_of_products_and_writes_nothing_else() {
        let shapes = [
            (1, 1, 1),
            (6, 9, 32),
            (9, 64, 48),
            (15, 67, 31),
            (40, 768, 6),
            (19, 3, 48),
            (8, 66, 33),
        ];
        for (rows, depth, columns) in shapes {
            let (left, panel) = (noise(rows * (depth + 1), 1), panel(depth));
            let start = PanelRow(std::array::from_fn(|column| column as f32));
            let reference = |row: usize, column: usize| {
                let products = panel.iter().zip(&left[row * (depth + 1)..]);
                let products = products.map(|(panel, left)| f64::from(panel.0[column]) * f64::from(*left));
                column as f64 + products.sum::<f64>()
            };
            let kernels: &[&dyn Fn(Product<'_>)] = &[
                &|product: Product<'_>| product.compute(),
                &|product: Product<'_>| product.with_simd(pulp::Scalar::new()),
                #[cfg(target_arch = "x86_64")]
                &|product: Product<'_>| {
                    if let Some(simd) = pulp::x86::V3::try_new() {
                        pulp::Simd::vectorize(simd, product);
                    } else {
                        product.compute();
                    }
                },
            ];
            for compute in kernels {
                let mut output = vec![f32::NAN; rows * (COLUMNS + 1)];
                compute(product(
                    &left,
                    rows,
                    &panel,
                    Start::Columns(&start),
                    &mut output,
                    columns,
                ));
                for (row, output) in output.chunks_exact(COLUMNS + 1).enumerate() {
                    for (column, value) in output.iter().enumerate() {
                        if column < columns {
                            let expected = reference(row, column);
                            assert!(
                                (f64::from(*value) - expected).abs() < 1e-4,
                                "{value}, not {expected}"
                            );
                        } else {
                            assert!(value.is_nan(), "row {row}, column {column}");
                        }
                    }
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn avx512_and_avx2_give_the_same_bits_for_every_height_and_width() {
        let Some(avx2) = pulp::x86::V3::try_new() else {
            return;
        };
        for depth in [3, 4, 71] {
            let (left, panel) = (noise(ROWS * (depth + 1), 1), panel(depth));
            let start = PanelRow(std::array::from_fn(|column| column as f32));
            for (rows, columns) in
                (1..=ROWS).flat_map(|rows| (1..=COLUMNS).map(move |columns| (rows, columns)))
            {
                let mut widest = vec![0.0; rows * (COLUMNS + 1)];
                let mut narrower = widest.clone();
                let start = Start::Columns(&start);
                product(&left, rows, &panel, start, &mut widest, columns).compute();
                pulp::Simd::vectorize(avx2, product(&left, rows, &panel, start, &mut narrower, columns));
                assert_eq!(widest, narrower, "{rows} x {columns} x {depth}");
            }
        }
    }

    #[test]
    fn depth_in_two_parts_gives_the_same_bits() {
        let (rows, depth, columns) = (17, 100, 20);
        let (left, panel) = (noise(rows * (depth + 1), 1), panel(depth));
        let start = PanelRow::ZERO;
        let mut whole = vec![0.0; rows * (COLUMNS + 1)];
        let mut parts = whole.clone();
        product(&left, rows, &panel, Start::Columns(&start), &mut whole, columns).compute();
        for (from, start) in [(0, Start::Columns(&start)), (37, Start::Output)] {
            let to = if from == 0 { 37 } else { depth };
            Product {
                left: Rows {
                    values: &left[from..],
                    stride: depth + 1,
                },
                panel: &panel[from..to],
                ..product(&left, rows, &panel, start, &mut parts, columns)
            }
            .compute();
        }
        assert_eq!(whole, parts);
    }

    #[test]
    fn a_row_gives_the_same_bits_among_any_others() {
        let depth = 70;
        let (left, panel) = (noise(33 * (depth + 1), 1), panel(depth));
        let start = PanelRow::ZERO;
        let mut together = vec![0.0; 33 * (COLUMNS + 1)];
        product(&left, 33, &panel, Start::Columns(&start), &mut together, COLUMNS).compute();
        for (row, expected) in together.chunks_exact(COLUMNS + 1).enumerate() {
            let mut alone = vec![0.0; COLUMNS + 1];
            let left = &left[row * (depth + 1)..];
            product(left, 1, &panel, Start::Columns(&start), &mut alone, COLUMNS).compute();
            assert_eq!(alone, expected);
        }
    }
}
