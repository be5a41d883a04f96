//! Stage processes: what is accepted from them and what is refused.

use dag::{Outcome, Selection};
use serde_json::{Value, json};
use stage::FailureKind;

use crate::project::{Diary, Project, actions};

fn alone(params: Value) -> Project {
    let project = Project::new();
    project.write("data.txt", "data");
    project.stage("alone", params, &["x=data.txt"])
}

fn failure_of(project: &Project) -> String {
    let outcome = project.run();
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert_eq!(
        project.names("alone"),
        Vec::<String>::new(),
        "nothing may be left"
    );
    let (_, failure) = outcome.failures().next().unwrap();
    std::iter::once(&failure.message)
        .chain(&failure.hints)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_missing_output_is_refused() {
    let mut project = alone(json!({"outputs": ["out.txt", "second.txt"]}));
    project.set("alone", "outputs", json!(["out.txt"]));
    assert!(failure_of(&project).contains("did not write `second.txt`"));
}

#[test]
fn an_undeclared_output_is_refused() {
    let mut project = alone(json!({}));
    project.set("alone", "outputs", json!(["out.txt", "extra/file.txt"]));
    assert!(failure_of(&project).contains("wrote `extra/file.txt`, which is not among its outputs"));
}

#[test]
fn a_stage_may_not_write_the_manifest() {
    let mut project = alone(json!({}));
    project.set("alone", "outputs", json!(["out.txt", "manifest.json"]));
    assert!(failure_of(&project).contains("wrote `manifest.json`"));
}

#[test]
fn a_parquet_file_that_is_cut_short_is_refused() {
    let project = alone(json!({"outputs": ["table.parquet"], "parquet": true, "text": "cut off here"}));
    assert!(failure_of(&project).contains("`table.parquet` cut short"));
}

#[test]
fn an_output_folder_counts_with_all_that_is_in_it() {
    let mut project = alone(json!({"outputs": ["model/config.json", "model/sub/weights"]}));
    project.spec("alone").outputs = vec![stage::OutputSpec::new("model", stage::ArtifactType::Model)];
    assert_eq!(project.run().outcome, Outcome::Done);
    let manifest = project.latest("alone").manifest;
    let files: Vec<_> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["model/config.json", "model/sub/weights"]);
    assert_eq!(
        manifest.digest_of("model"),
        Some(
            project
                .store
                .digest(&project.latest("alone").path.join("model"))
                .unwrap()
        )
    );
}

#[test]
fn a_file_added_to_an_output_folder_is_damage() {
    let mut project = alone(json!({"outputs": ["model/config.json"]}));
    project.spec("alone").outputs = vec![stage::OutputSpec::new("model", stage::ArtifactType::Model)];
    project.run();
    let folder = project.latest("alone").path.join("model");
    std::fs::write(folder.join(".DS_Store"), "").unwrap();
    assert!(
        project.plan(&Selection::default()).is_current(),
        "hidden files do not count"
    );
    std::fs::write(folder.join("added_tokens.json"), "{}").unwrap();
    assert_eq!(
        project.reasons("alone"),
        ["output modified: model/added_tokens.json"]
    );
}

#[test]
fn an_input_that_changed_while_the_stage_ran_makes_its_result_worthless() {
    let mut project = alone(json!({}));
    let path = project.path("data.txt");
    project.set("alone", "touch_input", path.to_str().unwrap());
    assert!(failure_of(&project).contains("input `x` (`data.txt`) changed while the stage ran"));
}

#[test]
fn a_failure_of_a_stage_is_passed_on_in_its_words() {
    let project = alone(json!({"fail": "row 3: no such label"}));
    assert!(failure_of(&project).starts_with("row 3: no such label"));
}

#[test]
fn a_stage_killed_by_a_signal_failed_in_words() {
    let project = alone(json!({"signal": true, "say": "goodbye"}));
    let words = failure_of(&project);
    assert!(words.contains("killed by signal 9 (SIGKILL)"), "{words}");
    assert!(words.contains("out of memory?"), "{words}");
    assert!(words.contains("log of goodbye"), "{words}");
}

#[test]
fn a_stage_that_ends_without_a_word_failed() {
    let words = failure_of(&alone(json!({"exit": 7})));
    assert!(words.contains("ended with code 7 without saying why"), "{words}");
    let words = failure_of(&alone(json!({"exit": 0})));
    assert!(words.contains("ended without saying that it is done"), "{words}");
}

