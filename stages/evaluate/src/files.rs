//! What the stage writes. Equal figures give equal bytes.

use classification::{Decision, LabelIds, Task};
use dataset::Column;
use report::{Facts, Flip, GoldenReport, Mistake, ModelSection};
use stage::{Context, Failure};

use crate::document::Document;
use crate::evaluation::{Comparison, Evaluation, ModelFigures};
use crate::golden::Golden;
use crate::params::Params;

/// The figures for other programs.
pub(crate) const REPORT: &str = "report.json";
/// The report for people.
pub(crate) const HTML: &str = "report.html";
/// Documents per model.
pub(crate) const MODEL_DOCUMENTS: [&str; 4] = [RESULTS, CLASSIFICATION_REPORT, MATRIX_CSV, MATRIX_SVG];
/// Rows that a model has wrong.
pub(crate) const ERRORS: &str = "errors.parquet";

const RESULTS: &str = "eval_results.txt";
const CLASSIFICATION_REPORT: &str = "classification_report.txt";
const MATRIX_CSV: &str = "confusion_matrix.csv";
const MATRIX_SVG: &str = "confusion_matrix.svg";

/// Rows that a list of the html report shows.
const SHOWN: usize = 30;

/// Where a model's file lies.
pub(crate) fn of_model(model: &str, file: &str) -> String {
    format!("models/{model}/{file}")
}

/// Writes all files.
pub(crate) fn write(
    ctx: &Context,
    golden: &Golden,
    evaluation: &Evaluation,
    params: &Params,
) -> Result<(), Failure> {
    let labels: Vec<&str> = ctx.labels().names().collect();
    ctx.write_json(REPORT, &Document::new(&labels, golden, evaluation))?;
    let view = View {
        task: ctx.task(),
        labels: &labels,
        golden,
        evaluation,
    };
    let html = report::golden_report_html(&view.report(ctx, params)).map_err(unwritable)?;
    ctx.write(HTML, html.as_bytes())?;
    for model in &evaluation.models {
        let write = |file: &str, text: &str| ctx.write(&of_model(&model.name, file), text.as_bytes());
        write(
            RESULTS,
            &report::eval_results(&model.metrics, model.calibration.negative_log_likelihood),
        )?;
        write(
            CLASSIFICATION_REPORT,
            &report::classification_report(&labels, &model.confusion),
        )?;
        write(
            MATRIX_CSV,
            &report::confusion_matrix_csv(&labels, &model.confusion),
        )?;
        write(
            MATRIX_SVG,
            &report::confusion_matrix_svg(&labels, &model.confusion).map_err(unwritable)?,
        )?;
        let path = ctx.output(&of_model(&model.name, ERRORS))?;
        dataset::write_columns(&path, view.errors(model))?;
    }
    Ok(())
}

fn unwritable(error: report::ReportError) -> Failure {
    let cause = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    Failure::stage(format!("{error}: {cause}"))
}

/// Figures and rows with their names.
struct View<'a> {
    task: Task,
    labels: &'a [&'a str],
    golden: &'a Golden,
    evaluation: &'a Evaluation,
}

