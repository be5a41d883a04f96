//! What a reader hands over: one row, as the file has it, with its place.

use crate::{DatasetError, Place, RowProblem};

/// The columns that a reader looks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Must be there.
    pub(crate) text: String,
    /// Must be there when given.
    pub(crate) label: Option<String>,
}

/// The column with a row's identity, if the table has it.
pub(crate) const ID: &str = "id";
/// The column with a row's origin, if the table has it.
pub(crate) const SOURCE: &str = "source";

/// A row. `None`: the table has no such column, or the cell is null.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row<'a> {
    /// Empty: there is the column, but no id.
    pub(crate) id: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    pub(crate) label: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
}

/// Is given every row of a file, in order, also those that cannot be used.
pub(crate) type Visit<'v> = dyn FnMut(Place, Result<Row<'_>, RowProblem>) + 'v;

/// The positions of the columns in a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positions {
    pub(crate) text: usize,
    pub(crate) label: Option<usize>,
    pub(crate) id: Option<usize>,
    pub(crate) source: Option<usize>,
}

impl Wanted {
    /// Where the columns stand in `header`; says which ones there are if one is missing.
    pub(crate) fn find(&self, name: &str, header: &[String]) -> Result<Positions, DatasetError> {
        let optional = |column: &str| {
            let mut found = header
                .iter()
                .enumerate()
                .filter(|(_, title)| *title == column)
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
        Ok(Positions {
            text: required(&self.text, "text_column")?,
            label: self
                .label
                .as_deref()
                .map(|label| required(label, "label_column"))
                .transpose()?,
            id: optional(ID)?,
            source: optional(SOURCE)?,
        })
    }
}
