//! From polars' frames to plain tables.

use polars::prelude::{AnyValue, DataFrame, DataType};

use crate::{Cell, ColumnInfo, Table};

/// All of a frame.
pub(super) fn table(frame: &DataFrame) -> Table {
    let columns = frame.columns();
    let info = columns
        .iter()
        .map(|column| ColumnInfo {
            name: column.name().to_string(),
            dtype: type_name(column.dtype()),
        })
        .collect();
    let mut rows = vec![Vec::with_capacity(columns.len()); frame.height()];
    for column in columns {
        let values = column.as_materialized_series().rechunk();
        for (row, value) in rows.iter_mut().zip(values.iter()) {
            row.push(cell(&value));
        }
    }
    Table { columns: info, rows }
}

/// One value.
pub(super) fn cell(value: &AnyValue<'_>) -> Cell {
    match value {
        AnyValue::Null => Cell::Null,
        AnyValue::Boolean(value) => Cell::Bool(*value),
        AnyValue::Float32(value) => Cell::from_f32(*value),
        AnyValue::Float64(value) => Cell::Float(*value),
        AnyValue::UInt8(_) | AnyValue::UInt16(_) | AnyValue::UInt32(_) | AnyValue::UInt64(_) => {
            value.extract().map_or(Cell::Null, Cell::UInt)
        }
        AnyValue::Int8(_) | AnyValue::Int16(_) | AnyValue::Int32(_) | AnyValue::Int64(_) => {
            value.extract().map_or(Cell::Null, Cell::Int)
        }
        AnyValue::List(values) | AnyValue::Array(values, _) => {
            Cell::List(values.iter().map(|value| cell(&value)).collect())
        }
        other => match other.get_str() {
            Some(text) => Cell::Text(text.to_owned()),
            None => Cell::Text(other.to_string()),
        },
    }
}

/// A type's name without polars' spelling.
pub(crate) fn type_name(dtype: &DataType) -> String {
    match dtype {
        DataType::String => "string".to_owned(),
        DataType::Categorical(..) | DataType::Enum(..) => "category".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::List(inner) | DataType::Array(inner, _) => format!("list<{}>", type_name(inner)),
        other => other.to_string(),
    }
}
