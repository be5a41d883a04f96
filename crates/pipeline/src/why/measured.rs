//! What models say about a golden row.

use serde::Serialize;
use stage::ArtifactType;

use super::scene::Scene;
use crate::error::CliError;

/// A golden row and a model in a version of an evaluate stage.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Measured {
    pub(super) version: String,
    pub(super) model: String,
    /// The true labels.
    pub(super) labels: Vec<String>,
    pub(super) predicted: Vec<String>,
    pub(super) confidence: Option<f64>,
    pub(super) correct: bool,
}

pub(super) fn of_row(scene: &Scene, id: &str) -> Result<Vec<Measured>, CliError> {
    let mut all = Vec::new();
    for version in scene.of_kind("evaluate") {
        let inputs = version.manifest.inputs.iter();
        let models = inputs.filter(|input| {
            let mut items = input.items.iter();
            items.any(|item| item.artifact_type == ArtifactType::Model)
        });
        for model in models {
            let file = format!("models/{}/predictions.parquet", model.name);
            let columns = ["id", "label", "labels", "pred_emotion", "pred_conf"];
            for row in scene.row(version, &file, id, &columns)?.iter() {
                // Both in the order of the labels.
                let labels = row
                    .names("label")
                    .or_else(|| row.names("labels"))
                    .unwrap_or_default();
                let predicted = row.names("pred_emotion").unwrap_or_default();
                all.push(Measured {
                    version: version.reference(),
                    model: model.name.clone(),
                    correct: labels == predicted,
                    labels,
                    predicted,
                    confidence: row.number("pred_conf"),
                });
            }
        }
    }
    Ok(all)
}
