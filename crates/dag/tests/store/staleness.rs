//! What makes a stage run anew, and what does not.

use dag::{Outcome, Selection};
use serde_json::json;

use crate::project::{Project, actions, names_in};
use crate::script::SCRIPT_2;

#[test]
fn a_stage_that_never_ran_runs() {
    let project = Project::chain();
    assert_eq!(project.reasons("first"), ["never ran"]);
    let outcome = project.run();
    assert_eq!(outcome.outcome, Outcome::Done);
    assert_eq!(actions(&outcome.stages), "first=run second=run third=run");
    assert_eq!(project.output("third"), "321data");
}

#[test]
fn a_current_pipeline_executes_nothing() {
    let project = Project::chain();
    project.run();
    let outcome = project.run();
    assert_eq!(actions(&outcome.stages), "first=reuse second=reuse third=reuse");
    assert_eq!(outcome.outcome, Outcome::Done);
    assert_eq!(project.names("third").len(), 1);
}

#[test]
fn a_changed_param_reruns_only_descendants() {
    let mut project = Project::chain();
    project.run();
    project.set("second", "text", "two");
    assert_eq!(project.reasons("second"), ["params.text: 2 → two"]);
    assert_eq!(project.reasons("third"), ["input x: stage `second` runs anew"]);
    assert_eq!(actions(&project.run().stages), "first=reuse second=run third=run");
    assert_eq!(project.output("third"), "3two1data");
}

#[test]
fn a_changed_input_file_is_seen() {
    let project = Project::chain();
    project.run();
    project.write("data.txt", "DATA");
    let reasons = project.reasons("first");
    assert!(reasons[0].starts_with("input x changed ("), "{reasons:?}");
    assert_eq!(actions(&project.run().stages), "first=run second=run third=run");
}

#[test]
fn a_raised_kind_version_reruns_the_stage() {
    let mut project = Project::chain();
    project.run();
    project.spec("second").kind = &SCRIPT_2;
    assert_eq!(project.reasons("second"), ["version: 1 → 2"]);
}

#[test]
fn an_equal_result_of_a_rerun_stage_cuts_the_run_short() {
    let mut project = Project::chain();
    project.set("second", "constant", true);
    project.run();
    project.write("data.txt", "DATA");
    assert_eq!(
        project.planned(&Selection::default()),
        "first=run second=run third=run"
    );
    assert_eq!(actions(&project.run().stages), "first=run second=run third=reuse");
}

#[test]
fn going_back_reuses_the_older_version_and_links_latest_to_it() {
    let mut project = Project::chain();
    project.run();
    project.set("third", "text", "other");
    project.run();
    assert_eq!(project.latest("third").name.number, 2);
    project.set("third", "text", "3");
    assert_eq!(
        actions(&project.run().stages),
        "first=reuse second=reuse third=reuse"
    );
    assert_eq!(project.latest("third").name.number, 1);
}

#[test]
fn a_missing_file_is_a_miss_and_the_version_is_set_aside() {
    let project = Project::chain();
    project.run();
    let version = project.latest("second");
    std::fs::remove_file(version.path.join("out.txt")).unwrap();
    assert_eq!(project.reasons("second"), ["output missing: out.txt"]);
    let outcome = project.run();
    assert_eq!(actions(&outcome.stages), "first=reuse second=run third=reuse");
    assert!(
        outcome.stages[1]
            .notes
            .iter()
            .any(|note| note.contains("set aside as")),
        "{:?}",
        outcome.stages[1]
    );
    assert_eq!(
        names_in(&project.path("artifacts/.broken/second")),
        [version.name.to_string()]
    );
    assert_eq!(project.latest("second").name.number, 2);
}

#[test]
fn a_flipped_bit_is_found_on_use() {
    let project = Project::chain();
    project.run();
    let path = project.latest("second").path.join("out.txt");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(project.reasons("second"), ["output modified: out.txt"]);
    assert_eq!(
        actions(&project.run().stages),
        "first=reuse second=run third=reuse"
    );
}

