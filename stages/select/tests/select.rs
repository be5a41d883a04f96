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
    check_for(Task::SingleLabel, &["scored", "validation"], params)
}

fn check_for(task: Task, inputs: &[&str], params: Value) -> Result<Value, Vec<Problem>> {
    let (inputs, labels): (BTreeSet<String>, _) =
        (inputs.iter().map(ToString::to_string).collect(), labels());
    let ctx = CheckContext {
        inputs: &inputs,
        other_inputs: &[],
        labels: &labels,
        task,
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
        lineage: Vec::new(),
        guard: stage::Guard::Unknown,
        promoted: std::collections::BTreeMap::new(),
        output,
        work: None,
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
        json!({"rows": 3, "kept": 2, "correct": 1, "precision": 0.5, "ci95": report["validation"]["ci95"]})
    );
    assert_eq!(report["method"], "fixed");
    assert_eq!(
        report["thresholds"]["불안"],
        json!({"min_confidence": 0.75, "min_margin": 0.2})
    );
    let evidence = &report["evidence"]["불안"];
    assert_eq!((&evidence["rows"], &evidence["correct"]), (&json!(1), &json!(0)));
    let sweep = &report["sweep"];
    assert_eq!(
        (&sweep["basis"], &sweep["overall"][40]["kept"]),
        (&json!("validation"), &json!(2))
    );
    assert_eq!(sweep["classes"]["분노"][0]["validation_rows"], 1);
}

#[test]
fn a_target_precision_without_evidence_keeps_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<(&str, f32, f32)> = vec![("분노", 0.9, 0.1); 20];
    let done = run(&folder, json!({"target_precision": 0.9}), &rows).unwrap();
    let headline = done.headline.unwrap();
    assert_eq!(
        headline,
        "kept 0 of 20 rows (분노 0, 불안 0, 기쁨 0); no evidence for 분노, 불안, 기쁨"
    );
    let report = report(&folder);
    assert_eq!(report["abstained"], json!(["분노", "불안", "기쁨"]));
    assert_eq!(
        report["thresholds"]["분노"],
        json!({"min_confidence": null, "min_margin": 0.0})
    );
    let warnings: Vec<&str> = report["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w.as_str().unwrap())
        .collect();
    assert_eq!(
        warnings[1],
        "class `분노` abstains: its precision is not shown to be 0.9. At best 20 of 20 validation rows are right \
         from a confidence of 0.90 on, which shows 0.84; 35 right ones without a wrong one are needed"
    );
    assert_eq!(
        warnings[2],
        "class `불안` abstains: no validation row that could be kept is predicted as it (0 are predicted)"
    );
}

#[test]
fn a_target_precision_keeps_what_validation_vouches_for() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<(&str, f32, f32)> = vec![("분노", 0.9, 0.1); 40];
    let done = run(&folder, json!({"target_precision": 0.9}), &rows).unwrap();
    assert_eq!(
        done.headline.unwrap(),
        "kept 40 of 40 rows (분노 40, 불안 0, 기쁨 0); no evidence for 불안, 기쁨"
    );
    let report = report(&folder);
    assert_eq!(
        (&report["method"], &report["target_precision"]),
        (&json!("target_precision"), &json!(0.9))
    );
    assert_eq!(report["evidence"]["분노"]["rows"], 40);
}

#[test]
fn a_class_that_is_never_sure_is_warned_of_where_thresholds_adapt() {
    let folder = tempfile::tempdir().unwrap();
    run(
        &folder,
        json!({"adaptive": "flexmatch"}),
        &[("분노", 0.9, 0.5), ("불안", 0.1, 0.5)],
    )
    .unwrap();
    let report = report(&folder);
    assert_eq!(report["kept"], 2);
    assert_eq!(report["learning"]["불안"], json!({"confident": 0, "status": 0.0}));
    let warning = report["warnings"][1].as_str().unwrap();
    assert!(
        warning.starts_with("no prediction of class `불안` reaches a confidence of 0.75"),
        "{warning}"
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
        json!({"min_confidence": 0.75, "min_margin": 0.2, "per_class": {}, "labels": "hard"})
    );
    let adaptive = check(json!({"adaptive": "flexmatch"})).unwrap();
    assert_eq!(
        (&adaptive["min_confidence"], &adaptive["min_margin"]),
        (&json!(0.75), &json!(0.2))
    );
}

