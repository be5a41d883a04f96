//! Parquet files as rows: strings, categories and, for ids and labels, whole numbers.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader, StringChunked};

use crate::row::{ITEM, Row, Visit, Wanted};
use crate::write::NORMALIZE;
use crate::{DatasetError, Normalize, Place};

/// Visits every row.
pub(crate) fn read(
    path: &Path,
    name: &str,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<(), DatasetError> {
    let mut reader = open(path, name)?;
    let schema = reader
        .schema()
        .map_err(|error| DatasetError::parquet(name, &error))?;
    let header: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    let positions = wanted.find(name, &header)?;
    let title = |at: usize| header[at].clone();
    let (text, label) = (title(positions.text), positions.label.map(title));
    let indicators: Vec<String> = positions.indicators.iter().copied().map(title).collect();
    let (id, source) = (positions.id.map(title), positions.source.map(title));
    let mut columns: Vec<String> = [Some(&text), label.as_ref(), id.as_ref(), source.as_ref()]
        .into_iter()
        .flatten()
        .chain(&indicators)
        .cloned()
        .collect();
    columns.sort();
    columns.dedup();
    let metadata = reader
        .get_metadata()
        .map_err(|error| DatasetError::parquet(name, &error))?
        .clone();
    for slice in slices(metadata.row_groups.iter().map(|group| group.num_rows())) {
        let mut reader = open(path, name)?;
        reader.set_metadata(metadata.clone());
        let frame = reader
            .with_columns(Some(columns.clone()))
            .with_slice(Some((slice.start, slice.len())))
            .finish()
            .map_err(|error| DatasetError::parquet(name, &error))?;
        let strings =
            |column: Option<&String>, numbers| column.map(|c| strings(&frame, name, c, numbers)).transpose();
        let texts = strings(Some(&text), false)?;
        let label_cells = match &label {
            Some(column) if wanted.several.is_some() => Some(labels(&frame, name, column)?),
            column => strings(column.as_ref(), true)?,
        };
        let indicators = indicators
            .iter()
            .map(|column| truths(&frame, name, column))
            .collect::<Result<Vec<_>, _>>()?;
        let (ids, sources) = (strings(id.as_ref(), true)?, strings(source.as_ref(), true)?);
        for row in 0..frame.height() {
            let place = Place {
                row: (slice.start + row) as u64,
                line: None,
            };
            visit(
                place,
                Ok(Row {
                    id: ids.as_ref().map(|ids| ids.get(row).unwrap_or_default()),
                    text: texts.as_ref().and_then(|texts| texts.get(row)),
                    label: label_cells.as_ref().and_then(|labels| labels.get(row)),
                    indicators: indicators
                        .iter()
                        .map(|cells| cells.get(row).unwrap_or_default())
                        .collect(),
                    source: sources.as_ref().and_then(|sources| sources.get(row)),
                }),
            );
        }
    }
    Ok(())
}

/// Rows that are in memory at a time, at most.
const SLICE: usize = 16_384;

/// The rows of a file in pieces, none of which reaches into two row groups: each is then decoded once. An empty file
/// is one empty piece.
pub(crate) fn slices(groups: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let (mut slices, mut start) = (Vec::new(), 0);
    for rows in groups {
        let end = start + rows;
        slices.extend((start..end).step_by(SLICE).map(|at| at..end.min(at + SLICE)));
        start = end;
    }
    if slices.is_empty() {
        slices.push(0..0);
    }
    slices
}

/// How the texts of a file were normalised, if it says so.
pub(crate) fn stated_normalize(path: &Path, name: &str) -> Result<Option<Normalize>, DatasetError> {
    let mut reader = open(path, name)?;
    let metadata = reader
        .get_metadata()
        .map_err(|error| DatasetError::parquet(name, &error))?;
    let pairs = metadata.key_value_metadata().iter().flatten();
    Ok(pairs
        .filter(|pair| pair.key == NORMALIZE)
        .find_map(|pair| Normalize::parse(pair.value.as_deref()?)))
}

/// A column of labels: lists come as their items, each behind an [`ITEM`].
fn labels(frame: &DataFrame, name: &str, column: &str) -> Result<StringChunked, DatasetError> {
    let values = frame
        .column(column)
        .map_err(|error| DatasetError::parquet(name, &error))?;
    if !matches!(values.dtype(), DataType::List(_)) {
        return strings(frame, name, column, true);
    }
    let lists = string_lists(frame, name, column)?;
    let joined = lists.iter().map(|items| {
        let items = items.iter().flat_map(|item| [ITEM.to_string(), item.clone()]);
        Some(items.collect::<String>())
    });
    Ok(joined.collect())
}

/// A column of lists of strings; null is an empty list.
pub(crate) fn string_lists(
    frame: &DataFrame,
    name: &str,
    column: &str,
) -> Result<Vec<Vec<String>>, DatasetError> {
    let failed = |error| DatasetError::parquet(name, &error);
    let values = frame.column(column).map_err(failed)?.as_materialized_series();
    let usable = match values.dtype() {
        DataType::List(items) => is_text(items) || items.is_integer(),
        _ => false,
    };
    if !usable {
        return Err(DatasetError::ColumnType {
            name: name.to_owned(),
            column: column.to_owned(),
            found: crate::inspect::type_name(values.dtype()),
            expected: "lists of strings",
        });
    }
    let lists = values
        .rechunk()
        .cast(&DataType::List(Box::new(DataType::String)))
        .map_err(failed)?;
    let mut rows = Vec::with_capacity(lists.len());
    for list in lists.list().map_err(failed)?.series_iter() {
        rows.push(match list {
            None => Vec::new(),
            Some(list) => {
                let items = list.str().map_err(failed)?.iter().flatten();
                items.map(str::to_owned).collect()
            }
        });
    }
    Ok(rows)
}

/// A column of 0 and 1 as it would stand in a text file.
fn truths(frame: &DataFrame, name: &str, column: &str) -> Result<StringChunked, DatasetError> {
    let failed = |error| DatasetError::parquet(name, &error);
    let values = frame.column(column).map_err(failed)?.as_materialized_series();
    if values.dtype().is_bool() || values.dtype().is_float() {
        let values = values.rechunk().cast(&DataType::String).map_err(failed)?;
        return values.str().cloned().map_err(failed);
    }
    strings(frame, name, column, true)
}

fn is_text(dtype: &DataType) -> bool {
    matches!(
        dtype,
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) | DataType::Null
    )
}

