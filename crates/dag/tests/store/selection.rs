//! Which stages a run touches.

use dag::{Outcome, Plan, PlanError, Selection};

use crate::project::{Project, actions};

fn forced(targets: &[&str]) -> Selection {
    Selection {
        force: true,
        ..Selection::targets(targets.iter().copied())
    }
}

fn only(stage: &str) -> Selection {
    Selection {
        only: Some(stage.to_owned()),
        ..Selection::default()
    }
}

fn from(stage: &str) -> Selection {
    Selection {
        from: Some(stage.to_owned()),
        ..Selection::default()
    }
}

#[test]
fn targets_bring_what_they_need() {
    let project = Project::chain();
    assert_eq!(
        project.planned(&Selection::targets(["second"])),
        "first=run second=run"
    );
}

#[test]
fn an_unknown_stage_is_answered_with_the_nearest() {
    let project = Project::chain();
    let error = Plan::new(&project.dag, &project.store, &Selection::targets(["secnd"])).unwrap_err();
    let PlanError::UnknownStage { name, hint } = error;
    assert_eq!(
        (name.as_str(), hint.as_str()),
        ("secnd", "did you mean `second`?")
    );
}

#[test]
fn force_runs_all_anew() {
    let project = Project::chain();
    project.run();
    let outcome = project.run_selected(&forced(&[]));
    assert_eq!(actions(&outcome.stages), "first=run second=run third=run");
    assert_eq!(outcome.stages[0].reasons[0].to_string(), "forced");
    assert_eq!(project.latest("third").name.number, 2);
}

#[test]
fn force_of_a_stage_leaves_what_precedes_and_cuts_off_after_an_equal_result() {
    let project = Project::chain();
    project.run();
    let before = project.latest("second");
    let outcome = project.run_selected(&forced(&["second"]));
    assert_eq!(actions(&outcome.stages), "first=reuse second=run");
    let after = project.latest("second");
    assert_eq!(after.name.number, 2);
    assert_eq!(
        after.manifest.digest_of("out.txt"),
        before.manifest.digest_of("out.txt")
    );
    assert_eq!(
        project.planned(&Selection::default()),
        "first=reuse second=reuse third=reuse"
    );
}

#[test]
fn from_runs_the_stage_and_what_follows_anew() {
    let project = Project::chain();
    project.run();
    let outcome = project.run_selected(&from("second"));
    assert_eq!(actions(&outcome.stages), "first=reuse second=run third=run");
}

#[test]
fn from_takes_what_precedes_as_it_is_and_says_so() {
    let mut project = Project::chain();
    project.run();
    project.set("first", "text", "one");
    let outcome = project.run_selected(&from("second"));
    assert_eq!(actions(&outcome.stages), "first=reuse second=run third=run");
    assert_eq!(
        outcome.stages[0].notes,
        ["stage `first` is stale (params.text: 1 → one); first@1 is taken as it is"]
    );
    assert_eq!(project.output("third"), "321data");
}

#[test]
fn from_without_anything_to_start_from_is_missing_something() {
    let project = Project::chain();
    let outcome = project.run_selected(&from("second"));
    assert_eq!(outcome.outcome, Outcome::Failed);
    let (stage, failure) = outcome.failures().next().unwrap();
    assert_eq!((stage, failure.kind), ("first", stage::FailureKind::Missing));
}

#[test]
fn only_runs_one_stage_on_stale_inputs_and_says_so() {
    let mut project = Project::chain();
    project.run();
    project.set("second", "text", "two");
    project.set("third", "text", "three");
    let outcome = project.run_selected(&only("third"));
    assert_eq!(actions(&outcome.stages), "third=run");
    assert_eq!(
        outcome.stages[0].notes,
        ["stage `second` is stale (params.text: 2 → two); second@1 is taken as it is"]
    );
    assert_eq!(project.output("third"), "three21data");
}

#[test]
fn only_takes_the_current_version_even_if_a_newer_one_is_there() {
    let mut project = Project::chain();
    project.run();
    project.set("second", "text", "two");
    project.run();
    project.set("second", "text", "2");
    let plan = project.plan(&only("third"));
    assert_eq!(actions(&plan.document().stages), "third=reuse");
    assert!(plan.stages[0].report.notes.is_empty());
    assert_eq!(
        plan.stages[0].report.version,
        Some(project.store.versions("third")[0].to_string())
    );
}

#[test]
fn only_without_inputs_is_missing_something() {
    let project = Project::chain();
    let outcome = project.run_selected(&only("third"));
    assert_eq!(actions(&outcome.stages), "third=blocked");
    assert_eq!(
        outcome.failures().next().unwrap().1.kind,
        stage::FailureKind::Missing
    );
}
