//! Stages that come after others: they begin only if the others' gates are met.

use dag::{Outcome, Selection};
use serde_json::json;

use crate::project::{Project, actions};

/// `second` reads `first` and comes after `measure`, which reads `first`; `third` reads `second`.
fn rounds(gates: &[&str]) -> Project {
    let mut project = Project::new();
    project.write("data.txt", "data");
    project = project
        .stage("first", json!({"text": "1"}), &["x=data.txt"])
        .stage("measure", json!({"gates": gates}), &["x=first.out"])
        .stage("second", json!({"text": "2"}), &["x=first.out"])
        .stage("third", json!({"text": "3"}), &["x=second.out"]);
    project.spec("second").after = vec![1];
    project
}

fn reasons(outcome: &dag::RunOutcome, stage: &str) -> String {
    let report = outcome
        .stages
        .iter()
        .find(|report| report.stage == stage)
        .unwrap();
    report
        .reasons
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn a_gate_that_is_met_lets_pass() {
    let outcome = rounds(&[]).run();
    assert_eq!(
        actions(&outcome.stages),
        "first=run measure=run second=run third=run"
    );
    assert_eq!(outcome.outcome, Outcome::Done);
}

#[test]
fn a_gate_that_is_not_met_stops_what_comes_after_and_is_no_failure() {
    let project = rounds(&["student.macro_f1 >= 0.9"]);
    for first in ["run", "reuse"] {
        let outcome = project.run();
        assert_eq!(
            actions(&outcome.stages),
            format!("first={first} measure={first} second=blocked third=blocked")
        );
        assert_eq!(outcome.outcome, Outcome::Gate);
        assert_eq!(
            reasons(&outcome, "second"),
            "after measure: its gates are not met"
        );
    }
}

#[test]
fn a_version_is_not_taken_past_a_gate_that_is_not_met() {
    let mut project = rounds(&[]);
    project.run();
    project.set("measure", "gates", json!(["student.macro_f1 >= 0.9"]));
    project.run();
    let outcome = project.run();
    assert_eq!(
        actions(&outcome.stages),
        "first=reuse measure=reuse second=blocked third=blocked"
    );
}

#[test]
fn what_the_other_stage_makes_has_no_part_in_the_result() {
    let mut project = rounds(&[]);
    project.run();
    project.set("measure", "text", "anew");
    let outcome = project.run();
    assert_eq!(
        actions(&outcome.stages),
        "first=reuse measure=run second=reuse third=reuse"
    );
}

#[test]
fn a_stage_that_is_asked_for_brings_along_what_it_comes_after() {
    let project = rounds(&[]);
    let outcome = project.run_selected(&Selection {
        targets: vec!["second".to_owned()],
        ..Selection::default()
    });
    assert_eq!(actions(&outcome.stages), "first=run measure=run second=run");
}

#[test]
fn a_stage_alone_asks_no_gate() {
    let project = rounds(&["student.macro_f1 >= 0.9"]);
    project.run();
    let outcome = project.run_selected(&Selection {
        only: Some("second".to_owned()),
        ..Selection::default()
    });
    assert_eq!(actions(&outcome.stages), "second=run");
}
