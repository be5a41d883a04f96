//! Keeps the scored rows that are confident and unambiguous enough to teach a student.

mod params;

use std::collections::BTreeSet;

use dataset::{Funnel, ValidationFunnel};
use serde::Serialize;
use serde_json::Value;
use stage::{
    ArtifactType, CheckContext, Completion, Context, Failure, InputSpec, OutputSpec, Problem, Resolved,
    StageKind, Uses, grouped,
};

pub use params::{ClassThreshold, Params};

/// The kind `select`.
pub struct Select;

/// The kind `select`, for a list of kinds.
pub static SELECT: Select = Select;

static INPUTS: [InputSpec; 2] = [
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
];

#[derive(Serialize)]
struct Report<'f> {
    schema_version: u32,
    #[serde(flatten)]
    funnel: &'f Funnel,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<ValidationFunnel>,
    warnings: Vec<String>,
}

impl StageKind for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn version(&self) -> u32 {
        2
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: false,
            labels: true,
            precision: false,
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
        let params =
            serde_json::to_value(params).map_err(|error| vec![Problem::new("", error.to_string())])?;
        Ok(Resolved {
            params,
            inputs: Vec::new(),
        })
    }

    fn outputs(&self, _params: &Value, _inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        vec![
            OutputSpec::new("kept.parquet", ArtifactType::Kept),
            OutputSpec::new("decided.parquet", ArtifactType::Decided),
            OutputSpec::new("report.json", ArtifactType::Document),
        ]
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        let labels = ctx.labels();
        let thresholds = ctx.params::<Params>()?.thresholds(labels);
        let scored = ctx.input("scored")?;
        let selection = dataset::select(&scored.path, &scored.name, &thresholds, labels, ctx.task())?;
        selection.write_kept(&ctx.output("kept.parquet")?)?;
        selection.write_decided(&ctx.output("decided.parquet")?)?;
        let validation = match ctx.inputs("validation") {
            [] => None,
            _ => {
                let item = ctx.input("validation")?;
                Some(dataset::validation_funnel(
                    &item.path,
                    &item.name,
                    &thresholds,
                    labels,
                    ctx.task(),
                )?)
            }
        };
        let funnel = &selection.funnel;
        let warnings = warnings(funnel);
        for warning in &warnings {
            ctx.warn(warning);
        }
        ctx.write_json(
            "report.json",
            &Report {
                schema_version: 1,
                funnel,
                validation,
                warnings,
            },
        )?;
        Ok(Completion {
            headline: Some(headline(funnel)),
            ..Completion::default()
        })
    }
}

/// A student cannot learn a class that nothing teaches.
fn warnings(funnel: &Funnel) -> Vec<String> {
    if funnel.kept == 0 {
        let drops: Vec<String> = funnel
            .drops
            .iter()
            .map(|(reason, count)| format!("{} by {reason}", grouped(*count)))
            .collect();
        return vec![format!(
            "nothing was kept of {} rows: dropped {}",
            grouped(funnel.rows),
            drops.join(", ")
        )];
    }
    let empty = funnel.classes.iter().filter(|(_, class)| class.kept == 0);
    empty
        .map(|(label, class)| {
            format!(
                "nothing was kept of class `{label}` ({} rows were predicted as it)",
                grouped(class.candidates)
            )
        })
        .collect()
}

fn headline(funnel: &Funnel) -> String {
    let classes: Vec<String> = funnel
        .classes
        .iter()
        .map(|(label, class)| format!("{label} {}", grouped(class.kept)))
        .collect();
    format!(
        "kept {} of {} rows ({})",
        grouped(funnel.kept),
        grouped(funnel.rows),
        classes.join(", ")
    )
}
