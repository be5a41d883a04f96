//! The checked pipeline: what is left of a pipeline file once nothing in it can be wrong any more.

use std::collections::BTreeMap;
use std::path::PathBuf;

use classification::{LabelSet, Task};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stage::{ArtifactType, Guard, OutputSpec, SourceOptions, StageKind};

use crate::{Diagnostic, HubInput};

/// A pipeline file after the check. Stages stand in the file's order.
pub struct Dag {
    /// The pipeline file, absolute.
    pub file: PathBuf,
    /// The file's folder: paths in the file are relative to it.
    pub base_dir: PathBuf,
    /// `name:`.
    pub name: Option<String>,
    /// `seed:`.
    pub seed: u64,
    /// `task:`.
    pub task: Task,
    /// `labels:`.
    pub labels: LabelSet,
    /// `runtime:`.
    pub runtime: RuntimeSpec,
    /// In the file's order.
    pub stages: Vec<StageSpec>,
    /// Indices into `stages`: every stage after those that it needs; otherwise the file's order.
    pub order: Vec<usize>,
    /// What the user should look at, though the file can be used.
    pub warnings: Vec<Diagnostic>,
}

/// `runtime:` as written, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeSpec {
    /// `auto`, `cpu`, `cuda`, `cuda:N`.
    pub device: String,
    /// `auto`, `flex`, `tch`, `cuda`.
    pub backend: String,
    /// `auto`, `f32`, `bf16`, `int8`.
    pub precision: String,
    /// Number of threads; 0 = all cores.
    pub threads: usize,
}

impl Default for RuntimeSpec {
    fn default() -> Self {
        let auto = || "auto".to_owned();
        Self {
            device: auto(),
            backend: auto(),
            precision: auto(),
            threads: 0,
        }
    }
}

/// One stage.
pub struct StageSpec {
    /// Its name in the file.
    pub name: String,
    /// What does the work.
    pub kind: &'static dyn StageKind,
    /// Resolved params: canonical names, defaults filled in.
    pub params: Value,
    /// Where each top-level param's value came from.
    pub param_sources: BTreeMap<String, ParamSource>,
    /// The param `seed` if the stage has one, else the pipeline's.
    pub seed: u64,
    /// Resolved: `f32`, `bf16` or `int8`.
    pub precision: String,
    /// Inputs in the file's order, each with its items; then decisions of people that the file does not name; then
    /// params that name files.
    pub inputs: Vec<(String, Vec<InputRef>)>,
    /// What it writes.
    pub outputs: Vec<OutputSpec>,
    /// For a stage that measures: whether its golden rows are apart from all that its models learn from.
    pub guard: Option<Guard>,
    /// Indices of the stages whose gates must be met before this one begins; what they make has no part in it.
    pub after: Vec<usize>,
}

/// Where a param's value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamSource {
    /// The kind's default.
    Default,
    /// The pipeline file.
    File,
    /// `--set`.
    Set,
    /// A `PIPELINE_SET__…` variable.
    Environment,
}

/// One item of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputRef {
    /// An artifact of another stage.
    Artifact {
        /// Index into [`Dag::stages`].
        stage: usize,
        /// The output's file within a version of that stage.
        file: String,
        /// What it holds.
        artifact_type: ArtifactType,
        /// As written: `prepare.train`.
        written: String,
    },
    /// A file or directory.
    Path {
        /// Absolute.
        path: PathBuf,
        /// As written.
        written: String,
        /// What it holds ([`ArtifactType::File`], or [`ArtifactType::Model`] for a model directory).
        artifact_type: ArtifactType,
        /// How to read it.
        options: SourceOptions,
    },
    /// A model of the Hub.
    Hub(HubInput),
}

impl Dag {
    /// The index of the stage called `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.name == name)
    }

    /// Indices of the stages whose artifacts stage `index` reads, each once.
    pub fn needs(&self, index: usize) -> Vec<usize> {
        let mut needs = Vec::new();
        for item in self.stages[index].inputs.iter().flat_map(|(_, items)| items) {
            if let InputRef::Artifact { stage, .. } = item
                && !needs.contains(stage)
            {
                needs.push(*stage);
            }
        }
        needs
    }

    /// As [`Dag::needs`], with the stages that `index` comes after.
    pub fn waits_for(&self, index: usize) -> Vec<usize> {
        let mut waits_for = self.needs(index);
        for after in &self.stages[index].after {
            if !waits_for.contains(after) {
                waits_for.push(*after);
            }
        }
        waits_for
    }
}
