//! What the stage writes. Equal figures give equal bytes.

use stage::{Context, Failure};

use crate::background;
use crate::document::Document;
use crate::evaluation::Evaluation;
use crate::golden::Golden;
use crate::params::Params;
use crate::tables::Tables;
use crate::view::View;

/// The figures for other programs.
pub(crate) const REPORT: &str = "report.json";
/// The report for people.
pub(crate) const HTML: &str = "report.html";
/// Golden rows that came out differently, where two models are compared.
pub(crate) const FLIPS: &str = "flips.parquet";
/// Golden rows whose labels are likely wrong.
pub(crate) const SUSPECTS: &str = "suspects.parquet";
/// Documents per model.
pub(crate) const MODEL_DOCUMENTS: [&str; 4] = [RESULTS, CLASSIFICATION_REPORT, MATRIX_CSV, MATRIX_SVG];
/// Tables per model.
pub(crate) const MODEL_TABLES: [&str; 2] = [PREDICTIONS, ERRORS];
/// What a model says about every golden row, in the table's order.
pub(crate) const PREDICTIONS: &str = "predictions.parquet";

/// Rows that a model has wrong.
const ERRORS: &str = "errors.parquet";

const RESULTS: &str = "eval_results.txt";
const CLASSIFICATION_REPORT: &str = "classification_report.txt";
const MATRIX_CSV: &str = "confusion_matrix.csv";
const MATRIX_SVG: &str = "confusion_matrix.svg";

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
    let document = Document::new(&labels, golden, evaluation, &ctx.invocation().guard);
    ctx.write_json(REPORT, &document)?;
    let view = View {
        labels: &labels,
        golden,
        evaluation,
    };
    let page = view.report(ctx, params, background::gather(ctx, golden));
    let html = report::golden_report_html(&page).map_err(unwritable)?;
    ctx.write(HTML, html.as_bytes())?;

    let tables = Tables {
        task: ctx.task(),
        labels: &labels,
        golden,
    };
    let suspects = evaluation.noise.columns(&labels, ctx.task(), golden);
    dataset::write_columns(&ctx.output(SUSPECTS)?, suspects)?;
    if let Some(comparison) = &evaluation.comparison {
        dataset::write_columns(&ctx.output(FLIPS)?, tables.flips(evaluation, comparison))?;
    }
    for model in &evaluation.models {
        let path = |file: &str| of_model(&model.name, file);
        let write = |file: &str, text: &str| ctx.write(&path(file), text.as_bytes());
        let loss = model.calibration.negative_log_likelihood;
        write(RESULTS, &report::eval_results(&model.metrics, loss))?;
        write(
            CLASSIFICATION_REPORT,
            &report::classification_report(&labels, &model.confusion),
        )?;
        write(
            MATRIX_CSV,
            &report::confusion_matrix_csv(&labels, &model.confusion),
        )?;
        let matrix = report::confusion_matrix_svg(&labels, &model.confusion).map_err(unwritable)?;
        write(MATRIX_SVG, &matrix)?;
        dataset::write_columns(&ctx.output(&path(ERRORS))?, tables.errors(model))?;
        dataset::write_columns(&ctx.output(&path(PREDICTIONS))?, tables.predictions(model))?;
    }
    Ok(())
}

fn unwritable(error: report::ReportError) -> Failure {
    let cause = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    Failure::stage(format!("{error}: {cause}"))
}
