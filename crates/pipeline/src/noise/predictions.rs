//! What models said about rows that they were not trained on.

use std::path::Path;

use classification::{LabelIds, LabelSet, Task};
use dataset::{Cell, inspect};

use crate::error::{CliError, Exit};

/// Rows with their labels and out-of-sample probabilities.
#[derive(Default)]
pub(super) struct Predictions {
    pub(super) ids: Vec<String>,
    pub(super) texts: Vec<String>,
    pub(super) labels: Vec<LabelIds>,
    /// One per class and row, in id order.
    pub(super) probabilities: Vec<Vec<f32>>,
}

/// The file of a `fine_tune` version with the rows that validated it.
const FILE: &str = "validation_predictions.parquet";

impl Predictions {
    /// Adds the rows that validated the version in `folder`.
    pub(super) fn add(&mut self, folder: &Path, labels: &LabelSet, task: Task) -> Result<(), CliError> {
        let path = folder.join(FILE);
        let name = path.display().to_string();
        let column = match task {
            Task::SingleLabel => "label",
            Task::MultiLabel => "labels",
        };
        let rows = inspect::open(&path, &name, None)
            .and_then(|table| table.sql(&format!("SELECT id, text, {column}, probs FROM t")))
            .and_then(|table| table.all())
            .map_err(stage::Failure::from)?
            .rows;
        for row in rows {
            let read = Row::read(&row, labels);
            let Row(id, text, given, probabilities) = read.ok_or_else(|| {
                let message = format!("`{name}` is not a table of predictions for these labels");
                CliError::new(Exit::Storage, message)
            })?;
            self.ids.push(id);
            self.texts.push(text);
            self.labels.push(given);
            self.probabilities.push(probabilities);
        }
        Ok(())
    }
}

/// Id, text, labels and probabilities.
struct Row(String, String, LabelIds, Vec<f32>);

impl Row {
    fn read(cells: &[Cell], labels: &LabelSet) -> Option<Self> {
        let [Cell::Text(id), Cell::Text(text), given, Cell::List(probabilities)] = cells else {
            return None;
        };
        let given = match given {
            Cell::List(names) => names.as_slice(),
            name => std::slice::from_ref(name),
        };
        let class = |name: &Cell| match name {
            Cell::Text(name) => labels.resolve(name),
            _ => None,
        };
        let number = |cell: &Cell| match cell {
            Cell::Float(value) => Some(*value as f32),
            _ => None,
        };
        let given: Option<Vec<usize>> = given.iter().map(class).collect();
        let probabilities: Option<Vec<f32>> = probabilities.iter().map(number).collect();
        let probabilities = probabilities.filter(|list| list.len() == labels.len());
        Some(Self(id.clone(), text.clone(), given?.into(), probabilities?))
    }
}
