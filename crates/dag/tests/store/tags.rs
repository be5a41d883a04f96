//! Names for versions, and stages that refer to the version of their own that has one.

use dag::Selection;
use serde_json::json;

use crate::project::Project;

/// A stage whose gates refer to `production`.
fn gated() -> Project {
    let params = json!({"outputs": ["out.txt", "report.json"], "tags": ["production"], "text": "1"});
    let project = Project::new().stage("evaluate", params, &[]);
    project.run();
    project
}

fn promote(project: &Project, reference: &str) {
    let version = project.store.resolve_version(reference).unwrap();
    project
        .store
        .tag(&project.lock(), &version, "production")
        .unwrap();
}

#[test]
fn a_tag_that_nothing_has_yet_is_no_reason() {
    let project = gated();
    assert!(project.latest("evaluate").manifest.key.promoted.is_empty());
    assert!(project.plan(&Selection::default()).is_current());
}

#[test]
fn the_report_of_the_promoted_version_counts_and_is_given() {
    let project = gated();
    promote(&project, "evaluate@1");
    let digest = project
        .latest("evaluate")
        .manifest
        .digest_of("report.json")
        .unwrap();
    let reason = format!("promoted production: none → {}", digest.short());
    assert_eq!(project.reasons("evaluate"), [reason]);
    project.run();
    assert_eq!(project.output("evaluate"), "1 production:1");
    assert!(project.plan(&Selection::default()).is_current());
}

#[test]
fn another_promoted_version_is_another_question() {
    let mut project = gated();
    promote(&project, "evaluate@1");
    project.set("evaluate", "text", "2");
    project.run();
    assert_eq!(project.output("evaluate"), "2 production:1");
    promote(&project, "evaluate@2");
    let reasons = project.reasons("evaluate");
    assert!(
        reasons[0].starts_with("promoted production changed ("),
        "{reasons:?}"
    );
}

#[test]
fn a_tag_that_the_params_do_not_refer_to_does_not_count() {
    let project = gated();
    let version = project.latest("evaluate");
    project.store.tag(&project.lock(), &version, "best").unwrap();
    assert!(project.plan(&Selection::default()).is_current());
}

#[test]
fn a_promoted_version_that_does_not_count_blocks_the_stage() {
    let mut project = gated();
    promote(&project, "evaluate@1");
    std::fs::write(project.latest("evaluate").path.join("report.json"), "better").unwrap();
    project.set("evaluate", "text", "2");
    let plan = project.plan(&Selection::default());
    let failure = plan.stages[0].report.failure.as_ref().unwrap();
    assert_eq!(
        failure.message,
        "`evaluate@production`, version 1, cannot be compared with: `evaluate@1` is broken: `report.json` was modified"
    );
}

#[test]
fn a_tag_moves_from_version_to_version_and_can_be_taken_away() {
    let mut project = gated();
    project.set("evaluate", "text", "2");
    project.run();
    let (lock, store) = (project.lock(), &project.store);
    let version = |reference: &str| store.resolve_version(reference).unwrap();
    assert_eq!(
        store.tag(&lock, &version("evaluate@1"), "production").unwrap(),
        None
    );
    assert_eq!(
        store.tag(&lock, &version("evaluate@2"), "production").unwrap(),
        Some(1)
    );
    assert_eq!(version("evaluate@production").name.number, 2);
    let listed = store.list(None);
    assert_eq!(listed[1].tags, ["production"]);
    assert_eq!(store.untag(&lock, "evaluate", "production").unwrap(), Some(2));
    assert_eq!(store.untag(&lock, "evaluate", "production").unwrap(), None);
    assert!(store.resolve_version("evaluate@production").is_err());
}

#[test]
fn damaged_tags_are_an_error_and_not_overwritten() {
    let project = gated();
    let file = project.store.stage_folder("evaluate").join("tags.json");
    std::fs::write(&file, "{\"production\": ").unwrap();
    let version = project.latest("evaluate");
    assert!(project.store.tag(&project.lock(), &version, "best").is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"production\": ");
    let plan = project.plan(&Selection::default());
    assert!(
        plan.stages[0].report.failure.is_some(),
        "what a gate refers to must be known"
    );
}
