//! Doubles of stage kinds.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stage::ArtifactType::{self, Document, Kept, Labelled, Model, Raw, Scored, Table};
use stage::{
    CheckContext, Completion, Context, Failure, InputSpec, OutputSpec, ParamInput, Params, Problem, Resolved,
    StageKind, Uses,
};
pub(crate) static KINDS: &[&dyn StageKind] = &[&Prepare, &FineTune, &Score, &Evaluate];

struct Prepare;
struct FineTune;
struct Score;
struct Evaluate;

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct PrepareParams {
    /// How text is normalised.
    normalize: Normalize,
    /// Rows to keep of an input.
    limit: BTreeMap<String, u64>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Normalize {
    None,
    #[default]
    Nfc,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FineTuneParams {
    /// A directory, or nothing.
    base_model: Option<String>,
    /// Passes over the data.
    epochs: u32,
    /// Peak learning rate.
    learning_rate: f64,
    /// When to stop.
    early_stopping: Option<EarlyStopping>,
    /// Weight of each class.
    class_weights: BTreeMap<String, f64>,
    precision: Option<String>,
    seed: Option<u64>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct EarlyStopping {
    patience: u32,
    metric: Metric,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Metric {
    #[default]
    MacroF1,
    Accuracy,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct NoParams {}

impl Params for PrepareParams {
    fn check(&self, _: &CheckContext<'_>) -> Vec<Problem> {
        Vec::new()
    }
}

impl Params for NoParams {
    fn check(&self, _: &CheckContext<'_>) -> Vec<Problem> {
        Vec::new()
    }
}

impl Params for FineTuneParams {
    const ALIASES: &'static [(&'static str, &'static str)] = &[("num_train_epochs", "epochs")];

    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.epochs > 100 {
            problems.push(Problem::new("epochs", "must be at most 100"));
        }
        for label in self
            .class_weights
            .keys()
            .filter(|label| ctx.labels.resolve(label).is_none())
        {
            let mut problem = Problem::new("class_weights", format!("unknown label `{label}`"));
            problem.path.push(label.clone());
            problems.push(problem);
        }
        problems
    }
}

fn resolved<P: Params>(params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
    let params = serde_json::to_value(stage::resolve::<P>(params, ctx)?).unwrap();
    Ok(Resolved {
        params,
        inputs: Vec::new(),
    })
}

const fn input(
    name: &'static str,
    accepts: &'static [ArtifactType],
    required: bool,
    many: bool,
) -> InputSpec {
    InputSpec {
        name,
        accepts,
        required,
        many,
        description: "what it is",
    }
}

fn parquet(names: &BTreeSet<String>, name: &str, artifact_type: ArtifactType) -> Option<OutputSpec> {
    names
        .contains(name)
        .then(|| OutputSpec::new(format!("{name}.parquet"), artifact_type))
}

impl StageKind for Prepare {
    fn name(&self) -> &'static str {
        "prepare"
    }
    fn version(&self) -> u32 {
        1
    }
    fn uses(&self) -> Uses {
        Uses::default()
    }
    fn inputs(&self) -> &'static [InputSpec] {
        const {
            &[
                input("train", &[Table], true, true),
                input("golden", &[Table], false, true),
                input("raw", &[Table], false, true),
            ]
        }
    }
    fn params_schema(&self) -> Value {
        schemars::schema_for!(PrepareParams).to_value()
    }
    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        resolved::<PrepareParams>(params, ctx)
    }
    fn outputs(&self, _: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        let tables = [("train", Labelled), ("golden", Labelled), ("raw", Raw)];
        tables
            .iter()
            .filter_map(|(name, holds)| parquet(inputs, name, *holds))
            .collect()
    }
    fn run(&self, _: &Context) -> Result<Completion, Failure> {
        Ok(Completion::default())
    }
}

impl StageKind for FineTune {
    fn name(&self) -> &'static str {
        "fine_tune"
    }
    fn version(&self) -> u32 {
        1
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
        const {
            &[
                input("train", &[Labelled, Kept], true, true),
                input("base", &[Model], false, false),
                input("corpus", &[Raw], false, false),
            ]
        }
    }
    fn params_schema(&self) -> Value {
        schemars::schema_for!(FineTuneParams).to_value()
    }
    fn param_aliases(&self) -> &'static [(&'static str, &'static str)] {
        FineTuneParams::ALIASES
    }
    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        let mut resolved = resolved::<FineTuneParams>(params, ctx)?;
        if let Some(path) = resolved.params["base_model"].as_str() {
            resolved.inputs.push(ParamInput {
                name: "base_model",
                path: path.to_owned(),
                artifact_type: Model,
            });
        }
        Ok(resolved)
    }
    fn outputs(&self, _: &Value, _: &BTreeSet<String>) -> Vec<OutputSpec> {
        vec![
            OutputSpec::new("model", Model),
            OutputSpec::new("metrics.json", Document),
        ]
    }
    fn run(&self, _: &Context) -> Result<Completion, Failure> {
        Ok(Completion::default())
    }
}

impl StageKind for Score {
    fn name(&self) -> &'static str {
        "score"
    }
    fn version(&self) -> u32 {
        1
    }
    fn uses(&self) -> Uses {
        Uses::default()
    }
    fn inputs(&self) -> &'static [InputSpec] {
        const {
            &[
                input("model", &[Model], true, false),
                input("raw", &[Raw], true, false),
            ]
        }
    }
    fn params_schema(&self) -> Value {
        schemars::schema_for!(NoParams).to_value()
    }
    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        resolved::<NoParams>(params, ctx)
    }
    fn outputs(&self, _: &Value, _: &BTreeSet<String>) -> Vec<OutputSpec> {
        let reports = ["report.json", "report.html"].map(|file| OutputSpec::new(file, Document));
        [OutputSpec::new("scored.parquet", Scored)]
            .into_iter()
            .chain(reports)
            .collect()
    }
    fn run(&self, _: &Context) -> Result<Completion, Failure> {
        Ok(Completion::default())
    }
}

impl StageKind for Evaluate {
    fn name(&self) -> &'static str {
        "evaluate"
    }
    fn version(&self) -> u32 {
        1
    }
    fn uses(&self) -> Uses {
        Uses::default()
    }
    fn inputs(&self) -> &'static [InputSpec] {
        const { &[input("golden", &[Labelled], true, false)] }
    }
    fn other_inputs(&self) -> Option<&'static InputSpec> {
        const MODEL: InputSpec = input("model", &[Model], true, false);
        Some(const { &MODEL })
    }
    fn params_schema(&self) -> Value {
        schemars::schema_for!(NoParams).to_value()
    }
    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        resolved::<NoParams>(params, ctx)
    }
    fn outputs(&self, _: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        let models = inputs.iter().filter(|name| *name != "golden");
        models
            .map(|name| OutputSpec::new(format!("models/{name}/errors.parquet"), Table))
            .collect()
    }
    fn run(&self, _: &Context) -> Result<Completion, Failure> {
        Ok(Completion::default())
    }
}
