//! A line per column: what it holds.

use polars::prelude::{DataType, Series, SortMultipleOptions, len};

use super::{Inspector, convert, exact};
use crate::{Cell, DatasetError, Table};

/// How many of the most frequent values are shown.
const TOP: usize = 5;

/// One column at a time, so that only one is in memory.
pub(super) fn compute(inspector: &Inspector) -> Result<Table, DatasetError> {
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
    for column in inspector.schema()? {
        let failed = |error| inspector.failed(error);
        let frame = inspector
            .frame
            .clone()
            .select([exact(&column.name)])
            .collect()
            .map_err(failed)?;
        let values = frame
            .column(&column.name)
            .map_err(failed)?
            .as_materialized_series()
            .rechunk();
        let numeric = values.dtype().is_primitive_numeric();
        let list = values.dtype().is_nested();
        let reduced = |value: Cell| if numeric { value } else { Cell::Null };
        let least = values
            .min_reduce()
            .map_or(Cell::Null, |value| convert::cell(value.value()));
        let greatest = values
            .max_reduce()
            .map_or(Cell::Null, |value| convert::cell(value.value()));
        let distinct = if list { Cell::Null } else { distinct(&values)? };
        let top = if list || unique(&distinct, &values) || is_float(values.dtype()) {
            Cell::Null
        } else {
            top(inspector, &column.name)?
        };
        table.rows.push(vec![
            Cell::Text(column.name.clone()),
            Cell::Text(column.dtype),
            Cell::UInt(values.null_count() as u64),
            distinct,
            reduced(least),
            reduced(greatest),
            if numeric {
                values.mean().map_or(Cell::Null, Cell::Float)
            } else {
                Cell::Null
            },
            lengths(&values),
            top,
        ]);
    }
    Ok(table)
}

fn is_float(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Float32 | DataType::Float64)
}

fn distinct(values: &Series) -> Result<Cell, DatasetError> {
    let failed = |error| super::in_words(&error, &[]);
    let present = values.drop_nulls();
    Ok(Cell::UInt(present.n_unique().map_err(failed)? as u64))
}

fn unique(distinct: &Cell, values: &Series) -> bool {
    *distinct == Cell::UInt((values.len() - values.null_count()) as u64) && values.len() > TOP
}

/// The most frequent values with their counts, `기쁨 (812)`; equal counts in the order of the values.
fn top(inspector: &Inspector, column: &str) -> Result<Cell, DatasetError> {
    let order = SortMultipleOptions::default()
        .with_order_descending_multi([true, false])
        .with_nulls_last(true);
    let groups = inspector
        .frame
        .clone()
        .group_by([exact(column)])
        .agg([len().alias("\u{1}count")]);
    let first = groups
        .sort_by_exprs([exact("\u{1}count"), exact(column)], order)
        .slice(0, TOP as u32);
    let table = inspector.collect(first)?;
    let line = |row: &Vec<Cell>| match row.as_slice() {
        [Cell::Null, count] => Cell::Text(format!("null ({})", count.display())),
        [value, count] => Cell::Text(format!("{} ({})", value.display(), count.display())),
        _ => Cell::Null,
    };
    Ok(Cell::List(table.rows.iter().map(line).collect()))
}

/// Characters of a string column: least, 25 %, 50 %, 75 %, 95 %, greatest.
fn lengths(values: &Series) -> Cell {
    let Ok(strings) = values.str() else {
        return Cell::Null;
    };
    let mut lengths: Vec<u64> = strings
        .iter()
        .flatten()
        .map(|text| text.chars().count() as u64)
        .collect();
    if lengths.is_empty() {
        return Cell::Null;
    }
    lengths.sort_unstable();
    let at = |share: f64| Cell::UInt(lengths[((lengths.len() - 1) as f64 * share).round() as usize]);
    Cell::List([0.0, 0.25, 0.5, 0.75, 0.95, 1.0].map(at).into())
}
