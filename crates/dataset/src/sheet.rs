//! A sheet of a workbook as a table: the names of its columns stand in one of its rows.

use std::path::Path;

use stage::{Format, Sheet};

use crate::row::{Positions, Row, Visit, Wanted};
use crate::workbook::{SheetCell, SheetRow, SheetRows, Workbook, letters};
use crate::{DatasetError, Place, RowProblem};

/// A sheet that has not been opened yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SheetTable<'p> {
    pub(crate) path: &'p Path,
    /// Of the workbook, for messages.
    pub(crate) name: &'p str,
    /// `xlsx` or `xls`.
    pub(crate) format: Format,
    /// Absent: the first.
    pub(crate) sheet: Option<&'p Sheet>,
    /// From 1.
    pub(crate) header_row: u64,
}

/// Where in a workbook a column was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetPlace {
    /// The sheet.
    pub sheet: String,
    /// The row with the names of the columns, from 1.
    pub header_row: u64,
    /// A row below it that has the columns.
    pub stands_in: Option<u64>,
    /// The other sheets.
    pub others: Vec<String>,
}

impl SheetPlace {
    /// What the user can do about a column that is not there; `option` names it.
    pub(crate) fn hint(&self, column: &str, option: Option<&str>) -> Option<String> {
        if let Some(row) = self.stands_in {
            return Some(format!(
                "`{column}` stands in row {row}: give `header_row: {row}`"
            ));
        }
        let others: Vec<String> = self.others.iter().map(|other| format!("`{other}`")).collect();
        let option = option.filter(|_| !others.is_empty())?;
        Some(format!(
            "name the column that takes its place, `{option}: COLUMN`, or give another `sheet`: {}",
            others.join(", ")
        ))
    }
}

/// Visits every row below the names of the columns.
pub(crate) fn read(
    table: &SheetTable<'_>,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<(), DatasetError> {
    let mut workbook = Workbook::open(table.path, table.name, table.format)?;
    let sheet = workbook.find(table.sheet)?;
    let others = workbook.others(&sheet);
    let mut rows = workbook.rows(&sheet)?;
    let header = header(&mut rows, table, &sheet)?;
    let positions = match wanted.find(table.name, &header) {
        Ok(positions) => positions,
        Err(error) => {
            let stands_in = search(&mut rows, wanted)?;
            let header_row = table.header_row;
            return Err(error.in_sheet(SheetPlace {
                sheet,
                header_row,
                stands_in,
                others,
            }));
        }
    };
    let mut number = 0;
    while let Some(row) = rows.next()? {
        visit(
            Place::in_sheet(number, row.number),
            cells(&row, &positions, &header),
        );
        number += 1;
    }
    Ok(())
}

/// All of a sheet: the names of its columns, and its rows.
pub(crate) fn read_all(table: &SheetTable<'_>) -> Result<(Vec<String>, Vec<SheetRow>), DatasetError> {
    let mut workbook = Workbook::open(table.path, table.name, table.format)?;
    let sheet = workbook.find(table.sheet)?;
    let mut rows = workbook.rows(&sheet)?;
    let header = header(&mut rows, table, &sheet)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(row);
    }
    Ok((header, all))
}

fn header(
    rows: &mut SheetRows<'_>,
    table: &SheetTable<'_>,
    sheet: &str,
) -> Result<Vec<String>, DatasetError> {
    while let Some(row) = rows.next()? {
        if row.number == table.header_row {
            return Ok(titles(&row));
        }
        if row.number > table.header_row {
            break;
        }
    }
    Err(DatasetError::NoHeader {
        name: table.name.to_owned(),
        sheet: Some(sheet.to_owned()),
        row: table.header_row,
    })
}

/// The names of the columns, without surrounding spaces; that of a column without one is empty.
fn titles(row: &SheetRow) -> Vec<String> {
    let width = row
        .cells
        .iter()
        .map(|(column, _)| column + 1)
        .max()
        .unwrap_or_default();
    let mut titles = vec![String::new(); width as usize];
    for (column, cell) in &row.cells {
        titles[*column as usize] = cell.as_str().trim().to_owned();
    }
    titles
}

/// One of the next rows that has the columns that are wanted, for a hint.
fn search(rows: &mut SheetRows<'_>, wanted: &Wanted) -> Result<Option<u64>, DatasetError> {
    const SEARCHED_ROWS: usize = 20;
    for _ in 0..SEARCHED_ROWS {
        let Some(row) = rows.next()? else { break };
        if wanted.find("", &titles(&row)).is_ok() {
            return Ok(Some(row.number));
        }
    }
    Ok(None)
}

fn cells<'r>(row: &'r SheetRow, positions: &Positions, header: &[String]) -> Result<Row<'r>, RowProblem> {
    for at in positions.all() {
        if let Some(SheetCell::Error(error)) = row.cell(at as u32) {
            return Err(RowProblem::ErrorCell {
                cell: format!("{}{}", letters(at as u32), row.number),
                column: header.get(at).cloned().unwrap_or_default(),
                error: error.clone(),
            });
        }
    }
    Ok(positions.row(|at| row.cell(at as u32).map(SheetCell::as_str)))
}
