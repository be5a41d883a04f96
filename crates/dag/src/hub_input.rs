//! Inputs that are models of the Hub: what the caller has found out about them, since the engine knows no network.

use std::path::PathBuf;

use stage::{ArtifactType, HubModel};

use crate::{Dag, InputRef};

/// A model of the Hub that a stage reads.
///
/// Its commit is its identity: a stage is planned once that is known, and runs once the files have a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubInput {
    /// The repository and the revision that is asked for.
    pub model: HubModel,
    /// As written.
    pub written: String,
    /// The commit that the revision stands for, if it is known.
    pub commit: Option<String>,
    /// The directory with the model's files at that commit, once they are there.
    pub path: Option<PathBuf>,
}

impl HubInput {
    /// What inputs of this kind hold.
    pub const ARTIFACT_TYPE: ArtifactType = ArtifactType::Model;

    /// The commit is known if the revision is one.
    pub(crate) fn new(model: HubModel, written: String) -> Self {
        let commit = model.commit().map(str::to_owned);
        Self {
            model,
            written,
            commit,
            path: None,
        }
    }
}

impl Dag {
    /// Models of the Hub that the stage at `index` reads.
    pub fn hub_inputs(&self, index: usize) -> impl Iterator<Item = &HubInput> {
        let items = self.stages[index].inputs.iter().flat_map(|(_, items)| items);
        items.filter_map(|item| match item {
            InputRef::Hub(input) => Some(input),
            InputRef::Artifact { .. } | InputRef::Path { .. } => None,
        })
    }

    /// All models of the Hub that stages read, to be told their commits and places.
    pub fn hub_inputs_mut(&mut self) -> impl Iterator<Item = &mut HubInput> {
        let inputs = self.stages.iter_mut().flat_map(|stage| &mut stage.inputs);
        inputs.flat_map(|(_, items)| items).filter_map(|item| match item {
            InputRef::Hub(input) => Some(input),
            InputRef::Artifact { .. } | InputRef::Path { .. } => None,
        })
    }
}
