//! Decisions of people that `pipeline review import` left beside the pipeline file.

use std::path::Path;

use dag::{Dag, InputRef};

use crate::guard_kinds::KINDS;
use crate::resolve_precision;

const PIPELINE: &str = "\
version: 1
labels: [분노, 기쁨]
stages:
  pseudo_label:
    kind: select
    inputs: {scored: scored.csv}
";
/// The digest of a file without content.
const EMPTY: &str = "af1349b9";

fn load(text: &str, files: &[(&str, &str)]) -> Result<Dag, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("scored.csv", ""), ("pipeline.yaml", text)].iter().chain(files) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        std::fs::write(path, content).unwrap();
    }
    dag::load(
        &folder.path().join("pipeline.yaml"),
        &[],
        KINDS,
        &resolve_precision,
    )
    .map_err(|found| found.items.iter().map(ToString::to_string).collect())
}

/// As written, by name of the input.
fn inputs(dag: &Dag) -> Vec<(String, String)> {
    let written = |item: &InputRef| match item {
        InputRef::Path { written, .. } => written.clone(),
        other => panic!("{other:?}"),
    };
    let inputs = dag.stages[0].inputs.iter();
    inputs
        .map(|(name, items)| (name.clone(), written(&items[0])))
        .collect()
}

fn overrides(number: &str) -> String {
    format!("overrides/pseudo_label/{number}-{EMPTY}.csv")
}

#[test]
fn the_newest_decisions_are_an_input() {
    let (first, second, tenth) = (overrides("0001"), overrides("0002"), overrides("10000"));
    let dag = load(PIPELINE, &[(&first, ""), (&tenth, ""), (&second, "")]).unwrap();
    assert_eq!(
        inputs(&dag),
        [
            ("scored".into(), "scored.csv".into()),
            ("overrides".into(), tenth)
        ]
    );
    assert!(dag.warnings.is_empty());
}

#[test]
fn without_decisions_there_is_no_such_input() {
    assert_eq!(inputs(&load(PIPELINE, &[]).unwrap()).len(), 1);
    let notes = [
        ("overrides/pseudo_label/README.md", "why"),
        ("overrides/pseudo_label/.hidden.csv", ""),
    ];
    assert_eq!(inputs(&load(PIPELINE, &notes).unwrap()).len(), 1);
}

#[test]
fn decisions_that_the_file_names_are_taken_instead() {
    let named = PIPELINE.replace("scored.csv}", "scored.csv, overrides: mine.csv}");
    let dag = load(&named, &[(&overrides("0001"), ""), ("mine.csv", "")]).unwrap();
    assert_eq!(inputs(&dag)[1], ("overrides".to_owned(), "mine.csv".to_owned()));
}

#[test]
fn two_files_with_one_number_are_refused() {
    let text = load(
        PIPELINE,
        &[
            (&overrides("0002"), ""),
            ("overrides/pseudo_label/0002-0a1b2c3d.csv", "x"),
        ],
    );
    let text = text.err().unwrap();
    assert!(
        text.contains(
            "stage `pseudo_label`: input `overrides`: `overrides/pseudo_label/0002-0a1b2c3d.csv` and \
             `overrides/pseudo_label/0002-af1349b9.csv` have the same number"
        ),
        "{text}"
    );
}

#[test]
fn decisions_that_were_changed_after_they_were_written_are_refused() {
    let text = load(PIPELINE, &[(&overrides("0002"), "id,decision\n")])
        .err()
        .unwrap();
    assert!(
        text.contains("`overrides/pseudo_label/0002-af1349b9.csv` was changed after it was written"),
        "{text}"
    );
    assert!(
        text.contains("hint: if the change is meant, rename it to `0002-"),
        "{text}"
    );
    // Only what is read has to be whole.
    assert!(load(PIPELINE, &[(&overrides("0002"), "x"), (&overrides("0003"), "")]).is_ok());
}

#[test]
fn a_table_that_is_not_called_like_decisions_is_refused() {
    let text = load(PIPELINE, &[("overrides/pseudo_label/final.csv", "")])
        .err()
        .unwrap();
    assert!(
        text.contains("`overrides/pseudo_label/final.csv` is not called NNNN-DDDDDDDD.csv"),
        "{text}"
    );
}

#[test]
fn decisions_for_a_stage_that_is_not_there_are_warned_of() {
    let dag = load(PIPELINE, &[("overrides/pseudo/0001-af1349b9.csv", "")]).unwrap();
    let [warning] = &dag.warnings[..] else {
        panic!("{:?}", dag.warnings)
    };
    assert_eq!(
        warning.message,
        "no stage reads the decisions in `overrides/pseudo`"
    );
}