/// Opens a file; nothing but its footer is read until columns are asked for.
pub(crate) fn open(path: &Path, name: &str) -> Result<ParquetReader<File>, DatasetError> {
    let file = File::open(path).map_err(|error| DatasetError::io(name, error))?;
    let size = file
        .metadata()
        .map_err(|error| DatasetError::io(name, error))?
        .len();
    if size == 0 {
        return Err(DatasetError::Empty {
            name: name.to_owned(),
        });
    }
    Ok(ParquetReader::new(file))
}

/// A column as strings in one piece; null stays null.
pub(crate) fn strings(
    frame: &DataFrame,
    name: &str,
    column: &str,
    numbers: bool,
) -> Result<StringChunked, DatasetError> {
    let failed = |error| DatasetError::parquet(name, &error);
    let values = frame
        .column(column)
        .map_err(failed)?
        .as_materialized_series()
        .rechunk();
    let usable = is_text(values.dtype()) || (numbers && values.dtype().is_integer());
    if !usable {
        return Err(DatasetError::ColumnType {
            name: name.to_owned(),
            column: column.to_owned(),
            found: crate::inspect::type_name(values.dtype()),
            expected: "strings",
        });
    }
    let values = values.cast(&DataType::String).map_err(failed)?;
    values.str().cloned().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_to_row_groups_and_to_their_size() {
        let pieces = slices([10, SLICE + 1, 0, 5].into_iter());
        let end = 10 + SLICE;
        assert_eq!(pieces, [0..10, 10..end, end..end + 1, end + 1..end + 6]);
    }

    #[test]
    fn a_file_without_rows_is_looked_at_all_the_same() {
        let pieces = slices(std::iter::empty());
        assert_eq!((pieces.len(), pieces.first()), (1, Some(&(0..0))));
    }
}
