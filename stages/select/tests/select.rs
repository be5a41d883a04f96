//! The stage as the engine runs it: params checked, a scored table in, the selection out.

use std::collections::{BTreeMap, BTreeSet};

use classification::{LabelSet, Task};
use dataset::{Column, inspect};
use serde_json::{Value, json};
use stage::{
    ArtifactType, CheckContext, Completion, Context, EventSink, Failure, InputItem, Invocation, Problem,
    Runtime, SourceOptions, StageKind,
};
use stage_select::SELECT;
use tempfile::TempDir;

fn labels() -> LabelSet {
    LabelSet::from_names(["분노", "불안", "기쁨"]).unwrap()
}

fn check(params: Value) -> Result<Value, Vec<Problem>> {
    let (inputs, labels) = (BTreeSet::from(["scored".to_owned()]), labels());
    let ctx = CheckContext {
        inputs: &inputs,
        other_inputs: &[],
        labels: &labels,
        task: Task::SingleLabel,
        precision: "auto",
        base_dir: std::path::Path::new("."),
    };
    SELECT.check(&params, &ctx).map(|resolved| resolved.params)
}

/// Runs the stage on rows of (label, confidence, margin).
fn run(folder: &TempDir, params: Value, rows: &[(&str, f32, f32)]) -> Result<Completion, Failure> {
    let path = folder.path().join("scored.parquet");
    let strings = |name: &str, value: &dyn Fn(usize) -> String| {
        Column::Str(
            name.to_owned(),
            (0..rows.len()).map(|row| Some(value(row))).collect(),
        )
    };
    let columns = vec![
        strings("id", &|row| format!("raw-{row}")),
        strings("text", &|row| format!("문장 {row}")),
        strings("source", &|_| "test".into()),
        strings("pred_emotion", &|row| rows[row].0.to_owned()),
        Column::F32("pred_conf".into(), rows.iter().map(|row| row.1).collect()),
        Column::F32("pred_margin".into(), rows.iter().map(|row| row.2).collect()),
        strings("pred_second", &|_| "불안".into()),
        Column::ListF32("probs".into(), rows.iter().map(|row| vec![row.1]).collect()),
        strings("label", &|_| "분노".into()),
    ];
    dataset::write_columns(&path, columns).unwrap();
    let item = |artifact_type| InputItem {
        path: path.clone(),
        name: "score.scored".into(),
        artifact_type,
        options: SourceOptions::default(),
    };
    let inputs = BTreeMap::from([
        ("scored".to_owned(), vec![item(ArtifactType::Scored)]),
        ("validation".to_owned(), vec![item(ArtifactType::LabelledScored)]),
    ]);
    let output = folder.path().join("out");
    std::fs::create_dir_all(&output).unwrap();
    let invocation = Invocation {
        format: Invocation::FORMAT,
        stage: "pseudo_label".into(),
        kind: "select".into(),
        params: check(params).unwrap(),
        seed: 1,
        task: Task::SingleLabel,
        labels: labels(),
        precision: "f32".into(),
        runtime: Runtime::default(),
        inputs,
        input_order: vec!["scored".into(), "validation".into()],
        output,
        fingerprint: String::new(),
        parent: None,
    };
    let context = Context::new(invocation, EventSink::new(Box::new(std::io::sink())));
    stage::run_in_process(&context, &[&SELECT])
}

fn report(folder: &TempDir) -> Value {
    serde_json::from_slice(&std::fs::read(folder.path().join("out/report.json")).unwrap()).unwrap()
}

#[test]
fn confident_and_unambiguous_rows_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        ("분노", 0.75, 0.2),
        ("기쁨", 0.9, 0.19),
        ("불안", 0.9, 0.5),
        ("기쁨", 0.9, 0.5),
    ];
    let done = run(&folder, json!({}), &rows).unwrap();
    assert_eq!(
        done.headline.unwrap(),
        "kept 3 of 4 rows (분노 1, 불안 1, 기쁨 1)"
    );
    let kept = inspect::open(&folder.path().join("out/kept.parquet"), "kept", None).unwrap();
    let ids: Vec<String> = kept
        .all()
        .unwrap()
        .rows
        .iter()
        .map(|row| row[0].display())
        .collect();
    assert_eq!(ids, ["raw-0", "raw-2", "raw-3"]);
    let decided = inspect::open(&folder.path().join("out/decided.parquet"), "decided", None).unwrap();
    assert_eq!(decided.rows().unwrap(), 4);
}