#[test]
fn a_flipped_bit_anywhere_in_a_manifest_is_never_a_wrong_hit() {
    let project = Project::chain();
    project.run();
    let version = project.latest("third");
    let path = version.path.join("manifest.json");
    let whole = std::fs::read(&path).unwrap();
    for position in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[position] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(read) = project.store.load("third", &version.name) {
            assert_eq!(read.manifest, version.manifest, "bit {position} went unnoticed");
        }
    }
}

#[test]
fn a_truncated_manifest_is_a_miss() {
    let project = Project::chain();
    project.run();
    let path = project.latest("first").path.join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert!(project.reasons("first")[0].starts_with("manifest damaged"));
    let outcome = project.run();
    assert_eq!(outcome.outcome, Outcome::Done);
    assert_eq!(actions(&outcome.stages), "first=run second=reuse third=reuse");
}

#[test]
fn lost_timings_do_not_matter() {
    let project = Project::chain();
    project.run();
    std::fs::remove_file(project.latest("first").path.join("timings.json")).unwrap();
    assert!(project.plan(&Selection::default()).is_current());
}

#[test]
fn a_dangling_latest_does_not_matter() {
    let project = Project::chain();
    project.run();
    let link = project.store.stage_folder("first").join("latest");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("0007-00000000", &link).unwrap();
    assert_eq!(
        actions(&project.run().stages),
        "first=reuse second=reuse third=reuse"
    );
    assert_eq!(project.latest("first").name.number, 1);
}

#[test]
fn a_new_output_of_a_kind_is_a_miss_and_not_damage() {
    let mut project = Project::chain();
    project.run();
    let more = stage::OutputSpec::new("more.txt", stage::ArtifactType::Document);
    project.spec("third").outputs.push(more);
    let reasons = project.reasons("third");
    assert_eq!(reasons, ["outputs: out.txt → out.txt, more.txt"]);
}

#[test]
fn a_missing_input_file_blocks_the_stage_and_what_follows() {
    let project = Project::chain();
    std::fs::remove_file(project.path("data.txt")).unwrap();
    let outcome = project.run();
    assert_eq!(
        actions(&outcome.stages),
        "first=blocked second=blocked third=blocked"
    );
    let (stage, failure) = outcome.failures().next().unwrap();
    assert_eq!((stage, failure.kind), ("first", stage::FailureKind::Missing));
    assert!(failure.message.contains("data.txt"), "{failure}");
}

#[test]
fn a_plan_estimates_seconds_from_the_last_version() {
    let mut project = Project::chain();
    assert_eq!(project.plan(&Selection::default()).estimated_seconds(), 0.0);
    project.run();
    project.set("third", "text", "other");
    assert!(project.plan(&Selection::default()).estimated_seconds() > 0.0);
}

#[test]
fn two_runs_from_empty_stores_make_the_same_manifests() {
    let manifests = |project: &Project| {
        project.run();
        ["first", "second", "third"]
            .map(|stage| std::fs::read(project.latest(stage).path.join("manifest.json")).unwrap())
    };
    assert_eq!(manifests(&Project::chain()), manifests(&Project::chain()));
}

#[test]
fn json_answers_have_the_keys_of_the_contract() {
    let project = Project::chain();
    let document = serde_json::to_value(project.run().document()).unwrap();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["outcome"], "done");
    assert!(document["run"].is_string());
    let stage = &document["stages"][0];
    assert_eq!(stage["action"], "run");
    assert_eq!(
        stage["reasons"],
        json!([{"field": "never ran", "before": null, "after": null}])
    );
    for key in ["stage", "kind", "version", "path", "seconds"] {
        assert!(!stage[key].is_null(), "{key}");
    }
    let planned = serde_json::to_value(project.plan(&Selection::default()).document()).unwrap();
    assert!(planned["run"].is_null() && planned["outcome"].is_null());
}
