//! Golden rows whose labels are likely wrong, by confident learning: no model has learnt from them, so that what the
//! models say about them is out of sample.
//!
//! A row is judged by the mean of all models' probabilities: where models differ, their mistakes partly cancel out.

use classification::{ClassNoise, LabelNoise, Suspect, Tally, Task};
use dataset::Column;
use serde::Serialize;

use crate::document::Ordered;
use crate::evaluation::ModelFigures;
use crate::golden::Golden;

/// Suspected rows, and what hangs on them.
pub(crate) struct GoldenNoise {
    pub(crate) noise: LabelNoise,
    /// Macro-F1 of each model without the suspected rows, in the models' order.
    pub(crate) macro_f1_without: Vec<f64>,
}

/// What readers must know of the figures.
const NOTE: &str = "The rows are suspected because the models that are measured here disagree with their labels, so a \
                    figure without them flatters these models. It says how much hangs on the suspected rows, not how \
                    good a model is: that is known once a person has looked at them.";

/// In `report.json`.
#[derive(Serialize)]
pub(crate) struct NoiseEntry {
    method: &'static str,
    /// Whose mean probabilities it goes by.
    by: Vec<String>,
    rows: usize,
    /// Rows whose labels the mean probabilities speak for.
    agreed: u64,
    suspected: usize,
    by_class: Ordered<ClassEntry>,
    models: Ordered<ModelEntry>,
    note: &'static str,
}

#[derive(Serialize)]
struct ClassEntry {
    rows: u64,
    /// Of these rows.
    suspected: u64,
    /// Rows of other classes that rather belong here.
    missed: u64,
    threshold: Option<f64>,
}

#[derive(Serialize)]
struct ModelEntry {
    macro_f1: f64,
    macro_f1_without_suspected: f64,
}

impl GoldenNoise {
    /// Judges the labels of the golden rows by all models' decisions.
    pub(crate) fn find(task: Task, classes: usize, golden: &Golden, models: &[ModelFigures]) -> Self {
        let truth = &golden.rows.labels;
        let mean = |row: usize| -> Vec<f32> {
            let of_class = |class: usize| {
                let probabilities = models
                    .iter()
                    .map(|model| f64::from(model.decisions[row].probabilities[class]));
                (probabilities.sum::<f64>() / models.len() as f64) as f32
            };
            (0..classes).map(of_class).collect()
        };
        let means: Vec<Vec<f32>> = (0..truth.len()).map(mean).collect();
        let noise = LabelNoise::find(task, truth, &means, classes);

        let mut trusted = vec![true; truth.len()];
        noise
            .suspects
            .iter()
            .for_each(|suspect| trusted[suspect.row] = false);
        let rows: Vec<usize> = (0..truth.len()).filter(|&row| trusted[row]).collect();
        let without = |model: &ModelFigures| {
            let truth = rows.iter().map(|&row| &truth[row]);
            let given = rows.iter().map(|&row| &model.decisions[row].labels);
            Tally::count(task, classes, truth, given).metrics().macro_f1
        };
        Self {
            macro_f1_without: models.iter().map(without).collect(),
            noise,
        }
    }

    /// What `report.json` says.
    pub(crate) fn entry(&self, labels: &[&str], golden: &Golden, models: &[ModelFigures]) -> NoiseEntry {
        let classes = labels.iter().zip(&self.noise.classes);
        let class_entry = |(label, class): (&&str, &ClassNoise)| {
            let entry = ClassEntry {
                rows: class.rows,
                suspected: class.suspected,
                missed: class.missed,
                threshold: class.threshold,
            };
            ((*label).to_owned(), entry)
        };
        let model_entry = |(model, &without): (&ModelFigures, &f64)| {
            let entry = ModelEntry {
                macro_f1: model.metrics.macro_f1,
                macro_f1_without_suspected: without,
            };
            (model.name.clone(), entry)
        };
        NoiseEntry {
            method: "confident learning",
            by: models.iter().map(|model| model.name.clone()).collect(),
            rows: golden.rows.len(),
            agreed: self.noise.agreed,
            suspected: self.noise.suspects.len(),
            by_class: Ordered(classes.map(class_entry).collect()),
            models: Ordered(
                models
                    .iter()
                    .zip(&self.macro_f1_without)
                    .map(model_entry)
                    .collect(),
            ),
            note: NOTE,
        }
    }

    /// The columns of `suspects.parquet`: the most suspicious first.
    pub(crate) fn columns(&self, labels: &[&str], task: Task, golden: &Golden) -> Vec<Column> {
        let rows = &golden.rows;
        let suspects = || self.noise.suspects.iter();
        let strings = |name: &str, value: &dyn Fn(usize) -> String| {
            let values = suspects().map(|suspect| Some(value(suspect.row)));
            Column::Str(name.to_owned(), values.collect())
        };
        let names = |name: &str, of: &dyn Fn(&Suspect) -> Vec<String>| match task {
            Task::SingleLabel => Column::Str(
                name.to_owned(),
                suspects().map(|suspect| of(suspect).into_iter().next()).collect(),
            ),
            Task::MultiLabel => Column::ListStr(name.to_owned(), suspects().map(of).collect()),
        };
        let each = |ids: &[usize]| ids.iter().map(|id| labels[*id].to_owned()).collect();
        let title = match task {
            Task::SingleLabel => "label",
            Task::MultiLabel => "labels",
        };
        let floats = |name: &str, value: fn(&Suspect) -> f64| {
            Column::F64(name.to_owned(), suspects().map(value).collect())
        };
        vec![
            strings("id", &|row| rows.ids[row].clone()),
            strings("text", &|row| rows.texts[row].clone()),
            strings("source", &|row| rows.sources[row].to_string()),
            names(title, &|suspect| each(rows.labels[suspect.row].ids())),
            names("suggested", &|suspect| each(suspect.suggested.ids())),
            floats("self_confidence", |suspect| suspect.self_confidence),
            floats("suggested_confidence", |suspect| suspect.suggested_confidence),
            floats("margin", |suspect| suspect.margin),
        ]
    }
}
