//! A parquet table some rows at a time, so that its size does not matter.

use std::path::Path;

use polars::prelude::{DataFrame, Float32Chunked, SerReader};

use crate::{DatasetError, parquet};

/// A parquet table on disk.
pub(crate) struct ParquetTable<'a> {
    pub(crate) path: &'a Path,
    /// In messages.
    pub(crate) name: &'a str,
    columns: Vec<String>,
}

impl<'a> ParquetTable<'a> {
    /// Opens a table, which must have `columns`; reads no rows.
    pub(crate) fn open(path: &'a Path, name: &'a str, columns: &[&str]) -> Result<Self, DatasetError> {
        let failed = |error| DatasetError::parquet(name, &error);
        let mut reader = parquet::open(path, name)?;
        let schema = reader.schema().map_err(failed)?;
        let source = Self {
            path,
            name,
            columns: schema.iter_names().map(ToString::to_string).collect(),
        };
        match columns.iter().find(|column| !source.has(column)) {
            None => Ok(source),
            Some(column) => Err(DatasetError::missing_column(name, column, None, source.columns)),
        }
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known == column)
    }

    /// Visits all rows in order, with the number of the first of each batch.
    pub(crate) fn each(
        &self,
        columns: &[&str],
        visit: &mut dyn FnMut(usize, DataFrame) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        let failed = |error| DatasetError::parquet(self.name, &error);
        let mut first = parquet::open(self.path, self.name)?;
        let metadata = first.get_metadata().map_err(failed)?.clone();
        // A table without rows is visited once, for its columns.
        for slice in parquet::slices(metadata.row_groups.iter().map(|group| group.num_rows())) {
            let mut reader = parquet::open(self.path, self.name)?;
            reader.set_metadata(metadata.clone());
            let frame = reader
                .with_columns(Some(columns.iter().map(ToString::to_string).collect()))
                .with_slice(Some((slice.start, slice.len())))
                .finish()
                .and_then(|frame| frame.select(columns.iter().copied()))
                .map_err(failed)?;
            visit(slice.start, frame)?;
        }
        Ok(())
    }
}

/// A column of 32-bit floats; polars would count a NaN as greater than any threshold.
pub(crate) fn finite(
    frame: &DataFrame,
    name: &str,
    column: &'static str,
    start: usize,
) -> Result<Vec<f32>, DatasetError> {
    let values = frame
        .column(column)
        .map_err(|error| DatasetError::parquet(name, &error))?;
    let values: Float32Chunked = values.f32().cloned().map_err(|_| DatasetError::ColumnType {
        name: name.to_owned(),
        column: column.to_owned(),
        found: crate::inspect::type_name(values.dtype()),
        expected: "f32",
    })?;
    let value = |(row, value): (usize, Option<f32>)| match value {
        Some(value) if value.is_finite() => Ok(value),
        other => Err(DatasetError::NotFinite {
            name: name.to_owned(),
            row: start + row,
            column,
            value: other.map_or("null".to_owned(), |value| value.to_string()),
        }),
    };
    values.iter().enumerate().map(value).collect()
}

/// A column of lists of `length` 32-bit floats each; `rows` are the rows' numbers in the table. None: null.
pub(crate) fn float_lists(
    frame: &DataFrame,
    name: &str,
    column: &'static str,
    length: usize,
    rows: impl Iterator<Item = usize>,
) -> Result<Vec<Option<Vec<f32>>>, DatasetError> {
    let failed = |error| DatasetError::parquet(name, &error);
    let lists = frame
        .column(column)
        .map_err(failed)?
        .as_materialized_series()
        .rechunk();
    let wrong_type = || DatasetError::ColumnType {
        name: name.to_owned(),
        column: column.to_owned(),
        found: crate::inspect::type_name(lists.dtype()),
        expected: "lists of f32",
    };
    let mut all = Vec::with_capacity(lists.len());
    for (list, row) in lists.list().map_err(|_| wrong_type())?.series_iter().zip(rows) {
        let Some(list) = list else {
            all.push(None);
            continue;
        };
        let values: Vec<f32> = if list.is_empty() {
            Vec::new()
        } else {
            let values = list.f32().map_err(|_| wrong_type())?;
            values.iter().map(|value| value.unwrap_or(f32::NAN)).collect()
        };
        if values.len() != length || !values.iter().all(|value| value.is_finite()) {
            return Err(DatasetError::NotFinite {
                name: name.to_owned(),
                row,
                column,
                value: format!("{values:?}, not {length} numbers"),
            });
        }
        all.push(Some(values));
    }
    Ok(all)
}
