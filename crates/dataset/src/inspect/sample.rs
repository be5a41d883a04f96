//! A uniform sample: which rows is drawn first, then those are read and no others.

use std::fs::File;
use std::path::Path;

use polars::prelude::{DataFrame, IdxCa, IdxSize, ParquetReader, PolarsError, SerReader};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Inspector, compute, convert, exact};
use crate::{DatasetError, Table, parquet};

/// A column that no table has.
const ROW: &str = "\u{1}row";

impl Inspector {
    /// `count` rows, every set of so many being as likely as any other, in the table's order; all if there are fewer.
    /// The same seed draws the same rows. Of a parquet file only the row groups that hold them are read, one at a time.
    pub fn sample(&self, count: usize, seed: u64) -> Result<Table, DatasetError> {
        let candidates = match self.condition {
            None => None,
            Some(_) => Some(self.matching()?),
        };
        let total = match &candidates {
            Some(rows) => rows.len(),
            None => self.rows()? as usize,
        };
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = rand::seq::index::sample(&mut generator, total, count.min(total)).into_vec();
        drawn.sort_unstable();
        let rows: Vec<usize> = match candidates {
            Some(candidates) => drawn.into_iter().map(|at| candidates[at] as usize).collect(),
            None => drawn,
        };
        match &self.file {
            Some((path, name)) => read_rows(path, name, &rows),
            None => {
                let frame = self.computed(self.table.clone())?;
                take(&frame, &rows, 0).map_err(|error| self.failed(error))
            }
        }
    }

    /// Numbers of the rows for which the condition holds.
    fn matching(&self) -> Result<Vec<IdxSize>, DatasetError> {
        let failed = |error: PolarsError| self.failed(error);
        let mut frame = self.table.clone().with_row_index(ROW, None);
        if let Some(condition) = &self.condition {
            frame = frame.filter(condition.clone());
        }
        let rows = compute(frame.select([exact(ROW)])).map_err(failed)?;
        let rows = rows.column(ROW).and_then(|column| column.idx()).map_err(failed)?;
        Ok(rows.iter().flatten().collect())
    }
}

/// Rows of a parquet file by their ascending numbers.
fn read_rows(path: &Path, name: &str, rows: &[usize]) -> Result<Table, DatasetError> {
    let failed = |error: PolarsError| DatasetError::parquet(name, &error);
    let mut opened = parquet::open(path, name)?;
    let metadata = opened.get_metadata().map_err(failed)?.clone();
    let read = |start: usize, length: usize| {
        let file = File::open(path).map_err(|error| DatasetError::io(name, error))?;
        let mut reader = ParquetReader::new(file);
        reader.set_metadata(metadata.clone());
        reader.with_slice(Some((start, length))).finish().map_err(failed)
    };
    let mut sample = convert::table(&read(0, 0)?);
    let (mut start, mut rest) = (0, rows);
    for group in &metadata.row_groups {
        let end = start + group.num_rows();
        let (inside, after) = rest.split_at(rest.partition_point(|row| *row < end));
        if let (Some(first), Some(last)) = (inside.first(), inside.last()) {
            let part = read(*first, last - first + 1)?;
            // As plain rows: a frame of them would hold on to all texts that were read.
            sample
                .rows
                .extend(take(&part, inside, *first).map_err(failed)?.rows);
        }
        (start, rest) = (end, after);
    }
    Ok(sample)
}

/// The rows of these numbers from a frame that begins at row `start`.
fn take(frame: &DataFrame, rows: &[usize], start: usize) -> Result<Table, PolarsError> {
    let places: Vec<IdxSize> = rows.iter().map(|row| (row - start) as IdxSize).collect();
    Ok(convert::table(&frame.take(&IdxCa::from_vec("".into(), places))?))
}
