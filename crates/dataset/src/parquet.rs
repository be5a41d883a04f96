//! Parquet files as rows: strings, categories and, for ids and labels, whole numbers.

use std::fs::File;
use std::path::Path;

use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader, StringChunked};

use crate::row::{Row, Visit, Wanted};
use crate::{DatasetError, Place};

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
    let (id, source) = (positions.id.map(title), positions.source.map(title));
    let mut columns: Vec<String> = [Some(&text), label.as_ref(), id.as_ref(), source.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    columns.sort();
    columns.dedup();
    let frame = reader
        .with_columns(Some(columns))
        .finish()
        .map_err(|error| DatasetError::parquet(name, &error))?;
    let strings =
        |column: Option<&String>, numbers| column.map(|c| strings(&frame, name, c, numbers)).transpose();
    let (texts, labels) = (strings(Some(&text), false)?, strings(label.as_ref(), true)?);
    let (ids, sources) = (strings(id.as_ref(), true)?, strings(source.as_ref(), true)?);
    for row in 0..frame.height() {
        let place = Place {
            row: row as u64,
            line: None,
        };
        visit(
            place,
            Ok(Row {
                id: ids.as_ref().map(|ids| ids.get(row).unwrap_or_default()),
                text: texts.as_ref().and_then(|texts| texts.get(row)),
                label: labels.as_ref().and_then(|labels| labels.get(row)),
                source: sources.as_ref().and_then(|sources| sources.get(row)),
            }),
        );
    }
    Ok(())
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

/// Reads some columns of an artifact.
pub(crate) fn read_columns(path: &Path, name: &str, columns: &[&str]) -> Result<DataFrame, DatasetError> {
    let mut reader = open(path, name)?;
    let schema = reader
        .schema()
        .map_err(|error| DatasetError::parquet(name, &error))?;
    for column in columns {
        if schema.get(column).is_none() {
            let header = schema.iter_names().map(ToString::to_string).collect();
            return Err(DatasetError::missing_column(name, column, None, header));
        }
    }
    let columns = columns.iter().map(ToString::to_string).collect();
    reader
        .with_columns(Some(columns))
        .finish()
        .map_err(|error| DatasetError::parquet(name, &error))
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
    let usable = match values.dtype() {
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) | DataType::Null => true,
        other => numbers && other.is_integer(),
    };
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
