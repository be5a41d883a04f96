//! The rows of an input's item, one after the other, with all that cannot be used as one error.

use std::borrow::Cow;

use stage::{ArtifactType, InputItem};

use crate::bad_row::SHOWN_ROWS;
use crate::row::{Row, Wanted};
use crate::{BadRow, DatasetError, Place, ReadOptions, RowProblem, source};

/// The text column of an item and nothing else.
pub(crate) fn wanted_text(item: &InputItem) -> Wanted {
    let column = item.options.text_column.clone();
    Wanted {
        text: column.unwrap_or_else(|| "text".to_owned()),
        label: None,
        several: None,
    }
}

/// Takes the place of a row in its file, its number in the input, and the row.
pub(crate) type Take<'t> = dyn FnMut(Place, u64, &Row<'_>) -> Result<(), RowProblem> + 't;

/// Hands over every row of an item; all that cannot be used are one error. `rows` counts those of the input.
pub(crate) fn visit_rows(
    item: &InputItem,
    wanted: &Wanted,
    rows: &mut u64,
    take: &mut Take<'_>,
) -> Result<(), DatasetError> {
    let (mut bad, mut bad_count) = (Vec::new(), 0);
    let before = *rows;
    source::read(item, wanted, &mut |place, row| {
        let number = *rows;
        *rows += 1;
        if let Err(problem) = row.and_then(|row| take(place, number, &row)) {
            bad_count += 1;
            if bad.len() < SHOWN_ROWS {
                bad.push(BadRow { place, problem });
            }
        }
    })?;
    let count = *rows - before;
    tracing::debug!(file = item.name, rows = count, "read");
    if bad_count > 0 {
        return Err(DatasetError::BadRows {
            name: item.name.clone(),
            rows: bad,
            count: bad_count,
        });
    }
    // An artifact may be empty, as a selection that keeps nothing; a file without rows is a mistake.
    if count == 0 && item.artifact_type == ArtifactType::File {
        return Err(DatasetError::NoRows {
            name: item.name.clone(),
        });
    }
    Ok(())
}

impl ReadOptions<'_> {
    /// The id of a row that is the `number`th of its input.
    pub(crate) fn id<'r>(&self, row: &Row<'r>, number: u64) -> Result<Cow<'r, str>, RowProblem> {
        match row.id {
            Some("") => Err(RowProblem::NoId),
            Some(id) => Ok(Cow::Borrowed(id)),
            None => Ok(Cow::Owned(format!("{}-{number}", self.input_name))),
        }
    }
}
