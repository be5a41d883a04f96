//! Measures models side by side on golden rows: figures with intervals, a comparison, gates, reports for people.
//!
//! The figures are those of `classification`, the documents those of `report`; this crate brings them together.

mod background;
mod document;
mod evaluation;
mod files;
mod golden;
mod inference;
mod noise;
mod params;
mod promoted;
mod slices;
mod tables;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};
use stage::{
    ArtifactType, CheckContext, Completion, Context, Duty, Failure, InputSpec, OutputSpec, Problem, Resolved,
    StageKind, Uses,
};

use crate::evaluation::{Evaluation, Plan};
use crate::golden::Golden;
pub use crate::params::Params;
use crate::promoted::Promoted;

/// The stage kind `evaluate`.
pub struct Evaluate;

static INPUTS: [InputSpec; 1] = [InputSpec {
    name: GOLDEN,
    accepts: &[ArtifactType::Labelled, ArtifactType::File],
    required: true,
    many: true,
    description: "human-verified rows that no model was trained on",
}];

static MODEL: InputSpec = InputSpec {
    name: "model",
    accepts: &[ArtifactType::Model],
    required: true,
    many: false,
    description: "any other name is a model under that name, such as `student: student.model`",
};

const GOLDEN: &str = "golden";

impl StageKind for Evaluate {
    fn name(&self) -> &'static str {
        "evaluate"
    }

    fn version(&self) -> u32 {
        2
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: true,
            labels: true,
            precision: true,
            lineage: true,
        }
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &INPUTS
    }

    fn other_inputs(&self) -> Option<&'static InputSpec> {
        Some(&MODEL)
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(Params).to_value()
    }

    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        let mut params: Params = stage::resolve(params, ctx)?;
        params.fill(ctx.other_inputs);
        let params =
            serde_json::to_value(params).map_err(|error| vec![Problem::new("", error.to_string())])?;
        Ok(Resolved {
            params,
            inputs: Vec::new(),
        })
    }

    fn duty(&self, params: &Value) -> Duty {
        Duty::Measures {
            golden: GOLDEN,
            allow_unguarded: params
                .get("allow_unguarded")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        }
    }

    fn tags(&self, params: &Value) -> Vec<String> {
        params::tags(params)
    }

    fn outputs(&self, _params: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        let mut outputs = vec![
            OutputSpec::new(files::REPORT, ArtifactType::Document),
            OutputSpec::new(files::HTML, ArtifactType::Document),
            OutputSpec::new(files::SUSPECTS, ArtifactType::Table),
        ];
        let models = inputs.iter().filter(|name| *name != GOLDEN);
        if models.clone().count() > 1 {
            outputs.push(OutputSpec::new(files::FLIPS, ArtifactType::Table));
        }
        for model in models {
            let document = |file| OutputSpec::new(files::of_model(model, file), ArtifactType::Document);
            outputs.extend(files::MODEL_DOCUMENTS.map(document));
            let table = |file| OutputSpec::new(files::of_model(model, file), ArtifactType::Table);
            outputs.extend(files::MODEL_TABLES.map(table));
        }
        outputs
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        let start = Instant::now();
        let mut params: Params = ctx.params()?;
        let models = model_names(ctx);
        params.fill(&models);
        let golden = Golden::read(ctx)?;
        golden.warn(ctx);

        let ask = |name: &String| inference::ask(ctx, name, &golden, params.batch_tokens);
        let answers = models.iter().map(ask).collect::<Result<Vec<_>, _>>()?;
        let timings: BTreeMap<_, _> = answers
            .iter()
            .map(|answer| (&answer.name, &answer.timings))
            .collect();
        let mut completion = Completion::default();
        completion.timings.insert("models".into(), json!(timings));
        let evaluation = Evaluation::new(&golden, answers, &plan(ctx, &params, &models, &golden)?);
        files::write(ctx, &golden, &evaluation, &params)?;

        completion.headline = Some(evaluation.headline(golden.rows.len()));
        completion.gates_failed = evaluation.failed_gates();
        completion
            .timings
            .insert("seconds".into(), json!(start.elapsed().as_secs_f64()));
        Ok(completion)
    }
}

/// The inputs that are models, in the order of the pipeline file.
fn model_names(ctx: &Context) -> Vec<String> {
    ctx.invocation()
        .input_order
        .iter()
        .filter(|name| *name != GOLDEN)
        .cloned()
        .collect()
}

fn plan(ctx: &Context, params: &Params, models: &[String], golden: &Golden) -> Result<Plan, Failure> {
    let gates = params.parsed_gates(models, ctx.labels(), ctx.task());
    let gates = gates
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::stage)?;
    let position = |name: &Option<String>| models.iter().position(|model| Some(model) == name.as_ref());
    let pair = position(&params.baseline).zip(position(&params.candidate));
    Ok(Plan {
        task: ctx.task(),
        classes: ctx.labels().len(),
        pair: pair.filter(|(baseline, candidate)| baseline != candidate),
        promoted: Promoted::read(ctx, &gates, golden)?,
        gates,
        resamples: params.bootstrap,
        seed: ctx.seed(),
    })
}
