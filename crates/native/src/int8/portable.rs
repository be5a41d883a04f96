//! The sums of a tile on any processor.

use super::{COLUMNS, DEPTH, ROWS, RowStep, Step, Sums};

pub(crate) fn sums(rows: &[RowStep], weights: &[Step], sums: &mut Sums) {
    vectorized!({
        *sums = [[0; COLUMNS]; ROWS];
        for (rows, weights) in rows.iter().zip(weights) {
            for (row, sums) in rows.iter().zip(sums.iter_mut()) {
                for (weights, sum) in weights.0.iter().zip(sums) {
                    let mut step = 0;
                    for at in 0..DEPTH {
                        step += i32::from(row[at]) * i32::from(weights[at]);
                    }
                    *sum += step;
                }
            }
        }
    });
}
