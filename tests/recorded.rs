//! What each kind makes of a tiny input, held against what it made before: another output under the same version
//! would let old results pass for new ones. Tables count by digest, models by probabilities within 1e-4.
//!
//! After a change that is meant, raise the kind's `version()` and run with `RECORD=1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::support::{Project, repository};

#[derive(Serialize, Deserialize)]
struct Recorded {
    /// Kind → version.
    versions: BTreeMap<String, u64>,
    /// File → blake3, for kinds that compute no floats.
    digests: BTreeMap<String, String>,
    /// Model → probabilities of the golden rows.
    probabilities: BTreeMap<String, Vec<Vec<f64>>>,
    /// Probabilities of the scored rows.
    scored: Vec<Vec<f64>>,
    /// Model → confusion matrix on golden.
    confusion_matrices: BTreeMap<String, Value>,
}

fn record(project: &Project) -> Recorded {
    let manifest = |stage: &str| -> Value {
        serde_json::from_str(&project.read(&format!("artifacts/{stage}/latest/manifest.json"))).unwrap()
    };
    let stages = [
        "prepare",
        "teacher",
        "score",
        "pseudo_label",
        "student",
        "evaluate",
    ];
    let versions = stages.map(|stage| {
        let key = &manifest(stage)["key"];
        (
            key["kind"].as_str().unwrap().to_owned(),
            key["version"].as_u64().unwrap(),
        )
    });
    let mut digests = BTreeMap::new();
    for (stage, files) in [
        (
            "prepare",
            &[
                "train.parquet",
                "validation.parquet",
                "golden.parquet",
                "raw.parquet",
                "leaks.parquet",
                "report.json",
            ][..],
        ),
        ("pseudo_label", &["decided.parquet"][..]),
    ] {
        for file in manifest(stage)["files"].as_array().unwrap() {
            let path = file["path"].as_str().unwrap();
            if files.contains(&path) {
                digests.insert(
                    format!("{stage}/{path}"),
                    file["blake3"].as_str().unwrap().to_owned(),
                );
            }
        }
    }
    let texts: Vec<String> = project
        .read("golden.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    let probabilities = ["teacher", "student"].map(|stage| {
        let model = format!("artifacts/{stage}/latest/model");
        let mut arguments = vec!["predict", "--model", &model, "--json"];
        arguments.extend(texts.iter().map(String::as_str));
        let answer = project.pipeline(&arguments).expect(0).json();
        (stage.to_owned(), numbers(&answer["predictions"], "probabilities"))
    });
    let arguments = ["inspect", "score.scored", "--json", "--head", "1000"];
    let scored = numbers(&project.pipeline(&arguments).expect(0).json()["rows"], "probs");
    let report: Value = serde_json::from_str(&project.read("artifacts/evaluate/latest/report.json")).unwrap();
    let matrices =
        ["teacher", "student"].map(|m| (m.to_owned(), report["models"][m]["confusion_matrix"].clone()));
    Recorded {
        versions: versions.into(),
        digests,
        probabilities: probabilities.into(),
        scored,
        confusion_matrices: matrices.into(),
    }
}

fn numbers(rows: &Value, field: &str) -> Vec<Vec<f64>> {
    let row = |row: &Value| {
        row[field]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p.as_f64().unwrap())
            .collect()
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

#[track_caller]
fn assert_close(what: &str, now: &[Vec<f64>], before: &[Vec<f64>]) {
    assert_eq!(now.len(), before.len(), "{what}");
    let pairs = now.iter().flatten().zip(before.iter().flatten());
    let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(
        difference <= 1e-4,
        "{what} differs by {difference}: raise the kind's version()"
    );
}

#[test]
fn every_kind_makes_what_it_made_under_its_version() {
    let path = repository().join("tests/recorded.json");
    let now = record(&Project::finished());
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
        return;
    }
    let before: Recorded = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(
        now.versions, before.versions,
        "a version was raised: run with RECORD=1"
    );
    assert_eq!(
        now.digests, before.digests,
        "other files: raise the kind's version()"
    );
    for (model, probabilities) in &now.probabilities {
        assert_close(model, probabilities, &before.probabilities[model]);
    }
    assert_close("scored", &now.scored, &before.scored);
    assert_eq!(
        now.confusion_matrices, before.confusion_matrices,
        "raise the version() of evaluate"
    );
}
