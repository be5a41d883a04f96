//! Tables but parquet with whatever columns they have, for inspection: numbers are taken for numbers where a whole
//! column is.

use polars::prelude::{
    BooleanChunked, Column, DataFrame, Float64Chunked, Int64Chunked, IntoColumn, NamedFrom, NewChunkedArray,
    StringChunked,
};
use serde_json::Value;

use crate::bad_row::SHOWN_ROWS;
use crate::delimited::Records;
use crate::field::flatten;
use crate::jsonl::{Columns, Layout, for_each_object};
use crate::sheet::{self, SheetTable};
use crate::source::Source;
use crate::text::TextFile;
use crate::workbook::{SheetRow, letters};
use crate::{BadRow, DatasetError, Place};

/// Reads a table of any format but parquet.
pub(super) fn read(source: &Source<'_>, name: &str) -> Result<DataFrame, DatasetError> {
    let columns = match source {
        Source::Objects(file, layout) => read_objects(file, *layout)?,
        Source::Delimited(file, delimiter, header_row) => read_records(file, *delimiter, *header_row)?,
        Source::Sheet(table) => read_sheet(table)?,
        Source::Parquet(..) => Vec::new(),
    };
    let failed = |error: polars::error::PolarsError| {
        let hint = Some("two columns may have the same name".to_owned());
        DatasetError::Query {
            message: format!("`{name}`: {error}"),
            hint,
        }
    };
    DataFrame::new_infer_height(columns).map_err(failed)
}

fn read_records(file: &TextFile<'_>, delimiter: u8, header_row: u64) -> Result<Vec<Column>, DatasetError> {
    let mut records = Records::open(file, delimiter, header_row)?;
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); records.header.len()];
    let mut bad = Bad::default();
    let mut row = 0;
    while let Some(line) = records.next()? {
        if let Err(problem) = records.complete() {
            let place = Place::in_text(row, line);
            bad.add(BadRow { place, problem });
        }
        row += 1;
        for (at, column) in columns.iter_mut().enumerate() {
            column.push(
                records
                    .field(at)
                    .filter(|field| !field.is_empty())
                    .map(str::to_owned),
            );
        }
    }
    bad.check(file.name)?;
    Ok(records
        .header
        .iter()
        .zip(columns)
        .map(|(title, values)| from_text(title, values))
        .collect())
}

/// A column without a name goes by its letter; one without a name and without cells is none.
fn read_sheet(table: &SheetTable<'_>) -> Result<Vec<Column>, DatasetError> {
    let (mut titles, rows) = sheet::read_all(table)?;
    let width = rows
        .iter()
        .flat_map(|row| &row.cells)
        .map(|(at, _)| *at as usize + 1)
        .max();
    titles.resize(titles.len().max(width.unwrap_or_default()), String::new());
    let mut columns = Vec::new();
    for (at, title) in titles.into_iter().enumerate() {
        let cell = |row: &SheetRow| row.cell(at as u32).map(|cell| cell.as_str().to_owned());
        let values: Vec<Option<String>> = rows.iter().map(cell).collect();
        if title.is_empty() && values.iter().all(Option::is_none) {
            continue;
        }
        let title = if title.is_empty() {
            letters(at as u32)
        } else {
            title
        };
        columns.push(from_text(&title, values));
    }
    Ok(columns)
}

/// Fields of objects in an object are columns by their paths.
fn read_objects(file: &TextFile<'_>, layout: Layout) -> Result<Vec<Column>, DatasetError> {
    let mut titles = Columns::default();
    let mut objects = Vec::new();
    let mut bad = Bad::default();
    for_each_object(file, layout, &mut |place, object| match object {
        Ok(object) => {
            let object = flatten(object);
            titles.note(&object);
            objects.push(object);
        }
        Err(problem) => bad.add(BadRow { place, problem }),
    })?;
    bad.check(file.name)?;
    if objects.is_empty() {
        return Err(DatasetError::Empty {
            name: file.name.to_owned(),
        });
    }
    let column = |title: &String| {
        let values: Vec<Option<Value>> = objects.iter_mut().map(|object| object.remove(title)).collect();
        from_json(title, values)
    };
    Ok(titles.names.iter().map(column).collect())
}

#[derive(Default)]
struct Bad {
    rows: Vec<BadRow>,
    count: u64,
}

impl Bad {
    fn add(&mut self, row: BadRow) {
        self.count += 1;
        if self.rows.len() < SHOWN_ROWS {
            self.rows.push(row);
        }
    }

    fn check(self, name: &str) -> Result<(), DatasetError> {
        match self.count {
            0 => Ok(()),
            count => Err(DatasetError::BadRows {
                name: name.to_owned(),
                rows: self.rows,
                count,
            }),
        }
    }
}

fn from_text(title: &str, values: Vec<Option<String>>) -> Column {
    // `007` is a name, not a number.
    let plain = |text: &str| !matches!(text.strip_prefix('-').unwrap_or(text).as_bytes(), [b'0', next, ..] if next.is_ascii_digit());
    if let Some(numbers) = all(&values, |text: &str| {
        text.parse::<i64>().ok().filter(|_| plain(text))
    }) {
        return Int64Chunked::new(title.into(), numbers).into_column();
    }
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
    };
    if let Some(numbers) = all(&values, |text: &str| {
        text.parse::<f64>().ok().filter(|_| plain(text) && digits(text))
    }) {
        return Float64Chunked::new(title.into(), numbers).into_column();
    }
    StringChunked::from_iter_options(title.into(), values.into_iter()).into_column()
}

fn from_json(title: &str, values: Vec<Option<Value>>) -> Column {
    let values: Vec<Option<Value>> = values
        .into_iter()
        .map(|value| value.filter(|value| !value.is_null()))
        .collect();
    if let Some(numbers) = all(&values, Value::as_i64) {
        return Int64Chunked::new(title.into(), numbers).into_column();
    }
    if let Some(numbers) = all(&values, Value::as_f64) {
        return Float64Chunked::new(title.into(), numbers).into_column();
    }
    if let Some(truths) = all(&values, Value::as_bool) {
        return BooleanChunked::new(title.into(), truths).into_column();
    }
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    StringChunked::from_iter_options(title.into(), values.into_iter().map(|value| value.map(text)))
        .into_column()
}

/// Every value converted, if all can be and there is one.
fn all<T, U: ?Sized, N>(values: &[Option<T>], convert: impl Fn(&U) -> Option<N>) -> Option<Vec<Option<N>>>
where
    T: std::borrow::Borrow<U>,
{
    if values.iter().all(Option::is_none) {
        return None;
    }
    values
        .iter()
        .map(|value| match value {
            None => Some(None),
            Some(value) => convert(value.borrow()).map(Some),
        })
        .collect()
}
