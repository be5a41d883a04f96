//! Workbooks (xlsx, xls): the rows of one sheet.
//!
//! Cells come as a person sees them: numbers without a needless `.0`, dates as `2024-01-31`, a formula as its last
//! result. What stands in merged cells stands in the first of them alone.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use calamine::{Data, ExcelDateTime, Range, Reader, SheetType, Xls, Xlsx, XlsxCellReader};
use stage::{Format, Sheet};

use crate::DatasetError;

/// A workbook that has been opened.
pub(crate) struct Workbook<'n> {
    name: &'n str,
    file: Opened,
    /// Of those that hold cells, in the workbook's order.
    sheets: Vec<String>,
}

enum Opened {
    Xlsx(Box<Xlsx<BufReader<File>>>),
    Xls(Box<Xls<BufReader<File>>>),
}

/// A row of a sheet.
pub(crate) struct SheetRow {
    /// As the spreadsheet program counts them, from 1.
    pub(crate) number: u64,
    /// Column, from 0, and what stands there; only of cells that are not empty.
    pub(crate) cells: Vec<(u32, SheetCell)>,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SheetCell {
    Text(String),
    /// Of a formula: `#N/A`.
    Error(String),
}

/// The rows of a sheet that are not blank, from the top.
pub(crate) struct SheetRows<'w> {
    name: &'w str,
    cells: Cells<'w>,
    /// The first cell of the next row.
    next: Option<(u32, u32, SheetCell)>,
}

enum Cells<'w> {
    Xlsx(Box<XlsxCellReader<'w, BufReader<File>>>),
    /// With the position of the next cell in the range.
    Xls(Range<Data>, usize, usize),
    /// Nothing is left.
    Done,
}

impl<'n> Workbook<'n> {
    pub(crate) fn open(path: &Path, name: &'n str, format: Format) -> Result<Self, DatasetError> {
        let io = |error| DatasetError::io(name, error);
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() == 0 {
            return Err(DatasetError::Empty {
                name: name.to_owned(),
            });
        }
        let failed = |message: String| DatasetError::Workbook {
            name: name.to_owned(),
            message,
            looks_like: signature(path).filter(|other| *other != format),
        };
        let file = match format {
            Format::Xls => Opened::Xls(Box::new(
                Xls::new(BufReader::new(file)).map_err(|e| failed(e.to_string()))?,
            )),
            _ => Opened::Xlsx(Box::new(
                Xlsx::new(BufReader::new(file)).map_err(|e| failed(e.to_string()))?,
            )),
        };
        let all = match &file {
            Opened::Xlsx(book) => book.sheets_metadata(),
            Opened::Xls(book) => book.sheets_metadata(),
        };
        let sheets = all
            .iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet)
            .map(|sheet| sheet.name.clone())
            .collect();
        Ok(Self { name, file, sheets })
    }

    /// The name of the sheet that was asked for, else of the first one. A number that is too high may be a name.
    pub(crate) fn find(&self, wanted: Option<&Sheet>) -> Result<String, DatasetError> {
        let named = |name: &str| self.sheets.iter().find(|sheet| same_name(sheet, name));
        let found = match wanted {
            None => self.sheets.first(),
            Some(Sheet::Name(name)) => named(name),
            Some(Sheet::Number(number)) => (*number as usize)
                .checked_sub(1)
                .and_then(|at| self.sheets.get(at))
                .or_else(|| named(&number.to_string())),
        };
        found.cloned().ok_or_else(|| DatasetError::NoSheet {
            name: self.name.to_owned(),
            wanted: wanted.cloned().unwrap_or(Sheet::Number(1)),
            sheets: self.sheets.clone(),
        })
    }

    /// The sheets but for this one.
    pub(crate) fn others(&self, sheet: &str) -> Vec<String> {
        self.sheets
            .iter()
            .filter(|other| *other != sheet)
            .cloned()
            .collect()
    }

    /// The rows of a sheet.
    pub(crate) fn rows(&mut self, sheet: &str) -> Result<SheetRows<'_>, DatasetError> {
        let name = self.name;
        let cells = match &mut self.file {
            Opened::Xlsx(book) => book
                .worksheet_cells_reader(sheet)
                .map(|cells| Cells::Xlsx(Box::new(cells)))
                .map_err(|error| unreadable(name, &error))?,
            Opened::Xls(book) => book
                .worksheet_range(sheet)
                .map(|range| Cells::Xls(range, 0, 0))
                .map_err(|error| unreadable(name, &error))?,
        };
        Ok(SheetRows {
            name,
            cells,
            next: None,
        })
    }
}

