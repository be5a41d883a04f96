//! Same inputs and seed, same artifacts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Project;

/// `STAGE/FILE` → digest, of the versions that `latest` names.
pub(crate) fn digests(project: &Project) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for stage in [
        "prepare",
        "teacher",
        "score",
        "pseudo_label",
        "student",
        "evaluate",
    ] {
        let manifest: Value =
            serde_json::from_str(&project.read(&format!("artifacts/{stage}/latest/manifest.json"))).unwrap();
        for file in manifest["files"].as_array().unwrap() {
            let (path, digest) = (file["path"].as_str().unwrap(), file["blake3"].as_str().unwrap());
            digests.insert(format!("{stage}/{path}"), digest.to_owned());
        }
    }
    digests
}

#[test]
fn two_runs_from_empty_stores_make_the_same_files() {
    let (first, second) = (Project::finished(), Project::finished());
    let (first, second) = (digests(&first), digests(&second));
    assert!(first.len() > 20, "{first:?}");
    assert_eq!(first, second);
}

#[test]
fn another_seed_makes_another_model() {
    let first = Project::finished();
    let second = Project::new();
    second.edit("seed: 7", "seed: 8");
    second.pipeline(&["run"]).expect(0);
    let weights = "teacher/model/model.safetensors";
    assert_ne!(digests(&first)[weights], digests(&second)[weights]);
}
