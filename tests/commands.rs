//! inspect, predict, evaluate, tokenize, export, artifacts, graph, schema.

use std::io::Write;
use std::process::Stdio;
use std::sync::OnceLock;

use crate::support::{Project, Said, command};

/// One finished run for all tests here: they only read.
fn project() -> &'static Project {
    static PROJECT: OnceLock<Project> = OnceLock::new();
    PROJECT.get_or_init(Project::finished)
}

const MODEL: &str = "artifacts/student/latest/model";

#[test]
fn inspect_shows_schema_and_head_of_an_artifact() {
    let said = project()
        .pipeline(&["inspect", "pseudo_label.kept", "--head", "3"])
        .expect(0);
    for part in [
        "pred_emotion",
        "pred_conf",
        "pred_margin",
        "pred_second",
        "probs",
        "rows",
    ] {
        assert!(said.out.contains(part), "no `{part}` in:\n{}", said.out);
    }
}

#[test]
fn inspect_filters_with_an_expression() {
    let arguments = [
        "inspect",
        "score.scored",
        "--where",
        "pred_emotion = '기쁨'",
        "--json",
        "--head",
        "100",
    ];
    let document = project().pipeline(&arguments).expect(0).json();
    let rows = document["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["pred_emotion"] == "기쁨"), "{document}");
}

#[test]
fn inspect_answers_sql() {
    let said = project().pipeline(&[
        "inspect",
        "score.scored",
        "--sql",
        "SELECT COUNT(*) AS n FROM t",
        "--csv",
    ]);
    assert_eq!(said.expect(0).out, "n\n60\n");
}

#[test]
fn inspect_of_an_unknown_artifact_names_those_there_are() {
    project()
        .pipeline(&["inspect", "score.scord"])
        .expect(4)
        .names(&["scored"]);
}

#[test]
fn predict_answers_in_input_order_with_full_precision() {
    let document = project().pipeline(&[
        "predict",
        "--model",
        MODEL,
        "--json",
        "--stats",
        "신난다",
        "눈물이 나",
    ]);
    let document = document.expect(0).json();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["labels"], serde_json::json!(["분노", "슬픔", "기쁨"]));
    let predictions = document["predictions"].as_array().unwrap();
    assert_eq!(predictions[0]["text"], "신난다");
    let sum: f64 = predictions[1]["probabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    assert_eq!(document["stats"]["sentences"], 2);
}

#[test]
fn predict_reads_lines_from_standard_input() {
    let folder = project().path("");
    let mut child = command(&folder)
        .args(["predict", "--model", MODEL, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all("좋아\n싫어\n".as_bytes())
        .unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
}

#[test]
fn predict_reads_and_writes_tables() {
    for format in ["csv", "jsonl", "parquet"] {
        let output = project().path(&format!("predictions.{format}"));
        let arguments = [
            "predict",
            "--model",
            MODEL,
            "--input",
            "raw.csv",
            "--output",
            output.to_str().unwrap(),
        ];
        project().pipeline(&arguments).expect(0);
        let query = [
            "inspect",
            output.to_str().unwrap(),
            "--sql",
            "SELECT COUNT(*) AS n FROM t",
            "--csv",
        ];
        assert_eq!(project().pipeline(&query).expect(0).out, "n\n60\n");
    }
}

#[test]
fn predict_prints_maps_in_label_order() {
    let said = project()
        .pipeline(&["predict", "--model", MODEL, "--format", "map", "좋아"])
        .expect(0);
    let positions: Vec<usize> = ["분노", "슬픔", "기쁨"]
        .iter()
        .map(|label| said.out.find(label).unwrap())
        .collect();
    assert!(positions.is_sorted(), "{}", said.out);
}

#[test]
fn a_negative_second_label_is_hidden() {
    let document = project().pipeline(&[
        "predict",
        "--model",
        MODEL,
        "--json",
        "--second-min-logit",
        "1000",
        "좋아",
    ]);
    assert!(document.expect(0).json()["predictions"][0]["second"].is_null());
}

#[test]
fn a_missing_model_is_exit_4() {
    project()
        .pipeline(&["predict", "--model", "nowhere", "좋아"])
        .expect(4)
        .names(&["nowhere"]);
}

#[test]
fn evaluate_gives_the_same_figures_as_the_stage() {
    let document = project()
        .pipeline(&["evaluate", "--model", MODEL, "--data", "golden.csv", "--json"])
        .expect(0)
        .json();
    let stage: serde_json::Value =
        serde_json::from_str(&project().read("artifacts/evaluate/latest/report.json")).unwrap();
    assert_eq!(
        document["models"]["model"]["macro_f1"],
        stage["models"]["student"]["macro_f1"]
    );
}

#[test]
fn tokenize_adds_the_special_tokens_and_truncates() {
    let arguments = [
        "tokenize",
        "--model",
        MODEL,
        "--json",
        "--max-length",
        "4",
        "아주 아주 아주 긴 문장",
    ];
    let document = project().pipeline(&arguments).expect(0).json();
    let tokens = document["texts"][0]["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 4);
    assert_eq!(
        (tokens[0].as_str(), tokens[3].as_str()),
        (Some("[CLS]"), Some("[SEP]"))
    );
}

#[test]
fn export_copies_a_model_that_predicts() {
    let folder = project().path("exported");
    project()
        .pipeline(&["export", "student.model", "--to", folder.to_str().unwrap()])
        .expect(0);
    project()
        .pipeline(&["predict", "--model", folder.to_str().unwrap(), "좋아"])
        .expect(0);
}

#[test]
fn artifacts_list_show_and_verify_answer() {
    let listed = project().pipeline(&["artifacts", "list"]).expect(0);
    assert!(listed.out.contains("teacher"), "{}", listed.out);
    let shown = project()
        .pipeline(&["artifacts", "show", "score"])
        .expect(0)
        .json();
    assert_eq!(shown["stage"], "score");
    project().pipeline(&["artifacts", "verify"]).expect(0);
}

#[test]
fn gc_keeps_the_newest_version_of_each_stage() {
    let project = Project::finished();
    project.pipeline(&["run", "--force", "prepare"]).expect(0);
    project.pipeline(&["artifacts", "gc"]).expect(0);
    assert!(project.executed(&[]).is_empty());
}

#[test]
fn graph_draws_every_stage_in_every_format() {
    for format in ["ascii", "mermaid", "dot"] {
        let said = project().pipeline(&["graph", "--format", format]).expect(0);
        assert!(said.out.contains("pseudo_label"), "{format}: {}", said.out);
    }
}

#[test]
fn completions_are_generated() {
    assert!(
        project()
            .pipeline(&["completions", "bash"])
            .expect(0)
            .out
            .contains("pipeline")
    );
}

#[test]
fn doctor_names_the_backend_that_works() {
    assert!(project().pipeline(&["doctor"]).expect(0).out.contains("flex"));
}
