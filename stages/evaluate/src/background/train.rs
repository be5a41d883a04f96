//! Stages that train: learning curves.

use report::{CurvePoint, TrainingRun};
use serde::Deserialize;
use stage::{Ancestor, grouped};

use super::Upstream;

/// What of `metrics.json` is used.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Trained {
    best_epoch: Option<u64>,
    best_step: Option<u64>,
    stopped_early: bool,
    epochs_run: Option<u64>,
    macro_f1: Option<f64>,
    accuracy: Option<f64>,
    train_rows: Option<u64>,
}

const HISTORY: &str = "metrics.jsonl";

/// What is drawn of all that was measured.
const DRAWN: [&str; 2] = ["loss", "macro_f1"];

pub(super) fn run(upstream: &Upstream<'_>, stage: &Ancestor, trained: &Trained) -> TrainingRun {
    let points = upstream
        .or_warn(stage, HISTORY, points(stage))
        .unwrap_or_default();
    TrainingRun {
        stage: stage.stage.clone(),
        points,
        // Without validation the last model is kept.
        best_step: trained.macro_f1.and(trained.best_step),
        words: in_words(trained),
    }
}

fn points(stage: &Ancestor) -> Result<Vec<CurvePoint>, String> {
    let text = std::fs::read_to_string(stage.path.join(HISTORY)).map_err(|error| error.to_string())?;
    let mut points = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let point: CurvePoint =
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1))?;
        if DRAWN.contains(&point.name.as_str()) {
            points.push(point);
        }
    }
    Ok(points)
}

fn in_words(trained: &Trained) -> String {
    let mut words = trained.train_rows.map_or(String::new(), |rows| {
        let plural = if rows == 1 { "" } else { "s" };
        format!("Trained on {} row{plural}. ", grouped(rows))
    });
    if let Some(epochs) = trained.epochs_run {
        let early = if trained.stopped_early { "early, " } else { "" };
        let plural = if epochs == 1 { "" } else { "s" };
        words += &format!("Training ended {early}after {epochs} epoch{plural}");
    }
    match (trained.best_epoch, trained.macro_f1) {
        (Some(epoch), Some(macro_f1)) => {
            words +=
                &format!("; the model after epoch {epoch} was kept, with validation macro-F1 {macro_f1:.4}");
            if let Some(accuracy) = trained.accuracy {
                words += &format!(" and accuracy {accuracy:.4}");
            }
        }
        _ => words += ", without validation",
    }
    words + "."
}