impl View<'_> {
    fn report(&self, ctx: &Context, params: &Params) -> GoldenReport {
        let mut settings = vec![
            (
                "Bootstrap".to_owned(),
                format!("{} resamples, seed {}", params.bootstrap, ctx.seed()),
            ),
            ("Precision".to_owned(), ctx.invocation().precision.clone()),
        ];
        settings.extend(
            self.evaluation
                .models
                .iter()
                .map(|model| (model.name.clone(), model.settings.clone())),
        );
        GoldenReport {
            title: ctx.invocation().stage.clone(),
            labels: self.labels.iter().map(|&label| label.to_owned()).collect(),
            rows: self.golden.rows.len() as u64,
            digest: self.golden.digest.clone(),
            supports: self.golden.supports.clone(),
            bootstrap: params.bootstrap,
            models: self
                .evaluation
                .models
                .iter()
                .map(|model| self.section(model))
                .collect(),
            comparison: self
                .evaluation
                .comparison
                .as_ref()
                .map(|comparison| self.comparison(comparison)),
            gates: self.evaluation.gates.clone(),
            facts: vec![Facts {
                title: "Settings".to_owned(),
                rows: settings,
            }],
        }
    }

    fn section(&self, model: &ModelFigures) -> ModelSection {
        ModelSection {
            name: model.name.clone(),
            metrics: model.metrics.clone(),
            intervals: model.intervals.clone(),
            confusion: model.confusion.clone(),
            ece: model.calibration.expected_error,
            negative_log_likelihood: model.calibration.negative_log_likelihood,
            brier: model.calibration.brier,
            reliability: model.calibration.reliability.clone(),
            mistakes: model
                .mistakes
                .iter()
                .take(SHOWN)
                .map(|&row| self.mistake(model, row))
                .collect(),
        }
    }

    fn mistake(&self, model: &ModelFigures, row: usize) -> Mistake {
        let decision = &model.decisions[row];
        Mistake {
            id: self.golden.rows.ids[row].clone(),
            text: self.golden.rows.texts[row].clone(),
            label: self.truth(row),
            predicted: self.names(&decision.labels),
            confidence: decision.confidence,
            second: decision.second.map(|class| self.labels[class].to_owned()),
        }
    }

    fn comparison(&self, comparison: &Comparison) -> report::Comparison {
        let models = &self.evaluation.models;
        let (baseline, candidate) = (&models[comparison.baseline], &models[comparison.candidate]);
        let flip = |&row: &usize| Flip {
            id: self.golden.rows.ids[row].clone(),
            text: self.golden.rows.texts[row].clone(),
            label: self.truth(row),
            baseline: self.names(&baseline.decisions[row].labels),
            candidate: self.names(&candidate.decisions[row].labels),
            confidence: candidate.decisions[row].confidence,
        };
        report::Comparison {
            baseline: baseline.name.clone(),
            candidate: candidate.name.clone(),
            difference: comparison.macro_f1_difference,
            interval: comparison.interval,
            mcnemar: comparison.mcnemar,
            fixed: comparison.fixed.iter().take(SHOWN).map(flip).collect(),
            broken: comparison.broken.iter().take(SHOWN).map(flip).collect(),
        }
    }

    /// The wrong rows, the most confident first.
    fn errors<'m>(&'m self, model: &'m ModelFigures) -> Vec<Column> {
        let rows = &self.golden.rows;
        let mistakes = || model.mistakes.iter().copied();
        let string = |name: &str, value: &dyn Fn(usize) -> Option<String>| {
            Column::Str(name.to_owned(), mistakes().map(value).collect())
        };
        let float = |name: &str, value: fn(&Decision) -> f32| {
            let values = mistakes().map(|row| value(&model.decisions[row]));
            Column::F32(name.to_owned(), values.collect())
        };
        let labels = |name: &str, labels: &dyn Fn(usize) -> &'m LabelIds| match self.task {
            Task::SingleLabel => string(name, &|row| Some(self.names(labels(row)))),
            Task::MultiLabel => {
                let names = |row| self.each_name(labels(row)).map(str::to_owned).collect();
                Column::ListStr(name.to_owned(), mistakes().map(names).collect())
            }
        };
        let title = match self.task {
            Task::SingleLabel => "label",
            Task::MultiLabel => "labels",
        };
        let probabilities = mistakes().map(|row| model.decisions[row].probabilities.clone());
        vec![
            string("id", &|row| Some(rows.ids[row].clone())),
            string("text", &|row| Some(rows.texts[row].clone())),
            string("source", &|row| Some(rows.sources[row].to_string())),
            labels(title, &|row| &rows.labels[row]),
            labels("pred_emotion", &|row| &model.decisions[row].labels),
            float("pred_conf", |decision| decision.confidence),
            float("pred_margin", |decision| decision.margin),
            string("pred_second", &|row| {
                let second = model.decisions[row].second;
                second.map(|class| self.labels[class].to_owned())
            }),
            Column::ListF32("probs".to_owned(), probabilities.collect()),
        ]
    }

    fn truth(&self, row: usize) -> String {
        self.names(&self.golden.rows.labels[row])
    }

    /// `기쁨, 당황`
    fn names(&self, labels: &LabelIds) -> String {
        self.each_name(labels).collect::<Vec<_>>().join(", ")
    }

    fn each_name(&self, labels: &LabelIds) -> impl Iterator<Item = &str> {
        labels.ids().iter().map(|class| self.labels[*class])
    }
}
