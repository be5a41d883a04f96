//! An input's items as one table: user files and artifacts alike.

use std::collections::HashMap;

use classification::{LabelIds, LabelSet, Task};
use stage::{ArtifactType, InputItem};

use crate::indicator::LabelColumns;
use crate::interner::Interner;
use crate::label_reader::LabelReader;
use crate::row::{Row, Wanted};
use crate::visit::{visit_rows, wanted_text};
use crate::{DatasetError, DropReason, Dropped, ItemRows, Normalize, Place, RowProblem, Rows, parquet};

/// Texts with their labels: exactly one each where the task is single-label.
pub type Labelled = Rows<LabelIds>;
/// Texts without labels.
pub type Raw = Rows<()>;

/// How an input is read.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions<'a> {
    /// The pipeline's task.
    pub task: Task,
    /// The pipeline's labels.
    pub labels: &'a LabelSet,
    /// Done to every text.
    pub normalize: Normalize,
    /// The input's name, for ids that are made: `INPUT-ROW`.
    pub input_name: &'a str,
}

/// Reads tables with a text and a label column.
///
/// Where the task is multi-label the column is `labels` unless the input names another one; its cells hold names
/// between commas, or lists. Without it, every label may have a column of 0 and 1 instead, under any of its names;
/// `label_column: "*"` asks for these.
pub fn read_labelled(items: &[InputItem], options: &ReadOptions<'_>) -> Result<Labelled, DatasetError> {
    read_with(items, options, &mut |_, labels| labels)
}

/// What is made of a row of the item at a position, given its labels. Called once for every row, in order.
pub(crate) type WithLabels<'r, L> =
    dyn FnMut(usize, Result<Option<LabelIds>, RowProblem>) -> Result<Option<L>, RowProblem> + 'r;

/// As [`read_labelled`], with something else in place of the labels.
pub(crate) fn read_with<L: Clone>(
    items: &[InputItem],
    options: &ReadOptions<'_>,
    with: &mut WithLabels<'_, L>,
) -> Result<Rows<L>, DatasetError> {
    let mut reader = Reader::new(items, options);
    for (index, item) in items.iter().enumerate() {
        let mut labels = LabelReader::new(item, options.labels)?;
        let column = item.options.label_column.as_deref();
        match options.task {
            Task::SingleLabel => {
                reader.read(index, Some(column.unwrap_or("label")), None, &mut |row| {
                    with(index, labels.one(row))
                })?;
            }
            Task::MultiLabel => {
                let columns = LabelColumns::new(options.labels);
                let read = &mut |row: &Row<'_>| with(index, labels.several(row, &columns).map(Some));
                reader.read(
                    index,
                    Some(column.unwrap_or("labels")),
                    Some(columns.clone()),
                    read,
                )?;
            }
        }
    }
    reader.finish()
}

/// Reads tables with a text column; rows without text are left out.
pub fn read_raw(items: &[InputItem], options: &ReadOptions<'_>) -> Result<Raw, DatasetError> {
    read_texts(Reader::new(items, options))
}

/// As [`read_raw`], with the rows without text: what comes in is what comes out, row for row.
pub fn read_every_row(items: &[InputItem], options: &ReadOptions<'_>) -> Result<Raw, DatasetError> {
    read_texts(Reader {
        keep_empty: true,
        ..Reader::new(items, options)
    })
}

fn read_texts(mut reader: Reader<'_, ()>) -> Result<Raw, DatasetError> {
    for index in 0..reader.items.len() {
        reader.read(index, None, None, &mut |_| Ok(Some(())))?;
    }
    reader.finish()
}

/// How the texts of these tables were normalised, as far as the tables say so: those that a stage wrote do. Where
/// several differ, the one that does most.
pub fn stated_normalize(items: &[InputItem]) -> Result<Option<Normalize>, DatasetError> {
    let mut most = None;
    for item in items
        .iter()
        .filter(|item| item.artifact_type != ArtifactType::File)
    {
        most = most.max(parquet::stated_normalize(&item.path, &item.name)?);
    }
    Ok(most)
}

