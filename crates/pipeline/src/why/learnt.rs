//! Which models learnt from a row.

use std::collections::HashMap;
use std::path::PathBuf;

use dag::Version;
use serde::Serialize;

use super::scene::{Scene, row_of};
use crate::error::CliError;
use crate::review::rows::item_path;

/// A version of a fine_tune stage whose inputs have the row.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Learnt {
    pub(super) stage: String,
    pub(super) version: String,
    /// `train`, or `validation`: it chose the best epoch, and nothing was learnt from it.
    pub(super) input: String,
    /// The table that has it: `pseudo_label@1.kept`.
    pub(super) from: String,
    /// As what it was taught.
    pub(super) labels: Vec<String>,
}

/// Whether a table has a row, and with which labels.
type Seen = HashMap<PathBuf, Option<Vec<String>>>;

/// Of all versions that the store has, also of stages and versions that are not the newest.
pub(super) fn of_row(scene: &Scene, id: &str) -> Result<Vec<Learnt>, CliError> {
    let mut all = Vec::new();
    let mut seen = Seen::new();
    for (index, newest) in &scene.versions {
        if scene.dag.stages[*index].kind.name() != "fine_tune" {
            continue;
        }
        for name in scene.store.versions(&newest.stage) {
            if let Ok(version) = scene.store.load(&newest.stage, &name) {
                of_version(scene, &version, id, &mut seen, &mut all)?;
            }
        }
    }
    Ok(all)
}

fn of_version(
    scene: &Scene,
    version: &Version,
    id: &str,
    seen: &mut Seen,
    all: &mut Vec<Learnt>,
) -> Result<(), CliError> {
    for input in &version.manifest.inputs {
        if input.name != "train" && input.name != "validation" {
            continue;
        }
        // The ids of a user's own file are another stage's business: `train-3` of it need not be this row.
        for item in input.items.iter().filter(|item| item.version.is_some()) {
            let Ok(path) = item_path(&scene.store, &scene.dag.base_dir, item) else {
                continue;
            };
            if !seen.contains_key(&path) {
                let records = row_of(&path, &item.written, id, &["id", "label", "labels"])?;
                let labels = records.first().map(|row| {
                    let labels = row.names("label").or_else(|| row.names("labels"));
                    labels.unwrap_or_default()
                });
                seen.insert(path.clone(), labels);
            }
            if let Some(Some(labels)) = seen.get(&path) {
                let artifact = item
                    .written
                    .split_once('.')
                    .map_or(item.written.as_str(), |(_, artifact)| artifact);
                all.push(Learnt {
                    stage: version.stage.clone(),
                    version: version.reference(),
                    input: input.name.clone(),
                    from: format!("{}.{artifact}", item.version.as_deref().unwrap_or_default()),
                    labels: labels.clone(),
                });
            }
        }
    }
    Ok(())
}
