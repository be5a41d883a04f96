//! A small table of any columns, for people and other programs: no polars beyond this point.

use serde_json::{Number, Value};

/// Columns and rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Names and types.
    pub columns: Vec<ColumnInfo>,
    /// One cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column's name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// `string`, `f32`, `list<f32>`, …
    pub dtype: String,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number from 0.
    UInt(u64),
    /// A number; one of 32 bits as the shortest decimal that gives it.
    Float(f64),
    /// A string.
    Text(String),
    /// Several values.
    List(Vec<Cell>),
}

impl Table {
    /// A table whose rows follow.
    pub(crate) fn new<'n>(columns: impl IntoIterator<Item = (&'n str, &'n str)>) -> Self {
        let column = |(name, dtype): (&str, &str)| ColumnInfo {
            name: name.to_owned(),
            dtype: dtype.to_owned(),
        };
        Self {
            columns: columns.into_iter().map(column).collect(),
            rows: Vec::new(),
        }
    }
}

impl Cell {
    /// The value at full precision; what JSON has no number for is null.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::from(*value),
            Self::UInt(value) => Value::from(*value),
            Self::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
            Self::Text(value) => Value::String(value.clone()),
            Self::List(values) => Value::Array(values.iter().map(Self::to_json).collect()),
        }
    }

    /// The value for a table on a terminal: floats with four digits, null as nothing.
    pub fn display(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::UInt(value) => value.to_string(),
            Self::Float(value) => format!("{value:.4}"),
            Self::Text(value) => value.clone(),
            Self::List(values) => {
                format!(
                    "[{}]",
                    values.iter().map(Self::display).collect::<Vec<_>>().join(", ")
                )
            }
        }
    }

    /// The value for a csv file: full precision, null as nothing, a list as JSON.
    pub fn to_csv(&self) -> String {
        match self {
            Self::Float(value) => value.to_string(),
            Self::List(_) => self.to_json().to_string(),
            other => other.display(),
        }
    }

    /// A 32-bit float as a number that prints with as few digits as it needs.
    pub(crate) fn from_f32(value: f32) -> Self {
        Self::Float(value.to_string().parse().unwrap_or(f64::from(value)))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_float_keeps_its_short_form() {
        assert_eq!(Cell::from_f32(0.1).to_json().to_string(), "0.1");
    }
}
