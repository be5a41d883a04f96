//! Why a stage is stale, followed up to the first cause.

use dag::explain;
use serde_json::json;

use crate::project::Project;

#[test]
fn a_stage_stale_through_its_inputs_names_the_changed_field() {
    let mut project = Project::chain();
    project.run();
    project.set("first", "text", "one");
    let explanation = explain(&project.dag, &project.store, "third").unwrap();
    assert!(!explanation.is_current());
    let reasons: Vec<_> = explanation.reasons().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "input x: stage `second` runs anew",
            "input x: stage second: input x: stage first: params.text: 1 → one"
        ]
    );
    let document = serde_json::to_value(explanation.document()).unwrap();
    assert_eq!(document["stages"][0]["reasons"][1]["after"], json!("one"));
}

#[test]
fn a_current_stage_has_no_reasons_and_a_fingerprint() {
    let project = Project::chain();
    project.run();
    let explanation = explain(&project.dag, &project.store, "third").unwrap();
    assert!(explanation.is_current());
    assert_eq!(explanation.reasons().count(), 0);
    assert_eq!(
        explanation.fingerprint(),
        Some(project.latest("third").manifest.fingerprint)
    );
}

#[test]
fn own_reasons_are_known_before_the_inputs_are() {
    let mut project = Project::chain();
    project.run();
    project.set("second", "text", "two");
    project.set("third", "constant", true);
    assert_eq!(
        project.reasons("third"),
        [
            "params.constant: none → true",
            "input x: stage `second` runs anew"
        ]
    );
}
