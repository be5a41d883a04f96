//! What is written beside the model: figures, history, curves.

use classification::MultiLabelMetrics;
use model::ModelSettings;
use report::{CurvePoint, curves_svg};
use serde::Serialize;
use stage::{Context, Failure};
use training::{Record, Summary, Trained};

use crate::{CURVES, HISTORY, METRICS};

/// `metrics.json`. Validation figures are null without validation texts.
#[derive(Debug, Serialize)]
struct Metrics<'a> {
    best_epoch: usize,
    best_step: usize,
    stopped_early: bool,
    epochs_run: usize,
    macro_f1: Option<f64>,
    weighted_f1: Option<f64>,
    accuracy: Option<f64>,
    #[serde(flatten)]
    several: Option<MultiLabelMetrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<&'a [f32]>,
    loss: Option<f64>,
    precision: &'a str,
    steps: usize,
    train_rows: usize,
    max_length: usize,
    normalize: &'a str,
}

/// Writes `metrics.json`, `metrics.jsonl` and `curves.svg`.
pub(crate) fn write(
    ctx: &Context,
    trained: &Trained,
    settings: &ModelSettings,
    train_rows: usize,
) -> Result<(), Failure> {
    let Summary {
        best_epoch,
        best_step,
        stopped_early,
        epochs_run,
        steps,
        ..
    } = trained.summary;
    let validation = trained.validation.as_ref();
    let metrics = Metrics {
        best_epoch,
        best_step,
        stopped_early,
        epochs_run,
        macro_f1: validation.map(|evaluation| evaluation.metrics.macro_f1),
        weighted_f1: validation.map(|evaluation| evaluation.metrics.weighted_f1),
        accuracy: validation.map(|evaluation| evaluation.metrics.accuracy),
        several: validation.and_then(|evaluation| evaluation.metrics.multi_label),
        thresholds: settings.thresholds.as_deref(),
        loss: validation.map(|evaluation| evaluation.loss),
        precision: &ctx.invocation().precision,
        steps,
        train_rows,
        max_length: settings.max_length,
        normalize: &settings.normalize,
    };
    ctx.write_json(METRICS, &metrics)?;
    ctx.write(HISTORY, &history(&trained.records)?)?;
    ctx.write(CURVES, curves(&trained.records)?.as_bytes())
}

fn history(records: &[Record]) -> Result<Vec<u8>, Failure> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record)
            .map_err(|error| Failure::stage(format!("`{HISTORY}` cannot be written: {error}")))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn curves(records: &[Record]) -> Result<String, Failure> {
    const DRAWN: [&str; 5] = ["loss", "macro_f1", "micro_f1", "accuracy", "learning_rate"];
    let point = |record: &Record| CurvePoint {
        step: record.step as u64,
        epoch: record.epoch,
        split: record.split.clone(),
        name: record.name.clone(),
        value: record.value,
    };
    let drawn = records
        .iter()
        .filter(|record| DRAWN.contains(&record.name.as_str()));
    let points: Vec<CurvePoint> = drawn.map(point).collect();
    curves_svg(&points).map_err(|error| Failure::stage(format!("`{CURVES}` cannot be drawn: {error}")))
}

/// "validation macro-F1 0.41 (epoch 5 of 10, stopped early)".
pub(crate) fn headline(trained: &Trained, epochs: usize) -> String {
    let summary = &trained.summary;
    let early = if summary.stopped_early {
        ", stopped early"
    } else {
        ""
    };
    match &trained.validation {
        Some(evaluation) => format!(
            "validation macro-F1 {:.2} (epoch {} of {epochs}{early})",
            evaluation.metrics.macro_f1, summary.best_epoch
        ),
        None => format!("trained for {} epochs, without validation", summary.epochs_run),
    }
}
