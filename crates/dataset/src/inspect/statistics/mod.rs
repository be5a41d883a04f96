//! A line per column: what it holds.

mod strings;

use std::collections::BTreeMap;

use polars::prelude::{AnyValue, DataType, SortMultipleOptions, len};

use self::strings::Strings;
use super::{Inspector, convert, exact};
use crate::{Cell, ColumnInfo, DatasetError, Table};

/// How many of the most frequent values are shown.
const TOP: usize = 5;
/// A column that no table has.
const COUNT: &str = "\u{1}count";
/// Shares of the rows at which lengths are told.
const QUANTILES: [f64; 6] = [0.0, 0.25, 0.5, 0.75, 0.95, 1.0];

/// One column at a time, and of that only sums, counts, distinct numbers and hashes of strings in memory.
pub(super) fn compute_table(inspector: &Inspector) -> Result<Table, DatasetError> {
    let mut table = Table::new([
        ("column", "string"),
        ("dtype", "string"),
        ("nulls", "u64"),
        ("distinct", "u64"),
        ("min", "f64"),
        ("max", "f64"),
        ("mean", "f64"),
        ("length_quantiles", "list<u64>"),
        ("top", "list<string>"),
    ]);
    let rows = inspector.rows()?;
    let mut frame = inspector.frame();
    let schema = frame.collect_schema().map_err(|error| inspector.failed(error))?;
    for (name, dtype) in schema.iter() {
        let column = ColumnInfo {
            name: name.to_string(),
            dtype: convert::type_name(dtype),
        };
        table.rows.push(line(inspector, rows, column, dtype)?);
    }
    Ok(table)
}

fn line(
    inspector: &Inspector,
    rows: u64,
    column: ColumnInfo,
    dtype: &DataType,
) -> Result<Vec<Cell>, DatasetError> {
    let (numeric, nested) = (dtype.is_primitive_numeric(), dtype.is_nested());
    let values = || exact(&column.name);
    let mut figures = vec![values().null_count().cast(DataType::UInt64).alias("nulls")];
    let string = *dtype == DataType::String;
    if !nested && !string {
        figures.push(values().n_unique().cast(DataType::UInt64).alias("distinct"));
    }
    if numeric {
        figures.extend([
            values().min().alias("min"),
            values().max().alias("max"),
            values().mean().alias("mean"),
        ]);
    }
    let answer = inspector.computed(inspector.frame().select(figures))?;
    let figure = |name: &str| {
        let value = answer.column(name).and_then(|column| column.get(0));
        convert::cell(&value.unwrap_or(AnyValue::Null))
    };
    let nulls = count(&figure("nulls"));
    let (distinct, lengths, top) = if string {
        let strings = Strings::of(inspector, &column.name, nulls)?;
        let top = strings.top.iter().map(|(value, count)| {
            let value = value.as_deref().unwrap_or("null");
            Cell::Text(format!("{value} ({count})"))
        });
        let top = if strings.top.is_empty() {
            Cell::Null
        } else {
            Cell::List(top.collect())
        };
        (Cell::UInt(strings.distinct), lengths(&strings.lengths), top)
    } else {
        // Nulls count as one value there.
        let distinct = match figure("distinct") {
            Cell::UInt(distinct) => Cell::UInt(distinct - u64::from(nulls > 0)),
            other => other,
        };
        let unique = count(&distinct) == rows - nulls && rows > TOP as u64;
        let top = if nested || dtype.is_float() || unique {
            Cell::Null
        } else {
            top(inspector, &column.name)?
        };
        (distinct, Cell::Null, top)
    };
    Ok(vec![
        Cell::Text(column.name),
        Cell::Text(column.dtype),
        Cell::UInt(nulls),
        distinct,
        figure("min"),
        figure("max"),
        figure("mean"),
        lengths,
        top,
    ])
}

/// The most frequent values with their counts, `기쁨 (812)`; equal counts in the order of the values.
fn top(inspector: &Inspector, column: &str) -> Result<Cell, DatasetError> {
    let order = SortMultipleOptions::default()
        .with_order_descending_multi([true, false])
        .with_nulls_last(true);
    let groups = inspector
        .frame()
        .group_by([exact(column)])
        .agg([len().alias(COUNT)]);
    let first = groups
        .sort_by_exprs([exact(COUNT), exact(column)], order)
        .slice(0, TOP as u32);
    let table = inspector.collect(first)?;
    let line = |row: &Vec<Cell>| match row.as_slice() {
        [Cell::Null, count] => Cell::Text(format!("null ({})", count.display())),
        [value, count] => Cell::Text(format!("{} ({})", value.display(), count.display())),
        _ => Cell::Null,
    };
    Ok(Cell::List(table.rows.iter().map(line).collect()))
}

/// Lengths at [`QUANTILES`], from how often each occurs.
fn lengths(counts: &BTreeMap<u64, u64>) -> Cell {
    let total: u64 = counts.values().sum();
    if total == 0 {
        return Cell::Null;
    }
    let at = |share: f64| {
        let row = ((total - 1) as f64 * share).round() as u64;
        let mut seen = 0;
        let length = counts.iter().find(|(_, rows)| {
            seen += **rows;
            seen > row
        });
        Cell::UInt(length.map_or(0, |(length, _)| *length))
    };
    Cell::List(QUANTILES.map(at).into())
}

fn count(cell: &Cell) -> u64 {
    match cell {
        Cell::UInt(count) => *count,
        _ => 0,
    }
}
