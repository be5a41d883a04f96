//! Decisions of people about a row.

use dag::Digest;
use dataset::{Found, Verdict};
use serde::Serialize;

use super::scene::Scene;
use crate::error::CliError;
use crate::review::history::History;

/// What the newest decisions about a stage say of a row.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reviewed {
    pub(super) stage: String,
    /// Relative to the pipeline file.
    pub(super) file: String,
    /// `keep`, `drop` or `label`.
    pub(super) decision: String,
    /// The new ones, or with `keep` those that were confirmed.
    pub(super) labels: Vec<String>,
    pub(super) note: String,
    /// Whether the decision is about another text that had this id: it is not applied.
    pub(super) other_text: bool,
    /// The newest version of the stage that these decisions went into; null: it has not run with them yet.
    pub(super) version: Option<String>,
}

pub(super) fn of_row(scene: &Scene, id: &str, text: &str) -> Result<Vec<Reviewed>, CliError> {
    let mut all = Vec::new();
    for (_, version) in &scene.versions {
        let history = History::open(&scene.dag.base_dir, &version.stage)?;
        let Some(newest) = history.newest() else { continue };
        let decisions = newest.read(&scene.dag)?;
        let Some(decision) = decisions.by_id(id) else {
            continue;
        };
        let content = std::fs::read(&newest.path).map_err(|error| CliError::io(&newest.path, &error))?;
        let digest = Digest::of(&content);
        let inputs = version
            .manifest
            .inputs
            .iter()
            .filter(|input| input.name == "overrides");
        let applied = inputs
            .flat_map(|input| &input.items)
            .any(|item| item.digest == digest);
        let labels = match &decision.verdict {
            Verdict::KeepAs(ids) | Verdict::Label(ids) => ids
                .ids()
                .iter()
                .map(|id| scene.dag.labels.name(*id).to_owned())
                .collect(),
            Verdict::Keep | Verdict::Drop => Vec::new(),
        };
        all.push(Reviewed {
            stage: version.stage.clone(),
            file: history.name_of(&newest.path),
            decision: decision.verdict.as_str().to_owned(),
            labels,
            note: decision.note.clone(),
            other_text: !text.is_empty() && decisions.get(id, text) == Found::OtherText,
            version: applied.then(|| version.reference()),
        });
    }
    Ok(all)
}
