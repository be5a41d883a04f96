//! Tags, lineage, edits and clean-up in the store.

use serde_json::Value;

use crate::support::Project;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_tagged_version_is_listed_shown_referred_to_and_kept() {
    let project = Project::finished();
    let said = project
        .pipeline(&["artifacts", "tag", "pseudo_label@1", "reviewed"])
        .expect(0);
    assert_eq!(said.out, "pseudo_label@1 is `pseudo_label@reviewed`\n");
    let other = "stages.pseudo_label.params.min_margin=0.001";
    project
        .pipeline(&["run", "pseudo_label", "--set", other])
        .expect(0);
    let listed = project.pipeline(&["artifacts", "list", "pseudo_label"]).expect(0);
    let is_marked = |line: &str| line.starts_with("pseudo_label@1 ") && line.contains("reviewed");
    assert!(listed.out.lines().any(is_marked), "{}", listed.out);
    let shown = project
        .pipeline(&["artifacts", "show", "pseudo_label@reviewed"])
        .expect(0)
        .json();
    assert_eq!(
        (&shown["number"], &shown["tags"]),
        (&1.into(), &serde_json::json!(["reviewed"]))
    );
    project.pipeline(&["artifacts", "gc"]).expect(0);
    project
        .pipeline(&["inspect", "pseudo_label@reviewed.kept"])
        .expect(0);
    let moved = project
        .pipeline(&["artifacts", "tag", "pseudo_label", "reviewed"])
        .expect(0);
    assert_eq!(
        moved.out,
        "pseudo_label@2 is `pseudo_label@reviewed`, which pseudo_label@1 was\n"
    );
}

#[test]
fn a_tag_that_is_taken_away_names_nothing() {
    let project = Project::finished();
    project.pipeline(&["artifacts", "tag", "score", "best"]).expect(0);
    let said = project.pipeline(&["artifacts", "untag", "score@best"]).expect(0);
    assert_eq!(said.out, "score@1 is no longer `score@best`\n");
    project
        .pipeline(&["artifacts", "untag", "score@best"])
        .expect(4)
        .names(&["no version of `score` has the tag `best`"]);
    project.pipeline(&["artifacts", "show", "score@best"]).expect(4);
    project
        .pipeline(&["artifacts", "untag", "score"])
        .expect(2)
        .names(&["`score` names no tag"]);
    project
        .pipeline(&["artifacts", "tag", "score", "12"])
        .expect(1)
        .names(&["`12` cannot be a tag"]);
}

#[test]
fn the_evaluation_knows_all_stages_that_its_models_come_from() {
    let project = Project::finished();
    let manifest = json(&project.read("artifacts/evaluate/latest/manifest.json"));
    let lineage = manifest["key"]["lineage"].as_object().unwrap();
    let mut stages: Vec<&str> = lineage.keys().map(String::as_str).collect();
    stages.sort_unstable();
    assert_eq!(stages, ["prepare", "pseudo_label", "score", "student", "teacher"]);
    for (stage, fingerprint) in lineage {
        let of_stage = json(&project.read(&format!("artifacts/{stage}/latest/manifest.json")));
        assert_eq!(&of_stage["fingerprint"], fingerprint, "{stage}");
    }
}

#[test]
fn an_edited_artifact_is_kept_aside_with_the_way_to_keep_the_edits() {
    let project = Project::finished();
    project.write("artifacts/pseudo_label/latest/kept.parquet", "edited by hand");
    let explained = project.pipeline(&["explain", "pseudo_label"]).expect(0);
    assert!(
        explained.out.contains("output modified: kept.parquet"),
        "{}",
        explained.out
    );
    assert!(
        explained
            .out
            .contains("`pipeline review import pseudo_label artifacts/pseudo_label/0001-"),
        "{}",
        explained.out
    );
    let said = project.pipeline(&["run", "student"]).expect(0);
    let aside = "`pipeline review import pseudo_label artifacts/.broken/pseudo_label/0001-";
    assert!(
        said.err.contains("`kept.parquet` of pseudo_label@1 was edited") && said.err.contains(aside),
        "{}",
        said.err
    );
    let folder = std::fs::read_dir(project.path("artifacts/.broken/pseudo_label")).unwrap();
    let folder = folder.map(|entry| entry.unwrap().path()).next().unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.join("kept.parquet")).unwrap(),
        "edited by hand"
    );
}
