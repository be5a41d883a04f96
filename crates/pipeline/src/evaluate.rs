//! `pipeline evaluate`: a labelled table against one model or several, outside any pipeline.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use classification::{LabelSet, Task};
use serde_json::{Value, json};
use stage::{ArtifactType, Context, EventSink, InputItem, Invocation, Runtime, SourceOptions};

use crate::args::EvaluateArgs;
use crate::error::{CliError, Exit};
use crate::kinds::KINDS;
use crate::output;
use crate::terminal::StageWriter;

pub(crate) fn evaluate(args: &EvaluateArgs, quiet: bool) -> Result<(), CliError> {
    crate::threads::limit(args.compute.threads)?;
    let data = existing(&args.data)?;
    let models = named(&args.model);
    let (labels, task) = common_labels(&models)?;
    let temporary;
    let folder = match &args.out {
        Some(folder) => {
            empty_folder(folder)?;
            folder.clone()
        }
        None => {
            temporary = tempfile::tempdir().map_err(|error| CliError::io(&std::env::temp_dir(), &error))?;
            temporary.path().to_owned()
        }
    };
    let mut inputs = BTreeMap::from([("golden".to_owned(), vec![table(args, data)])]);
    for (name, directory) in &models {
        inputs.insert(
            name.clone(),
            vec![item(existing(directory)?, directory, ArtifactType::Model)],
        );
    }
    let invocation = Invocation {
        format: Invocation::FORMAT,
        stage: "evaluate".into(),
        kind: "evaluate".into(),
        params: json!({}),
        seed: 42,
        task,
        labels,
        precision: args.compute.choose()?.precision.name().into(),
        runtime: Runtime {
            device: args.compute.device.clone(),
            backend: args.compute.backend.clone(),
            threads: args.compute.threads,
        },
        inputs,
        input_order: models
            .iter()
            .map(|(name, _)| name.clone())
            .chain(["golden".to_owned()])
            .collect(),
        lineage: Vec::new(),
        guard: stage::Guard::Unknown,
        promoted: std::collections::BTreeMap::new(),
        output: folder.clone(),
        work: None,
        fingerprint: String::new(),
        parent: None,
    };
    let events = EventSink::new(Box::new(StageWriter::new("evaluate", quiet)));
    stage::run_in_process(&Context::new(invocation, events), KINDS)?;
    print(args, &models, &folder)
}

/// Names in the report: `model`; of several `model_1`, `model_2`, …
fn named(directories: &[PathBuf]) -> Vec<(String, &Path)> {
    match directories {
        [one] => vec![("model".to_owned(), one.as_path())],
        several => several
            .iter()
            .enumerate()
            .map(|(position, directory)| (format!("model_{}", position + 1), directory.as_path()))
            .collect(),
    }
}

/// Labels and task of the models, which must not differ.
fn common_labels(models: &[(String, &Path)]) -> Result<(LabelSet, Task), CliError> {
    let mut first: Option<(&Path, LabelSet, Task)> = None;
    for (_, directory) in models {
        let model = model::describe(&existing(directory)?).map_err(stage::Failure::from)?;
        let Some((before, labels, task)) = &first else {
            first = Some((directory, model.labels, model.task));
            continue;
        };
        let names = |labels: &LabelSet| labels.names().collect::<Vec<_>>().join(", ");
        let (ours, theirs) = (names(labels), names(&model.labels));
        if ours != theirs || *task != model.task {
            let message = format!(
                "`{}` and `{}` cannot be compared: the labels of the first are {ours}; those of the second {theirs}",
                before.display(),
                directory.display()
            );
            return Err(CliError::new(Exit::StageFailed, message)
                .hint("models that are compared have the same labels in the same order, and the same task"));
        }
    }
    first
        .map(|(_, labels, task)| (labels, task))
        .ok_or_else(|| CliError::new(Exit::Usage, "no model is given").hint("name one with --model DIR"))
}

