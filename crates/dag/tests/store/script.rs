//! A kind of stage whose params say what to do.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use stage::{
    CheckContext, Completion, Context, Failure, InputSpec, Level, OutputSpec, Problem, Resolved, Role,
    StageKind, Uses,
};

pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) uses: Uses,
    pub(crate) other_inputs: Option<InputSpec>,
}

const NOTHING: Uses = Uses {
    seed: false,
    labels: false,
    precision: false,
    lineage: false,
};
const MODELS: InputSpec = InputSpec {
    name: "model",
    accepts: &[],
    required: false,
    many: false,
    description: "any number of models",
};

pub(crate) static SCRIPT: Script = Script {
    name: "script",
    version: 1,
    uses: NOTHING,
    other_inputs: None,
};
pub(crate) static SCRIPT_2: Script = Script {
    name: "script",
    version: 2,
    uses: NOTHING,
    other_inputs: None,
};
pub(crate) static TRAINING: Script = Script {
    name: "training",
    version: 1,
    uses: Uses {
        seed: true,
        labels: true,
        precision: true,
        lineage: false,
    },
    other_inputs: None,
};
pub(crate) static COMPARISON: Script = Script {
    name: "comparison",
    version: 1,
    uses: NOTHING,
    other_inputs: Some(MODELS),
};
pub(crate) static MEASURING: Script = Script {
    name: "measuring",
    version: 1,
    uses: Uses {
        lineage: true,
        ..NOTHING
    },
    other_inputs: None,
};
pub(crate) static KINDS: [&dyn StageKind; 4] = [&SCRIPT, &TRAINING, &COMPARISON, &MEASURING];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Orders {
    /// Files to write, each with `text` and the content of all inputs.
    outputs: Vec<String>,
    text: String,
    /// Leaves the inputs' content out.
    constant: bool,
    sleep_ms: u64,
    fail: Option<String>,
    gates: Vec<String>,
    /// Ends without a word.
    exit: Option<i32>,
    /// Kills itself.
    signal: bool,
    /// Appends to this input while it runs.
    touch_input: Option<String>,
    /// Writes its process id here.
    pid_file: Option<String>,
    say: Option<String>,
    parquet: bool,
    /// Adds a mark to a file in the work folder, and its content to the outputs.
    work: bool,
    /// Fails unless this file is there, and makes it.
    fail_once: Option<String>,
}

impl StageKind for Script {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn uses(&self) -> Uses {
        self.uses
    }

    fn inputs(&self) -> &'static [InputSpec] {
        const ANY: InputSpec = InputSpec {
            name: "x",
            accepts: &[],
            required: false,
            many: true,
            description: "anything",
        };
        const DECISIONS: InputSpec = InputSpec {
            name: "overrides",
            ..ANY
        };
        &[ANY, DECISIONS]
    }

    fn role(&self, name: &str) -> Role {
        match name {
            "overrides" => Role::Decisions,
            _ => Role::Learnt,
        }
    }

    fn tags(&self, params: &Value) -> Vec<String> {
        serde_json::from_value(params["tags"].clone()).unwrap_or_default()
    }

    fn other_inputs(&self) -> Option<&'static InputSpec> {
        static OTHER: InputSpec = MODELS;
        self.other_inputs.as_ref().map(|_| &OTHER)
    }

    fn params_schema(&self) -> Value {
        Value::Null
    }

    fn check(&self, params: &Value, _: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        Ok(Resolved {
            params: params.clone(),
            inputs: Vec::new(),
        })
    }

    fn outputs(&self, _: &Value, _: &BTreeSet<String>) -> Vec<OutputSpec> {
        Vec::new()
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        let orders: Orders = ctx.params()?;
        if let Some(file) = &orders.pid_file {
            std::fs::write(file, std::process::id().to_string()).unwrap();
        }
        let mut content = orders.text.clone();
        for name in &ctx.invocation().input_order {
            for item in ctx.inputs(name).iter().filter(|_| !orders.constant) {
                content += &std::fs::read_to_string(&item.path).unwrap_or_default();
            }
        }
        for ancestor in ctx.lineage() {
            content += &format!(" {}:{}", ancestor.stage, &ancestor.fingerprint[..8]);
        }
        for (tag, report) in &ctx.invocation().promoted {
            content += &format!(" {tag}:{}", std::fs::read_to_string(report).unwrap());
        }
        if orders.work {
            let path = ctx.work().unwrap().join("marks");
            let marks = std::fs::read_to_string(&path).unwrap_or_default() + "x";
            std::fs::write(&path, &marks).unwrap();
            content += &marks;
        }
        if let Some(file) = orders.fail_once.as_ref().filter(|file| !Path::new(file).exists()) {
            std::fs::write(file, "").unwrap();
            return Err(Failure::stage("not the first time"));
        }
        for file in &orders.outputs {
            let framed = if orders.parquet {
                format!("PAR1{content}\0\0\0\0")
            } else {
                content.clone()
            };
            ctx.write(file, framed.as_bytes())?;
        }
        ctx.progress("writing", 1, Some(1), "files");
        std::thread::sleep(Duration::from_millis(orders.sleep_ms));
        if let Some(text) = &orders.say {
            ctx.send(&stage::Event::Message {
                level: Level::Info,
                text: text.clone(),
            });
            eprintln!("log of {text}");
        }
        if let Some(path) = &orders.touch_input {
            std::fs::write(path, "changed").unwrap();
        }
        if orders.signal {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
        }
        if let Some(code) = orders.exit {
            std::process::exit(code);
        }
        match orders.fail {
            Some(message) => Err(Failure::stage(message)),
            None => Ok(Completion {
                gates_failed: orders.gates,
                headline: Some("all well".into()),
                ..Completion::default()
            }),
        }
    }
}
