//! The columns of the parquet files: golden rows with what models say about them.

use classification::{Decision, LabelIds, Task};
use dataset::Column;

use crate::evaluation::{Comparison, Evaluation, ModelFigures};
use crate::golden::Golden;

/// Golden rows with their names.
pub(crate) struct Tables<'a> {
    pub(crate) task: Task,
    pub(crate) labels: &'a [&'a str],
    pub(crate) golden: &'a Golden,
}

impl Tables<'_> {
    /// The wrong rows, the most confident first.
    pub(crate) fn errors(&self, model: &ModelFigures) -> Vec<Column> {
        let [id, label, rest @ ..] = self.said(model, &model.mistakes);
        let [text, source] = self.text_and_source(&model.mistakes);
        [id, text, source, label].into_iter().chain(rest).collect()
    }

    /// All rows in the table's order.
    pub(crate) fn predictions(&self, model: &ModelFigures) -> Vec<Column> {
        let rows: Vec<usize> = (0..self.golden.rows.len()).collect();
        self.said(model, &rows).into()
    }

    /// Rows that came out differently, in the table's order.
    pub(crate) fn flips(&self, evaluation: &Evaluation, comparison: &Comparison) -> Vec<Column> {
        let all = [
            ("fixed", &comparison.fixed),
            ("broken", &comparison.broken),
            ("both_wrong_changed", &comparison.changed),
        ];
        let named = |(change, rows): (&'static str, &Vec<usize>)| -> Vec<(usize, &'static str)> {
            rows.iter().map(|&row| (row, change)).collect()
        };
        let mut flips: Vec<(usize, &str)> = all.into_iter().flat_map(named).collect();
        flips.sort_unstable();
        let (rows, changes): (Vec<usize>, Vec<&str>) = flips.into_iter().unzip();
        let (baseline, candidate) = (
            &evaluation.models[comparison.baseline],
            &evaluation.models[comparison.candidate],
        );
        let said = |model: &ModelFigures, title: &str| {
            let confidences = rows.iter().map(|&row| model.decisions[row].confidence);
            let given = self.labels(title, &rows, |row| &model.decisions[row].labels);
            [given, Column::F32(format!("{title}_conf"), confidences.collect())]
        };
        let changes = changes.into_iter().map(|change| Some(change.to_owned()));
        [self.ids(&rows)]
            .into_iter()
            .chain(self.text_and_source(&rows))
            .chain([self.labels(self.title(), &rows, |row| &self.golden.rows.labels[row])])
            .chain(said(baseline, "baseline"))
            .chain(said(candidate, "candidate"))
            .chain([Column::Str("change".to_owned(), changes.collect())])
            .collect()
    }

    /// Labels, and what the model says.
    fn said(&self, model: &ModelFigures, rows: &[usize]) -> [Column; 7] {
        let decisions = || rows.iter().map(|&row| &model.decisions[row]);
        let float = |name: &str, value: fn(&Decision) -> f32| {
            Column::F32(name.to_owned(), decisions().map(value).collect())
        };
        let second = |decision: &Decision| decision.second.map(|class| self.labels[class].to_owned());
        let probabilities = decisions().map(|decision| decision.probabilities.clone());
        [
            self.ids(rows),
            self.labels(self.title(), rows, |row| &self.golden.rows.labels[row]),
            self.labels("pred_emotion", rows, |row| &model.decisions[row].labels),
            float("pred_conf", |decision| decision.confidence),
            float("pred_margin", |decision| decision.margin),
            Column::Str("pred_second".to_owned(), decisions().map(second).collect()),
            Column::ListF32("probs".to_owned(), probabilities.collect()),
        ]
    }

    fn ids(&self, rows: &[usize]) -> Column {
        let ids = rows.iter().map(|&row| Some(self.golden.rows.ids[row].clone()));
        Column::Str("id".to_owned(), ids.collect())
    }

    fn text_and_source(&self, rows: &[usize]) -> [Column; 2] {
        let golden = &self.golden.rows;
        let texts = rows.iter().map(|&row| Some(golden.texts[row].clone()));
        let sources = rows.iter().map(|&row| Some(golden.sources[row].to_string()));
        [
            Column::Str("text".to_owned(), texts.collect()),
            Column::Str("source".to_owned(), sources.collect()),
        ]
    }

    /// Of the column with the true labels.
    fn title(&self) -> &'static str {
        match self.task {
            Task::SingleLabel => "label",
            Task::MultiLabel => "labels",
        }
    }

    /// A name each, or lists of names where the task is multi-label.
    fn labels<'l>(&self, name: &str, rows: &[usize], of: impl Fn(usize) -> &'l LabelIds) -> Column {
        let names = |row: &usize| of(*row).ids().iter().map(|class| self.labels[*class].to_owned());
        match self.task {
            Task::SingleLabel => {
                let values = rows.iter().map(|row| names(row).next());
                Column::Str(name.to_owned(), values.collect())
            }
            Task::MultiLabel => {
                let values = rows.iter().map(|row| names(row).collect());
                Column::ListStr(name.to_owned(), values.collect())
            }
        }
    }
}
