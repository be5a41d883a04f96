//! What a pipeline file comes to, and what is said of one that is wrong. The stage kinds are doubles: the engine
//! knows kinds by their contract only.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where its world is not as expected"
)]

use dag::{Dag, Diagnostics, Override, RuntimeSpec, overrides_from_env};

use crate::kinds::KINDS;

mod accepted;
mod after;
mod decisions;
mod file;
mod guard;
mod guard_kinds;
mod header;
mod inputs;
mod kinds;
mod overrides;
mod params;
mod pictures;
mod settings;
mod stages;

pub(crate) const PIPELINE: &str = "\
version: 1
labels: [분노, 불안, {name: 기쁨, slug: happy, aliases: [행복, joy]}]
stages:
  prepare:
    kind: prepare
    inputs: {train: data/train.csv, golden: data/golden.csv, raw: data/raw.csv}
  teacher:
    kind: fine_tune
    inputs: {train: prepare.train}
    params: {epochs: 5}
  score:
    kind: score
    inputs: {model: teacher.model, raw: prepare.raw}
  evaluate:
    kind: evaluate
    inputs: {teacher: teacher.model, golden: prepare.golden}
";

/// The pipeline with one part replaced.
pub(crate) fn with(part: &str, replacement: &str) -> String {
    assert!(PIPELINE.contains(part), "`{part}` is not in the pipeline");
    PIPELINE.replacen(part, replacement, 1)
}

fn load_bytes(bytes: &[u8], overrides: &[Override]) -> Result<Dag, Diagnostics> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipeline.yaml");
    std::fs::write(&path, bytes).unwrap();
    for file in [
        "data/train.csv",
        "data/golden.csv",
        "data/raw.csv",
        "models/small/config.json",
        "models/empty/x",
    ] {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "").unwrap();
    }
    dag::load(&path, overrides, KINDS, &resolve_precision)
}

pub(crate) fn load(text: &str) -> Dag {
    load_with(text, &[])
}

pub(crate) fn load_with(text: &str, overrides: &[Override]) -> Dag {
    load_bytes(text.as_bytes(), overrides)
        .map_err(|found| found.to_string())
        .unwrap()
}

pub(crate) fn errors(text: &str) -> String {
    errors_with(text, &[])
}

pub(crate) fn errors_with(text: &str, overrides: &[Override]) -> String {
    errors_of_bytes(text.as_bytes(), overrides)
}

pub(crate) fn errors_of_bytes(bytes: &[u8], overrides: &[Override]) -> String {
    let Err(found) = load_bytes(bytes, overrides) else {
        panic!("nothing was found wrong")
    };
    // The folder is another one in every test.
    let text = found.to_string();
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        lines.push(match (line.find("/"), line.find("pipeline.yaml")) {
            (Some(from), Some(to)) if from < to => format!("{}{}", &line[..from], &line[to..]),
            _ => line.to_owned(),
        });
    }
    lines.join("\n")
}

pub(crate) fn set(argument: &str) -> Override {
    Override::parse(argument).unwrap()
}

pub(crate) fn variable(name: &str, value: &str) -> Override {
    overrides_from_env([(name.to_owned(), value.to_owned())]).remove(0)
}

pub(crate) fn resolve_precision(_: &RuntimeSpec, requested: &str) -> Result<String, String> {
    match requested {
        "auto" | "f32" => Ok("f32".to_owned()),
        other => Err(format!("the backend has no {other}")),
    }
}
