//! One JSON object per line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use crate::lines::not_utf8;
use crate::row::{ID, Row, SOURCE, Visit, Wanted};
use crate::{DatasetError, Place, RowProblem};

/// Visits every line that is not blank.
pub(crate) fn read(
    path: &Path,
    name: &str,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<(), DatasetError> {
    let mut columns = Columns::default();
    let rows = for_each_object(path, name, &mut |place, object| {
        let object = match object {
            Ok(object) => object,
            Err(problem) => return visit(place, Err(problem)),
        };
        columns.note(&object);
        let mut buffers = Default::default();
        visit(place, row(&object, wanted, &mut buffers));
    })?;
    if rows == 0 {
        return Err(DatasetError::Empty {
            name: name.to_owned(),
        });
    }
    for (column, option) in [
        (Some(&wanted.text), "text_column"),
        (wanted.label.as_ref(), "label_column"),
    ] {
        if let Some(column) = column
            && !columns.names.is_empty()
            && !columns.names.contains(column)
        {
            return Err(DatasetError::missing_column(
                name,
                column,
                Some(option),
                columns.names,
            ));
        }
    }
    Ok(())
}

/// Visits every line that is not blank as an object; their number.
pub(crate) fn for_each_object(
    path: &Path,
    name: &str,
    visit: &mut dyn FnMut(Place, Result<Map<String, Value>, RowProblem>),
) -> Result<u64, DatasetError> {
    let file = File::open(path).map_err(|error| DatasetError::io(name, error))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut bytes = Vec::new();
    let (mut line, mut row) = (0, 0);
    while reader
        .read_until(b'\n', &mut bytes)
        .map_err(|error| DatasetError::io(name, error))?
        > 0
    {
        line += 1;
        let text = std::str::from_utf8(&bytes).map_err(|_| not_utf8(path, name))?;
        let text = if line == 1 {
            text.trim_start_matches('\u{feff}')
        } else {
            text
        }
        .trim();
        if !text.is_empty() {
            visit(
                Place {
                    row,
                    line: Some(line),
                },
                object(text),
            );
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

fn object(text: &str) -> Result<Map<String, Value>, RowProblem> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(RowProblem::NotAnObject(format!("it is {}", describe(&other)))),
        Err(error) => Err(RowProblem::NotAnObject(
            error.to_string().replace(" at line 1 column ", " at column "),
        )),
    }
}

fn row<'o>(
    object: &'o Map<String, Value>,
    wanted: &Wanted,
    [id, label, source]: &'o mut [String; 3],
) -> Result<Row<'o>, RowProblem> {
    Ok(Row {
        id: scalar(object, ID, id)?,
        text: text(object, &wanted.text)?,
        label: wanted
            .label
            .as_deref()
            .map_or(Ok(None), |column| scalar(object, column, label))?,
        source: scalar(object, SOURCE, source)?,
    })
}

fn text<'o>(object: &'o Map<String, Value>, column: &str) -> Result<Option<&'o str>, RowProblem> {
    match object.get(column) {
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
    match object.get(column) {
        Some(Value::Number(number)) => {
            *buffer = number.to_string();
            Ok(Some(buffer))
        }
        Some(Value::Null) => Ok(Some("")),
        _ => text(object, column),
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
