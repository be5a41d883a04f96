//! Models of the Hub: known by their commit, wherever their files are.

use dag::{Fingerprint, HubInput, InputRef, Selection};
use serde_json::json;

use crate::project::Project;
use crate::script::{COMPARISON, TRAINING};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// A stage whose param `base_model` is `written`, resolved to `commit`.
fn project(written: &str, commit: Option<&str>) -> Project {
    let mut project = Project::new().stage_of(&TRAINING, "train", json!({"base_model": written}), &[]);
    let input = InputRef::Hub(HubInput {
        model: written.parse().unwrap(),
        written: format!("hf://{written}"),
        commit: commit.map(str::to_owned),
        path: None,
    });
    project
        .spec("train")
        .inputs
        .push(("base_model".into(), vec![input]));
    project
}

/// Gives the model's files a place.
fn place(project: &mut Project) {
    let path = project.path("snapshot");
    std::fs::create_dir_all(&path).unwrap();
    project
        .dag
        .hub_inputs_mut()
        .for_each(|input| input.path = Some(path.clone()));
}

fn resolve(project: &mut Project, commit: &str) {
    project
        .dag
        .hub_inputs_mut()
        .for_each(|input| input.commit = Some(commit.to_owned()));
}

fn fingerprint(project: &Project) -> Fingerprint {
    project.plan(&Selection::default()).stages[0]
        .key
        .as_ref()
        .unwrap()
        .fingerprint()
}

#[test]
fn a_branch_and_the_commit_it_stands_for_have_one_fingerprint() {
    let branch = fingerprint(&project("klue/roberta-base", Some(COMMIT)));
    assert_eq!(
        fingerprint(&project("klue/roberta-base@main", Some(COMMIT))),
        branch
    );
    assert_eq!(
        fingerprint(&project(&format!("klue/roberta-base@{COMMIT}"), Some(COMMIT))),
        branch
    );
    assert_ne!(fingerprint(&project("klue/roberta-base", Some(OTHER))), branch);
}

#[test]
fn where_the_files_lie_does_not_matter() {
    let mut project = project("klue/roberta-base", Some(COMMIT));
    let before = fingerprint(&project);
    place(&mut project);
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn a_stage_whose_commit_is_not_known_runs_and_says_so() {
    let project = project("klue/roberta-base", None);
    assert_eq!(project.planned(&Selection::default()), "train=run");
    assert_eq!(
        project.reasons("train"),
        ["never ran", "base_model: not resolved yet"]
    );
}

#[test]
fn a_model_whose_files_are_not_here_is_missing() {
    let project = project("klue/roberta-base", Some(COMMIT));
    let outcome = project.run();
    let (_, failure) = outcome.failures().next().unwrap();
    assert_eq!(failure.kind, stage::FailureKind::Missing);
    assert_eq!(
        failure.message,
        "input `base_model`: the files of `hf://klue/roberta-base` are not here"
    );
}

#[test]
fn the_manifest_records_name_and_commit_and_the_files_are_not_needed_again() {
    let mut project = project("klue/roberta-base", Some(COMMIT));
    place(&mut project);
    project.run();
    let item = &project.latest("train").manifest.inputs[0].items[0];
    assert_eq!(
        (item.written.as_str(), item.commit.as_deref()),
        ("hf://klue/roberta-base", Some(COMMIT))
    );
    std::fs::remove_dir(project.path("snapshot")).unwrap();
    assert_eq!(project.planned(&Selection::default()), "train=reuse");
}

#[test]
fn a_moved_branch_is_explained_by_the_commits() {
    let mut project = project("klue/roberta-base", Some(COMMIT));
    place(&mut project);
    project.run();
    resolve(&mut project, OTHER);
    assert_eq!(
        project.reasons("train"),
        ["input base_model changed (01234567 → 89abcdef)"]
    );
    project.dag.hub_inputs_mut().for_each(|input| input.commit = None);
    assert_eq!(project.reasons("train"), ["base_model: not resolved yet"]);
}

#[test]
fn a_param_with_the_name_of_a_hub_model_hides_in_it_only_if_it_names_it() {
    let made = |param: &str| {
        let mut project = Project::new().stage_of(&COMPARISON, "compare", json!({"baseline": param}), &[]);
        let model = HubInput {
            model: "o/n".parse().unwrap(),
            written: "hf://o/n".into(),
            commit: Some(COMMIT.into()),
            path: None,
        };
        project
            .spec("compare")
            .inputs
            .push(("baseline".into(), vec![InputRef::Hub(model)]));
        fingerprint(&project)
    };
    assert_eq!(made("o/n"), made("hf://o/n@main"));
    assert_ne!(made("o/n"), made("candidate"));
}
