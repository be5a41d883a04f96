//! predict and evaluate: formats, tables, several models at once, a conversation.

use std::io::Write;
use std::process::Stdio;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Project, Said, command};

/// One finished run for all tests here: they add files of their own only.
fn project() -> &'static Project {
    static PROJECT: OnceLock<Project> = OnceLock::new();
    PROJECT.get_or_init(Project::finished)
}

const TEACHER: &str = "artifacts/teacher/latest/model";
const STUDENT: &str = "artifacts/student/latest/model";

fn typed(arguments: &[&str], input: &str) -> Said {
    let mut child = command(&project().path(""))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Said::from(child.wait_with_output().unwrap())
}

fn predictions(models: &[&str]) -> Vec<Value> {
    let models = models.iter().flat_map(|model| ["--model", model]);
    let arguments: Vec<&str> = ["predict", "--json", "신난다", "눈물이 나"]
        .into_iter()
        .chain(models)
        .collect();
    project().pipeline(&arguments).expect(0).json()["predictions"]
        .as_array()
        .unwrap()
        .clone()
}

fn numbers(prediction: &Value, key: &str) -> Vec<f64> {
    prediction[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

#[test]
fn a_line_for_people_has_two_labels_with_percentages_and_the_text() {
    let said = project()
        .pipeline(&["predict", "--model", STUDENT, "좋아\t정말"])
        .expect(0);
    let (labels, text) = said.out.trim_end().split_once('\t').unwrap();
    assert_eq!(text, "좋아 정말");
    let parts: Vec<&str> = labels.split(" · ").collect();
    assert_eq!(parts.len(), 2, "{labels}");
    for part in parts {
        let (label, percent) = part.rsplit_once(' ').unwrap();
        assert!(["분노", "슬픔", "기쁨"].contains(&label), "{labels}");
        assert!(
            percent.strip_suffix('%').unwrap().parse::<f64>().unwrap() <= 100.0,
            "{labels}"
        );
    }
}

#[test]
fn top_k_of_hugging_face_is_a_list_per_text_highest_first() {
    let arguments = [
        "predict", "--model", STUDENT, "--format", "hf", "--top-k", "3", "좋아",
    ];
    let document = project().pipeline(&arguments).expect(0).json();
    let scores: Vec<f64> = document[0]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["score"].as_f64().unwrap())
        .collect();
    assert_eq!(scores.len(), 3);
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

#[test]
fn probabilities_of_several_models_are_averaged() {
    let (teacher, student) = (predictions(&[TEACHER]), predictions(&[STUDENT]));
    for (row, both) in predictions(&[TEACHER, STUDENT]).iter().enumerate() {
        let (one, other) = (
            numbers(&teacher[row], "probabilities"),
            numbers(&student[row], "probabilities"),
        );
        for (class, probability) in numbers(both, "probabilities").iter().enumerate() {
            assert!(
                (probability - (one[class] + other[class]) / 2.0).abs() < 1e-6,
                "{both}"
            );
        }
        let logits = numbers(both, "logits");
        for (logit, probability) in logits.iter().zip(numbers(both, "probabilities")) {
            assert!((logit.exp() - probability).abs() < 1e-5, "{both}");
        }
    }
}

#[test]
fn models_with_other_labels_are_not_averaged_or_compared() {
    for file in std::fs::read_dir(project().path(STUDENT)).unwrap() {
        let path = file.unwrap().path();
        let bytes = match path.extension().is_some_and(|ending| ending == "json") {
            true => std::fs::read_to_string(&path)
                .unwrap()
                .replace("기쁨", "행복")
                .into_bytes(),
            false => std::fs::read(&path).unwrap(),
        };
        project().write(
            &format!("other/{}", path.file_name().unwrap().to_str().unwrap()),
            bytes,
        );
    }
    let commands: [&[&str]; 2] = [&["predict", "좋아"], &["evaluate", "--data", "golden.csv"]];
    for words in commands {
        let arguments = [words, &["--model", STUDENT, "--model", "other"]].concat();
        project()
            .pipeline(&arguments)
            .expect(1)
            .names(&[STUDENT, "`other`", "기쁨", "행복"]);
    }
}

#[test]
fn a_least_logit_that_no_ensemble_reaches_is_refused() {
    let arguments = [
        "predict",
        "--model",
        TEACHER,
        "--model",
        STUDENT,
        "--second-min-logit",
        "0",
        "좋아",
    ];
    project()
        .pipeline(&arguments)
        .expect(2)
        .names(&["several models"]);
}

#[test]
fn a_row_without_text_keeps_its_place() {
    project().write("gaps.csv", "id,text\na,좋아\nb,\nc,싫어\n");
    let arguments = [
        "predict",
        "--model",
        STUDENT,
        "--input",
        "gaps.csv",
        "--output",
        "gaps-out.csv",
    ];
    project().pipeline(&arguments).expect(0);
    let rows = project().read("gaps-out.csv");
    let ids: Vec<&str> = rows
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
}

#[test]
fn with_a_table_as_output_json_has_no_predictions() {
    let arguments = [
        "predict",
        "--model",
        STUDENT,
        "--input",
        "raw.csv",
        "--output",
        "said.jsonl",
        "--json",
        "--stats",
    ];
    let document = project().pipeline(&arguments).expect(0).json();
    assert!(document.get("predictions").is_none(), "{document}");
    assert_eq!(document["stats"]["sentences"], 60);
    let line: Value = serde_json::from_str(project().read("said.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(
        (line["id"].as_str(), numbers(&line, "logits").len()),
        (Some("input-0"), 3)
    );
}

#[test]
fn an_output_of_an_unknown_format_is_refused_before_the_work() {
    let arguments = ["predict", "--model", STUDENT, "--output", "said.xls", "좋아"];
    project()
        .pipeline(&arguments)
        .expect(2)
        .names(&["said.xls", "csv, jsonl or parquet"]);
}

#[test]
fn a_conversation_over_a_pipe_answers_every_line() {
    let said = typed(&["predict", "--model", STUDENT, "-i"], "좋아\n\n싫어\n").expect(0);
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
    let said = typed(&["predict", "--model", STUDENT, "-i", "--json"], "좋아\n").expect(0);
    assert_eq!(said.json()["text"], "좋아");
}

#[test]
fn several_models_are_measured_side_by_side() {
    let models = ["--model", TEACHER, "--model", STUDENT];
    let report = project().pipeline(&[&["evaluate", "--data", "golden.csv", "--json"], &models[..]].concat());
    let report = report.expect(0).json();
    assert_eq!(report["comparison"]["baseline"], "model_1");
    assert_eq!(report["comparison"]["candidate"], "model_2");
    let said = project()
        .pipeline(&[&["evaluate", "--data", "golden.csv"], &models[..]].concat())
        .expect(0);
    assert!(
        said.out.contains("model_2 against model_1: macro-F1"),
        "{}",
        said.out
    );
}

#[test]
fn a_trained_model_has_a_card() {
    let card = project().read(&format!("{STUDENT}/README.md"));
    let (matter, body) = card.strip_prefix("---\n").unwrap().split_once("---\n").unwrap();
    for line in [
        "language:\n- ko\n",
        "pipeline_tag: text-classification\n",
        "model-index:\n",
    ] {
        assert!(matter.contains(line), "no `{line}` in:\n{matter}");
    }
    for part in [
        "## Labels",
        "| 분노 | ",
        "given by another model",
        "truncation=True",
        "| epochs | `1` |",
    ] {
        assert!(body.contains(part), "no `{part}` in:\n{body}");
    }
}