#[test]
fn the_report_has_the_funnel_and_the_precision_on_validation() {
    let folder = tempfile::tempdir().unwrap();
    run(
        &folder,
        json!({}),
        &[("분노", 0.9, 0.5), ("불안", 0.9, 0.5), ("기쁨", 0.1, 0.0)],
    )
    .unwrap();
    let report = report(&folder);
    assert_eq!((&report["rows"], &report["kept"]), (&json!(3), &json!(2)));
    assert_eq!(
        report["drops"],
        json!({"confidence": 1, "margin": 0, "class_cap": 0})
    );
    assert_eq!(report["classes"]["기쁨"]["candidates"], 1);
    assert_eq!(
        report["validation"],
        json!({"rows": 3, "kept": 2, "correct": 1, "precision": 0.5})
    );
}

#[test]
fn an_empty_class_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    run(
        &folder,
        json!({}),
        &[("분노", 0.9, 0.5), ("불안", 0.9, 0.5), ("기쁨", 0.1, 0.0)],
    )
    .unwrap();
    assert_eq!(
        report(&folder)["warnings"],
        json!(["nothing was kept of class `기쁨` (1 rows were predicted as it)"])
    );
}

#[test]
fn an_empty_result_is_one_warning_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder, json!({}), &[("분노", 0.1, 0.5), ("불안", 0.9, 0.1)]).unwrap();
    assert_eq!(
        report(&folder)["warnings"],
        json!(["nothing was kept of 2 rows: dropped 0 by class_cap, 1 by confidence, 1 by margin"])
    );
}

#[test]
fn a_class_may_have_thresholds_of_its_own_and_inherits_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let params = json!({"per_class": {"기쁨": {"min_confidence": 0.5}}, "max_per_class": 1});
    let rows = [("기쁨", 0.5, 0.2), ("기쁨", 0.6, 0.2), ("기쁨", 0.6, 0.1)];
    run(&folder, params, &rows).unwrap();
    let drops = json!({"confidence": 0, "margin": 1, "class_cap": 1});
    assert_eq!(
        report(&folder)["classes"]["기쁨"],
        json!({"candidates": 3, "kept": 1, "drops": drops})
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let bytes = || {
        let folder = tempfile::tempdir().unwrap();
        run(&folder, json!({}), &[("분노", 0.9, 0.5), ("불안", 0.9, 0.5)]).unwrap();
        ["kept.parquet", "decided.parquet", "report.json"]
            .map(|file| std::fs::read(folder.path().join("out").join(file)).unwrap())
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn defaults_are_the_documented_ones() {
    assert_eq!(
        check(json!(null)).unwrap(),
        json!({"min_confidence": 0.75, "min_margin": 0.2, "per_class": {}, "max_per_class": null})
    );
}

#[test]
fn all_wrong_params_are_told_at_once() {
    let problems = check(json!({
        "min_confidence": 1.5, "min_margin": "much", "max_per_class": 0,
        "per_class": {"기뿜": {}, "분노": {"min_margin": -1}}
    }))
    .unwrap_err();
    let found: Vec<(String, &str)> = problems
        .iter()
        .map(|problem| (problem.path.join("."), problem.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (
                "min_margin".to_owned(),
                "invalid type: string \"much\", expected f64"
            ),
            ("min_confidence".to_owned(), "must be between 0 and 1, not 1.5"),
            ("per_class.기뿜".to_owned(), "unknown label `기뿜`"),
            (
                "per_class.분노.min_margin".to_owned(),
                "must be between 0 and 1, not -1"
            ),
            ("max_per_class".to_owned(), "must be at least 1"),
        ]
    );
    assert_eq!(problems[2].hint.as_deref(), Some("did you mean `기쁨`?"));
}
