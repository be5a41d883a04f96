//! run, status, explain: what is executed, what is reused, and what the program says about it.

use serde_json::Value;

use crate::support::Project;

const ALL: [&str; 6] = [
    "prepare",
    "teacher",
    "score",
    "pseudo_label",
    "student",
    "evaluate",
];

#[test]
fn a_first_run_executes_every_stage_and_prints_the_report() {
    let project = Project::new();
    let said = project.pipeline(&["run"]).expect(0);
    let last = said.out.lines().last().unwrap();
    assert!(last.ends_with("report.html"), "{}", said.out);
    assert!(project.path(last).is_file(), "{last}");
    for stage in ALL {
        assert!(said.out.contains(stage), "no line for {stage} in:\n{}", said.out);
    }
}

#[test]
fn a_second_run_executes_nothing() {
    let project = Project::finished();
    assert!(project.executed(&[]).is_empty());
}

#[test]
fn a_changed_threshold_reruns_select_and_what_follows_only() {
    let project = Project::finished();
    let set = ["--set", "stages.pseudo_label.params.min_confidence=0.25"];
    let plan = project.executed(&[&["--dry-run"], &set[..]].concat());
    assert_eq!(plan, ["pseudo_label", "student", "evaluate"]);
    assert_eq!(project.executed(&set)[0], "pseudo_label");
}

#[test]
fn a_dry_run_changes_nothing() {
    let project = Project::new();
    project.pipeline(&["run", "--dry-run"]).expect(0);
    assert!(!project.path("artifacts/prepare").exists());
}

#[test]
fn explain_names_the_changed_field_of_the_stage_that_causes_the_rerun() {
    let project = Project::finished();
    project.edit("min_confidence: 0.2", "min_confidence: 0.3");
    let said = project.pipeline(&["explain", "student"]).expect(0);
    for part in ["pseudo_label", "params.min_confidence", "0.2", "0.3"] {
        assert!(said.out.contains(part), "no `{part}` in:\n{}", said.out);
    }
}

#[test]
fn status_says_current_after_a_run_and_stale_after_a_change() {
    let project = Project::finished();
    let actions = |said: Value| -> Vec<String> {
        said["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["action"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = project.pipeline(&["status", "--json"]).expect(0).json();
    assert!(actions(before).iter().all(|action| action == "reuse"));
    project.write("raw.csv", "text\n새 문장 하나\n새 문장 둘\n");
    let after = project.pipeline(&["status", "--json"]).expect(0).json();
    assert_eq!(after["stages"][0]["reasons"][0]["field"], "input raw");
    assert!(actions(after).iter().all(|action| action == "run"));
}

#[test]
fn a_touched_but_equal_input_reruns_nothing() {
    let project = Project::finished();
    let content = project.read("train.csv");
    project.write("train.csv", content);
    assert!(project.executed(&[]).is_empty());
}

#[test]
fn a_new_input_with_the_same_rows_stops_at_prepare_but_for_what_shows_the_lineage() {
    let project = Project::finished();
    let content = project.read("raw.csv");
    project.write("raw.csv", content.replace('\n', "\r\n"));
    assert_eq!(project.executed(&[]), ["prepare", "evaluate"]);
    assert!(project.executed(&[]).is_empty());
}

#[test]
fn only_runs_one_stage_on_stale_inputs_and_says_so() {
    let project = Project::finished();
    project.edit("epochs: 2", "epochs: 1");
    let said = project.pipeline(&[
        "run",
        "--only",
        "pseudo_label",
        "--set",
        "stages.pseudo_label.params.min_margin=0.01",
    ]);
    let said = said.expect(0);
    assert!(
        said.err.contains("stale") || said.out.contains("stale"),
        "{}{}",
        said.out,
        said.err
    );
}

#[test]
fn from_runs_the_stage_and_what_follows_anew() {
    let project = Project::finished();
    assert_eq!(
        project.executed(&["--from", "pseudo_label"]),
        ["pseudo_label", "student", "evaluate"]
    );
}

#[test]
fn force_runs_named_stages_anew() {
    let project = Project::finished();
    assert_eq!(project.executed(&["--force", "prepare"]), ["prepare"]);
}

#[test]
fn named_stages_run_with_what_they_need_and_nothing_else() {
    let project = Project::new();
    assert_eq!(project.executed(&["teacher"]), ["prepare", "teacher"]);
}

#[test]
fn an_edited_artifact_is_noticed_and_made_anew() {
    let project = Project::finished();
    project.write("artifacts/score/latest/scored.parquet", "edited by hand");
    assert!(project.executed(&[]).contains(&"score".to_owned()));
}

#[test]
fn an_unmet_gate_is_exit_3_with_artifacts_and_again_when_reused() {
    let project = Project::new();
    project.edit(
        "{bootstrap: 50}",
        "{bootstrap: 50, gates: [\"student.macro_f1 >= 1.01\"]}",
    );
    project
        .pipeline(&["run"])
        .expect(3)
        .names(&["student.macro_f1 >= 1.01"]);
    assert!(project.path("artifacts/evaluate/latest/report.html").is_file());
    project
        .pipeline(&["run"])
        .expect(3)
        .names(&["student.macro_f1 >= 1.01"]);
}

#[test]
fn a_second_run_that_does_not_wait_is_exit_5_and_names_the_holder() {
    let project = Project::finished();
    let lock = std::fs::File::options()
        .write(true)
        .open(project.path("artifacts/.lock"))
        .unwrap();
    lock.lock().unwrap();
    project
        .pipeline(&["run", "--force", "--wait=0"])
        .expect(5)
        .names(&["another run"]);
}

#[test]
fn a_failed_stage_is_exit_1_and_stops_what_follows() {
    let project = Project::new();
    project.write("train.csv", "text,label\n좋아,기쁨\n싫어,없는감정\n");
    let said = project
        .pipeline(&["run", "--json"])
        .expect(1)
        .names(&["prepare", "없는감정"]);
    let document = said.json();
    let actions: Vec<&str> = document["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["run", "blocked", "blocked", "blocked", "blocked", "blocked"],
        "{document}"
    );
    assert!(!project.path("artifacts/prepare/latest").exists());
}

#[test]
fn the_json_of_a_run_has_the_documented_fields() {
    let project = Project::new();
    let document = project.pipeline(&["run", "--json"]).expect(0).json();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["outcome"], "done");
    for stage in document["stages"].as_array().unwrap() {
        for field in ["stage", "kind", "action", "reasons", "version", "path", "seconds"] {
            assert!(stage.get(field).is_some(), "no {field} in {stage}");
        }
    }
}