fn print(args: &EvaluateArgs, models: &[(String, &Path)], folder: &Path) -> Result<(), CliError> {
    let read = |file: &str| {
        let path = folder.join(file);
        std::fs::read_to_string(&path).map_err(|error| CliError::io(&path, &error))
    };
    let report: Value = serde_json::from_str(&read("report.json")?)
        .map_err(|error| CliError::new(Exit::StageFailed, format!("the report is not JSON: {error}")))?;
    if args.json {
        return output::print_json(&report);
    }
    for (name, directory) in models {
        if models.len() > 1 {
            output::print_line(&format!("{name}: {}", directory.display()))?;
        }
        output::print(&read(&format!("models/{name}/classification_report.txt"))?)?;
        if models.len() > 1 {
            output::print_line("")?;
        }
    }
    if let Some(comparison) = comparison(&report["comparison"]) {
        output::print_line(&comparison)?;
    }
    if args.out.is_some() {
        output::print_line(&format!("\n{}", folder.join("report.html").display()))?;
    }
    Ok(())
}

/// `model_2 against model_1: macro-F1 +0.0123 (95 % from -0.0100 to +0.0300), 12 rows fixed, 9 broken, McNemar p 0.66`
fn comparison(comparison: &Value) -> Option<String> {
    let text = |key: &str| comparison[key].as_str();
    let number = |value: &Value| value.as_f64();
    let (candidate, baseline) = (text("candidate")?, text("baseline")?);
    let difference = number(&comparison["macro_f1_difference"])?;
    let interval = number(&comparison["ci95"][0]).zip(number(&comparison["ci95"][1]));
    let interval = interval
        .map(|(low, high)| format!(" (95 % from {low:+.4} to {high:+.4})"))
        .unwrap_or_default();
    let (fixed, broken) = (comparison["fixed"].as_u64()?, comparison["broken"].as_u64()?);
    let p_value = number(&comparison["mcnemar_p"])?;
    Some(format!(
        "{candidate} against {baseline}: macro-F1 {difference:+.4}{interval}, {fixed} rows fixed, {broken} broken, McNemar p {p_value:.3}"
    ))
}

fn table(args: &EvaluateArgs, path: PathBuf) -> InputItem {
    let options = SourceOptions {
        text_column: args.text_column.clone(),
        label_column: args.label_column.clone(),
        ..args.source.options()
    };
    InputItem {
        options,
        ..item(path, &args.data, ArtifactType::File)
    }
}

fn item(path: PathBuf, written: &Path, artifact_type: ArtifactType) -> InputItem {
    InputItem {
        path,
        name: written.display().to_string(),
        artifact_type,
        options: SourceOptions::default(),
    }
}

fn existing(path: &Path) -> Result<PathBuf, CliError> {
    path.canonicalize().map_err(|error| CliError::io(path, &error))
}

/// Makes `folder`; refuses one that holds something.
pub(crate) fn empty_folder(folder: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).map_err(|error| CliError::io(folder, &error))?;
    let mut entries = std::fs::read_dir(folder).map_err(|error| CliError::io(folder, &error))?;
    if entries.next().is_some() {
        return Err(
            CliError::new(Exit::Usage, format!("`{}` is not empty", folder.display()))
                .hint("give a folder that does not exist yet"),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_model_is_model_and_several_are_numbered() {
        let names = |directories: &[PathBuf]| {
            named(directories)
                .into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&["a".into()]), ["model"]);
        assert_eq!(names(&["a".into(), "b".into()]), ["model_1", "model_2"]);
    }

    #[test]
    fn a_comparison_is_one_line() {
        let comparison = comparison(&json!({
            "baseline": "model_1", "candidate": "model_2", "macro_f1_difference": 0.0123, "ci95": [-0.01, 0.03],
            "mcnemar_p": 0.664, "fixed": 12, "broken": 9,
        }));
        assert_eq!(
            comparison.unwrap(),
            "model_2 against model_1: macro-F1 +0.0123 (95 % from -0.0100 to +0.0300), 12 rows fixed, 9 broken, McNemar p 0.664"
        );
    }
}
