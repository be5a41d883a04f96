//! What the stage writes. Equal figures give equal bytes.

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
            &report::eval_results(&model.metrics, model.negative_log_likelihood),
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
            ece: model.ece,
            negative_log_likelihood: model.negative_log_likelihood,
            brier: model.brier,
            reliability: model.reliability.clone(),
            mistakes: model
                .mistakes
                .iter()
                .take(SHOWN)
                .map(|&row| self.mistake(model, row))
                .collect(),
        }
    }

    fn mistake(&self, model: &ModelFigures, row: usize) -> Mistake {
        let prediction = &model.predictions[row];
        Mistake {
            id: self.golden.rows.ids[row].clone(),
            text: self.golden.rows.texts[row].clone(),
            label: self.truth(row),
            predicted: self.labels[prediction.label].to_owned(),
            confidence: prediction.confidence,
            second: self.labels[prediction.second].to_owned(),
        }
    }

    fn comparison(&self, comparison: &Comparison) -> report::Comparison {
        let models = &self.evaluation.models;
        let (baseline, candidate) = (&models[comparison.baseline], &models[comparison.candidate]);
        let flip = |&row: &usize| Flip {
            id: self.golden.rows.ids[row].clone(),
            text: self.golden.rows.texts[row].clone(),
            label: self.truth(row),
            baseline: self.labels[baseline.predictions[row].label].to_owned(),
            candidate: self.labels[candidate.predictions[row].label].to_owned(),
            confidence: candidate.predictions[row].confidence,
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
    fn errors(&self, model: &ModelFigures) -> Vec<Column> {
        let rows = &self.golden.rows;
        let string = |name: &str, value: &dyn Fn(usize) -> String| {
            Column::Str(
                name.to_owned(),
                model.mistakes.iter().map(|&row| Some(value(row))).collect(),
            )
        };
        let float = |name: &str, value: fn(&classification::Prediction) -> f32| {
            let values = model.mistakes.iter().map(|&row| value(&model.predictions[row]));
            Column::F32(name.to_owned(), values.collect())
        };
        let probabilities = model
            .mistakes
            .iter()
            .map(|&row| model.predictions[row].probabilities.clone());
        vec![
            string("id", &|row| rows.ids[row].clone()),
            string("text", &|row| rows.texts[row].clone()),
            string("source", &|row| rows.sources[row].to_string()),
            string("label", &|row| self.truth(row)),
            string("pred_emotion", &|row| {
                self.labels[model.predictions[row].label].to_owned()
            }),
            float("pred_conf", |prediction| prediction.confidence),
            float("pred_margin", |prediction| prediction.margin),
            string("pred_second", &|row| {
                self.labels[model.predictions[row].second].to_owned()
            }),
            Column::ListF32("probs".to_owned(), probabilities.collect()),
        ]
    }

    fn truth(&self, row: usize) -> String {
        self.labels[self.golden.rows.labels[row]].to_owned()
    }
}
