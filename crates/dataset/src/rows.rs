//! A table in memory: columns of equal length, and what was dropped on the way to it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Normalize;

/// Texts with what is known about each. `L`: label ids, or `()` for raw texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<L> {
    /// Unique within a table.
    pub ids: Vec<String>,
    /// Normalised; not empty unless every row was asked for.
    pub texts: Vec<String>,
    /// One per text.
    pub labels: Vec<L>,
    /// Where each text comes from; equal names share their memory.
    pub sources: Vec<Arc<str>>,
    /// What was read and what was dropped.
    pub notes: Notes,
}

/// What reading and cleaning did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Rows in the files.
    pub rows: u64,
    /// Rows that are not in the table, in the order in which they were dropped.
    pub dropped: Vec<Dropped>,
    /// How the texts were normalised; absent: not known.
    pub normalize: Option<Normalize>,
    /// The files of the table in their order, each with its rows that are in the table; empty: not known.
    pub items: Vec<ItemRows>,
}

/// A file of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRows {
    /// As the user wrote it.
    pub name: String,
    /// How many rows of the table come from it.
    pub rows: usize,
}

/// A row that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: DropReason,
    /// The row that it repeats or resembles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
    /// Its text.
    pub text: String,
}

/// The row that another one repeats or resembles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Twin {
    /// The table in which it stands.
    pub split: Split,
    /// Its id.
    pub id: String,
}

/// Why a row was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// No text is left after normalisation.
    EmptyText,
    /// The input maps its label to `drop`.
    MappedToDrop,
    /// The text stands in the same table already.
    Duplicate,
    /// The text stands in the same table with another label; all of them go.
    ConflictingLabels,
    /// The text stands in a table that is more worth protecting (golden, validation, train).
    InOtherSplit,
    /// A similar text stands in a table that is more worth protecting (golden, validation).
    NearOtherSplit,
    /// A person decided so in a review.
    Review,
}

impl DropReason {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmptyText => "empty_text",
            Self::MappedToDrop => "mapped_to_drop",
            Self::Duplicate => "duplicate",
            Self::ConflictingLabels => "conflicting_labels",
            Self::InOtherSplit => "in_other_split",
            Self::NearOtherSplit => "near_other_split",
            Self::Review => "review",
        }
    }
}

/// The tables of a pipeline; what stands in one must not stand in a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Human-verified, only evaluated on.
    Golden,
    /// Chooses the best model.
    Validation,
    /// Trains.
    Train,
    /// Has no labels.
    Raw,
}

impl Split {
    /// The name of its input and artifact.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Golden => "golden",
            Self::Validation => "validation",
            Self::Train => "train",
            Self::Raw => "raw",
        }
    }
}

impl<L> Default for Rows<L> {
    fn default() -> Self {
        let notes = Notes::default();
        Self {
            ids: Vec::new(),
            texts: Vec::new(),
            labels: Vec::new(),
            sources: Vec::new(),
            notes,
        }
    }
}

impl<L: Clone> Rows<L> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Moves the rows for which `taken` is true into a table of their own; both keep the order.
    pub fn split_off(&mut self, taken: &[bool]) -> Self {
        let (ids, taken_ids) = partition(std::mem::take(&mut self.ids), taken);
        let (texts, taken_texts) = partition(std::mem::take(&mut self.texts), taken);
        let (labels, taken_labels) = partition(std::mem::take(&mut self.labels), taken);
        let (sources, taken_sources) = partition(std::mem::take(&mut self.sources), taken);
        let mut moved = taken.iter();
        let mut taken_items = self.notes.items.clone();
        for (item, taken_item) in self.notes.items.iter_mut().zip(&mut taken_items) {
            taken_item.rows = moved.by_ref().take(item.rows).filter(|taken| **taken).count();
            item.rows -= taken_item.rows;
        }
        (self.ids, self.texts, self.labels, self.sources) = (ids, texts, labels, sources);
        Self {
            ids: taken_ids,
            texts: taken_texts,
            labels: taken_labels,
            sources: taken_sources,
            notes: Notes {
                normalize: self.notes.normalize,
                items: taken_items,
                ..Notes::default()
            },
        }
    }

    /// Takes out the rows for which there is an entry, one per row, and notes these.
    pub fn remove(&mut self, dropped: Vec<Option<Dropped>>) {
        let taken: Vec<bool> = dropped.iter().map(Option::is_some).collect();
        if taken.contains(&true) {
            self.split_off(&taken);
            self.notes.dropped.extend(dropped.into_iter().flatten());
        }
    }
}

fn partition<T>(values: Vec<T>, taken: &[bool]) -> (Vec<T>, Vec<T>) {
    let count = taken.iter().filter(|taken| **taken).count();
    let (mut rest, mut out) = (
        Vec::with_capacity(values.len() - count),
        Vec::with_capacity(count),
    );
    for (value, taken) in values.into_iter().zip(taken) {
        if *taken { out.push(value) } else { rest.push(value) }
    }
    (rest, out)
}
