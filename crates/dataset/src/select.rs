//! Which predictions are good enough to teach a student.

use std::collections::BTreeMap;
use std::path::Path;

use classification::{LabelIds, LabelSet, Task};
use polars::prelude::{BooleanChunked, DataFrame, Float32Chunked, StringChunked};
use serde::{Serialize, Serializer};

use crate::write::{failed, label_title, write_frame};
use crate::{Column, DatasetError, Normalize, parquet, write_columns};

/// What a prediction must reach, inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Lowest confidence, in [0, 1].
    pub min_confidence: f32,
    /// Lowest margin, in [0, 1].
    pub min_margin: f32,
}

/// What every prediction must reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// One per class, in id order. Where the task is multi-label a row must reach those of every label that it is
    /// given, and at least the first of all when it is given none.
    pub classes: Vec<Threshold>,
    /// At most so many rows of a class, the most confident first, equal ones in the table's order. A row with several
    /// labels counts to each, and must find room in all of them.
    pub max_per_class: Option<u64>,
}

/// How many rows came through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Funnel {
    /// Scored rows.
    pub rows: u64,
    /// Rows that came through.
    pub kept: u64,
    /// Reason → rows.
    pub drops: BTreeMap<&'static str, u64>,
    /// In id order; a row with several labels counts to each of them.
    #[serde(serialize_with = "as_map")]
    pub classes: Vec<(String, ClassFunnel)>,
}

/// How many rows of a class came through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassFunnel {
    /// Rows that were predicted to be of this class.
    pub candidates: u64,
    /// Rows that came through.
    pub kept: u64,
    /// Reason → rows.
    pub drops: BTreeMap<&'static str, u64>,
}

/// How the thresholds do on rows whose labels are known. The cap has no part in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidationFunnel {
    /// Scored rows.
    pub rows: u64,
    /// Rows that reach the thresholds.
    pub kept: u64,
    /// Rows of those that are predicted rightly.
    pub correct: u64,
    /// `correct` of `kept`; null when nothing is kept.
    pub precision: Option<f64>,
}

/// The decision on every row of a scored table.
pub struct Selection {
    frame: DataFrame,
    task: Task,
    normalize: Option<Normalize>,
    drops: Vec<Option<&'static str>>,
    /// How many rows came through.
    pub funnel: Funnel,
}

const CONFIDENCE: &str = "confidence";
const MARGIN: &str = "margin";
const CLASS_CAP: &str = "class_cap";

const COLUMNS: [&str; 8] = [
    "id",
    "text",
    "source",
    "pred_emotion",
    "pred_conf",
    "pred_margin",
    "pred_second",
    "probs",
];

/// Decides on every row of the scored table at `path`.
pub fn select(
    path: &Path,
    name: &str,
    thresholds: &Thresholds,
    labels: &LabelSet,
    task: Task,
) -> Result<Selection, DatasetError> {
    let frame = parquet::read_columns(path, name, &COLUMNS)?;
    let normalize = parquet::stated_normalize(path, name)?;
    let candidates = Candidates::of(&frame, name, thresholds, labels, task)?;
    let mut drops = candidates.drops();
    if let Some(cap) = thresholds.max_per_class {
        candidates.cap(cap, labels.len(), &mut drops);
    }
    let funnel = funnel(&candidates.labels, &drops, labels);
    Ok(Selection {
        frame,
        task,
        normalize,
        drops,
        funnel,
    })
}

/// How the thresholds do on a scored table with labels.
pub fn validation_funnel(
    path: &Path,
    name: &str,
    thresholds: &Thresholds,
    labels: &LabelSet,
    task: Task,
) -> Result<ValidationFunnel, DatasetError> {
    let truth_column = label_title(task);
    let columns = ["pred_emotion", "pred_conf", "pred_margin", truth_column];
    let frame = parquet::read_columns(path, name, &columns)?;
    let candidates = Candidates::of(&frame, name, thresholds, labels, task)?;
    let truth = label_ids(&frame, name, truth_column, labels, task)?;
    let drops = candidates.drops();
    let kept: Vec<usize> = (0..drops.len()).filter(|row| drops[*row].is_none()).collect();
    let correct = kept
        .iter()
        .filter(|row| truth[**row] == candidates.labels[**row])
        .count() as u64;
    let precision = (!kept.is_empty()).then(|| correct as f64 / kept.len() as f64);
    Ok(ValidationFunnel {
        rows: drops.len() as u64,
        kept: kept.len() as u64,
        correct,
        precision,
    })
}

impl Selection {
    /// Writes the rows that came through, with `label` (where the task is multi-label `labels`) = `pred_emotion`, in
    /// the table's order.
    pub fn write_kept(&self, path: &Path) -> Result<(), DatasetError> {
        let mask: BooleanChunked = self.drops.iter().map(|drop| Some(drop.is_none())).collect();
        let label = |frame: DataFrame| {
            let mut column = frame.column("pred_emotion")?.clone();
            column.rename(label_title(self.task).into());
            frame.hstack(&[column])
        };
        let kept = self
            .frame
            .filter(&mask)
            .and_then(label)
            .map_err(|error| failed(path, error))?;
        write_frame(path, &kept, self.normalize)
    }

    /// Writes `id`, `kept`, `drop_reason` of every row.
    pub fn write_decided(&self, path: &Path) -> Result<(), DatasetError> {
        let ids = parquet::strings(&self.frame, "scored", "id", false)?;
        write_columns(
            path,
            vec![
                Column::Str("id".into(), ids.iter().map(|id| id.map(str::to_owned)).collect()),
                Column::Bool("kept".into(), self.drops.iter().map(Option::is_none).collect()),
                Column::Str(
                    "drop_reason".into(),
                    self.drops.iter().map(|drop| drop.map(str::to_owned)).collect(),
                ),
            ],
        )
    }
}