#[test]
fn a_command_that_is_not_there_is_a_failure() {
    let mut project = alone(json!({}));
    project.options.command = vec!["no-such-program".into()];
    assert!(failure_of(&project).contains("no-such-program"));
}

/// `left` fails, `right` does not; `join` needs both, `after_right` only `right`.
fn forked() -> Project {
    let project = Project::new();
    project.write("data.txt", "data");
    project
        .stage("left", json!({"fail": "broken"}), &["x=data.txt"])
        .stage("right", json!({}), &["x=data.txt"])
        .stage("join", json!({}), &["x=left.out", "x=right.out"])
        .stage("after_right", json!({}), &["x=right.out"])
}

#[test]
fn a_failure_stops_the_run() {
    let outcome = forked().run();
    assert_eq!(
        actions(&outcome.stages),
        "left=run right=blocked join=blocked after_right=blocked"
    );
}

#[test]
fn keep_going_runs_what_does_not_need_the_failed_stage() {
    let selection = Selection {
        keep_going: true,
        ..Selection::default()
    };
    let outcome = forked().run_selected(&selection);
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert_eq!(
        actions(&outcome.stages),
        "left=run right=run join=blocked after_right=run"
    );
    assert_eq!(
        outcome.stages[2].reasons[0].to_string(),
        "not run: stage `left`, which it needs, failed"
    );
}

#[test]
fn independent_stages_run_side_by_side_if_asked_to() {
    let mut project = Project::new();
    project.write("data.txt", "data");
    project = project
        .stage("left", json!({"sleep_ms": 300}), &["x=data.txt"])
        .stage("right", json!({"sleep_ms": 300}), &["x=data.txt"]);
    project.options.jobs = 2;
    let mut diary = Diary::default();
    project.run_observed(&Selection::default(), &mut diary);
    let starts: Vec<_> = diary
        .0
        .iter()
        .filter(|line| line.starts_with("start") || line.starts_with("done"))
        .collect();
    assert_eq!(starts[..2], ["start left", "start right"]);
}

#[test]
fn a_failed_gate_is_remembered_when_the_version_is_reused() {
    let project = alone(json!({"gates": ["student.macro_f1 >= 0.9"]}));
    for action in ["alone=run", "alone=reuse"] {
        let outcome = project.run();
        assert_eq!(actions(&outcome.stages), action);
        assert_eq!(outcome.outcome, Outcome::Gate);
        assert_eq!(
            outcome.gates_failed().collect::<Vec<_>>(),
            [("alone", "student.macro_f1 >= 0.9")]
        );
    }
}

#[test]
fn a_run_leaves_a_record_events_and_a_log() {
    let project = alone(json!({"say": "hello"}));
    let mut diary = Diary::default();
    let outcome = project.run_observed(&Selection::default(), &mut diary);
    assert!(diary.0.iter().any(|line| line.contains("hello")), "{:?}", diary.0);
    let folder = project.path("artifacts/runs").join(&outcome.run);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("alone.log").contains("log of hello"));
    let events: Vec<Value> = read("events.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        events
            .iter()
            .all(|event| event["stage"] == "alone" && event["time"].is_string())
    );
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["progress", "message", "finished"]);
    let records = project.store.runs();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (records[0].run.as_str(), records[0].outcome()),
        (outcome.run.as_str(), Some(Outcome::Done))
    );
}

#[test]
fn timings_stand_outside_the_manifest() {
    let project = alone(json!({}));
    project.run();
    let version = project.latest("alone");
    let timings = version.timings();
    for key in [
        "seconds",
        "peak_memory_bytes",
        "created",
        "run",
        "device",
        "headline",
    ] {
        assert!(timings.contains_key(key), "{key}");
    }
    assert!(
        version
            .manifest
            .files
            .iter()
            .all(|file| file.path != "timings.json")
    );
}

#[test]
fn a_store_in_a_folder_that_cannot_be_made_is_a_storage_failure() {
    let project = Project::new();
    project.write("file", "");
    let store = dag::Store::open(project.path("file/artifacts"));
    let error = store
        .lock(
            "test",
            dag::Wait::Forever,
            &dag::Interrupt::default(),
            &mut |_| {},
        )
        .unwrap_err();
    assert_eq!(stage::Failure::from(error).kind, FailureKind::Storage);
}
