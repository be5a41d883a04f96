//! The sums of a tile with AVX-512 VNNI: one instruction multiplies 64 pairs of bytes and adds them to 16 sums.

use std::arch::x86_64::{
    __m512i, _mm512_dpbusd_epi32, _mm512_load_si512, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_storeu_si512,
};

use super::{COLUMNS, Kernel, ROWS, RowStep, Step, Sums};

/// Vectors of a row of the tile.
const VECTORS: usize = COLUMNS / 16;

/// The kernel, if this processor has the instructions.
pub(crate) fn kernel() -> Option<Kernel> {
    (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")).then_some(sums as Kernel)
}

fn sums(rows: &[RowStep], weights: &[Step], sums: &mut Sums) {
    // SAFETY: only `kernel` hands this function out, and it has asked the processor.
    unsafe { sums_vnni(rows, weights, sums) }
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn sums_vnni(rows: &[RowStep], weights: &[Step], sums: &mut Sums) {
    // 28 sums, 2 vectors of weights and one of activations: 31 of the 32 registers.
    let mut totals = [[_mm512_setzero_si512(); VECTORS]; ROWS];
    for (rows, weights) in rows.iter().zip(weights) {
        let mut columns = [_mm512_setzero_si512(); VECTORS];
        for (vector, column) in columns.iter_mut().enumerate() {
            // SAFETY: a step is 128 bytes, aligned to 64.
            *column = unsafe { _mm512_load_si512(std::ptr::from_ref(weights).cast::<__m512i>().add(vector)) };
        }
        for (row, totals) in rows.iter().zip(&mut totals) {
            let row = _mm512_set1_epi32(i32::from_ne_bytes(*row));
            for (total, column) in totals.iter_mut().zip(columns) {
                *total = _mm512_dpbusd_epi32(*total, row, column);
            }
        }
    }
    for (totals, sums) in totals.iter().zip(sums) {
        for (total, sums) in totals.iter().zip(sums.as_chunks_mut::<16>().0) {
            // SAFETY: `sums` is 16 integers.
            unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), *total) };
        }
    }
}