/// Predicted labels and confidence of every row, and whether the thresholds are reached.
struct Candidates {
    labels: Vec<LabelIds>,
    confidences: Vec<f32>,
    confident: Vec<bool>,
    unambiguous: Vec<bool>,
}

impl Candidates {
    fn of(
        frame: &DataFrame,
        name: &str,
        thresholds: &Thresholds,
        labels: &LabelSet,
        task: Task,
    ) -> Result<Self, DatasetError> {
        let labels = label_ids(frame, name, "pred_emotion", labels, task)?;
        let confidences = finite(frame, name, "pred_conf")?;
        let margins = finite(frame, name, "pred_margin")?;
        let reached = |values: &[f32], least: fn(&Threshold) -> f32| -> Vec<bool> {
            let rows = values.iter().zip(&labels);
            rows.map(|(value, labels)| thresholds.of(labels).all(|threshold| *value >= least(threshold)))
                .collect()
        };
        Ok(Self {
            confident: reached(&confidences, |threshold| threshold.min_confidence),
            unambiguous: reached(&margins, |threshold| threshold.min_margin),
            labels,
            confidences,
        })
    }

    fn drops(&self) -> Vec<Option<&'static str>> {
        let reason = |(confident, unambiguous): (&bool, &bool)| match (confident, unambiguous) {
            (false, _) => Some(CONFIDENCE),
            (true, false) => Some(MARGIN),
            (true, true) => None,
        };
        self.confident.iter().zip(&self.unambiguous).map(reason).collect()
    }

    fn cap(&self, cap: u64, classes: usize, drops: &mut [Option<&'static str>]) {
        let mut rows: Vec<usize> = (0..drops.len()).filter(|row| drops[*row].is_none()).collect();
        rows.sort_by(|a, b| {
            self.confidences[*b]
                .total_cmp(&self.confidences[*a])
                .then(a.cmp(b))
        });
        let mut room = vec![cap; classes];
        for row in rows {
            let ids = self.labels[row].ids();
            if ids.iter().any(|id| room[*id] == 0) {
                drops[row] = Some(CLASS_CAP);
            } else {
                ids.iter().for_each(|id| room[*id] -= 1);
            }
        }
    }
}

impl Thresholds {
    /// What a row with these labels must reach.
    fn of<'t>(&'t self, labels: &'t LabelIds) -> impl Iterator<Item = &'t Threshold> {
        let without = labels.is_empty().then(|| self.classes.first()).flatten();
        labels.ids().iter().map(|id| &self.classes[*id]).chain(without)
    }
}

/// The labels of every row, which must be names of the label set.
fn label_ids(
    frame: &DataFrame,
    name: &str,
    column: &str,
    labels: &LabelSet,
    task: Task,
) -> Result<Vec<LabelIds>, DatasetError> {
    let id = |row: usize, label: &str| {
        labels
            .names()
            .position(|known| known == label)
            .ok_or_else(|| DatasetError::ForeignLabel {
                name: name.to_owned(),
                row,
                label: label.to_owned(),
            })
    };
    match task {
        Task::SingleLabel => {
            let values: StringChunked = parquet::strings(frame, name, column, false)?;
            let rows = values.iter().enumerate();
            rows.map(|(row, value)| id(row, value.unwrap_or_default()).map(LabelIds::from))
                .collect()
        }
        Task::MultiLabel => {
            let values = parquet::string_lists(frame, name, column)?;
            let rows = values.iter().enumerate();
            rows.map(|(row, names)| names.iter().map(|name| id(row, name)).collect())
                .collect()
        }
    }
}

/// A column of 32-bit floats; polars would count a NaN as greater than any threshold.
fn finite(frame: &DataFrame, name: &str, column: &'static str) -> Result<Vec<f32>, DatasetError> {
    let values = frame
        .column(column)
        .map_err(|error| DatasetError::parquet(name, &error))?;
    let values: Float32Chunked = values.f32().cloned().map_err(|_| DatasetError::ColumnType {
        name: name.to_owned(),
        column: column.to_owned(),
        found: crate::inspect::type_name(values.dtype()),
        expected: "f32",
    })?;
    let value = |(row, value): (usize, Option<f32>)| match value {
        Some(value) if value.is_finite() => Ok(value),
        other => Err(DatasetError::NotFinite {
            name: name.to_owned(),
            row,
            column,
            value: other.map_or("null".to_owned(), |value| value.to_string()),
        }),
    };
    values.iter().enumerate().map(value).collect()
}

fn funnel(rows: &[LabelIds], drops: &[Option<&'static str>], labels: &LabelSet) -> Funnel {
    let none = || BTreeMap::from([CONFIDENCE, MARGIN, CLASS_CAP].map(|reason| (reason, 0)));
    let empty = || ClassFunnel {
        drops: none(),
        ..ClassFunnel::default()
    };
    let mut funnel = Funnel {
        rows: drops.len() as u64,
        kept: 0,
        drops: none(),
        classes: labels.names().map(|name| (name.to_owned(), empty())).collect(),
    };
    for (ids, drop) in rows.iter().zip(drops) {
        match drop {
            None => funnel.kept += 1,
            Some(reason) => *funnel.drops.entry(reason).or_default() += 1,
        }
        for id in ids.ids() {
            let class = &mut funnel.classes[*id].1;
            class.candidates += 1;
            match drop {
                None => class.kept += 1,
                Some(reason) => *class.drops.entry(reason).or_default() += 1,
            }
        }
    }
    funnel
}

fn as_map<S: Serializer>(classes: &[(String, ClassFunnel)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(classes.iter().map(|(name, funnel)| (name, funnel)))
}
