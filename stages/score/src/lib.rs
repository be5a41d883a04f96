//! Lets models predict every row of a table, however many rows there are.

mod calibration;
mod models;
mod params;
mod report;
mod run;
mod scores;
mod shards;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;
use stage::{
    ArtifactType, CheckContext, Completion, Context, Failure, InputSpec, OutputSpec, Problem, Resolved,
    StageKind, Uses,
};

pub use params::Params;

/// The kind `score`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score;

/// The input that a temperature is fitted on.
const VALIDATION: &str = "validation";
/// The raw rows with predictions.
const SCORED: &str = "scored.parquet";
/// The validation rows with predictions and their true labels.
const VALIDATION_SCORED: &str = "validation_scored.parquet";
/// Counts and calibration.
const REPORT: &str = "report.json";

static INPUTS: &[InputSpec] = &[
    InputSpec {
        name: "model",
        accepts: &[ArtifactType::Model, ArtifactType::File],
        required: true,
        many: true,
        description: "the model that predicts, or several that do together",
    },
    InputSpec {
        name: "raw",
        accepts: &[ArtifactType::Raw, ArtifactType::Labelled, ArtifactType::File],
        required: true,
        many: true,
        description: "texts to predict; labels do not matter",
    },
    InputSpec {
        name: VALIDATION,
        accepts: &[ArtifactType::Labelled, ArtifactType::File],
        required: false,
        many: true,
        description: "labelled texts to calibrate the confidence on",
    },
];

impl StageKind for Score {
    fn name(&self) -> &'static str {
        "score"
    }

    fn version(&self) -> u32 {
        4
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: false,
            labels: true,
            precision: true,
            lineage: false,
        }
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(Params).to_value()
    }

    fn param_aliases(&self) -> &'static [(&'static str, &'static str)] {
        <Params as stage::Params>::ALIASES
    }

    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        let params: Params = stage::resolve(params, ctx)?;
        let params = params.resolved(ctx.inputs.contains(VALIDATION));
        match serde_json::to_value(params) {
            Ok(params) => Ok(Resolved {
                params,
                inputs: Vec::new(),
            }),
            Err(error) => Err(vec![Problem::new("", error.to_string())]),
        }
    }

    fn outputs(&self, _params: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        let mut outputs = vec![OutputSpec::new(SCORED, ArtifactType::Scored)];
        if inputs.contains(VALIDATION) {
            outputs.push(OutputSpec::new(VALIDATION_SCORED, ArtifactType::LabelledScored));
        }
        outputs.push(OutputSpec::new(REPORT, ArtifactType::Document));
        outputs
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        run::run(ctx, &ctx.params()?)
    }
}
