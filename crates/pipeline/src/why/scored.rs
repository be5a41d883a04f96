//! What models said about a row, before and after calibration.

use classification::Task;
use serde::{Serialize, Serializer};

use super::scene::Scene;
use crate::error::CliError;

/// A row in a version of a score stage.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scored {
    pub(super) version: String,
    #[serde(skip)]
    pub(super) id: String,
    #[serde(skip)]
    pub(super) text: String,
    /// `scored` or `validation_scored`.
    pub(super) table: &'static str,
    pub(super) labels: Vec<String>,
    pub(super) confidence: f64,
    pub(super) margin: f64,
    pub(super) second: Option<String>,
    /// Label → probability, in the order of the labels.
    #[serde(serialize_with = "as_map")]
    pub(super) probabilities: Vec<(String, f64)>,
    /// Null: the probabilities were not calibrated, or by several models' temperatures.
    pub(super) temperature: Option<f64>,
    /// The confidence before calibration.
    pub(super) raw_confidence: Option<f64>,
    /// The probabilities before calibration, which the temperature determines.
    #[serde(serialize_with = "as_optional_map")]
    pub(super) raw_probabilities: Option<Vec<(String, f64)>>,
    /// Of several models the share that says something else.
    pub(super) disagreement: Option<f64>,
    /// Of several models, in their order.
    pub(super) votes: Option<Vec<String>>,
}

pub(super) fn of_row(scene: &Scene, id: &str) -> Result<Vec<Scored>, CliError> {
    const COLUMNS: [&str; 10] = [
        "id",
        "text",
        "pred_emotion",
        "pred_conf",
        "pred_margin",
        "pred_second",
        "probs",
        "raw_conf",
        "disagreement",
        "votes",
    ];
    let mut all = Vec::new();
    for version in scene.of_kind("score") {
        let mut temperature = None;
        for table in ["scored", "validation_scored"] {
            let records = scene.row(version, &format!("{table}.parquet"), id, &COLUMNS)?;
            for row in records.iter() {
                if temperature.is_none() {
                    temperature = Some(scene.document(version, "report.json")?["temperature"].as_f64());
                }
                let probabilities = row.numbers("probs").unwrap_or_default();
                let temperature = temperature.flatten();
                let raw =
                    temperature.map(|temperature| uncalibrated(&probabilities, temperature, scene.dag.task));
                all.push(Scored {
                    version: version.reference(),
                    id: row.text("id").unwrap_or_default(),
                    text: row.text("text").unwrap_or_default(),
                    table,
                    labels: row.names("pred_emotion").unwrap_or_default(),
                    confidence: row.number("pred_conf").unwrap_or_default(),
                    margin: row.number("pred_margin").unwrap_or_default(),
                    second: row.text("pred_second"),
                    probabilities: scene.by_label(&probabilities),
                    temperature,
                    raw_confidence: row.number("raw_conf"),
                    raw_probabilities: raw.map(|raw| scene.by_label(&raw)),
                    disagreement: row.number("disagreement"),
                    votes: row.names("votes"),
                });
            }
        }
    }
    Ok(all)
}

/// The probabilities at temperature 1, out of those at `temperature`: logits divided by it are known up to a constant,
/// which softmax does not see (of a sigmoid they are known whole).
fn uncalibrated(probabilities: &[f64], temperature: f64, task: Task) -> Vec<f64> {
    match task {
        Task::SingleLabel => {
            let logits: Vec<f64> = probabilities.iter().map(|p| temperature * p.ln()).collect();
            let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = logits.iter().map(|logit| (logit - greatest).exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers.into_iter().map(|power| power / sum).collect()
        }
        Task::MultiLabel => probabilities
            .iter()
            .map(|p| 1.0 / (1.0 + (-temperature * (p / (1.0 - p)).ln()).exp()))
            .collect(),
    }
}

/// Pairs as a map in their own order.
fn as_map<S: Serializer>(pairs: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(label, value)| (label, value)))
}

fn as_optional_map<S: Serializer>(
    pairs: &Option<Vec<(String, f64)>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match pairs {
        Some(pairs) => as_map(pairs, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_can_be_taken_back() {
        let logits = [2.0, -1.0, 0.5];
        let softmax = |temperature: f64| {
            let powers = logits.map(|logit: f64| (logit / temperature).exp());
            let sum: f64 = powers.iter().sum();
            powers.map(|power| power / sum)
        };
        let raw = uncalibrated(&softmax(1.7), 1.7, Task::SingleLabel);
        for (found, expected) in raw.iter().zip(softmax(1.0)) {
            assert!((found - expected).abs() < 1e-12, "{raw:?}");
        }
        let sigmoid = |temperature: f64| logits.map(|logit: f64| 1.0 / (1.0 + (-logit / temperature).exp()));
        let raw = uncalibrated(&sigmoid(0.6), 0.6, Task::MultiLabel);
        for (found, expected) in raw.iter().zip(sigmoid(1.0)) {
            assert!((found - expected).abs() < 1e-12, "{raw:?}");
        }
    }

    #[test]
    fn certainty_stays_certain() {
        assert_eq!(uncalibrated(&[0.0, 1.0], 2.0, Task::SingleLabel), [0.0, 1.0]);
        assert_eq!(uncalibrated(&[0.0, 1.0], 2.0, Task::MultiLabel), [0.0, 1.0]);
    }
}
