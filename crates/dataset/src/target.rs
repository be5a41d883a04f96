//! What texts are to teach: their labels, or probabilities of all labels.

use classification::{LabelIds, Task};
use stage::{Format, InputItem};

use crate::batches::{ParquetTable, float_lists};
use crate::read::read_with;
use crate::select::SOFT_LABEL;
use crate::{DatasetError, Labelled, ReadOptions, Rows};

/// What a text is to teach.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Exactly one where the task is single-label.
    pub labels: LabelIds,
    /// The probability of each label, in id order, in place of `labels`; they sum to 1 where the task is single-label.
    pub soft: Option<Vec<f32>>,
}

/// How far the probabilities of a text may be from 1 in sum: they are 32-bit floats.
const TOLERANCE: f64 = 1e-3;

/// As [`read_labelled`](crate::read_labelled), with the probabilities of parquet tables that have the column `soft_label`.
pub fn read_targets(items: &[InputItem], options: &ReadOptions<'_>) -> Result<Rows<Target>, DatasetError> {
    let soft = items.iter().map(|item| soft_labels(item, options));
    let soft: Vec<Vec<Option<Vec<f32>>>> = soft.collect::<Result<_, _>>()?;
    let mut soft: Vec<_> = soft.into_iter().map(Vec::into_iter).collect();
    read_with(items, options, &mut |item, labels| {
        // One for every row, also for those that are left out.
        let soft = soft[item].next().flatten();
        Ok(labels?.map(|labels| Target { labels, soft }))
    })
}

impl Rows<Target> {
    /// The same rows with their labels alone.
    pub fn into_labelled(self) -> Labelled {
        Rows {
            ids: self.ids,
            texts: self.texts,
            labels: self.labels.into_iter().map(|target| target.labels).collect(),
            sources: self.sources,
            notes: self.notes,
        }
    }
}

/// The probabilities of each row of a file; empty if it has none.
fn soft_labels(item: &InputItem, options: &ReadOptions<'_>) -> Result<Vec<Option<Vec<f32>>>, DatasetError> {
    let format = item.options.format.or_else(|| Format::from_path(&item.path));
    if format != Some(Format::Parquet) {
        return Ok(Vec::new());
    }
    let source = ParquetTable::open(&item.path, &item.name, &[])?;
    let mut rows = Vec::new();
    if !source.has(SOFT_LABEL) {
        return Ok(rows);
    }
    source.each(&[SOFT_LABEL], &mut |start, frame| {
        let numbers = start..start + frame.height();
        let lists = float_lists(&frame, &item.name, SOFT_LABEL, options.labels.len(), numbers)?;
        for (row, list) in lists.iter().enumerate() {
            if let Some(problem) = list.as_deref().and_then(|list| problem(list, options.task)) {
                return Err(DatasetError::NotFinite {
                    name: item.name.clone(),
                    row: start + row,
                    column: SOFT_LABEL,
                    value: problem,
                });
            }
        }
        rows.extend(lists);
        Ok(())
    })?;
    Ok(rows)
}

/// Why these numbers are no probabilities of the labels.
fn problem(values: &[f32], task: Task) -> Option<String> {
    if !values.iter().all(|value| (0.0..=1.0).contains(value)) {
        return Some(format!("{values:?}, not probabilities between 0 and 1"));
    }
    let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
    let wrong = task == Task::SingleLabel && (sum - 1.0).abs() > TOLERANCE;
    wrong.then(|| format!("{values:?}, whose sum is {sum:.4}, not 1"))
}
