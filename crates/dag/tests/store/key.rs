//! What is part of a result's identity and what is not.

use dag::{Fingerprint, InputRef, Selection};
use serde_json::json;
use stage::{ArtifactType, SourceOptions};

use crate::project::Project;
use crate::script::{COMPARISON, TRAINING};

fn fingerprint(project: &Project) -> Fingerprint {
    project.plan(&Selection::default()).stages[0]
        .key
        .as_ref()
        .unwrap()
        .fingerprint()
}

/// Whether `change` gives another fingerprint to a stage that uses seed, labels and precision.
fn matters(change: impl FnOnce(&mut Project)) -> bool {
    let mut project = Project::new();
    project.write("data.txt", "data");
    project = project.stage_of(
        &TRAINING,
        "train",
        json!({"epochs": 3, "seed": null, "precision": "auto"}),
        &["x=data.txt"],
    );
    let before = fingerprint(&project);
    change(&mut project);
    fingerprint(&project) != before
}

#[test]
fn what_determines_the_result_matters() {
    assert!(matters(|project| project.set("train", "epochs", 2)));
    assert!(matters(|project| project.spec("train").seed = 1));
    assert!(matters(|project| project.spec("train").precision = "bf16".into()));
    assert!(matters(
        |project| project.dag.task = classification::Task::MultiLabel
    ));
    assert!(matters(
        |project| project.dag.labels = classification::LabelSet::from_names(["a", "b"]).unwrap()
    ));
    assert!(matters(|project| project.write("data.txt", "DATA")));
    assert!(matters(|project| {
        let InputRef::Path { options, .. } = &mut project.spec("train").inputs[0].1[0] else {
            panic!()
        };
        options.text_column = Some("sentence".into());
    }));
}

#[test]
fn where_it_runs_and_what_things_are_called_does_not_matter() {
    assert!(!matters(|project| project.dag.runtime.device = "cuda:1".into()));
    assert!(!matters(|project| project.dag.runtime.threads = 7));
    assert!(!matters(|project| project.spec("train").name = "teacher".into()));
    assert!(!matters(|project| {
        std::fs::create_dir(project.path("elsewhere")).unwrap();
        project.write("elsewhere/data.txt", "data");
        let elsewhere = project.path("elsewhere/data.txt");
        let InputRef::Path { path, written, .. } = &mut project.spec("train").inputs[0].1[0] else {
            panic!()
        };
        (*path, *written) = (elsewhere, "elsewhere/data.txt".into());
    }));
}

#[test]
fn seed_and_precision_count_once_however_they_were_set() {
    assert!(!matters(|project| project.set("train", "seed", 42)));
    assert!(!matters(|project| project.set("train", "precision", "f32")));
}

#[test]
fn a_kind_that_does_not_use_the_seed_does_not_depend_on_it() {
    let mut project = Project::new().stage("plain", json!({}), &[]);
    let before = fingerprint(&project);
    project.spec("plain").seed = 7;
    project.dag.labels = classification::LabelSet::from_names(["a", "b"]).unwrap();
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn a_model_folder_counts_by_its_content_and_not_by_its_path() {
    let project = Project::new();
    for folder in ["one", "two"] {
        std::fs::create_dir(project.path(folder)).unwrap();
        project.write(&format!("{folder}/config.json"), "{}");
    }
    let mut project = project.stage_of(&TRAINING, "train", json!({"base_model": "./one"}), &[]);
    let folder = project.folder.clone();
    let base_model = |written: &str| InputRef::Path {
        path: folder.join(written),
        written: written.to_owned(),
        artifact_type: ArtifactType::Model,
        options: SourceOptions::default(),
    };
    project
        .spec("train")
        .inputs
        .push(("base_model".into(), vec![base_model("./one")]));
    let before = fingerprint(&project);
    project.set("train", "base_model", "./two");
    project.spec("train").inputs[0].1[0] = base_model("./two");
    assert_eq!(fingerprint(&project), before);
    project.write("two/config.json", "{\"hidden_size\": 2}");
    assert_ne!(fingerprint(&project), before);
}

#[test]
fn a_model_called_like_a_param_does_not_hide_the_param() {
    let project = Project::new();
    project.write("a.txt", "a");
    project.write("b.txt", "b");
    let inputs = ["baseline=a.txt", "candidate=b.txt"];
    let mut project = project.stage_of(&COMPARISON, "compare", json!({"baseline": "baseline"}), &inputs);
    let before = fingerprint(&project);
    project.set("compare", "baseline", "candidate");
    assert_ne!(fingerprint(&project), before);
}

#[test]
fn the_order_of_freely_named_inputs_counts() {
    let made = |inputs: &[&str]| {
        let project = Project::new();
        project.write("a.txt", "a");
        project.write("b.txt", "b");
        fingerprint(&project.stage_of(&COMPARISON, "compare", json!({}), inputs))
    };
    assert_ne!(made(&["a=a.txt", "b=b.txt"]), made(&["b=b.txt", "a=a.txt"]));
}

#[test]
fn the_fingerprint_of_a_given_key_never_changes() {
    let project = Project::new();
    project.write("data.txt", "data");
    let project = project.stage_of(
        &TRAINING,
        "train",
        json!({"epochs": 3, "learning_rate": 2e-5}),
        &["x=data.txt"],
    );
    assert_eq!(
        fingerprint(&project).to_string(),
        "85fefb6eaf6c1cbc8b542609bf0a8e38c84c1145681c958a695e4ac4d8ce8c2c",
        "another fingerprint for the same key makes every store stale: raise StageKey::FORMAT if that is meant"
    );
}
