//! `task: multi_label` through all five kinds: rows with any number of labels, also none.

use serde_json::{Value, json};

use crate::support::Project;

const PIPELINE: &str = "\
version: 1
name: several
seed: 7
task: multi_label
labels: [분노, 슬픔, {name: 기쁨, slug: happy, aliases: [행복]}]
stages:
  prepare:
    kind: prepare
    inputs: {train: train.csv, validation: validation.csv, golden: golden.csv, raw: raw.csv}
  teacher:
    kind: fine_tune
    inputs: {train: prepare.train, validation: prepare.validation, corpus: prepare.raw}
    params:
      base_model: {architecture: electra, vocab_size: 200, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 34}
      max_length: 32
      batch_size: 8
      epochs: 12
      learning_rate: 1.0e-2
      class_weights: balanced
      thresholds: tuned
      early_stopping: {metric: micro_f1, patience: 6}
  score:
    kind: score
    inputs: {model: teacher.model, raw: prepare.raw, validation: prepare.validation}
  pseudo_label:
    kind: select
    inputs: {scored: score.scored, validation: score.validation_scored}
    params: {min_confidence: 0.5, min_margin: 0.0}
  student:
    kind: fine_tune
    inputs: {train: [pseudo_label.kept, prepare.train], validation: prepare.validation, corpus: prepare.raw}
    params:
      base_model: {architecture: electra, vocab_size: 200, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 34}
      max_length: 32
      batch_size: 8
      epochs: 2
      learning_rate: 1.0e-2
      thresholds: {행복: 0.4}
  evaluate:
    kind: evaluate
    inputs: {teacher: teacher.model, student: student.model, golden: prepare.golden}
    params: {bootstrap: 50, gates: [\"teacher.micro_f1 >= 0.1\"]}
";

/// What is said of each label; a text says some of it.
const PHRASES: [(&str, &str); 3] = [
    ("분노", "정말 화가 난다"),
    ("슬픔", "눈물이 멈추지 않아"),
    ("행복", "오늘 정말 신난다"),
];

/// Every combination of labels, `times` times.
fn table(prefix: &str, times: usize) -> String {
    let mut csv = "text,labels\n".to_owned();
    for row in 0..8 * times {
        let said: Vec<(&str, &str)> = (0..3)
            .filter(|label| row >> label & 1 == 1)
            .map(|label| PHRASES[label])
            .collect();
        let names: Vec<&str> = said.iter().map(|(name, _)| *name).collect();
        let texts: Vec<&str> = said.iter().map(|(_, text)| *text).collect();
        csv += &format!("{prefix} {row}번 {},\"{}\"\n", texts.join(" "), names.join(", "));
    }
    csv
}

fn project() -> Project {
    let project = Project::new();
    project.write("pipeline.yaml", PIPELINE);
    project.write("train.csv", table("아침", 8));
    project.write("validation.csv", table("점심", 2));
    project.write("golden.csv", table("저녁", 2));
    let raw = table("새벽", 4);
    let texts = raw.lines().filter_map(|line| line.split(',').next());
    project.write(
        "raw.csv",
        texts.map(|text| format!("{text}\n")).collect::<String>(),
    );
    project
}

fn json_of(project: &Project, file: &str) -> Value {
    serde_json::from_str(&project.read(&format!("artifacts/{file}"))).unwrap()
}

#[test]
fn rows_with_several_labels_go_through_every_kind() {
    let project = project();
    project.pipeline(&["run"]).expect(0);

    let settings = json_of(&project, "teacher/latest/model/pipeline.json");
    assert_eq!(settings["task"], "multi_label");
    assert_eq!(settings["thresholds"].as_array().unwrap().len(), 3);
    let config = json_of(&project, "teacher/latest/model/config.json");
    assert_eq!(config["problem_type"], "multi_label_classification");
    let metrics = json_of(&project, "teacher/latest/metrics.json");
    assert!(metrics["micro_f1"].as_f64().unwrap() > 0.5, "{metrics}");
    let student = json_of(&project, "student/latest/model/pipeline.json");
    assert!(
        (student["thresholds"][2].as_f64().unwrap() - 0.4).abs() < 1e-6,
        "{student}"
    );

    let scored = project
        .pipeline(&["inspect", "score.scored", "--json", "--head", "100"])
        .expect(0)
        .json();
    for row in scored["rows"].as_array().unwrap() {
        assert!(
            row["pred_emotion"].is_array() && row["pred_second"].is_null(),
            "{row}"
        );
    }
    let kept = project
        .pipeline(&["inspect", "pseudo_label.kept", "--json", "--head", "1"])
        .expect(0)
        .json();
    assert_eq!(kept["rows"][0]["labels"], kept["rows"][0]["pred_emotion"]);

    let report = json_of(&project, "evaluate/latest/report.json");
    let teacher = &report["models"]["teacher"];
    for figure in [
        "accuracy",
        "macro_f1",
        "weighted_f1",
        "micro_f1",
        "samples_f1",
        "hamming_loss",
    ] {
        assert!(teacher[figure].is_number(), "{figure}");
        assert!(teacher["ci95"][figure].is_array(), "{figure}");
    }
    let matrices = teacher["confusion_matrix"].as_array().unwrap();
    let rows = |matrix: &Value| -> u64 {
        matrix
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|row| row.as_array().unwrap())
            .map(|n| n.as_u64().unwrap())
            .sum()
    };
    assert_eq!(matrices.iter().map(rows).collect::<Vec<_>>(), [16; 3]);
    assert_eq!(report["gates"][0]["passed"], json!(true));
    let text = project.read("artifacts/evaluate/latest/models/teacher/classification_report.txt");
    assert!(
        text.contains("micro avg") && text.contains("samples avg"),
        "{text}"
    );

    let predict = [
        "predict",
        "--model",
        "artifacts/teacher/latest/model",
        "--json",
        "저녁 3번 정말 화가 난다",
    ];
    let answer = project.pipeline(&predict).expect(0).json();
    assert!(answer["predictions"][0]["label"].is_array(), "{answer}");
}

#[test]
fn an_unknown_label_among_several_is_named() {
    let project = project();
    project.write("train.csv", "text,labels\n하나,\"분노, 슬픙\"\n둘,기쁨\n");
    project.pipeline(&["run", "prepare"]).expect(1).names(&[
        "row 0 (line 2)",
        "unknown label `슬픙`",
        "`슬픔`",
    ]);
}

#[test]
fn thresholds_of_classes_are_refused_where_rows_have_several() {
    let project = project();
    project.edit(
        "min_margin: 0.0}",
        "min_margin: 0.0, per_class: {분노: {min_confidence: 0.9}}}",
    );
    project
        .pipeline(&["check"])
        .expect(2)
        .names(&["per_class", "multi_label"]);
}
