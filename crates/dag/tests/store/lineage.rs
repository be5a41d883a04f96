//! Stages whose results show how their inputs came about.

use dag::{Outcome, Selection, explain};
use serde_json::json;

use crate::project::{Project, actions};
use crate::script::MEASURING;

/// `first` → `second` → `third` → `measure`, which lists its ancestors.
fn chain() -> Project {
    Project::chain().stage_of(&MEASURING, "measure", json!({}), &["x=third.out"])
}

fn only(stage: &str) -> Selection {
    Selection {
        only: Some(stage.to_owned()),
        ..Selection::default()
    }
}

fn short(project: &Project, stage: &str) -> String {
    project.latest(stage).name.short
}

#[test]
fn a_stage_is_told_its_ancestors_those_that_others_need_first() {
    let project = chain();
    assert_eq!(project.run().outcome, Outcome::Done);
    let [first, second, third] = ["first", "second", "third"].map(|stage| short(&project, stage));
    assert_eq!(
        project.output("measure"),
        format!("321data first:{first} second:{second} third:{third}")
    );
    let lineage = project.latest("measure").manifest.key.lineage;
    assert_eq!(lineage.keys().collect::<Vec<_>>(), ["first", "second", "third"]);
    assert_eq!(lineage["first"], project.latest("first").manifest.fingerprint);
    assert!(
        project.latest("third").manifest.key.lineage.is_empty(),
        "only the kind that uses it"
    );
}

#[test]
fn an_equal_result_upstream_cuts_off_all_but_stages_with_a_lineage() {
    let mut project = chain();
    project.set("first", "constant", true);
    project.run();
    project.write("data.txt", "DATA");
    let outcome = project.run();
    assert_eq!(
        actions(&outcome.stages),
        "first=run second=reuse third=reuse measure=run"
    );
    assert!(
        project
            .output("measure")
            .contains(&format!("first:{}", short(&project, "first")))
    );
    assert_eq!(
        actions(&project.run().stages),
        "first=reuse second=reuse third=reuse measure=reuse"
    );
}

#[test]
fn a_lineage_that_changed_is_named_by_its_stages() {
    let mut project = chain();
    project.set("first", "constant", true);
    project.run();
    let before = short(&project, "first");
    project.write("data.txt", "DATA");
    project.run_selected(&Selection::targets(["third"]));
    let after = short(&project, "first");
    let expected = [format!("lineage first changed ({before} → {after})")];
    assert_eq!(project.reasons("measure"), expected);
    let explanation = explain(&project.dag, &project.store, "measure").unwrap();
    let reasons: Vec<_> = explanation.reasons().map(ToString::to_string).collect();
    assert_eq!(reasons, expected);
}

#[test]
fn inputs_that_differ_are_named_and_their_lineage_is_not() {
    let mut project = chain();
    project.run();
    project.set("second", "text", "two");
    project.run_selected(&Selection::targets(["third"]));
    let reasons = project.reasons("measure");
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].starts_with("input x changed ("), "{reasons:?}");
}

#[test]
fn only_sees_the_lineage_that_a_whole_run_sees() {
    let mut project = chain();
    project.set("first", "constant", true);
    project.run();
    project.write("data.txt", "DATA");
    project.run();
    assert_eq!(project.planned(&only("measure")), "measure=reuse");
}

#[test]
fn a_stale_version_that_is_taken_brings_its_own_lineage() {
    let mut project = chain();
    project.run();
    project.set("second", "text", "two");
    project.run_selected(&Selection::targets(["second"]));
    // `third` is still the one that was made from the older `second`, and so is what is measured.
    assert_eq!(project.planned(&only("measure")), "measure=reuse");
    let from = Selection {
        from: Some("measure".to_owned()),
        ..Selection::default()
    };
    project.run_selected(&from);
    let older = project.store.versions("second").remove(0);
    assert!(
        project
            .output("measure")
            .contains(&format!("second:{}", older.short))
    );
}

#[test]
fn what_is_read_directly_counts_where_two_versions_of_a_stage_went_in() {
    let mut project =
        Project::chain().stage_of(&MEASURING, "measure", json!({}), &["x=third.out", "x=first.out"]);
    project.run();
    project.set("first", "text", "one");
    project.run_selected(&Selection::targets(["first"]));
    project.run_selected(&only("measure"));
    let output = project.output("measure");
    assert!(
        output.contains(&format!("first:{}", short(&project, "first"))),
        "{output}"
    );
}

#[test]
fn a_guard_is_part_of_the_key() {
    let mut project = chain();
    project.spec("measure").guard = Some(stage::Guard::Guarded);
    project.run();
    let reasons = vec!["`leak_guard: off` of `prepare`".to_owned()];
    project.spec("measure").guard = Some(stage::Guard::Unguarded { reasons });
    assert_eq!(
        project.reasons("measure"),
        ["guard: guarded → unguarded (`leak_guard: off` of `prepare`)"]
    );
}

#[test]
fn gc_keeps_the_lineage_of_what_it_keeps() {
    let mut project = chain();
    project.set("first", "constant", true);
    project.run();
    project.write("data.txt", "DATA");
    project.run();
    let tagged = project.latest("measure");
    project.store.tag(&project.lock(), &tagged, "best").unwrap();
    for text in ["a", "b"] {
        project.set("first", "text", text);
        project.run();
    }
    project.store.collect(&project.lock(), 1, false).unwrap();
    let numbers: Vec<u32> = project
        .store
        .versions("first")
        .iter()
        .map(|name| name.number)
        .collect();
    assert_eq!(
        numbers,
        [1, 2, 4],
        "1 made what `second` reads, 2 is the lineage of the tagged version, 4 the newest"
    );
}