impl SheetRows<'_> {
    /// The next row, or none behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<SheetRow>, DatasetError> {
        let first = match self.next.take() {
            Some(cell) => Some(cell),
            None => self.cell()?,
        };
        let Some((row, column, cell)) = first else {
            return Ok(None);
        };
        let mut cells = vec![(column, cell)];
        while let Some((other, column, cell)) = self.cell()? {
            if other != row {
                self.next = Some((other, column, cell));
                break;
            }
            cells.push((column, cell));
        }
        Ok(Some(SheetRow {
            number: u64::from(row) + 1,
            cells,
        }))
    }

    /// The next cell that is not empty.
    fn cell(&mut self) -> Result<Option<(u32, u32, SheetCell)>, DatasetError> {
        loop {
            let next = match &mut self.cells {
                Cells::Xlsx(cells) => {
                    let cell = cells.next_cell().map_err(|error| unreadable(self.name, &error))?;
                    cell.map(|cell| (cell.get_position(), cell.get_value().clone().into()))
                }
                Cells::Xls(range, row, column) => next_in_range(range, row, column),
                Cells::Done => None,
            };
            let Some(((row, column), value)) = next else {
                self.cells = Cells::Done;
                return Ok(None);
            };
            if let Some(value) = sheet_cell(value) {
                return Ok(Some((row, column, value)));
            }
        }
    }
}

fn next_in_range(range: &Range<Data>, row: &mut usize, column: &mut usize) -> Option<((u32, u32), Data)> {
    if *column == range.width() {
        (*row, *column) = (*row + 1, 0);
    }
    let (start, value) = (range.start()?, range.get((*row, *column))?);
    let position = (start.0 + *row as u32, start.1 + *column as u32);
    *column += 1;
    Some((position, value.clone()))
}

impl SheetRow {
    /// What stands in a column.
    pub(crate) fn cell(&self, column: u32) -> Option<&SheetCell> {
        self.cells
            .iter()
            .find(|(at, _)| *at == column)
            .map(|(_, cell)| cell)
    }
}

impl SheetCell {
    /// As a spreadsheet program shows it.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Error(text) => text,
        }
    }
}

/// A column's letters: column 27 is `AB`.
pub(crate) fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.into_iter().rev().collect()
}

fn sheet_cell(value: Data) -> Option<SheetCell> {
    let text = match value {
        Data::Empty => return None,
        Data::Error(error) => return Some(SheetCell::Error(error.to_string())),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text,
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Bool(true) => "TRUE".to_owned(),
        Data::Bool(false) => "FALSE".to_owned(),
        Data::DateTime(at) => date(&at),
    };
    (!text.trim().is_empty()).then_some(SheetCell::Text(text))
}

/// A date, a time of day or both, as far as the cell says; a duration in hours, minutes and seconds.
fn date(at: &ExcelDateTime) -> String {
    if at.is_duration() {
        let seconds = (at.as_f64() * 86_400.0).round().abs() as u64;
        let sign = if at.as_f64() < 0.0 { "-" } else { "" };
        return format!(
            "{sign}{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
    }
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    match (at.as_f64() < 1.0, (hour, minute, second)) {
        (true, _) => time,
        (false, (0, 0, 0)) => date,
        (false, _) => format!("{date} {time}"),
    }
}

/// Spreadsheet programs take no notice of case, and names may be decomposed.
fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| crate::normalize::nfc(name).trim().to_lowercase();
    plain(one) == plain(other)
}

/// The kind of workbook that a file begins as.
fn signature(path: &Path) -> Option<Format> {
    let mut bytes = [0; 4];
    File::open(path).ok()?.read_exact(&mut bytes).ok()?;
    match bytes {
        [0xd0, 0xcf, 0x11, 0xe0] => Some(Format::Xls),
        [b'P', b'K', 3, 4] => Some(Format::Xlsx),
        _ => None,
    }
}

fn unreadable(name: &str, error: &dyn std::fmt::Display) -> DatasetError {
    DatasetError::Workbook {
        name: name.to_owned(),
        message: error.to_string(),
        looks_like: None,
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType::{DateTime, TimeDelta};

    use super::*;

    fn text(value: Data) -> Option<String> {
        sheet_cell(value).map(|cell| cell.as_str().to_owned())
    }

    #[test]
    fn numbers_are_written_as_a_person_would() {
        assert_eq!(text(Data::Float(1.0)).as_deref(), Some("1"));
        assert_eq!(text(Data::Float(-0.25)).as_deref(), Some("-0.25"));
        assert_eq!(
            text(Data::Float(12_345_678_901.0)).as_deref(),
            Some("12345678901")
        );
    }

    #[test]
    fn dates_and_times_are_written_as_far_as_they_say_something() {
        let at = |value, kind| text(Data::DateTime(ExcelDateTime::new(value, kind, false)));
        assert_eq!(at(45943.0, DateTime).as_deref(), Some("2025-10-13"));
        assert_eq!(at(45943.5, DateTime).as_deref(), Some("2025-10-13 12:00:00"));
        assert_eq!(at(0.5, DateTime).as_deref(), Some("12:00:00"));
        assert_eq!(at(1.5, TimeDelta).as_deref(), Some("36:00:00"));
    }

    #[test]
    fn a_cell_of_spaces_is_empty() {
        assert_eq!(text(Data::String(" ".into())), None);
    }

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        assert_eq!([0, 25, 26, 702].map(letters), ["A", "Z", "AA", "AAA"]);
    }
}
