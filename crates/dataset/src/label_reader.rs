//! From a label's cell to a class: an input's `map`, then names, slugs and aliases.

use std::collections::{BTreeMap, HashMap};

use classification::{LabelIds, LabelSet};
use stage::InputItem;
use unicode_normalization::UnicodeNormalization;

use crate::indicator::LabelColumns;
use crate::normalize::nfc;
use crate::row::{ITEM, Row};
use crate::{DatasetError, RowProblem};

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// This class.
    Class(usize),
    /// The row is to be left out.
    Drop,
    /// No label of the pipeline.
    Unknown,
}

/// Reads the labels of one file.
pub(crate) struct LabelReader<'l> {
    labels: &'l LabelSet,
    map: BTreeMap<String, Verdict>,
    known: HashMap<String, Verdict>,
}

impl<'l> LabelReader<'l> {
    /// Checks that every target of the file's `map` is a label or `drop`.
    pub(crate) fn new(item: &InputItem, labels: &'l LabelSet) -> Result<Self, DatasetError> {
        let mut map = BTreeMap::new();
        for (from, to) in &item.options.map {
            let verdict = if to.trim() == "drop" {
                Verdict::Drop
            } else {
                resolve(labels, &nfc(to))
            };
            if verdict == Verdict::Unknown {
                return Err(DatasetError::MapTarget {
                    name: item.name.clone(),
                    from: from.clone(),
                    to: to.clone(),
                    nearest: nearest_label(to, labels),
                });
            }
            map.insert(nfc(from).trim().to_owned(), verdict);
        }
        Ok(Self {
            labels,
            map,
            known: HashMap::new(),
        })
    }

    /// The one label of a row; none: the row is to be left out.
    pub(crate) fn one(&mut self, row: &Row<'_>) -> Result<Option<LabelIds>, RowProblem> {
        let cell = row.label.map(str::trim).filter(|cell| !cell.is_empty());
        match self.known(cell.ok_or(RowProblem::NoLabel)?)? {
            Some(class) => Ok(Some(class.into())),
            None => Ok(None),
        }
    }

    /// All labels of a row: those of a cell, parted by commas or a list, or those whose column says 1. A label that
    /// `map` drops is left out, the row stays.
    pub(crate) fn several(&mut self, row: &Row<'_>, columns: &LabelColumns) -> Result<LabelIds, RowProblem> {
        if !row.indicators.is_empty() {
            return Ok(columns.read(&row.indicators)?.into());
        }
        self.names(row.label.unwrap_or_default())
    }

    /// All labels that a cell names, parted by commas or as a list.
    pub(crate) fn names(&mut self, cell: &str) -> Result<LabelIds, RowProblem> {
        let separator = if cell.starts_with(ITEM) { ITEM } else { ',' };
        let names = cell
            .split(separator)
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let mut ids = Vec::new();
        for name in names {
            ids.extend(self.known(name)?);
        }
        Ok(ids.into())
    }

    /// The class that `cell` names; none: it is to be dropped.
    fn known(&mut self, cell: &str) -> Result<Option<usize>, RowProblem> {
        match self.read(cell) {
            Verdict::Class(class) => Ok(Some(class)),
            Verdict::Drop => Ok(None),
            Verdict::Unknown => Err(RowProblem::UnknownLabel {
                label: cell.to_owned(),
                nearest: nearest_label(cell, self.labels),
            }),
        }
    }

    /// What `cell` says.
    fn read(&mut self, cell: &str) -> Verdict {
        if let Some(verdict) = self.known.get(cell) {
            return *verdict;
        }
        let text = nfc(cell);
        let mapped = self.map.get(text.trim()).copied();
        let verdict = mapped.unwrap_or_else(|| resolve(self.labels, &text));
        self.known.insert(cell.to_owned(), verdict);
        verdict
    }
}

fn resolve(labels: &LabelSet, text: &str) -> Verdict {
    let by_name = || labels.names().position(|name| nfc(name).trim() == text.trim());
    labels
        .resolve(text)
        .or_else(by_name)
        .map_or(Verdict::Unknown, Verdict::Class)
}

/// The label whose name, slug or alias is closest to `text`, if it is close enough to be what was meant.
///
/// Compares Hangul by its letters: `기뿜` is one letter away from `기쁨`, not half the word.
pub fn nearest_label(text: &str, labels: &LabelSet) -> Option<String> {
    let letters = |text: &str| text.trim().nfd().collect::<String>();
    let known: Vec<(String, &str)> = labels.all_names().map(|name| (letters(name), name)).collect();
    let near = stage::nearest(&letters(text), known.iter().map(|(letters, _)| letters.as_str()))?;
    known
        .iter()
        .find(|(letters, _)| letters == near)
        .map(|(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_letter_is_near() {
        let labels = LabelSet::from_names(["분노", "불안", "기쁨"]).unwrap();
        assert_eq!(nearest_label("기뿜", &labels).as_deref(), Some("기쁨"));
        assert_eq!(nearest_label("xyz", &labels), None);
    }
}
