//! The models on parts of the golden rows: by length, by source.

use std::collections::BTreeMap;

use classification::{Interval, LabelIds, Tally, Task, wilson};
use dataset::Normalize;
use serde::Serialize;

use crate::evaluation::ModelFigures;
use crate::golden::Golden;

/// The golden rows cut into parts.
pub(crate) struct SliceTable {
    /// What they are cut by: `length`, `source`.
    pub(crate) by: &'static str,
    /// None without rows.
    pub(crate) slices: Vec<Slice>,
}

/// A part of the golden rows.
pub(crate) struct Slice {
    pub(crate) name: String,
    /// Positions in the table.
    pub(crate) rows: Vec<usize>,
    /// In the models' order.
    pub(crate) models: Vec<SliceFigures>,
}

/// A model on a part of the golden rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SliceFigures {
    pub(crate) accuracy: f64,
    /// The Wilson interval of the accuracy.
    pub(crate) ci95: Option<Interval>,
    /// Mean F1 of the classes that these rows have: others would count 0 in every small slice.
    pub(crate) macro_f1: f64,
}

/// Longest texts of the slices, in characters; the last slice has what is longer.
const LENGTHS: [usize; 5] = [10, 20, 40, 80, 160];

/// Sources with slices of their own, those with most rows; the rest is one slice.
const SOURCES: usize = 20;

/// By length, and where there are several sources by source.
pub(crate) fn slices(
    task: Task,
    classes: usize,
    golden: &Golden,
    models: &[ModelFigures],
) -> Vec<SliceTable> {
    let cut = |by: &'static str, parts: Vec<(String, Vec<usize>)>| SliceTable {
        by,
        slices: parts
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(name, rows)| Slice {
                models: models
                    .iter()
                    .map(|model| figures(task, classes, golden, model, &rows))
                    .collect(),
                name,
                rows,
            })
            .collect(),
    };
    let sources = by_source(golden);
    let mut tables = vec![cut("length", by_length(golden))];
    if sources.len() > 1 {
        tables.push(cut("source", sources));
    }
    tables
}

fn by_length(golden: &Golden) -> Vec<(String, Vec<usize>)> {
    let names = LENGTHS.iter().scan(1, |from, &to| {
        let name = format!("{from}–{to}");
        *from = to + 1;
        Some(name)
    });
    let last = format!("over {}", LENGTHS[LENGTHS.len() - 1]);
    let mut slices: Vec<(String, Vec<usize>)> = names.chain([last]).map(|name| (name, Vec::new())).collect();
    for (row, text) in golden.rows.texts.iter().enumerate() {
        let length = Normalize::Nfc.apply(text).trim().chars().count();
        let slice = LENGTHS.iter().position(|&to| length <= to);
        slices[slice.unwrap_or(LENGTHS.len())].1.push(row);
    }
    slices
}

/// Most rows first; equally large ones by name.
fn by_source(golden: &Golden) -> Vec<(String, Vec<usize>)> {
    let mut sources: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, source) in golden.rows.sources.iter().enumerate() {
        sources.entry(source).or_default().push(row);
    }
    let mut sources: Vec<(String, Vec<usize>)> = sources
        .into_iter()
        .map(|(name, rows)| (name.to_owned(), rows))
        .collect();
    sources.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    if sources.len() > SOURCES {
        let rest = sources.split_off(SOURCES - 1);
        let name = format!("{} others", rest.len());
        let mut rows: Vec<usize> = rest.into_iter().flat_map(|(_, rows)| rows).collect();
        rows.sort_unstable();
        sources.push((name, rows));
    }
    sources
}

fn figures(
    task: Task,
    classes: usize,
    golden: &Golden,
    model: &ModelFigures,
    rows: &[usize],
) -> SliceFigures {
    let truth: Vec<&LabelIds> = rows.iter().map(|&row| &golden.rows.labels[row]).collect();
    let given: Vec<&LabelIds> = rows.iter().map(|&row| &model.decisions[row].labels).collect();
    let tally = Tally::count(task, classes, truth.iter().copied(), given.iter().copied());
    let metrics = tally.metrics();
    let present: Vec<f64> = metrics
        .per_class
        .iter()
        .filter(|class| class.support > 0)
        .map(|class| class.f1)
        .collect();
    SliceFigures {
        accuracy: metrics.accuracy,
        ci95: wilson(tally.correct(), rows.len() as u64),
        macro_f1: present.iter().sum::<f64>() / present.len().max(1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataset::Labelled;

    use super::*;

    fn golden(texts: &[String], sources: &[String]) -> Golden {
        let rows = Labelled {
            ids: (0..texts.len()).map(|row| row.to_string()).collect(),
            texts: texts.to_vec(),
            labels: vec![LabelIds::from(0); texts.len()],
            sources: sources.iter().map(|source| Arc::from(source.as_str())).collect(),
            notes: Default::default(),
        };
        Golden::new(rows, &["분노", "기쁨"], Task::SingleLabel)
    }

    fn sizes(table: &SliceTable) -> Vec<(&str, usize)> {
        let slices = table.slices.iter();
        slices
            .map(|slice| (slice.name.as_str(), slice.rows.len()))
            .collect()
    }

    #[test]
    fn a_text_is_as_long_as_its_composed_characters_are_many() {
        let composed = "가".repeat(10);
        let decomposed = "\u{1100}\u{1161}".repeat(10);
        let texts = [composed, decomposed, "나".repeat(11), "다".repeat(161)];
        let golden = golden(&texts, &["a", "a", "a", "a"].map(str::to_owned));
        let tables = slices(Task::SingleLabel, 2, &golden, &[]);
        assert_eq!(tables.len(), 1);
        assert_eq!(sizes(&tables[0]), [("1–10", 2), ("11–20", 1), ("over 160", 1)]);
    }

    #[test]
    fn small_sources_share_the_last_slice() {
        let sources: Vec<String> = (0..30)
            .flat_map(|source| vec![format!("s{source:02}"); 40 - source])
            .collect();
        let texts = vec!["가".to_owned(); sources.len()];
        let tables = slices(Task::SingleLabel, 2, &golden(&texts, &sources), &[]);
        let sizes = sizes(&tables[1]);
        assert_eq!((sizes.len(), sizes[0]), (20, ("s00", 40)));
        assert_eq!(sizes[19], ("11 others", (11..=21).sum()));
    }
}
