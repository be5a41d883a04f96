//! The files of a selection.

use std::path::Path;

use classification::LabelIds;
use polars::prelude::{
    BooleanChunked, Column as PolarsColumn, DataFrame, Float32Chunked, IntoColumn, NewChunkedArray,
    StringChunked, UInt32Chunked,
};

use super::thresholds::of_row;
use super::{COLUMNS, OPTIONAL_COLUMNS, PROBABILITIES, Selection, Teaching};
use crate::batches::float_lists;
use crate::write::{GroupWriter, failed, label_column, label_title, list_column};
use crate::{DatasetError, Normalize, Verdict};

/// The column with what is taught of a row where [`Teaching::Soft`] is asked for.
pub(crate) const SOFT_LABEL: &str = "soft_label";

impl Selection<'_> {
    /// Writes the rows that came through, in the table's order: its columns, `label` (where the task is multi-label
    /// `labels`), which is `pred_emotion` unless a person decided otherwise, and with [`Teaching::Soft`] `soft_label`:
    /// `probs`, or 1 for the labels that a person confirmed and 0 for the others.
    pub fn write_kept(&self, path: &Path) -> Result<(), DatasetError> {
        let optional = OPTIONAL_COLUMNS.iter().filter(|column| self.source.has(column));
        let columns: Vec<&str> = COLUMNS.iter().chain(optional).copied().collect();
        let mut writer: Option<GroupWriter<'_>> = None;
        self.source.each(&columns, &mut |start, frame| {
            let rows = start..start + frame.height();
            let mask: BooleanChunked = rows
                .clone()
                .map(|row| Some(self.decisions.drops[row].is_none()))
                .collect();
            let frame = frame.filter(&mask).map_err(|error| failed(path, error))?;
            let kept: Vec<usize> = rows.filter(|row| self.decisions.drops[*row].is_none()).collect();
            let mut more = vec![self.taught(&kept)];
            if self.teaching == Teaching::Soft {
                more.push(self.soft_labels(&frame, &kept)?);
            }
            let frame = frame.hstack(&more).map_err(|error| failed(path, error))?;
            gather(&mut writer, path, self.normalize, frame)
        })?;
        writer.map_or(Ok(()), GroupWriter::finish)
    }

    /// Writes one line about every row of the table, in its order: `id`, `kept`, `drop_reason`, and what explains it:
    /// `threshold` (the confidence that it had to reach; null: its class abstains), `min_margin`, `rank` (of a row that
    /// reached the thresholds its place in its class, the most confident first, from 1; null where the task is
    /// multi-label) and `review` (what a person decided).
    pub fn write_decided(&self, path: &Path) -> Result<(), DatasetError> {
        let mut writer: Option<GroupWriter<'_>> = None;
        self.source.each(&["id"], &mut |start, frame| {
            let rows = start..start + frame.height();
            let drops = &self.decisions.drops[rows.clone()];
            let reasons = drops.iter().map(|drop| drop.map(super::Reason::as_str));
            let ranks = rows
                .clone()
                .map(|row| self.decisions.ranks.get(row).copied().filter(|rank| *rank > 0));
            let reviews = rows
                .clone()
                .map(|row| self.verdicts.get(&row).map(Verdict::as_str));
            let (thresholds, margins): (Vec<Option<f32>>, Vec<Option<f32>>) =
                rows.map(|row| self.had_to_reach(row)).unzip();
            let frame = frame
                .hstack(&[
                    drops
                        .iter()
                        .map(|drop| Some(drop.is_none()))
                        .collect::<BooleanChunked>()
                        .with_name("kept".into())
                        .into_column(),
                    StringChunked::from_iter_options("drop_reason".into(), reasons).into_column(),
                    Float32Chunked::from_iter_options("threshold".into(), thresholds.into_iter())
                        .into_column(),
                    Float32Chunked::from_iter_options("min_margin".into(), margins.into_iter()).into_column(),
                    UInt32Chunked::from_iter_options("rank".into(), ranks).into_column(),
                    StringChunked::from_iter_options("review".into(), reviews).into_column(),
                ])
                .map_err(|error| failed(path, error))?;
            gather(&mut writer, path, None, frame)
        })?;
        writer.map_or(Ok(()), GroupWriter::finish)
    }

    /// The highest of its classes' thresholds of confidence and margin.
    fn had_to_reach(&self, row: usize) -> (Option<f32>, Option<f32>) {
        let classes = || of_row(&self.thresholds, self.predictions.classes.of(row));
        let highest = |values: &mut dyn Iterator<Item = f32>| values.reduce(f32::max);
        let abstains = classes().any(|class| class.min_confidence.is_none());
        let confidence = highest(&mut classes().filter_map(|class| class.min_confidence));
        (
            confidence.filter(|_| !abstains),
            highest(&mut classes().map(|class| class.min_margin)),
        )
    }

    /// The labels that a row is taught with.
    fn labels_of(&self, row: usize) -> LabelIds {
        match self.verdicts.get(&row) {
            Some(Verdict::KeepAs(labels) | Verdict::Label(labels)) => labels.clone(),
            _ => self.predicted(row),
        }
    }

    fn taught(&self, rows: &[usize]) -> PolarsColumn {
        let labels: Vec<LabelIds> = rows.iter().map(|row| self.labels_of(*row)).collect();
        label_column(label_title(self.task), &labels, self.labels, self.task)
    }

    fn soft_labels(&self, kept: &DataFrame, rows: &[usize]) -> Result<PolarsColumn, DatasetError> {
        let name = self.source.name;
        let lists = float_lists(kept, name, PROBABILITIES, self.labels.len(), rows.iter().copied())?;
        let soft = |(list, row): (Option<Vec<f32>>, &usize)| {
            let Some(list) = list.filter(|_| !self.verdicts.contains_key(row)) else {
                let labels = self.labels_of(*row);
                return (0..self.labels.len())
                    .map(|id| f32::from(u8::from(labels.contains(id))))
                    .collect();
            };
            list
        };
        let lists: Vec<Vec<f32>> = lists.into_iter().zip(rows).map(soft).collect();
        Ok(list_column(SOFT_LABEL, lists.iter().map(Vec::as_slice)))
    }
}

/// Adds rows to a table, which is created with the first.
fn gather<'p>(
    writer: &mut Option<GroupWriter<'p>>,
    path: &'p Path,
    normalize: Option<Normalize>,
    rows: DataFrame,
) -> Result<(), DatasetError> {
    let writer = match writer {
        Some(writer) => writer,
        none => none.insert(GroupWriter::create(path, &rows, normalize)?),
    };
    writer.gather(rows)
}
