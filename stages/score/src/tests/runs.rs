//! One model on a few rows.

use classification::Task;
use serde_json::json;

use super::project::{Project, Random};

pub(crate) const RAW: &str = "id,text\nc,좋아 정말 좋다 오늘 하루 우리 모두\na,밉다\nb,싫어 정말\n";

#[test]
fn every_row_is_scored_in_its_order() {
    let project = Project::new().table("raw", RAW);
    let completion = project.run().unwrap();
    assert_eq!(project.strings("scored.parquet", "id"), ["c", "a", "b"]);
    let report = project.report();
    assert_eq!(
        (&report["rows"], &report["temperature"], &report["ece_before"]),
        (&json!(3), &json!(null), &json!(null))
    );
    assert!(report["tokens"].as_u64() <= report["padded_tokens"].as_u64());
    assert!(completion.timings["sentences_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_row_without_text_stays() {
    let project = Project::new().table("raw", "id,text\na,좋다\nb,\nc,  \n");
    project.run().unwrap();
    assert_eq!(project.report()["rows"], json!(3));
}

#[test]
fn a_model_for_several_labels_is_not_for_one() {
    let project = Project::for_task(Task::SingleLabel)
        .model(&Random {
            task: Some(Task::MultiLabel),
            ..Random::default()
        })
        .table("raw", RAW);
    let message = project.run().unwrap_err().message;
    assert!(message.contains("`task: multi_label`"), "{message}");
}

#[test]
fn equal_runs_write_equal_bytes() {
    let project = Project::new().table("raw", RAW);
    project.run().unwrap();
    let first = project.bytes("scored.parquet");
    project.run().unwrap();
    assert!(first == project.bytes("scored.parquet"));
}

#[test]
fn decomposed_hangul_is_scored_as_composed() {
    let composed = Project::new().table("raw", "id,text\na,좋다\n");
    let decomposed = Project::new().table("raw", "id,text\na,\u{110c}\u{1169}\u{11c2}\u{1103}\u{1161}\n");
    composed.run().unwrap();
    decomposed.run().unwrap();
    assert!(composed.bytes("scored.parquet") == decomposed.bytes("scored.parquet"));
}

#[test]
fn validation_is_scored_with_its_labels() {
    let project = Project::new()
        .table("raw", RAW)
        .table("validation", "id,text,label\nv,좋다,기쁨\nw,밉다,분노\n");
    project.run().unwrap();
    assert_eq!(project.strings("validation_scored.parquet", "id"), ["v", "w"]);
    assert!(project.report()["ece_before"].as_f64().is_some());
}

#[test]
fn a_shorter_max_length_is_obeyed() {
    let project = Project::new().table("raw", RAW).params(json!({"max_length": 3}));
    project.run().unwrap();
    assert_eq!(project.report()["tokens"], json!(9));
}

#[test]
fn a_text_of_ten_thousand_characters_is_cut_off() {
    let project = Project::new().table("raw", &format!("text\n{}\n", "좋아 ".repeat(3334)));
    project.run().unwrap();
    assert_eq!(project.report()["tokens"], json!(16));
}

#[test]
fn a_model_for_the_labels_in_another_order_is_refused() {
    let message = Project::new()
        .table("raw", RAW)
        .run_for(["분노", "기쁨", "불안"])
        .result
        .unwrap_err()
        .message;
    assert!(message.contains("기쁨"), "{message}");
}

#[test]
fn a_model_for_other_labels_is_refused() {
    let message = Project::new()
        .table("raw", RAW)
        .run_for(["기쁨", "분노", "슬픔"])
        .result
        .unwrap_err()
        .message;
    assert!(message.contains("슬픔"), "{message}");
}

#[test]
fn no_rows_are_an_error() {
    let message = Project::new().table("raw", "text\n").run().unwrap_err().message;
    assert!(message.contains("raw"), "{message}");
}
