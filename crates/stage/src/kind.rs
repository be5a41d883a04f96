//! What the engine knows about a kind of stage.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{ArtifactType, CheckContext, Completion, Context, Duty, Failure, Problem, Role};

/// An input that a kind takes.
#[derive(Clone, Debug)]
pub struct InputSpec {
    /// Its key under `inputs`.
    pub name: &'static str,
    /// What it may hold.
    pub accepts: &'static [ArtifactType],
    /// Whether the stage cannot run without it.
    pub required: bool,
    /// Whether it may be a list.
    pub many: bool,
    /// One line for the schema and the reference.
    pub description: &'static str,
}

/// A file or directory that a kind writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    /// Path within the version's folder, `/` between parts; a directory has no trailing `/`.
    pub file: String,
    /// What it holds.
    pub artifact_type: ArtifactType,
}

impl OutputSpec {
    /// An output at `file`.
    pub fn new(file: impl Into<String>, artifact_type: ArtifactType) -> Self {
        Self {
            file: file.into(),
            artifact_type,
        }
    }
}

/// A param that names a file or directory: its content is part of the result's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamInput {
    /// The param, which is also the name under which the stage finds it in [`Context::input`].
    pub name: &'static str,
    /// Path relative to the pipeline file; or a model of the Hub, `hf://owner/name@revision`.
    pub path: String,
    /// What it must hold.
    pub artifact_type: ArtifactType,
}

/// Params after the check.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Canonical names, defaults filled in.
    pub params: Value,
    /// Params that name files.
    pub inputs: Vec<ParamInput>,
}

/// What of the pipeline's settings determines this kind's results.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uses {
    /// The seed. A param `seed` of the stage takes its place.
    pub seed: bool,
    /// Labels and task.
    pub labels: bool,
    /// The numeric precision.
    pub precision: bool,
    /// How its inputs came about: [`Context::lineage`] is filled, and every stage upstream counts by its fingerprint.
    pub lineage: bool,
}

/// A kind of stage: static facts, a check, and the work itself.
pub trait StageKind: Sync {
    /// The value of `kind:`.
    fn name(&self) -> &'static str;
    /// Raised when the same inputs would give another result.
    fn version(&self) -> u32;
    /// What of the pipeline's settings matters.
    fn uses(&self) -> Uses;
    /// Inputs with fixed names.
    fn inputs(&self) -> &'static [InputSpec];
    /// What inputs with any other name are (`evaluate` takes models under names of the user's choice).
    fn other_inputs(&self) -> Option<&'static InputSpec> {
        None
    }
    /// JSON Schema of the params.
    fn params_schema(&self) -> Value;
    /// Other names of params: (alias, param); `Params::ALIASES`. `--set` reaches a param under any of its names.
    fn param_aliases(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
    /// Checks params as written in the pipeline file; reports all that is wrong.
    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>>;
    /// What it does to keep golden rows apart from what models learn from.
    fn duty(&self, _params: &Value) -> Duty {
        Duty::PassesOn
    }
    /// What models learn from the input `name`.
    fn role(&self, _name: &str) -> Role {
        Role::Learnt
    }
    /// Params that say how the work is done and not what comes of it: no part of a result's identity.
    fn execution_params(&self) -> &'static [&'static str] {
        &[]
    }
    /// Tags of versions of the same stage that these resolved params refer to: [`Invocation::promoted`] has their
    /// reports, which count in the result's identity.
    ///
    /// [`Invocation::promoted`]: crate::Invocation::promoted
    fn tags(&self, _params: &Value) -> Vec<String> {
        Vec::new()
    }
    /// What is written for these resolved params and given input names.
    fn outputs(&self, params: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec>;
    /// Does the work.
    fn run(&self, ctx: &Context) -> Result<Completion, Failure>;
}
