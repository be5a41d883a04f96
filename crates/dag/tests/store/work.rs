//! Work folders: what an unfinished stage leaves for the next run.

use dag::{Outcome, Removed, Selection};
use serde_json::json;

use crate::project::Project;

/// One stage that marks its work folder and fails the first time.
fn failing() -> Project {
    let project = Project::new();
    let flag = project.path("flag").display().to_string();
    project.stage("only", json!({"work": true, "fail_once": flag}), &[])
}

fn work_folders(project: &Project) -> Vec<String> {
    let names = project.names("only").into_iter();
    names.filter(|name| name.starts_with(".work-")).collect()
}

#[test]
fn what_a_failed_stage_left_is_there_for_the_next_run_and_gone_after_it() {
    let project = failing();
    assert_eq!(project.run().outcome, Outcome::Failed);
    assert_eq!(work_folders(&project).len(), 1);
    assert!(project.store.list(None).is_empty(), "it is no version");
    assert_eq!(project.run().outcome, Outcome::Done);
    assert_eq!(project.output("only"), "xx");
    assert!(work_folders(&project).is_empty());
}

#[test]
fn the_folder_is_named_by_the_whole_fingerprint() {
    let project = failing();
    project.run();
    let plan = project.plan(&Selection::default());
    let fingerprint = plan.stages[0].key.as_ref().unwrap().fingerprint();
    assert_eq!(work_folders(&project), [format!(".work-{fingerprint}")]);
}

#[test]
fn a_stage_with_another_fingerprint_starts_from_nothing_and_clears_the_rest() {
    let mut project = failing();
    project.run();
    project.set("only", "text", "other");
    std::fs::remove_file(project.path("flag")).unwrap();
    project.run();
    assert_eq!(
        work_folders(&project).len(),
        1,
        "that of the older fingerprint went"
    );
    project.run();
    assert_eq!(project.output("only"), "otherxx");
}

#[test]
fn force_starts_from_nothing() {
    let project = failing();
    project.run();
    let forced = Selection {
        force: true,
        ..Selection::default()
    };
    project.run_selected(&forced);
    assert_eq!(project.output("only"), "x");
}

#[test]
fn an_unused_work_folder_of_a_failed_stage_does_not_stay() {
    let project = Project::new().stage("only", json!({"fail": "no"}), &[]);
    project.run();
    assert!(project.names("only").is_empty(), "{:?}", project.names("only"));
}

#[test]
fn gc_clears_unfinished_work() {
    let project = failing();
    project.run();
    let lock = project.lock();
    let planned = project.store.collect(&lock, 1, true).unwrap();
    assert_eq!(planned.removed.len(), 1);
    assert_eq!(planned.removed[0].what, Removed::Unfinished);
    assert_eq!(work_folders(&project).len(), 1, "a dry run removes nothing");
    project.store.collect(&lock, 1, false).unwrap();
    assert!(work_folders(&project).is_empty());
}
