//! Lets a model predict every row of a table.

mod params;
mod run;
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
        many: false,
        description: "the model that predicts",
    },
    InputSpec {
        name: "raw",
        accepts: &[ArtifactType::Raw, ArtifactType::Labelled, ArtifactType::File],
        required: true,
        many: true,
        description: "texts to predict; labels do not matter",
    },
    InputSpec {
        name: "validation",
        accepts: &[ArtifactType::Labelled, ArtifactType::File],
        required: false,
        many: true,
        description: "labelled texts to measure the confidence on",
    },
];

impl StageKind for Score {
    fn name(&self) -> &'static str {
        "score"
    }

    fn version(&self) -> u32 {
        2
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: false,
            labels: true,
            precision: true,
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
        if inputs.contains("validation") {
            outputs.push(OutputSpec::new(VALIDATION_SCORED, ArtifactType::LabelledScored));
        }
        outputs.push(OutputSpec::new(REPORT, ArtifactType::Document));
        outputs
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        run::run(ctx, &ctx.params()?)
    }
}
