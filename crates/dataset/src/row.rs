//! What a reader hands over: one row, as the file has it, with its place.

use crate::normalize::nfc;
use crate::{DatasetError, Place, RowProblem, indicator::LabelColumns};

/// The columns that a reader looks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Must be there.
    pub(crate) text: String,
    /// Must be there when given.
    pub(crate) label: Option<String>,
    /// Where rows have any number of labels: the columns of 0 and 1 that may stand in for the label column.
    pub(crate) several: Option<LabelColumns>,
}

/// Stands before every item of a list of labels: ASCII's unit separator, which no label has.
pub(crate) const ITEM: char = '\u{1f}';

/// The column with a row's identity, if the table has it.
pub(crate) const ID: &str = "id";
/// The column with a row's origin, if the table has it.
pub(crate) const SOURCE: &str = "source";

/// A row. `None`: the table has no such column, or the cell is null.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row<'a> {
    /// Empty: there is the column, but no id.
    pub(crate) id: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    /// A list comes as its items, each behind an [`ITEM`].
    pub(crate) label: Option<&'a str>,
    /// One cell per label, where 0 and 1 stand in columns of their own.
    pub(crate) indicators: Vec<&'a str>,
    pub(crate) source: Option<&'a str>,
}

/// Is given every row of a file, in order, also those that cannot be used.
pub(crate) type Visit<'v> = dyn FnMut(Place, Result<Row<'_>, RowProblem>) + 'v;

/// The positions of the columns in a header.
#[derive(Clone, Debug)]
pub(crate) struct Positions {
    pub(crate) text: usize,
    pub(crate) label: Option<usize>,
    /// One per label, when there is no label column.
    pub(crate) indicators: Vec<usize>,
    pub(crate) id: Option<usize>,
    pub(crate) source: Option<usize>,
}

impl Wanted {
    /// Where the columns stand in `header`; says which ones there are if one is missing.
    pub(crate) fn find(&self, name: &str, header: &[String]) -> Result<Positions, DatasetError> {
        let optional = |column: &str| {
            let wanted = nfc(column);
            let mut found = header
                .iter()
                .enumerate()
                .filter(|(_, title)| nfc(title).trim() == wanted.trim())
                .map(|(at, _)| at);
            let first = found.next();
            match found.next() {
                None => Ok(first),
                Some(_) => Err(DatasetError::RepeatedColumn {
                    name: name.to_owned(),
                    column: column.to_owned(),
                }),
            }
        };
        let required = |column: &str, option| {
            optional(column)?
                .ok_or_else(|| DatasetError::missing_column(name, column, Some(option), header.to_vec()))
        };
        let text = required(&self.text, "text_column")?;
        let mut indicators = Vec::new();
        let label = match &self.label {
            None => None,
            Some(column) => match (optional(column)?, &self.several) {
                (None, Some(columns)) => {
                    indicators = columns.find(name, column, header)?;
                    None
                }
                (Some(at), _) => Some(at),
                (None, None) => Some(required(column, "label_column")?),
            },
        };
        Ok(Positions {
            text,
            label,
            indicators,
            id: optional(ID)?,
            source: optional(SOURCE)?,
        })
    }
}

impl Positions {
    /// The cells of a row, of which `field` gives the one at a position; empty ones are `None`.
    pub(crate) fn row<'r>(&self, field: impl Fn(usize) -> Option<&'r str>) -> Row<'r> {
        Row {
            id: self.id.map(|at| field(at).unwrap_or_default()),
            text: field(self.text),
            label: self.label.and_then(&field),
            indicators: self
                .indicators
                .iter()
                .map(|at| field(*at).unwrap_or_default())
                .collect(),
            source: self.source.and_then(&field),
        }
    }

    /// Every position.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> {
        [Some(self.text), self.label, self.id, self.source]
            .into_iter()
            .flatten()
            .chain(self.indicators.iter().copied())
    }
}
