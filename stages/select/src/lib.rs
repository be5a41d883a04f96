//! Keeps the scored rows that are good enough to teach a student.

mod params;
mod report;
mod words;

use std::collections::BTreeSet;

use dataset::{Overrides, Request};
use serde_json::Value;
use stage::{
    ArtifactType, CheckContext, Completion, Context, Failure, InputItem, InputSpec, OutputSpec, Problem,
    Resolved, Role, StageKind, Uses,
};

pub use params::{Adaptive, ClassThreshold, Params, Teaching};

/// The kind `select`.
pub struct Select;

/// The kind `select`, for a list of kinds.
pub static SELECT: Select = Select;

static INPUTS: [InputSpec; 3] = [
    InputSpec {
        name: "scored",
        accepts: &[
            ArtifactType::Scored,
            ArtifactType::LabelledScored,
            ArtifactType::File,
        ],
        required: true,
        many: false,
        description: "raw rows with a model's predictions",
    },
    InputSpec {
        name: "validation",
        accepts: &[ArtifactType::LabelledScored, ArtifactType::File],
        required: false,
        many: false,
        description: "labelled rows with the same model's predictions: how right the selection would be",
    },
    InputSpec {
        name: "overrides",
        accepts: &[ArtifactType::File],
        required: false,
        many: false,
        description: "what a review decided about rows, above all rules; without it, the newest file of `overrides/STAGE`",
    },
];

impl StageKind for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn version(&self) -> u32 {
        3
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: false,
            labels: true,
            precision: false,
            lineage: false,
        }
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &INPUTS
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(Params).to_value()
    }

    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        let params: Params = stage::resolve(params, ctx)?;
        let params = serde_json::to_value(params.filled())
            .map_err(|error| vec![Problem::new("", error.to_string())])?;
        Ok(Resolved {
            params,
            inputs: Vec::new(),
        })
    }

    fn role(&self, name: &str) -> Role {
        match name {
            "overrides" => Role::Decisions,
            _ => Role::Learnt,
        }
    }

    fn outputs(&self, _params: &Value, _inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        vec![
            OutputSpec::new("kept.parquet", ArtifactType::Kept),
            OutputSpec::new("decided.parquet", ArtifactType::Decided),
            OutputSpec::new("report.json", ArtifactType::Document),
        ]
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        let (labels, task) = (ctx.labels(), ctx.task());
        let params: Params = ctx.params()?;
        let policy = params.policy(labels);
        let read = |item: &InputItem| Overrides::read(item, labels, task);
        let overrides = optional(ctx, "overrides")?.map(read).transpose()?;
        let selection = dataset::select(&Request {
            scored: ctx.input("scored")?,
            validation: optional(ctx, "validation")?,
            overrides: overrides.as_ref(),
            policy: &policy,
            labels,
            task,
        })?;
        selection.write_kept(&ctx.output("kept.parquet")?)?;
        selection.write_decided(&ctx.output("decided.parquet")?)?;
        let warnings = words::warnings(&selection, &params, labels);
        for warning in &warnings {
            ctx.warn(warning);
        }
        let abstained = report::abstained(&selection, labels);
        ctx.write_json(
            "report.json",
            &report::Report::new(&selection, &params, labels, &abstained, warnings),
        )?;
        Ok(Completion {
            headline: Some(words::headline(&selection.funnel, &abstained)),
            ..Completion::default()
        })
    }
}

/// The item of an input that need not be there.
fn optional<'c>(ctx: &'c Context, name: &str) -> Result<Option<&'c InputItem>, Failure> {
    match ctx.inputs(name) {
        [] => Ok(None),
        _ => ctx.input(name).map(Some),
    }
}
