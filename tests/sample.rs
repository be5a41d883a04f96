//! The shipped pipeline and data.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Said, command, repository};

#[test]
fn the_shipped_pipeline_passes_the_check() {
    Said::from(command(&repository()).arg("check").output().unwrap()).expect(0);
}

#[test]
fn the_shipped_schema_is_the_program_s() {
    let said = Said::from(command(&repository()).arg("schema").output().unwrap()).expect(0);
    let shipped = std::fs::read_to_string(repository().join("pipeline.schema.json")).unwrap();
    assert_eq!(said.out, shipped, "run: pipeline schema > pipeline.schema.json");
}

/// label → texts of a labelled sample file (no quoted line breaks in them).
fn labels(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(repository().join("datasets/sample").join(file)).unwrap();
    let mut rows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let (text, label) = line.rsplit_once(',').unwrap();
        rows.entry(label.to_owned()).or_default().insert(text.to_owned());
    }
    rows
}

#[test]
fn the_sample_has_a_hundred_sentences_of_each_emotion_and_thirty_golden_ones() {
    for (file, least) in [("train.csv", 100), ("golden.csv", 30)] {
        let rows = labels(file);
        assert_eq!(rows.len(), 6, "{file}: {:?}", rows.keys());
        for (label, texts) in rows {
            assert!(texts.len() >= least, "{file}: {} of {label}", texts.len());
        }
    }
}

#[test]
fn no_golden_sentence_of_the_sample_stands_in_train() {
    let texts = |file| labels(file).into_values().flatten().collect::<BTreeSet<_>>();
    assert_eq!(texts("train.csv").intersection(&texts("golden.csv")).count(), 0);
}

#[test]
fn the_guard_finds_nothing_to_remove_in_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let run = ["run", "prepare", "--artifacts", store, "--quiet"];
    Said::from(command(&repository()).args(run).output().unwrap()).expect(0);
    let report = std::fs::read_to_string(folder.path().join("prepare/latest/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["leak_guard"], "near");
    assert_eq!(
        (&report["leaks"], &report["dropped"]),
        (&0.into(), &serde_json::json!({}))
    );
}
