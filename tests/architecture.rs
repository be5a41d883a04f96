//! The seams of ARCHITECTURE.md, kept over `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::repository;

/// Package name → names of all packages that it reaches.
fn reachable() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // Crates for other systems need not be on this machine.
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names: BTreeMap<String, String> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (text(&p["id"]), text(&p["name"])))
        .collect();
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let dependencies = node["deps"].as_array().unwrap().iter();
        let normal = dependencies.filter(|d| {
            d["dep_kinds"]
                .as_array()
                .unwrap()
                .iter()
                .any(|k| k["kind"].is_null())
        });
        edges.insert(text(&node["id"]), normal.map(|d| text(&d["pkg"])).collect());
    }
    let members = metadata["workspace_members"].as_array().unwrap().iter().map(text);
    let closure = |start: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start.clone()];
        while let Some(id) = open.pop() {
            for next in &edges[&id] {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen.iter().map(|id| names[id].clone()).collect::<BTreeSet<_>>()
    };
    members.map(|id| (names[&id].clone(), closure(&id))).collect()
}

#[test]
fn the_engine_reaches_neither_polars_nor_burn_nor_any_stage() {
    let reachable = reachable();
    let stages = reachable.keys().filter(|name| name.starts_with("stage_"));
    for forbidden in ["polars", "burn", "tokenizers", "dataset", "model"]
        .into_iter()
        .chain(stages.map(String::as_str))
    {
        assert!(!reachable["dag"].contains(forbidden), "dag reaches {forbidden}");
    }
}

#[test]
fn no_library_crate_has_both_polars_and_burn() {
    for (name, reached) in reachable() {
        let may_have_both = name == "pipeline" || name.starts_with("stage_");
        let both = reached.contains("polars") && reached.contains("burn");
        assert!(may_have_both || !both, "{name} reaches polars and burn");
    }
}

#[test]
fn stages_do_not_need_each_other() {
    for (name, reached) in reachable().iter().filter(|(name, _)| name.starts_with("stage_")) {
        let other = reached.iter().find(|other| other.starts_with("stage_"));
        assert!(other.is_none(), "{name} reaches {other:?}");
    }
}

#[test]
fn only_the_program_reaches_the_hub() {
    for (name, reached) in reachable() {
        let may = name == "pipeline" || name == "hub";
        assert!(may || !reached.contains("hf-hub"), "{name} reaches hf-hub");
    }
}

#[test]
fn classification_is_pure() {
    let reached = &reachable()["classification"];
    for forbidden in [
        "polars", "burn", "stage", "tracing", "tempfile", "dag", "dataset", "model",
    ] {
        assert!(!reached.contains(forbidden), "classification reaches {forbidden}");
    }
}

#[test]
fn the_engine_names_no_kind_of_stage() {
    let mut open = vec![repository().join("crates/dag/src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().lines();
        for line in code.filter(|line| !line.trim_start().starts_with("//")) {
            for kind in ["prepare", "fine_tune", "score", "select", "evaluate"] {
                let is_named = line.contains(&format!("\"{kind}\"")) || line.contains(&format!("`{kind}`"));
                assert!(!is_named, "{} names `{kind}`: {line}", path.display());
            }
        }
    }
}
