//! The stage as the engine sees it.

mod params;
mod runs;

use std::collections::BTreeSet;
use std::path::Path;

use classification::{LabelSet, Task};
use serde_json::Value;
use stage::{CheckContext, Problem, Resolved, StageKind};

use crate::FineTune;

fn labels() -> LabelSet {
    LabelSet::from_names(["기쁨", "분노", "불안"]).unwrap()
}

fn check(params: Value, inputs: &[&str]) -> Result<Resolved, Vec<Problem>> {
    check_task(params, inputs, Task::SingleLabel)
}

fn check_task(params: Value, inputs: &[&str], task: Task) -> Result<Resolved, Vec<Problem>> {
    let inputs: BTreeSet<String> = inputs.iter().map(|name| (*name).to_owned()).collect();
    let labels = labels();
    let ctx = CheckContext {
        inputs: &inputs,
        other_inputs: &[],
        labels: &labels,
        task,
        precision: "auto",
        base_dir: Path::new("/nowhere"),
    };
    FineTune.check(&params, &ctx)
}

fn with(base: Value, more: Value) -> Value {
    let mut merged = base.as_object().unwrap().clone();
    merged.extend(more.as_object().unwrap().clone());
    Value::Object(merged)
}
