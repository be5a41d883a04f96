//! Where a row of an input comes from: the file, the place in it, and what stands there.

use classification::Task;
use stage::InputItem;

use crate::row::Wanted;
use crate::{DatasetError, Place, source};

/// A row as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Index of the item.
    pub item: usize,
    /// The place in its file.
    pub place: Place,
    /// Before anything is done to it.
    pub text: String,
    /// The label's cell, where a row has one label.
    pub label: Option<String>,
}

/// Finds the row `id` of an input called `input` in its files: by their own ids, or by the place that an id
/// `INPUT-ROW` names. `labelled`: whether the files have a column of labels.
///
/// # Errors
/// A file cannot be read, or not as its options say.
pub fn locate(
    items: &[InputItem],
    input: &str,
    id: &str,
    labelled: Option<Task>,
) -> Result<Option<Located>, DatasetError> {
    let numbered = id.strip_prefix(input).and_then(|rest| rest.strip_prefix('-'));
    let numbered: Option<u64> = numbered.and_then(|number| number.parse().ok());
    let mut rows = 0;
    let mut found = None;
    for (index, item) in items.iter().enumerate() {
        let label = item.options.label_column.clone();
        let wanted = Wanted {
            text: item
                .options
                .text_column
                .clone()
                .unwrap_or_else(|| "text".to_owned()),
            label: (labelled == Some(Task::SingleLabel)).then(|| label.unwrap_or_else(|| "label".to_owned())),
            several: None,
        };
        source::read(item, &wanted, &mut |place, row| {
            let number = rows;
            rows += 1;
            let Ok(row) = row else { return };
            let is_it = match row.id {
                Some(own) => own == id,
                None => numbered == Some(number),
            };
            if is_it && found.is_none() {
                found = Some(Located {
                    item: index,
                    place,
                    text: row.text.unwrap_or_default().to_owned(),
                    label: row.label.map(str::to_owned),
                });
            }
        })?;
        if found.is_some() {
            break;
        }
    }
    Ok(found)
}
