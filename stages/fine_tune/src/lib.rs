//! Trains a classifier: on a pretrained encoder, on an earlier stage's model, or from scratch.
//!
//! What happens in a step is `training`'s concern; this crate reads tables, prepares the encoder and writes results.

mod base_model;
mod card;
mod checkpoint_file;
mod checkpoints;
mod choices;
mod data;
mod documents;
mod encoder;
mod fold;
mod interrupt;
mod monitor;
mod params;
mod run;
#[cfg(test)]
mod tests;
mod thresholds;

use std::collections::BTreeSet;

use serde_json::Value;
use stage::{
    ArtifactType, CheckContext, Completion, Context, Failure, InputSpec, OutputSpec, ParamInput, Problem,
    Resolved, Role, StageKind, Uses,
};

pub use base_model::{BaseModel, Scratch};
pub use fold::Fold;
pub use params::Params;
pub use thresholds::Thresholds;

/// The kind `fine_tune`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FineTune;

/// Folder of the trained model.
const MODEL: &str = "model";
/// Figures of the best model.
const METRICS: &str = "metrics.json";
/// Figures of every logged step and evaluation.
const HISTORY: &str = "metrics.jsonl";
/// The best model's predictions on the validation texts.
const PREDICTIONS: &str = "validation_predictions.parquet";
/// The history as a picture.
const CURVES: &str = "curves.svg";

static INPUTS: &[InputSpec] = &[
    InputSpec {
        name: "train",
        accepts: &[ArtifactType::Labelled, ArtifactType::Kept, ArtifactType::File],
        required: true,
        many: true,
        description: "labelled texts to learn from",
    },
    InputSpec {
        name: "validation",
        accepts: &[ArtifactType::Labelled, ArtifactType::File],
        required: false,
        many: true,
        description: "labelled texts to choose the best model by; not read if the param `fold` takes them from `train`",
    },
    InputSpec {
        name: "corpus",
        accepts: &[
            ArtifactType::Raw,
            ArtifactType::Labelled,
            ArtifactType::Scored,
            ArtifactType::LabelledScored,
            ArtifactType::Kept,
            ArtifactType::File,
        ],
        required: false,
        many: true,
        description: "texts to learn the vocabulary of an encoder from scratch from; without it, `train`",
    },
    InputSpec {
        name: "base",
        accepts: &[ArtifactType::Model, ArtifactType::File],
        required: false,
        many: false,
        description: "a model to start from, in place of the param `base_model`",
    },
];

impl StageKind for FineTune {
    fn name(&self) -> &'static str {
        "fine_tune"
    }

    fn version(&self) -> u32 {
        5
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: true,
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
        let resolved = stage::resolve::<Params>(params, ctx);
        let params = match (resolved, Params::check_given(params, ctx)) {
            (Ok(params), None) => params,
            (resolved, missing) => return Err(resolved.err().into_iter().flatten().chain(missing).collect()),
        };
        let location = params.base_model.as_ref().and_then(BaseModel::location);
        let inputs = location.map(|path| ParamInput {
            name: "base_model",
            path,
            artifact_type: ArtifactType::Model,
        });
        let inputs = inputs.into_iter().collect();
        match serde_json::to_value(&params) {
            Ok(params) => Ok(Resolved { params, inputs }),
            Err(error) => Err(vec![Problem::new("", error.to_string())]),
        }
    }

    fn execution_params(&self) -> &'static [&'static str] {
        params::EXECUTION_PARAMS
    }

    fn role(&self, name: &str) -> Role {
        match name {
            "base" | "base_model" => Role::Pretrained,
            _ => Role::Learnt,
        }
    }

    fn outputs(&self, params: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        let mut outputs = vec![
            OutputSpec::new(MODEL, ArtifactType::Model),
            OutputSpec::new(METRICS, ArtifactType::Document),
            OutputSpec::new(HISTORY, ArtifactType::Document),
            OutputSpec::new(CURVES, ArtifactType::Document),
        ];
        let has_fold = params.get("fold").is_some_and(|fold| !fold.is_null());
        if has_fold || inputs.contains("validation") {
            outputs.push(OutputSpec::new(PREDICTIONS, ArtifactType::LabelledScored));
        }
        outputs
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        run::run(ctx, &ctx.params()?)
    }
}
