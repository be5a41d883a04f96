//! `pipeline review list` and `undo`.

use std::path::Path;

use dag::{Dag, Digest, Store};
use dataset::Verdict;
use serde_json::{Value, json};

use super::history::{DecisionFile, History};
use super::subject::Subject;
use crate::args::ProjectArgs;
use crate::error::CliError;
use crate::{output, table};

pub(super) fn list(project: &ProjectArgs, stage: Option<&str>, json: bool) -> Result<(), CliError> {
    let dag = project.load()?;
    let store = project.store()?;
    let names: Vec<String> = match stage {
        Some(stage) => vec![Subject::find(project, stage)?.name().to_owned()],
        None => dag.stages.iter().map(|spec| spec.name.clone()).collect(),
    };
    let mut documents = Vec::new();
    for name in names {
        let history = History::open(&dag.base_dir, &name)?;
        for file in history.files.iter().rev() {
            let newest = history
                .newest()
                .is_some_and(|newest| newest.number == file.number);
            documents.push(describe(&dag, &store, &name, &history, file, newest)?);
        }
    }
    if json {
        return output::print_json(&json!({"schema_version": 1, "overrides": documents}));
    }
    if documents.is_empty() {
        return output::print_line(
            "no decisions yet: `pipeline review export STAGE --to FILE` begins a review",
        );
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let row = |document: &Value| {
        let marks = document["marks"].as_array().into_iter().flatten();
        let marks: Vec<String> = marks.map(text).collect();
        ["stage", "file", "decisions", "keep", "drop", "label"]
            .iter()
            .map(|key| text(&document[*key]))
            .chain([marks.join(", ")])
            .collect()
    };
    let header = ["stage", "file", "decisions", "keep", "drop", "label", ""];
    output::print(&table::strings(&header, documents.iter().map(row).collect()))
}

fn describe(
    dag: &Dag,
    store: &Store,
    stage: &str,
    history: &History,
    file: &DecisionFile,
    newest: bool,
) -> Result<Value, CliError> {
    let content = std::fs::read(&file.path).map_err(|error| CliError::io(&file.path, &error))?;
    let digest = Digest::of(&content);
    let decisions = file.read(dag)?;
    let count = |wanted: fn(&Verdict) -> bool| {
        decisions
            .iter()
            .filter(|(_, decision)| wanted(&decision.verdict))
            .count()
    };
    let used: Vec<String> = versions_with(store, stage, &digest);
    let mut marks = Vec::new();
    if newest {
        marks.push("counts".to_owned());
    }
    if digest.short() != file.digest {
        marks.push("edited by hand".to_owned());
    }
    if !used.is_empty() {
        marks.push(format!("in {}", used.join(", ")));
    } else if newest {
        marks.push("not run yet".to_owned());
    }
    Ok(json!({
        "stage": stage,
        "file": history.name_of(&file.path),
        "number": file.number,
        "decisions": decisions.len(),
        "keep": count(|verdict| matches!(verdict, Verdict::Keep | Verdict::KeepAs(_))),
        "drop": count(|verdict| *verdict == Verdict::Drop),
        "label": count(|verdict| matches!(verdict, Verdict::Label(_))),
        "newest": newest,
        "versions": used,
        "marks": marks,
    }))
}

/// Versions of the stage that these decisions went into.
fn versions_with(store: &Store, stage: &str, digest: &Digest) -> Vec<String> {
    let versions = store.versions(stage).into_iter();
    versions
        .filter_map(|name| store.load(stage, &name).ok())
        .filter(|version| {
            let inputs = version
                .manifest
                .inputs
                .iter()
                .filter(|input| input.name == "overrides");
            inputs
                .flat_map(|input| &input.items)
                .any(|item| item.digest == *digest)
        })
        .map(|version| version.reference())
        .collect()
}

pub(super) fn undo(project: &ProjectArgs, stage: &str) -> Result<(), CliError> {
    let subject = Subject::find(project, stage)?;
    let history = subject.history()?;
    let (undone, aside) = history.undo()?;
    let left = subject.history()?;
    let name = |path: &Path| history.name_of(path);
    output::print_line(&match left.newest() {
        Some(newest) => format!("{} counts again", name(&newest.path)),
        None => format!("no decisions about `{}` count any more", subject.name()),
    })?;
    output::print_line(&format!(
        "{} is now {}: rename it to have it back",
        name(&undone.path),
        name(&aside)
    ))
}
