//! noise and gates: labels that are likely wrong, and what a promoted version is worth.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::Project;

/// The ids in a json list of objects.
fn ids(rows: &Value) -> BTreeSet<&str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn every_training_row_is_judged_once_by_a_model_that_has_not_seen_it() {
    let project = Project::new();
    let document = project
        .pipeline(&["noise", "--folds", "2", "--json"])
        .expect(0)
        .json();
    assert_eq!(document["stage"], "teacher");
    assert_eq!(document["versions"].as_array().unwrap().len(), 2);
    let train = project
        .pipeline(&["inspect", "prepare.train", "--head", "1000", "--json"])
        .expect(0)
        .json();
    assert_eq!(document["rows"], train["rows"].as_array().unwrap().len());
    let classes = document["classes"].as_array().unwrap().iter();
    let suspected: u64 = classes.map(|class| class["suspected"].as_u64().unwrap()).sum();
    assert_eq!(document["suspected"], suspected);
    assert!(ids(&document["suspects"]).is_subset(&ids(&train["rows"])));
    // Again: the versions are there.
    let again = project.pipeline(&["noise", "--folds", "2", "--json"]).expect(0);
    assert_eq!(again.json(), document);
}

#[test]
fn what_was_decided_about_suspects_is_imported() {
    let project = Project::new();
    let said = project
        .pipeline(&["noise", "--folds", "2", "--to", "suspects.csv"])
        .expect(0);
    assert!(
        said.out.contains("pipeline review import prepare suspects.csv"),
        "{}",
        said.out
    );
    let file = project.read("suspects.csv");
    let header = "\u{feff}id,decision,label,given,suggested,text,self_confidence,suggested_confidence,note";
    assert_eq!(file.lines().next(), Some(header));
    // Whatever stands there, it is not written over.
    project
        .pipeline(&["noise", "--folds", "2", "--to", "suspects.csv"])
        .expect(2)
        .names(&["suspects.csv"]);
    assert_eq!(project.read("suspects.csv"), file);
    let first = file.lines().nth(1).expect("a badly trained model suspects rows");
    let id = first.split(',').next().unwrap().to_owned();
    project.write(
        "suspects.csv",
        file.replacen(&format!("\n{id},,"), &format!("\n{id},drop,"), 1),
    );
    project
        .pipeline(&["review", "import", "prepare", "suspects.csv"])
        .expect(0);
    project.pipeline(&["run", "prepare"]).expect(0);
    let train = project
        .pipeline(&["inspect", "prepare.train", "--head", "1000", "--json"])
        .expect(0)
        .json();
    assert!(!ids(&train["rows"]).contains(id.as_str()));
}

#[test]
fn a_stage_that_is_no_fine_tune_stage_has_no_training_rows() {
    Project::new()
        .pipeline(&["noise", "--stage", "prepare"])
        .expect(2)
        .names(&["prepare"]);
}

#[test]
fn a_gate_holds_a_new_version_against_the_promoted_one() {
    let project = Project::new();
    project.edit(
        "{bootstrap: 50}",
        "{bootstrap: 50, gates: [\"student.macro_f1 >= student.macro_f1@production\"]}",
    );
    // Nothing is promoted: nothing to fall behind.
    project.pipeline(&["run"]).expect(0);
    project
        .pipeline(&["artifacts", "tag", "evaluate@1", "production"])
        .expect(0);
    // The promoted version counts in the result's identity.
    assert_eq!(project.executed(&[]), ["evaluate"]);
    let report: Value = serde_json::from_str(&project.read("artifacts/evaluate/latest/report.json")).unwrap();
    let gate = &report["gates"][0];
    assert_eq!(
        (&gate["value"], &gate["passed"]),
        (&gate["threshold"], &true.into())
    );

    project.edit(
        ">= student.macro_f1@production",
        "- student.macro_f1@production >= 0.001 at 95%",
    );
    for _ in 0..2 {
        project.pipeline(&["run"]).expect(3).names(&[
            "student.macro_f1 - student.macro_f1@production",
            "short by 0.0010",
        ]);
    }
}