#[test]
fn rows_that_are_chosen_otherwise_need_no_confidence_unless_it_is_asked_for() {
    for params in [json!({"target_precision": 0.9}), json!({"top_k_per_class": 5})] {
        let resolved = check(params).unwrap();
        assert_eq!(
            (resolved.get("min_confidence"), resolved.get("min_margin")),
            (None, None)
        );
    }
    let floor = check(json!({"target_precision": 0.9, "min_margin": 0.1})).unwrap();
    assert_eq!(
        (floor.get("min_confidence"), floor.get("min_margin")),
        (None, Some(&json!(0.1)))
    );
}

#[test]
fn balance_is_a_ratio_or_yes_or_no() {
    let balance =
        |value: Value| check(json!({"balance": value})).map(|params| params.get("balance").cloned());
    assert_eq!(balance(json!(true)).unwrap(), Some(json!(1.0)));
    assert_eq!(balance(json!(2)).unwrap(), Some(json!(2.0)));
    assert_eq!(balance(json!(false)).unwrap(), None);
    assert_eq!(
        balance(json!(0.5)).unwrap_err()[0].message,
        "must be at least 1, not 0.5"
    );
    assert_eq!(
        balance(json!("yes")).unwrap_err()[0].message,
        "must be `true`, `false` or a number from 1"
    );
}

fn messages(problems: Result<Value, Vec<Problem>>) -> Vec<String> {
    let problems = problems.unwrap_err();
    problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path.join("."), problem.message))
        .collect()
}

#[test]
fn a_target_precision_needs_rows_whose_labels_are_known() {
    let problems = check_for(Task::SingleLabel, &["scored"], json!({"target_precision": 0.9}));
    assert_eq!(
        messages(problems),
        [
            "target_precision: needs the input `validation`: rows whose labels are known, scored by the same model"
        ]
    );
    assert_eq!(
        messages(check(json!({"target_precision": 1.0}))),
        ["target_precision: must be above 0 and below 1, not 1"]
    );
}

#[test]
fn ways_to_choose_rows_that_contradict_each_other_are_refused() {
    let refused = |params: Value| messages(check(params));
    let all =
        json!({"target_precision": 0.9, "adaptive": "flexmatch", "top_k_per_class": 5, "max_per_class": 9});
    let params: Vec<String> = refused(all)
        .iter()
        .map(|message| message.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        params,
        ["adaptive", "top_k_per_class", "top_k_per_class", "max_per_class"]
    );
    let own = json!({"adaptive": "flexmatch", "per_class": {"분노": {"min_confidence": 0.5}}});
    assert!(
        refused(own)[0].starts_with("per_class: `min_confidence` of a class does not go with `adaptive`")
    );
    assert!(check(json!({"target_precision": 0.9, "max_per_class": 9, "balance": 3})).is_ok());
}

#[test]
fn what_belongs_to_one_class_is_refused_where_rows_have_several() {
    let params = json!({
        "target_precision": 0.9, "balance": 2, "per_class": {"분노": {"min_margin": 0.1}}
    });
    let found = messages(check_for(Task::MultiLabel, &["scored", "validation"], params));
    let expected =
        ["per_class", "target_precision", "balance"].map(|param| format!("{param}: does not go with"));
    assert_eq!(found.len(), 3, "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(&expected), "{found}");
    }
    let top_k = json!({"top_k_per_class": 5, "max_disagreement": 0, "labels": "soft"});
    assert!(check_for(Task::MultiLabel, &["scored"], top_k).is_ok());
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
