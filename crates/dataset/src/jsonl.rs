//! Objects as rows: one JSON object per line, or a list of them.

use std::io::{BufRead, BufReader};

use serde_json::{Map, Value};

use crate::field::{describe, field, flatten};
use crate::json;
use crate::row::{ID, ITEM, Row, SOURCE, Visit, Wanted};
use crate::text::TextFile;
use crate::{DatasetError, Place, RowProblem};

/// How objects stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One per line.
    Lines,
    /// In one list.
    List,
}

/// Visits every object.
pub(crate) fn read(
    file: &TextFile<'_>,
    layout: Layout,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<(), DatasetError> {
    let required = [
        (Some(&wanted.text), "text_column"),
        (wanted.label.as_ref(), "label_column"),
    ];
    let mut found = [false; 2];
    let mut columns = Columns::default();
    let rows = for_each_object(file, layout, &mut |place, object| {
        let object = match object {
            Ok(object) => object,
            Err(problem) => return visit(place, Err(problem)),
        };
        for (found, (column, _)) in found.iter_mut().zip(required) {
            *found |= column.is_some_and(|column| matches!(field(&object, column), Ok(Some(_))));
        }
        found[1] |= indicators(&object, wanted).is_some();
        let mut buffers = Default::default();
        visit(place, row(&object, wanted, &mut buffers));
        if found != [true; 2] && place.row < SEEN_ROWS {
            columns.note(&flatten(object));
        }
    })?;
    if rows == 0 {
        return Err(DatasetError::Empty {
            name: file.name.to_owned(),
        });
    }
    for (found, (column, option)) in found.into_iter().zip(required) {
        if let Some(column) = column
            && !found
            && !columns.names.is_empty()
        {
            if let ("label_column", Some(labels)) = (option, &wanted.several) {
                labels.find(file.name, column, &columns.names)?;
            }
            return Err(DatasetError::missing_column(
                file.name,
                column,
                Some(option),
                columns.names,
            ));
        }
    }
    Ok(())
}

/// In how many rows the names are collected that a message lists.
const SEEN_ROWS: u64 = 1000;

/// Visits everything that should be an object; the number of these.
pub(crate) fn for_each_object(
    file: &TextFile<'_>,
    layout: Layout,
    visit: &mut dyn FnMut(Place, Result<Map<String, Value>, RowProblem>),
) -> Result<u64, DatasetError> {
    match layout {
        Layout::Lines => for_each_line(file, visit),
        Layout::List => json::for_each_object(file, visit),
    }
}

/// Visits every line that is not blank.
fn for_each_line(
    file: &TextFile<'_>,
    visit: &mut dyn FnMut(Place, Result<Map<String, Value>, RowProblem>),
) -> Result<u64, DatasetError> {
    let mut reader = BufReader::with_capacity(1 << 18, file.open()?);
    let mut bytes = Vec::new();
    let (mut line, mut row) = (0, 0);
    while reader
        .read_until(b'\n', &mut bytes)
        .map_err(|error| file.failed(error))?
        > 0
    {
        line += 1;
        let text = std::str::from_utf8(&bytes).map_err(|_| file.not_utf8())?;
        let text = if line == 1 {
            text.trim_start_matches('\u{feff}')
        } else {
            text
        }
        .trim();
        if !text.is_empty() {
            visit(Place::in_text(row, line), object(text));
            row += 1;
        }
        bytes.clear();
    }
    Ok(row)
}

/// The keys that occurred, in the order of their first occurrence.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
}

impl Columns {
    pub(crate) fn note(&mut self, object: &Map<String, Value>) {
        for key in object.keys() {
            if !self.names.contains(key) {
                self.names.push(key.clone());
            }
        }
    }
}

/// The value, if it is an object.
pub(crate) fn as_object(value: Value) -> Result<Map<String, Value>, RowProblem> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(RowProblem::NotAnObject(format!("it is {}", describe(&other)))),
    }
}

fn object(text: &str) -> Result<Map<String, Value>, RowProblem> {
    serde_json::from_str(text)
        .map_err(|error| {
            RowProblem::NotAnObject(error.to_string().replace(" at line 1 column ", " at column "))
        })
        .and_then(as_object)
}

fn row<'o>(
    object: &'o Map<String, Value>,
    wanted: &Wanted,
    [id, label, source]: &'o mut [String; 3],
) -> Result<Row<'o>, RowProblem> {
    let (mut labels, mut cells) = (None, Vec::new());
    if let Some(column) = wanted.label.as_deref() {
        match field(object, column)? {
            None => cells = indicators(object, wanted).unwrap_or_default(),
            Some(Value::Array(items)) if wanted.several.is_some() => {
                *label = list(items, column)?;
                labels = Some(label.as_str());
            }
            Some(_) => labels = scalar(object, column, label)?,
        }
    }
    let cells = cells.into_iter().map(indicator).collect::<Result<_, _>>()?;
    Ok(Row {
        id: scalar(object, ID, id)?,
        text: text(object, &wanted.text)?,
        label: labels,
        indicators: cells,
        source: scalar(object, SOURCE, source)?,
    })
}

/// The fields of 0 and 1 that stand in for the labels, if every label has one.
fn indicators<'o>(object: &'o Map<String, Value>, wanted: &Wanted) -> Option<Vec<(&'o str, &'o Value)>> {
    let columns = wanted.several.as_ref()?;
    columns.all(|name| {
        object
            .get_key_value(name)
            .map(|(key, value)| (key.as_str(), value))
    })
}

fn indicator<'o>((column, value): (&'o str, &'o Value)) -> Result<&'o str, RowProblem> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(true) => Ok("1"),
        Value::Bool(false) | Value::Null => Ok("0"),
        Value::Number(number) if number.as_f64() == Some(1.0) => Ok("1"),
        Value::Number(number) if number.as_f64() == Some(0.0) => Ok("0"),
        other => Err(RowProblem::NotAnIndicator {
            column: column.to_owned(),
            found: other.to_string(),
        }),
    }
}

/// The items of a list of labels, each behind an [`ITEM`].
fn list(items: &[Value], column: &str) -> Result<String, RowProblem> {
    let mut joined = String::new();
    for item in items {
        let text = match item {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => {
                return Err(RowProblem::NotText {
                    column: column.to_owned(),
                    found: describe(other),
                });
            }
        };
        joined.push(ITEM);
        joined.push_str(&text);
    }
    Ok(joined)
}

fn text<'o>(object: &'o Map<String, Value>, column: &str) -> Result<Option<&'o str>, RowProblem> {
    match field(object, column)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(RowProblem::NotText {
            column: column.to_owned(),
            found: describe(other),
        }),
    }
}

/// Ids, labels and sources may be numbers; `buffer` holds their digits. Null is an empty cell.
fn scalar<'o>(
    object: &'o Map<String, Value>,
    column: &str,
    buffer: &'o mut String,
) -> Result<Option<&'o str>, RowProblem> {
    match field(object, column)? {
        Some(Value::Number(number)) => {
            *buffer = number.to_string();
            Ok(Some(buffer))
        }
        Some(Value::Null) => Ok(Some("")),
        _ => text(object, column),
    }
}
