//! Columns of 0 and 1, one per label, in place of a column of labels.

use classification::LabelSet;

use crate::normalize::nfc;
use crate::{DatasetError, RowProblem};

/// `label_column: "*"`: every label has a column of its own.
pub(crate) const EVERY_LABEL: &str = "*";

/// The names under which each label's column may stand.
#[derive(Clone, Debug)]
pub(crate) struct LabelColumns {
    /// In id order: name, slug and aliases.
    names: Vec<Vec<String>>,
}

impl LabelColumns {
    pub(crate) fn new(labels: &LabelSet) -> Self {
        let names = |id: usize| {
            let label = labels.get(id).into_iter();
            let names = label.flat_map(|label| {
                let others = label.slug.iter().chain(&label.aliases);
                std::iter::once(&label.name).chain(others)
            });
            names.map(|name| nfc(name).trim().to_owned()).collect()
        };
        Self {
            names: (0..labels.len()).map(names).collect(),
        }
    }

    /// The position of each label's column in a table without the column `wanted`.
    pub(crate) fn find(
        &self,
        file: &str,
        wanted: &str,
        header: &[String],
    ) -> Result<Vec<usize>, DatasetError> {
        let titles: Vec<String> = header.iter().map(|title| nfc(title).trim().to_owned()).collect();
        let mut positions = Vec::with_capacity(self.names.len());
        for names in &self.names {
            let mut found = (0..titles.len()).filter(|at| names.contains(&titles[*at]));
            match (found.next(), found.next()) {
                (Some(at), None) => positions.push(at),
                (Some(_), Some(second)) => {
                    return Err(DatasetError::RepeatedColumn {
                        name: file.to_owned(),
                        column: titles[second].clone(),
                    });
                }
                (None, _) => {
                    let (column, option) = match wanted {
                        EVERY_LABEL => (names.first().map_or(wanted, String::as_str), None),
                        column => (column, Some("label_column")),
                    };
                    return Err(DatasetError::missing_column(
                        file,
                        column,
                        option,
                        header.to_vec(),
                    ));
                }
            }
        }
        Ok(positions)
    }

    /// What `find` gives for each label's column, if it gives something for every label.
    pub(crate) fn all<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let found = |names: &Vec<String>| names.iter().find_map(|name| find(name));
        self.names.iter().map(found).collect()
    }

    /// The ids whose cells say yes.
    pub(crate) fn read(&self, cells: &[&str]) -> Result<Vec<usize>, RowProblem> {
        let mut ids = Vec::new();
        for (id, cell) in cells.iter().enumerate() {
            match cell.trim().to_ascii_lowercase().as_str() {
                "1" | "1.0" | "true" => ids.push(id),
                "0" | "0.0" | "false" | "" => {}
                _ => {
                    return Err(RowProblem::NotAnIndicator {
                        column: self.names[id].first().cloned().unwrap_or_default(),
                        found: (*cell).to_owned(),
                    });
                }
            }
        }
        Ok(ids)
    }
}
