//! A row that cannot be used: where it stands and what is wrong with it.

use std::fmt;

/// How many bad rows a message shows; the others are counted.
pub(crate) const SHOWN_ROWS: usize = 5;

/// Where a row stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Data row, from 0, as in generated ids.
    pub row: u64,
    /// Where the row begins, as a person counts.
    pub line: Option<Line>,
}

/// A line as a person counts them, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Of a text file.
    Text(u64),
    /// Row of a sheet.
    Sheet(u64),
}

impl Place {
    pub(crate) fn in_text(row: u64, line: u64) -> Self {
        let line = Some(Line::Text(line));
        Self { row, line }
    }

    pub(crate) fn in_sheet(row: u64, line: u64) -> Self {
        let line = Some(Line::Sheet(line));
        Self { row, line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(Line::Text(line)) => write!(f, "row {} (line {line})", self.row),
            Some(Line::Sheet(line)) => write!(f, "row {} (row {line} of the sheet)", self.row),
            None => write!(f, "row {}", self.row),
        }
    }
}

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Where it stands.
    pub place: Place,
    /// What is wrong with it.
    pub problem: RowProblem,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// The label is no label of the pipeline.
    #[error("unknown label `{label}`{}", nearest.as_ref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownLabel {
        /// As in the file.
        label: String,
        /// The closest label there is.
        nearest: Option<String>,
    },
    /// A column of 0 and 1 holds something else.
    #[error("`{column}` is `{found}`, neither 0 nor 1")]
    NotAnIndicator {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
    },
    /// The label's cell is empty.
    #[error("no label")]
    NoLabel,
    /// The table has ids, but not for this row.
    #[error("no id")]
    NoId,
    /// More or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    FieldCount {
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// A value that is not text.
    #[error("`{column}` is {found}, not a string")]
    NotText {
        /// The column.
        column: String,
        /// What it is.
        found: &'static str,
    },
    /// A path into an object that leads nowhere.
    #[error("no `{column}`: {reason}")]
    NoField {
        /// The path.
        column: String,
        /// The part of it that is missing.
        reason: String,
    },
    /// A formula that failed.
    #[error("cell {cell} (`{column}`) holds the error `{error}`")]
    ErrorCell {
        /// Its address: `C5`.
        cell: String,
        /// The column.
        column: String,
        /// What the spreadsheet program says.
        error: String,
    },
    /// A line that is not a JSON object.
    #[error("not a JSON object: {0}")]
    NotAnObject(String),
}

impl RowProblem {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownLabel { label, nearest } => {
                let target = nearest.as_deref().unwrap_or("LABEL");
                Some(format!(
                    "map it on this input, `map: {{{label}: {target}}}` (or `drop`), or add it to the `aliases` of a label"
                ))
            }
            Self::NoLabel => Some("give the row a label, or remove it".into()),
            Self::NoId => {
                Some("give every row an id, or rename the column `id` so that ids are generated".into())
            }
            Self::FieldCount { .. } => {
                Some("a text with the separator in it needs double quotes around it".into())
            }
            Self::NoField { .. } => {
                Some("a path names a field of every row; a field that is `null` is an empty cell".into())
            }
            Self::ErrorCell { .. } => Some("repair the formula, or empty the cell".into()),
            Self::NotAnIndicator { .. } => {
                Some("write 1 (true) where the row has the label, and 0 (false) where it has not".into())
            }
            Self::NotText { .. } => None,
            Self::NotAnObject(_) => Some(
                "a row is an object, such as {\"text\": \"…\", \"label\": \"…\"}; in jsonl one per line"
                    .into(),
            ),
        }
    }
}

/// The rows for a message: one behind a colon, more of them a line each.
pub(crate) fn list(rows: &[BadRow], count: u64) -> String {
    if let ([row], 1) = (rows, count) {
        return format!(": {}: {}", row.place, row.problem);
    }
    let mut text = String::from(":");
    for row in rows {
        text.push_str(&format!("\n  {}: {}", row.place, row.problem));
    }
    let more = count.saturating_sub(rows.len() as u64);
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}
