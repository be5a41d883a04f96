//! What can be wrong with a table, in words that name the place and the remedy.

use std::io;

use stage::{Encoding, Failure, FailureKind, Format, Sheet};

use crate::SheetPlace;
use crate::bad_row::{BadRow, list as bad_rows};
use crate::overrides::{Mistake, mistakes_list};

/// Why a table cannot be read, written or asked.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file cannot be opened or read.
    #[error("`{name}`: {source}")]
    Io {
        /// The file.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The ending says nothing about the format.
    #[error("`{name}`: the format of this file cannot be told from its name")]
    UnknownFormat {
        /// The file.
        name: String,
    },
    /// An encoding that is not read.
    #[error("`{name}`: unknown encoding `{encoding}`")]
    Encoding {
        /// The file.
        name: String,
        /// What was asked for.
        encoding: String,
    },
    /// Bytes that are not UTF-8.
    #[error("`{name}`: not UTF-8 at line {line}, byte {byte}")]
    NotUtf8 {
        /// The file.
        name: String,
        /// From 1.
        line: u64,
        /// Byte of the line, from 1.
        byte: u64,
        /// What it probably is.
        probably: Option<Encoding>,
    },
    /// Bytes that the encoding has no character for.
    #[error("`{name}`: not {} at line {line}", encoding_name(*.encoding))]
    Undecodable {
        /// The file.
        name: String,
        /// What it was said to be.
        encoding: Encoding,
        /// From 1.
        line: u64,
        /// Whether the file begins as UTF-8.
        utf8: bool,
    },
    /// UTF-16 in no particular order.
    #[error("`{name}`: not UTF-16: no byte order mark at its beginning")]
    NoByteOrderMark {
        /// The file.
        name: String,
    },
    /// Text that is not JSON.
    #[error("`{name}`: not JSON at line {line}: {message}")]
    Json {
        /// The file.
        name: String,
        /// From 1.
        line: u64,
        /// What is wrong there.
        message: String,
    },
    /// JSON that is not a list.
    #[error("`{name}`: not a list of objects")]
    NotAList {
        /// The file.
        name: String,
        /// Whether its first line is an object.
        lines: bool,
    },
    /// A file that is no workbook, or a broken one.
    #[error("`{name}`: not a readable workbook: {message}")]
    Workbook {
        /// The file.
        name: String,
        /// What the reader says.
        message: String,
        /// The format of workbook that it begins as.
        looks_like: Option<Format>,
    },
    /// A workbook without the sheet.
    #[error("`{name}`: no sheet {wanted}; {}", match sheets.as_slice() {
        [] => "there are none".to_owned(),
        sheets => format!("the sheets are {}", list(sheets)),
    })]
    NoSheet {
        /// The file.
        name: String,
        /// What was asked for.
        wanted: Sheet,
        /// What there is.
        sheets: Vec<String>,
    },
    /// No names for the columns.
    #[error("`{name}`: row {row}{} is empty, so it cannot name the columns",
        sheet.as_ref().map_or_else(String::new, |sheet| format!(" of sheet `{sheet}`")))]
    NoHeader {
        /// The file.
        name: String,
        /// Of a workbook.
        sheet: Option<String>,
        /// From 1.
        row: u64,
    },
    /// Nothing in it.
    #[error("`{name}`: the file is empty")]
    Empty {
        /// The file.
        name: String,
    },
    /// Columns but no rows.
    #[error("`{name}`: the table has no rows")]
    NoRows {
        /// The file.
        name: String,
    },
    /// A column that is needed is not there.
    #[error("`{name}`: no column `{column}`{}; the columns are {}", within(sheet.as_deref()), list(columns))]
    MissingColumn {
        /// The file.
        name: String,
        /// What was looked for.
        column: String,
        /// What there is.
        columns: Vec<String>,
        /// The option that names the column, when there is one.
        option: Option<&'static str>,
        /// The closest column.
        nearest: Option<String>,
        /// For workbooks.
        sheet: Option<Box<SheetPlace>>,
    },
    /// Two columns have the name that is needed.
    #[error("`{name}`: column `{column}` stands there twice")]
    RepeatedColumn {
        /// The file.
        name: String,
        /// The column.
        column: String,
    },
    /// A column holds something else than is needed.
    #[error("`{name}`: column `{column}` holds {found}, not {expected}")]
    ColumnType {
        /// The file.
        name: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What is needed.
        expected: &'static str,
    },
    /// Rows that cannot be used.
    #[error("`{name}`: {count} bad row{}{}", if *count == 1 { "" } else { "s" }, bad_rows(rows, *count))]
    BadRows {
        /// The file.
        name: String,
        /// The first of them.
        rows: Vec<BadRow>,
        /// All of them.
        count: u64,
    },
    /// A file of decisions that cannot be used.
    #[error("`{name}`:{}", mistakes_list(mistakes))]
    Overrides {
        /// The file.
        name: String,
        /// All that is wrong with it.
        mistakes: Vec<Mistake>,
    },
    /// Decisions in a format that they are not read from.
    #[error("`{name}`: decisions are read from csv files{}", match format {
        Some(format) => format!(", not from {}", format.name()),
        None => String::new(),
    })]
    NotDecisions {
        /// The file.
        name: String,
        /// What it is.
        format: Option<Format>,
    },
    /// Two rows with one id.
    #[error("repeated id `{id}`: {first} and {second}")]
    RepeatedId {
        /// The id.
        id: String,
        /// File and place of the first row.
        first: String,
        /// File and place of the second row.
        second: String,
    },
    /// `map` leads to something that is no label.
    #[error("`{name}`: `map` turns `{from}` into `{to}`, which is neither a label nor `drop`")]
    MapTarget {
        /// The file.
        name: String,
        /// Label in the file.
        from: String,
        /// What it should become.
        to: String,
        /// The closest label.
        nearest: Option<String>,
    },
    /// A parquet file that polars refuses.
    #[error("`{name}`: not a readable parquet file: {message}")]
    Parquet {
        /// The file.
        name: String,
        /// What polars says.
        message: String,
    },
    /// A table that cannot be written.
    #[error("`{name}`: cannot write the table: {message}")]
    Write {
        /// The file.
        name: String,
        /// The cause.
        message: String,
    },
    /// A number that is not one.
    #[error("`{name}`: row {row}: `{column}` is {value}")]
    NotFinite {
        /// The file.
        name: String,
        /// From 0.
        row: usize,
        /// The column.
        column: &'static str,
        /// `NaN`, `null`, …
        value: String,
    },
    /// A label in an artifact that is not in the label set.
    #[error("`{name}`: row {row}: `{label}` is no label of this pipeline")]
    ForeignLabel {
        /// The file.
        name: String,
        /// From 0.
        row: usize,
        /// The label.
        label: String,
    },
    /// A query that cannot be answered.
    #[error("{message}")]
    Query {
        /// What is wrong with it.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl DatasetError {
    pub(crate) fn io(name: &str, source: io::Error) -> Self {
        Self::Io {
            name: name.to_owned(),
            source,
        }
    }

    pub(crate) fn parquet(name: &str, error: &polars::error::PolarsError) -> Self {
        Self::Parquet {
            name: name.to_owned(),
            message: first_line(&error.to_string()),
        }
    }

    pub(crate) fn missing_column(
        name: &str,
        column: &str,
        option: Option<&'static str>,
        columns: Vec<String>,
    ) -> Self {
        // A sheet may have columns without a name.
        let columns: Vec<String> = columns.into_iter().filter(|name| !name.is_empty()).collect();
        let nearest = stage::nearest(column, columns.iter().map(String::as_str)).map(str::to_owned);
        Self::MissingColumn {
            name: name.to_owned(),
            column: column.to_owned(),
            columns,
            option,
            nearest,
            sheet: None,
        }
    }

    /// The same error, with the place in a workbook if a column is missing.
    pub(crate) fn in_sheet(mut self, place: SheetPlace) -> Self {
        if let Self::MissingColumn { sheet, .. } = &mut self {
            *sheet = Some(Box::new(place));
        }
        self
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownFormat { .. } => {
                Some(format!("give `format:`, one of {}", Format::NAMES.join(", ")))
            }
            Self::Encoding { .. } => Some(format!("the encodings are {}", Encoding::NAMES.join(", "))),
            Self::NotUtf8 {
                probably: Some(encoding),
                ..
            } => Some(format!(
                "it looks like {}: add `encoding: {}`",
                encoding_name(*encoding),
                encoding.name()
            )),
            Self::NotUtf8 { .. } => Some("save the file as UTF-8, or say its `encoding`".into()),
            Self::Undecodable { utf8: true, .. } => Some("it looks like UTF-8: leave out `encoding`".into()),
            Self::Undecodable { .. } => Some(format!("the encodings are {}", Encoding::NAMES.join(", "))),
            Self::NoByteOrderMark { .. } => {
                Some("say which byte comes first: `utf-16le` or `utf-16be`".into())
            }
            Self::NotAList { lines: true, .. } => {
                Some("it has one object per line: give `format: jsonl`".into())
            }
            Self::NotAList { .. } => {
                Some("take the list out of the object around it: `jq .NAME IN > OUT`".into())
            }
            Self::Workbook {
                looks_like: Some(format),
                ..
            } => Some(format!(
                "it begins like a workbook of the other kind: give `format: {}`",
                format.name()
            )),
            Self::Workbook { .. } => Some(
                "open it in a spreadsheet program and save it anew, as xlsx and without a password".into(),
            ),
            Self::NoHeader { sheet: Some(_), .. } => {
                Some("give the row that names the columns, `header_row: N`, or another `sheet`".into())
            }
            Self::NoHeader { .. } => Some("give the row that names the columns, `header_row: N`".into()),
            Self::MissingColumn {
                column,
                sheet: Some(place),
                option,
                nearest,
                ..
            } => place
                .hint(column, *option)
                .or_else(|| missing_column_hint(column, *option, nearest.as_deref())),
            Self::MissingColumn {
                column,
                option,
                nearest,
                ..
            } => missing_column_hint(column, *option, nearest.as_deref()),
            Self::BadRows { rows, .. } => rows.first().and_then(|row| row.problem.hint()),
            Self::Overrides { mistakes, .. } => mistakes
                .first()
                .and_then(|mistake| mistake.problem.hint())
                .map(str::to_owned),
            Self::NotDecisions { .. } => Some(
                "save it as csv (UTF-8); `pipeline review import` also takes Label Studio's JSON and an edited `kept.parquet`"
                    .into(),
            ),
            Self::RepeatedId { .. } => {
                Some("make the ids unique, or rename the column `id` so that ids are generated".into())
            }
            Self::MapTarget {
                nearest: Some(near), ..
            } => Some(format!("did you mean `{near}`?")),
            Self::Query { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        let kind = match &error {
            DatasetError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                FailureKind::Missing
            }
            DatasetError::Io { .. } | DatasetError::Write { .. } => FailureKind::Storage,
            _ => FailureKind::Stage,
        };
        let hints = error.hint().into_iter().collect();
        Failure {
            kind,
            message: error.to_string(),
            hints,
        }
    }
}

fn within(place: Option<&SheetPlace>) -> String {
    place.map_or_else(String::new, |place| {
        format!(" in row {} of sheet `{}`", place.header_row, place.sheet)
    })
}

/// As in prose.
fn encoding_name(encoding: Encoding) -> String {
    encoding.name().to_uppercase()
}

fn missing_column_hint(column: &str, option: Option<&str>, nearest: Option<&str>) -> Option<String> {
    match (option, nearest) {
        (Some(option), Some(near)) => Some(format!(
            "did you mean `{near}`? then give `{option}: {near}` on this input"
        )),
        (Some(option), None) => Some(format!(
            "name the column that takes the place of `{column}`: `{option}: COLUMN`"
        )),
        (None, Some(near)) => Some(format!("did you mean `{near}`?")),
        (None, None) => None,
    }
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// Polars appends plans and backtraces after the first line.
pub(crate) fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_missing_and_a_bad_row_is_the_stage_s_fault() {
        let missing = DatasetError::io("a.csv", io::ErrorKind::NotFound.into());
        assert_eq!(Failure::from(missing).kind, FailureKind::Missing);
        let empty = DatasetError::Empty { name: "a.csv".into() };
        assert_eq!(Failure::from(empty).kind, FailureKind::Stage);
    }
}
