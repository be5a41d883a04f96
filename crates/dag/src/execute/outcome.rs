//! How a run ended, stage by stage; also the shape of every `--json` answer about stages.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use stage::Failure;

use crate::identity::Reason;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All stages are up to date.
    Done,
    /// A stage failed.
    Failed,
    /// A signal came, or the program was killed.
    Interrupted,
    /// All stages are up to date, and a gate was not met.
    Gate,
}

/// What is done, or was done, about a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It runs.
    Run,
    /// A version that is there is what is asked for.
    Reuse,
    /// It cannot run: something that it needs failed or is missing.
    Blocked,
}

/// A stage in a plan or in a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageReport {
    /// Its name.
    pub stage: String,
    /// Its kind.
    pub kind: String,
    /// What is done about it.
    pub action: Action,
    /// Why.
    pub reasons: Vec<Reason>,
    /// `0003-ab12cd34`; null if it is not known yet or was not made.
    pub version: Option<String>,
    /// The version's folder, if it is there.
    pub path: Option<PathBuf>,
    /// How long it ran, in this run.
    pub seconds: Option<f64>,
    /// How long it will take, from its last version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_seconds: Option<f64>,
    /// One line about the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// Gates that were not met, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates_failed: Vec<String>,
    /// What the user should know besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// The document of `run`, `status` and `explain` with `--json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunDocument {
    /// Version of this format.
    pub schema_version: u32,
    /// The run's id; null if nothing was run.
    pub run: Option<String>,
    /// How it ended; null while it goes on, and if nothing was run.
    pub outcome: Option<Outcome>,
    /// In the order of work.
    pub stages: Vec<StageReport>,
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The run's id: the name of its folder below `runs`.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The signal that interrupted it.
    pub signal: Option<i32>,
    /// In the order of work.
    pub stages: Vec<StageReport>,
    /// Wall time.
    pub seconds: f64,
}

impl RunDocument {
    /// The version of this format.
    pub const SCHEMA_VERSION: u32 = 1;

    /// A document about stages without a run.
    pub fn of_stages(stages: Vec<StageReport>) -> Self {
        Self {
            schema_version: Self::SCHEMA_VERSION,
            run: None,
            outcome: None,
            stages,
        }
    }
}

impl RunOutcome {
    /// Stages that failed, with why; the first decides the exit code.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Failure)> {
        self.stages
            .iter()
            .filter_map(|report| Some((report.stage.as_str(), report.failure.as_ref()?)))
    }

    /// Gates that were not met, with their stage.
    pub fn gates_failed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stages.iter().flat_map(|report| {
            report
                .gates_failed
                .iter()
                .map(|gate| (report.stage.as_str(), gate.as_str()))
        })
    }

    /// The answer of `run --json`.
    pub fn document(&self) -> RunDocument {
        RunDocument {
            schema_version: RunDocument::SCHEMA_VERSION,
            run: Some(self.run.clone()),
            outcome: Some(self.outcome),
            stages: self.stages.clone(),
        }
    }
}
