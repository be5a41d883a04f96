//! Bad input: a clear error that says where, what is wrong and what to do; never a panic.

use crate::support::Project;

/// `check` on a pipeline file with `from` replaced by `to`: exit 2 and these words.
#[track_caller]
fn check(from: &str, to: &str, words: &[&str]) {
    let project = Project::new();
    project.edit(from, to);
    project.pipeline(&["check"]).expect(2).names(words);
}

/// A run in which `file` has this content: exit 1 and these words.
#[track_caller]
fn run_with(file: &str, content: impl AsRef<[u8]>, words: &[&str]) {
    let project = Project::new();
    project.write(file, content);
    project.pipeline(&["run", "teacher"]).expect(1).names(words);
}

#[test]
fn an_unknown_key_has_a_position_and_a_suggestion() {
    check(
        "batch_size: 8",
        "batch_sise: 8",
        &["pipeline.yaml:16:7", "batch_sise", "did you mean `batch_size`"],
    );
}

#[test]
fn a_wrong_type_has_a_position() {
    check(
        "epochs: 2",
        "epochs: two",
        &["pipeline.yaml:17:15", "epochs", "two"],
    );
}

#[test]
fn a_cycle_is_shown_as_a_path() {
    check(
        "raw: prepare.raw",
        "raw: pseudo_label.kept",
        &["score", "pseudo_label", "cycle"],
    );
}

#[test]
fn an_unknown_stage_has_a_suggestion() {
    check(
        "train: prepare.train",
        "train: prepar.train",
        &["prepar", "did you mean `prepare"],
    );
}

#[test]
fn an_unknown_artifact_has_a_suggestion() {
    check(
        "train: prepare.train",
        "train: prepare.trian",
        &["trian", "did you mean `prepare.train`"],
    );
}

#[test]
fn a_missing_file_is_found_before_anything_runs() {
    check(
        "golden: golden.csv",
        "golden: gold.csv",
        &["gold.csv", "pipeline.yaml:9"],
    );
}

#[test]
fn all_mistakes_come_at_once() {
    let project = Project::new();
    project
        .edit("batch_size: 8", "batch_sise: 8")
        .edit("golden: golden.csv", "golden: gold.csv");
    project.edit("seed: 7", "sed: 7");
    project
        .pipeline(&["check"])
        .expect(2)
        .names(&["batch_sise", "gold.csv", "sed"]);
}

#[test]
fn an_unknown_override_is_an_error() {
    let project = Project::new();
    let said = project.pipeline(&["run", "--dry-run", "--set", "stages.teacher.params.epoch=2"]);
    said.expect(2).names(&["epoch", "did you mean"]);
}

#[test]
fn a_missing_pipeline_file_is_named() {
    let project = Project::new();
    let said = project.pipeline(&["run", "-f", "other.yaml"]);
    assert!(said.code == 2 || said.code == 4, "{}", said.code);
    said.names(&["other.yaml"]);
}

#[test]
fn a_table_without_the_text_column_names_the_columns_there_are() {
    run_with(
        "train.csv",
        "sentence,label\n좋아,기쁨\n",
        &["train.csv", "`text`", "sentence", "text_column"],
    );
}

#[test]
fn an_unknown_label_has_row_and_nearest() {
    run_with(
        "train.csv",
        "text,label\n좋아,기쁨\n싫어,분노오\n",
        &["train.csv", "분노오", "분노", "3"],
    );
}

#[test]
fn an_empty_file_is_named() {
    run_with("train.csv", "", &["train.csv", "empty"]);
}

#[test]
fn a_table_without_rows_is_an_error() {
    run_with("train.csv", "text,label\n", &["train", "no rows"]);
}

#[test]
fn one_class_only_is_an_error() {
    run_with(
        "train.csv",
        "text,label\n좋아,기쁨\n신나,기쁨\n",
        &["train", "기쁨"],
    );
}

#[test]
fn a_class_without_example_is_a_warning() {
    let project = Project::new();
    let kept: Vec<String> = project
        .read("train.csv")
        .lines()
        .filter(|line| !line.ends_with("슬픔"))
        .map(str::to_owned)
        .collect();
    project.write("train.csv", kept.join("\n") + "\n");
    project
        .pipeline(&["run", "teacher"])
        .expect(0)
        .names(&["warning", "슬픔"]);
}

#[test]
fn a_file_that_is_not_utf_8_has_a_line() {
    let mut content = b"text,label\n".to_vec();
    content.extend_from_slice(b"\xc8\xad\xb0\xa1 \xb3\xad\xb4\xd9,x\n");
    run_with("train.csv", content, &["train.csv", "UTF-8", "2"]);
}

#[test]
fn nfd_hangul_equals_nfc() {
    // 한글 as conjoining jamo, as macOS writes it.
    let nfd = "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af} 최고";
    let project = Project::new();
    let table = project.read("train.csv");
    project.write("train.csv", format!("{table}한글 최고,기쁨\n"));
    project.pipeline(&["run", "teacher"]).expect(0);
    project.write("train.csv", format!("{table}{nfd},기쁨\n"));
    assert_eq!(project.executed(&["teacher"]), ["prepare"]);
}

#[test]
fn a_text_of_ten_thousand_characters_passes_every_stage() {
    let project = Project::new();
    let long = "가나다라마 바사아자차 ".repeat(1000);
    for file in ["train.csv", "golden.csv"] {
        project.write(file, format!("{}{long}{file},기쁨\n", project.read(file)));
    }
    project.write("raw.csv", format!("{}{long}\n", project.read("raw.csv")));
    project.pipeline(&["run"]).expect(0);
}

#[test]
fn empty_texts_are_dropped_and_counted() {
    let project = Project::new();
    project.write("raw.csv", format!("{}\"\"\n\"   \"\n", project.read("raw.csv")));
    project.pipeline(&["run", "prepare"]).expect(0);
    assert!(
        project
            .read("artifacts/prepare/latest/report.json")
            .contains("empty")
    );
}

#[test]
fn duplicate_ids_name_both_rows() {
    run_with(
        "train.csv",
        "id,text,label\na,좋아,기쁨\nb,싫어,분노\na,슬퍼,슬픔\n",
        &["`a`", "train.csv"],
    );
}

#[test]
fn a_truncated_checkpoint_is_named() {
    let project = Project::finished();
    let folder = project.path("artifacts/teacher/latest/model");
    for file in [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "pipeline.json",
    ] {
        project.write(
            &format!("broken/{file}"),
            std::fs::read(folder.join(file)).unwrap(),
        );
    }
    let weights = std::fs::read(folder.join("model.safetensors")).unwrap();
    project.write("broken/model.safetensors", &weights[..weights.len() / 2]);
    let said = project.pipeline(&["predict", "--model", "broken", "좋아"]);
    assert!(said.code == 1 || said.code == 4, "{}", said.code);
    said.names(&["model.safetensors"]);
}