/// The class of a row; none: the row is to be left out.
type ReadLabel<'r, L> = dyn FnMut(&Row<'_>) -> Result<Option<L>, RowProblem> + 'r;

struct Reader<'a, L> {
    items: &'a [InputItem],
    options: &'a ReadOptions<'a>,
    rows: Rows<L>,
    /// Where each row of `rows` stands: index of the item, and the place in it.
    places: Vec<(u32, Place)>,
    /// Whether rows without text stay.
    keep_empty: bool,
}

impl<'a, L: Clone> Reader<'a, L> {
    fn new(items: &'a [InputItem], options: &'a ReadOptions<'a>) -> Self {
        Self {
            items,
            options,
            rows: Rows::default(),
            places: Vec::new(),
            keep_empty: false,
        }
    }

    fn read(
        &mut self,
        index: usize,
        label_column: Option<&str>,
        several: Option<LabelColumns>,
        read_label: &mut ReadLabel<'_, L>,
    ) -> Result<(), DatasetError> {
        let item = &self.items[index];
        let wanted = Wanted {
            label: label_column.map(str::to_owned),
            several,
            ..wanted_text(item)
        };
        let mut sources = Interner::of(item);
        let mut rows = self.rows.notes.rows;
        let rows_before = self.rows.texts.len();
        visit_rows(item, &wanted, &mut rows, &mut |place, number, row| {
            self.add(index, place, number, row, &mut sources, read_label)
        })?;
        self.rows.notes.rows = rows;
        self.rows.notes.items.push(ItemRows {
            name: item.name.clone(),
            rows: self.rows.texts.len() - rows_before,
        });
        Ok(())
    }

    fn add(
        &mut self,
        index: usize,
        place: Place,
        number: u64,
        row: &Row<'_>,
        sources: &mut Interner,
        read_label: &mut ReadLabel<'_, L>,
    ) -> Result<(), RowProblem> {
        let id = self.options.id(row, number)?;
        let text = self.options.normalize.apply(row.text.unwrap_or_default());
        let empty = !self.keep_empty && text.trim().is_empty();
        // A row without text needs no label, but a wrong label is a mistake all the same.
        let label = match read_label(row) {
            Err(RowProblem::NoLabel) if empty => None,
            label => label?,
        };
        let reason = match (empty, &label) {
            (true, _) => Some(DropReason::EmptyText),
            (false, None) => Some(DropReason::MappedToDrop),
            (false, Some(_)) => None,
        };
        if let Some(reason) = reason {
            self.rows.notes.dropped.push(Dropped {
                id: id.into_owned(),
                reason,
                twin: None,
                text: text.into_owned(),
            });
        } else if let Some(label) = label {
            self.rows.ids.push(id.into_owned());
            self.rows.texts.push(text.into_owned());
            self.rows.labels.push(label);
            self.rows
                .sources
                .push(sources.get(row.source.unwrap_or_default()));
            self.places.push((index as u32, place));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Rows<L>, DatasetError> {
        self.rows.notes.normalize = Some(self.options.normalize);
        if let (0, Some(item)) = (self.rows.notes.rows, self.items.first()) {
            return Err(DatasetError::NoRows {
                name: item.name.clone(),
            });
        }
        let mut first: HashMap<&str, usize> = HashMap::with_capacity(self.rows.ids.len());
        for (position, id) in self.rows.ids.iter().enumerate() {
            // Ids of an artifact were checked when it was made, and two artifacts may well use the same.
            if self.items[self.places[position].0 as usize].artifact_type != ArtifactType::File {
                continue;
            }
            if let Some(before) = first.insert(id, position) {
                let (first, second) = (self.place(before), self.place(position));
                return Err(DatasetError::RepeatedId {
                    id: id.clone(),
                    first,
                    second,
                });
            }
        }
        Ok(self.rows)
    }

    fn place(&self, position: usize) -> String {
        let (item, place) = self.places[position];
        format!("`{}` {place}", self.items[item as usize].name)
    }
}
