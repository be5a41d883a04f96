//! sweep: points, folds, what is reused, and what is left behind.

use serde_json::Value;

use crate::support::{Project, Said, command};

const BATCHES: [&str; 4] = [
    "sweep",
    "--grid",
    "stages.teacher.params.batch_size=8,12",
    "--json",
];

/// The actions of all executions of a sweep's stage.
fn actions(document: &Value) -> Vec<String> {
    let points = document["points"].as_array().unwrap().iter();
    let runs = points.flat_map(|point| point["runs"].as_array().unwrap());
    runs.map(|run| run["action"].as_str().unwrap().to_owned())
        .collect()
}

fn numbers(values: &Value, name: &str) -> Vec<f64> {
    values
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value[name].as_f64().unwrap())
        .collect()
}

#[test]
fn every_point_is_measured_and_the_best_is_named() {
    let project = Project::new();
    let document = project.pipeline(&BATCHES).expect(0).json();
    assert_eq!(
        (&document["schema_version"], &document["stage"]),
        (&1.into(), &"teacher".into())
    );
    assert_eq!(
        (&document["metric"], &document["folds"]),
        (&"macro_f1".into(), &Value::Null)
    );
    let means = numbers(&document["points"], "mean");
    let best = usize::from(means[1] > means[0]);
    assert_eq!(document["best"], best);
    assert_eq!(
        document["points"][1]["settings"]["stages.teacher.params.batch_size"],
        12
    );
    assert!(
        project
            .path("artifacts/teacher")
            .join(document["points"][1]["runs"][0]["version"].as_str().unwrap())
            .is_dir()
    );
    let folder = project
        .path("artifacts/sweeps")
        .join(document["sweep"].as_str().unwrap());
    assert!(
        std::fs::read_to_string(folder.join("curves.svg"))
            .unwrap()
            .contains("batch_size=12")
    );
    let kept: Value = serde_json::from_slice(&std::fs::read(folder.join("sweep.json")).unwrap()).unwrap();
    assert_eq!(kept, document);
}

#[test]
fn the_same_points_again_execute_nothing() {
    let project = Project::new();
    assert_eq!(
        actions(&project.pipeline(&BATCHES).expect(0).json()),
        ["run", "run"]
    );
    let runs = || std::fs::read_dir(project.path("artifacts/runs")).unwrap().count();
    let before = runs();
    assert_eq!(
        actions(&project.pipeline(&BATCHES).expect(0).json()),
        ["reuse", "reuse"]
    );
    assert_eq!(runs(), before);
}

#[test]
fn the_printed_arguments_make_a_run_of_the_best_point_that_executes_nothing() {
    let project = Project::new();
    let said = project.pipeline(&BATCHES[..3]).expect(0);
    let line = said.out.lines().find(|line| line.starts_with("--set ")).unwrap();
    let arguments: Vec<&str> = line.split(' ').chain(["teacher"]).collect();
    assert!(project.executed(&arguments).is_empty());
    assert_eq!(said.out.matches(" best\n").count(), 1, "{}", said.out);
    let curves = said.out.lines().last().unwrap();
    assert!(
        curves.ends_with("curves.svg") && project.path(curves).is_file(),
        "{}",
        said.out
    );
}

#[test]
fn latest_stays_where_it_was() {
    let project = Project::new();
    project.pipeline(&["run", "teacher"]).expect(0);
    let latest = || std::fs::read_link(project.path("artifacts/teacher/latest")).unwrap();
    let before = latest();
    project
        .pipeline(&["sweep", "--grid", "stages.teacher.params.epochs=1"])
        .expect(0);
    assert_eq!(latest(), before);
}

#[test]
fn latest_of_a_new_stage_is_the_best_point() {
    let project = Project::new();
    let document = project.pipeline(&BATCHES).expect(0).json();
    let best = &document["points"][document["best"].as_u64().unwrap() as usize]["runs"][0]["version"];
    let latest = std::fs::read_link(project.path("artifacts/teacher/latest")).unwrap();
    assert_eq!(latest.to_str(), best.as_str());
}

