//! What the pipeline file may say.

use std::collections::BTreeSet;
use std::path::Path;

use classification::Task;
use serde_json::{Value, json};
use stage::{CheckContext, Problem, Resolved, StageKind};

use super::project::{LABELS, labels};
use crate::Score;

pub(crate) fn check_with(params: Value, inputs: &[&str]) -> Result<Resolved, Vec<Problem>> {
    let inputs: BTreeSet<String> = inputs.iter().map(|name| (*name).to_owned()).collect();
    let labels = labels(LABELS);
    let ctx = CheckContext {
        inputs: &inputs,
        other_inputs: &[],
        labels: &labels,
        task: Task::SingleLabel,
        precision: "auto",
        base_dir: Path::new("/nowhere"),
    };
    Score.check(&params, &ctx)
}

fn problem(params: Value) -> (String, String) {
    let problems = check_with(params, &["model", "raw"]).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}")
    };
    (problem.path.join("."), problem.message.clone())
}

fn calibrate(params: Value, inputs: &[&str]) -> Value {
    check_with(params, inputs).unwrap().params["calibrate"].clone()
}

#[test]
fn defaults_are_those_of_the_contract() {
    let expected = json!({
        "batch_tokens": null, "max_length": null, "precision": null, "calibrate": "none", "combine": "mean"
    });
    assert_eq!(
        check_with(Value::Null, &["model", "raw"]).unwrap().params,
        expected
    );
}

#[test]
fn a_temperature_is_fitted_by_default_where_there_is_something_to_fit_it_on() {
    let inputs = ["model", "raw", "validation"];
    assert_eq!(calibrate(Value::Null, &inputs), "temperature");
    assert_eq!(calibrate(json!({"calibrate": "none"}), &inputs), "none");
    assert_eq!(calibrate(json!({"calibrate": null}), &inputs[..2]), "none");
}

#[test]
fn a_temperature_cannot_be_fitted_on_nothing() {
    let (path, message) = problem(json!({"calibrate": "temperature"}));
    assert_eq!(path, "calibrate");
    assert_eq!(
        message,
        "a temperature is fitted on the input `validation`, which is missing"
    );
}

#[test]
fn impossible_sizes_are_refused() {
    assert_eq!(problem(json!({"batch_tokens": 0})).1, "must be at least 1");
    assert_eq!(problem(json!({"max_length": 2})).0, "max_length");
    assert_eq!(problem(json!({"combine": "max"})).0, "combine");
}

#[test]
fn validation_decides_about_its_table() {
    let files = |inputs: &[&str]| -> Vec<String> {
        let inputs = inputs.iter().map(|name| (*name).to_owned()).collect();
        Score
            .outputs(&Value::Null, &inputs)
            .into_iter()
            .map(|output| output.file)
            .collect()
    };
    assert_eq!(files(&["model", "raw"]), ["scored.parquet", "report.json"]);
    assert_eq!(
        files(&["validation"]),
        ["scored.parquet", "validation_scored.parquet", "report.json"]
    );
}
