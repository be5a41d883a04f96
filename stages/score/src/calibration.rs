//! The models on rows whose labels are known: their temperatures, and what their confidence is worth.

use classification::{Calibration, LabelIds, Temperature};
use dataset::{ScoredWriter, write_scored};
use stage::{Context, Failure};

use crate::models::{Logits, Member, Models};
use crate::report::{CalibrationReport, ModelReport, thresholds};
use crate::{VALIDATION, VALIDATION_SCORED};

/// A temperature that was fitted on fewer rows deserves a warning.
const FEW_ROWS: usize = 50;

/// Fits the models' temperatures on the input `validation` if that is asked for, writes its rows with predictions, and
/// reports; none without that input.
pub(crate) fn calibrate(
    ctx: &Context,
    models: &mut Models<'_>,
) -> Result<Option<CalibrationReport>, Failure> {
    let items = ctx.inputs(VALIDATION);
    if items.is_empty() {
        return Ok(None);
    }
    let rows = dataset::read_labelled(items, &models.read_options(VALIDATION))?;
    let total = Some(rows.len() as u64);
    let mut progress = |done: usize| ctx.progress("scoring validation", done as u64, total, "rows");
    let logits = models.logits(&rows.texts, &rows.ids, &mut progress)?;
    if models.are_calibrated() {
        models.fit(&logits, &rows.labels);
        warn(ctx, models, &rows.labels);
    }
    let scores = models.decide(&logits);
    let scored = ScoredWriter {
        rows: &rows,
        decisions: &scores.decisions,
        labels: ctx.labels(),
        task: ctx.task(),
        truth: Some(&rows.labels),
        optional: scores.optional(),
    };
    write_scored(&ctx.output(VALIDATION_SCORED)?, &scored)?;
    let measure = |decisions| Calibration::measure(ctx.task(), decisions, &rows.labels);
    let report = CalibrationReport {
        method: models.method(),
        temperature: models.temperature(),
        rows: rows.len(),
        before: measure(&scores.plain).into(),
        after: models.are_calibrated().then(|| measure(&scores.decisions).into()),
        thresholds: thresholds(ctx.labels(), models.thresholds()),
        models: report_models(ctx, models, &logits, &rows.labels),
    };
    if let Some(after) = report
        .after
        .as_ref()
        .filter(|after| after.nll > report.before.nll)
        && models.are_several()
    {
        ctx.warn(format!(
            "each model is calibrated, but their combination is not better for it: negative log-likelihood {:.4} → {:.4} on `validation`",
            report.before.nll, after.nll
        ));
    }
    Ok(Some(report))
}

fn report_models(
    ctx: &Context,
    models: &Models<'_>,
    logits: &Logits,
    truth: &[LabelIds],
) -> Vec<ModelReport> {
    let of = |(member, logits): (&Member, &Vec<Vec<f32>>)| {
        let loss = |temperature: Temperature| temperature.negative_log_likelihood(ctx.task(), logits, truth);
        let temperature = models.are_calibrated().then_some(member.temperature);
        ModelReport {
            name: member.name.clone(),
            temperature: temperature.map(Temperature::get),
            nll_before: loss(Temperature::ONE),
            nll_after: temperature.map(loss),
        }
    };
    models.members().iter().zip(&logits.models).map(of).collect()
}

/// Says what makes a temperature doubtful.
fn warn(ctx: &Context, models: &Models<'_>, truth: &[LabelIds]) {
    if truth.len() < FEW_ROWS {
        ctx.warn(format!(
            "the temperature is fitted on {} rows of input `{VALIDATION}` only: give it {FEW_ROWS} or more before you rely on confidences",
            truth.len()
        ));
    }
    let absent: Vec<String> = ctx
        .labels()
        .names()
        .enumerate()
        .filter(|(class, _)| !truth.iter().any(|labels| labels.contains(*class)))
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    if !absent.is_empty() {
        ctx.warn(format!(
            "input `{VALIDATION}` has no row of {}: nothing is known about the confidence there",
            absent.join(", ")
        ));
    }
    for member in models
        .members()
        .iter()
        .filter(|member| member.temperature.is_at_bound())
    {
        ctx.warn(format!(
            "`{}`: the rows of input `{VALIDATION}` ask for a temperature beyond {}, where it stops: they are too few, too easy, or the model knows nothing about them",
            member.name,
            member.temperature.get()
        ));
    }
}
