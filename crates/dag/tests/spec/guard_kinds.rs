//! Doubles of kinds with the duties and roles of the real ones.

use std::collections::BTreeSet;

use serde_json::Value;
use stage::ArtifactType::{self, Document, File, Kept, Labelled, LabelledScored, Model, Raw, Scored, Table};
use stage::{
    CheckContext, Completion, Context, Duty, Failure, InputSpec, OutputSpec, ParamInput, Problem, Resolved,
    Role, StageKind, Uses,
};

pub(crate) static KINDS: &[&dyn StageKind] = &[&PREPARE, &FINE_TUNE, &SCORE, &SELECT, &EVALUATE];

struct Double {
    name: &'static str,
    inputs: &'static [InputSpec],
    others: Option<&'static InputSpec>,
    outputs: fn(&BTreeSet<String>) -> Vec<OutputSpec>,
    duty: fn(&Value) -> Duty,
}

const fn input(name: &'static str, accepts: &'static [ArtifactType]) -> InputSpec {
    InputSpec {
        name,
        accepts,
        required: false,
        many: true,
        description: "what it is",
    }
}

const ROWS: &[ArtifactType] = &[File, Labelled, Raw, Kept, Scored, LabelledScored];
const MODELS: InputSpec = input("model", &[Model]);

fn passes_on(_: &Value) -> Duty {
    Duty::PassesOn
}

static PREPARE: Double = Double {
    name: "prepare",
    inputs: &[
        input("train", ROWS),
        input("validation", ROWS),
        input("golden", ROWS),
        input("raw", ROWS),
        input("overrides", &[File]),
    ],
    others: None,
    outputs: |inputs| {
        let tables = ["train", "validation", "golden", "raw"].into_iter();
        let given = tables.filter(|table| inputs.contains(*table));
        given
            .map(|table| OutputSpec::new(format!("{table}.parquet"), Labelled))
            .collect()
    },
    duty: |params| Duty::Separates {
        golden: "golden",
        off: (params["leak_guard"] == "off").then_some("leak_guard: off"),
    },
};
static FINE_TUNE: Double = Double {
    name: "fine_tune",
    inputs: &[
        input("train", ROWS),
        input("validation", ROWS),
        input("corpus", ROWS),
        input("base", &[Model]),
    ],
    others: None,
    outputs: |_| vec![OutputSpec::new("model", Model)],
    duty: passes_on,
};
static SCORE: Double = Double {
    name: "score",
    inputs: &[MODELS, input("raw", ROWS), input("validation", ROWS)],
    others: None,
    outputs: |_| {
        vec![
            OutputSpec::new("scored.parquet", Scored),
            OutputSpec::new("validation_scored.parquet", LabelledScored),
        ]
    },
    duty: passes_on,
};
static SELECT: Double = Double {
    name: "select",
    inputs: &[
        input("scored", ROWS),
        input("validation", ROWS),
        input("overrides", &[File]),
    ],
    others: None,
    outputs: |_| vec![OutputSpec::new("kept.parquet", Kept)],
    duty: passes_on,
};
static EVALUATE: Double = Double {
    name: "evaluate",
    inputs: &[input("golden", ROWS)],
    others: Some(&MODELS),
    outputs: |_| {
        vec![
            OutputSpec::new("report.json", Document),
            OutputSpec::new("errors.parquet", Table),
        ]
    },
    duty: |params| Duty::Measures {
        golden: "golden",
        allow_unguarded: params["allow_unguarded"] == true,
    },
};

impl StageKind for Double {
    fn name(&self) -> &'static str {
        self.name
    }
    fn version(&self) -> u32 {
        1
    }
    fn uses(&self) -> Uses {
        Uses::default()
    }
    fn inputs(&self) -> &'static [InputSpec] {
        self.inputs
    }
    fn other_inputs(&self) -> Option<&'static InputSpec> {
        self.others
    }
    fn params_schema(&self) -> Value {
        Value::Null
    }
    fn check(&self, params: &Value, _: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        let model = params["base_model"].as_str().map(|path| ParamInput {
            name: "base_model",
            path: path.to_owned(),
            artifact_type: Model,
        });
        Ok(Resolved {
            params: params.clone(),
            inputs: model.into_iter().collect(),
        })
    }
    fn duty(&self, params: &Value) -> Duty {
        (self.duty)(params)
    }
    fn role(&self, name: &str) -> Role {
        match name {
            "overrides" => Role::Decisions,
            "base" => Role::Pretrained,
            _ => Role::Learnt,
        }
    }
    fn outputs(&self, _: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        (self.outputs)(inputs)
    }
    fn run(&self, _: &Context) -> Result<Completion, Failure> {
        Ok(Completion::default())
    }
}