#[test]
fn folds_give_a_mean_and_a_deviation() {
    let project = Project::new();
    let document = project
        .pipeline(&["sweep", "--folds", "3", "--stage", "teacher", "--json"])
        .expect(0)
        .json();
    let point = &document["points"][0];
    let values = numbers(&point["runs"], "value");
    let mean = values.iter().sum::<f64>() / 3.0;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2.0;
    assert!((point["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!((point["sd"].as_f64().unwrap() - variance.sqrt()).abs() < 1e-12);
    let folds: Vec<&str> = point["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["fold"].as_str().unwrap())
        .collect();
    assert_eq!(folds, ["1/3", "2/3", "3/3"]);
    assert!(!project.path("artifacts/student").exists());
}

#[test]
fn every_training_row_is_validated_once_over_the_folds() {
    let project = Project::new();
    let document = project
        .pipeline(&["sweep", "--folds", "3", "--stage", "teacher", "--json"])
        .expect(0)
        .json();
    let mut ids: Vec<String> = Vec::new();
    for run in document["points"][0]["runs"].as_array().unwrap() {
        let file = format!("{}/validation_predictions.parquet", run["path"].as_str().unwrap());
        let rows = project
            .pipeline(&["inspect", &file, "--sql", "SELECT id FROM t", "--csv"])
            .expect(0);
        ids.extend(rows.out.lines().skip(1).map(str::to_owned));
    }
    let train = project
        .pipeline(&["inspect", "prepare.train", "--sql", "SELECT id FROM t", "--csv"])
        .expect(0);
    let mut expected: Vec<&str> = train.out.lines().skip(1).collect();
    ids.sort();
    expected.sort_unstable();
    assert_eq!(ids, expected);
}

#[test]
fn a_failed_point_is_named_and_the_others_go_on() {
    let project = Project::new();
    // The weight of the first point is infinite as f32, and so is the loss.
    let grid = "stages.teacher.params.class_weights=[{분노: 1.0e+300}, none]";
    let said = project.pipeline(&["sweep", "--grid", grid, "--json"]).expect(1);
    let said = said.names(&["1 of 2 points failed: `class_weights={분노: 1.0e+300}`"]);
    let document = said.json();
    assert!(
        document["points"][0]["failure"]
            .as_str()
            .unwrap()
            .contains("teacher")
    );
    assert_eq!(
        (&document["points"][1]["failure"], &document["best"]),
        (&Value::Null, &1.into())
    );
}

#[test]
fn a_stage_that_all_points_share_fails_once() {
    let project = Project::new();
    project.write("train.csv", "text,label\n좋아,기쁨\n싫어,없는감정\n");
    let said = project
        .pipeline(&BATCHES[..3])
        .expect(1)
        .names(&["2 of 2 points failed", "not tried again"]);
    assert_eq!(
        said.err.matches("error: stage `prepare`").count(),
        1,
        "{}",
        said.err
    );
}

#[test]
fn the_metric_decides_which_point_is_best() {
    let project = Project::new();
    let document = project
        .pipeline(&[&BATCHES[..], &["--metric", "loss"]].concat())
        .expect(0)
        .json();
    let means = numbers(&document["points"], "mean");
    assert_eq!(document["best"], usize::from(means[1] < means[0]));
}

#[test]
fn wrong_arguments_are_exit_2_before_anything_runs() {
    let project = Project::new();
    let wrong = |arguments: &[&str], parts: &[&str]| {
        project
            .pipeline(&[&["sweep"], arguments].concat())
            .expect(2)
            .names(parts);
    };
    wrong(&[], &["neither `--grid` nor `--folds`"]);
    wrong(
        &["--grid", "stages.techer.params.epochs=1"],
        &["unknown stage `techer`", "did you mean `teacher`?"],
    );
    wrong(
        &["--grid", "stages.teacher.params.epochz=1,2"],
        &["epochz", "did you mean `epochs`?"],
    );
    wrong(
        &["--grid", "stages.teacher.params.batch_size=8,0"],
        &["batch_size", "at least 1"],
    );
    wrong(
        &["--grid", "stages.teacher.params.epochs=1,,2"],
        &["value 2 is empty"],
    );
    wrong(
        &["--folds", "3", "--stage", "score"],
        &["kind `score`", "teacher, student"],
    );
    wrong(
        &["--grid", "stages.student.params.epochs=1,2", "--stage", "teacher"],
        &["not made from `student`"],
    );
    wrong(
        &["--folds", "3", "--metric", "hamming_loss"],
        &["`hamming_loss`", "multi_label"],
    );
    project.edit("validation: prepare.validation, corpus", "corpus");
    wrong(
        &["--grid", "stages.teacher.params.epochs=1,2"],
        &["no input `validation`", "--folds 5"],
    );
    assert!(!project.path("artifacts").exists());
}

#[test]
fn an_interrupt_ends_a_sweep_with_130_and_what_is_done_counts() {
    let project = Project::new();
    project.pipeline(&["run", "prepare"]).expect(0);
    project.edit("epochs: 2", "epochs: 2000").edit(
        "learning_rate: 5.0e-3",
        "learning_rate: 5.0e-3\n      early_stopping: none",
    );
    let child = command(&project.path("."))
        .args(["sweep", "--grid", "stages.teacher.params.epochs=1,2000"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let versions = || {
        std::fs::read_dir(project.path("artifacts/teacher")).map_or(0, |entries| {
            entries
                .filter(|entry| {
                    entry
                        .as_ref()
                        .unwrap()
                        .file_name()
                        .to_string_lossy()
                        .starts_with("0001-")
                })
                .count()
        })
    };
    let started = std::time::Instant::now();
    while versions() == 0 {
        assert!(started.elapsed().as_secs() < 60, "the first point is not done");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{}", said.err);
    let document = project
        .pipeline(&["sweep", "--grid", "stages.teacher.params.epochs=1", "--json"])
        .expect(0)
        .json();
    assert_eq!(actions(&document), ["reuse"]);
}
