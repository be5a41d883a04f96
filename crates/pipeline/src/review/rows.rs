//! Rows of artifacts by their ids.

use std::path::{Path, PathBuf};

use dag::{InputItemRecord, Store};
use dataset::inspect::{self, Inspector};
use dataset::{Cell, DatasetError, Table};

use crate::error::{CliError, Exit};

/// Rows of a table whose columns go by name.
pub(crate) struct Records {
    table: Table,
}

/// One of them.
#[derive(Clone, Copy)]
pub(crate) struct Record<'t> {
    table: &'t Table,
    cells: &'t [Cell],
}

impl Records {
    pub(crate) fn new(table: Table) -> Self {
        Self { table }
    }

    /// No rows.
    pub(crate) fn none() -> Self {
        Self::new(Table {
            columns: Vec::new(),
            rows: Vec::new(),
        })
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.table.rows.iter().map(|cells| Record {
            table: &self.table,
            cells,
        })
    }

    pub(crate) fn first(&self) -> Option<Record<'_>> {
        self.iter().next()
    }
}

impl<'t> Record<'t> {
    /// The cell of a column; null if there is no such column.
    pub(crate) fn cell(&self, column: &str) -> &'t Cell {
        let at = self.table.columns.iter().position(|info| info.name == column);
        at.and_then(|at| self.cells.get(at)).unwrap_or(&Cell::Null)
    }

    pub(crate) fn text(&self, column: &str) -> Option<String> {
        match self.cell(column) {
            Cell::Null => None,
            other => Some(other.to_csv()),
        }
    }

    pub(crate) fn number(&self, column: &str) -> Option<f64> {
        match self.cell(column) {
            Cell::Float(value) => Some(*value),
            Cell::Int(value) => Some(*value as f64),
            Cell::UInt(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// Names of labels: one, or those of a list. None: the cell is null.
    pub(crate) fn names(&self, column: &str) -> Option<Vec<String>> {
        match self.cell(column) {
            Cell::Null => None,
            Cell::List(items) => Some(items.iter().map(Cell::to_csv).collect()),
            other => Some(vec![other.to_csv()]),
        }
    }

    /// A list of numbers.
    pub(crate) fn numbers(&self, column: &str) -> Option<Vec<f64>> {
        let Cell::List(items) = self.cell(column) else {
            return None;
        };
        let number = |item: &Cell| match item {
            Cell::Float(value) => Some(*value),
            _ => None,
        };
        items.iter().map(number).collect()
    }
}

/// The place of an input's item as a version read it; an error if it is not what it was.
pub(crate) fn item_path(store: &Store, base: &Path, item: &InputItemRecord) -> Result<PathBuf, CliError> {
    if let (Some(version), Some((_, artifact))) = (&item.version, item.written.split_once('.')) {
        let reference = format!("{version}.{artifact}");
        return Ok(store.resolve(&reference).map_err(stage::Failure::from)?);
    }
    let path = base.join(&item.written);
    match store.digest(&path) {
        Ok(digest) if digest == item.digest => Ok(path),
        Ok(_) => Err(CliError::new(
            Exit::Missing,
            format!("`{}` has changed since it was read", item.written),
        )
        .hint("`pipeline run` brings the stages that read it up to date")),
        Err(error) => Err(CliError::io(&path, &error)),
    }
}

/// Opens a parquet file of a version.
pub(crate) fn open(path: &Path, name: &str) -> Result<Inspector, CliError> {
    inspect::open(path, name, None).map_err(failed)
}

/// The rows with these ids, in the table's order; a column is read only if it is asked for. Columns that are not there
/// are left out.
pub(crate) fn with_ids<'i>(
    table: &Inspector,
    ids: impl IntoIterator<Item = &'i str>,
    columns: &[&str],
) -> Result<Records, CliError> {
    let ids: Vec<String> = ids.into_iter().map(quoted).collect();
    if ids.is_empty() {
        return Ok(Records::none());
    }
    let condition = format!("id IN ({})", ids.join(", "));
    select(&table.filter(&condition).map_err(failed)?, columns)
}

/// Some columns of all rows.
pub(crate) fn select(table: &Inspector, columns: &[&str]) -> Result<Records, CliError> {
    let there = table.schema().map_err(failed)?;
    let there: Vec<String> = columns
        .iter()
        .filter(|column| there.iter().any(|info| info.name == **column))
        .map(|column| format!("\"{column}\""))
        .collect();
    let query = format!("SELECT {} FROM t", there.join(", "));
    let answer = table.sql(&query).map_err(failed)?;
    Ok(Records::new(answer.all().map_err(failed)?))
}

/// The ids of all rows.
pub(crate) fn ids(table: &Inspector) -> Result<Vec<String>, CliError> {
    let records = select(table, &["id"])?;
    Ok(records.iter().filter_map(|record| record.text("id")).collect())
}

/// The id that was probably meant: one that differs in case, separators and leading zeros alone (spreadsheet programs
/// eat these), else the only one that ends like it.
pub(crate) fn close_id<'i>(given: &str, ids: impl Iterator<Item = &'i str>) -> Option<String> {
    let given = plain_id(given);
    if given.is_empty() {
        return None;
    }
    let (mut ending, mut several) = (None, false);
    for id in ids {
        let plain = plain_id(id);
        if plain == given {
            return Some(id.to_owned());
        }
        if plain.ends_with(&given) {
            several |= ending.is_some();
            ending = Some(id.to_owned());
        }
    }
    ending.filter(|_| !several)
}

/// Letters and numbers without leading zeros.
fn plain_id(id: &str) -> String {
    let words = id.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).map(|word| {
        let significant = word.trim_start_matches('0');
        if significant.is_empty() { "0" } else { significant }
    });
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// A string of SQL.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(crate) fn failed(error: DatasetError) -> CliError {
    stage::Failure::from(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_without_its_zeros_or_with_another_separator_is_recognised() {
        let close = |given: &str| close_id(given, ["raw-0012", "raw-0112", "Kote 7", "x-0"].into_iter());
        assert_eq!(close("raw-12").as_deref(), Some("raw-0012"));
        assert_eq!(close("RAW_112").as_deref(), Some("raw-0112"));
        assert_eq!(close("kote-7").as_deref(), Some("Kote 7"));
        assert_eq!(close("7").as_deref(), Some("Kote 7"));
        assert_eq!(close("x"), None);
        assert_eq!(close("raw-13"), None);
        assert_eq!(close("2"), None);
    }
}
