//! `pipeline evaluate`: a labelled table against a model, outside any pipeline.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stage::{ArtifactType, Context, EventSink, InputItem, Invocation, Runtime, SourceOptions};

use crate::args::EvaluateArgs;
use crate::error::{CliError, Exit};
use crate::kinds::KINDS;
use crate::output;
use crate::terminal;

pub(crate) fn evaluate(args: &EvaluateArgs) -> Result<(), CliError> {
    crate::threads::limit(args.compute.threads)?;
    let model = existing(&args.model)?;
    let data = existing(&args.data)?;
    let settings = model::describe(&model).map_err(stage::Failure::from)?;
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
    let invocation = Invocation {
        format: Invocation::FORMAT,
        stage: "evaluate".into(),
        kind: "evaluate".into(),
        params: json!({}),
        seed: 42,
        task: settings.task,
        labels: settings.labels,
        precision: "f32".into(),
        runtime: Runtime {
            device: args.compute.device.clone(),
            backend: args.compute.backend.clone(),
            threads: args.compute.threads,
        },
        inputs: BTreeMap::from([
            ("golden".into(), vec![table(args, data)]),
            ("model".into(), vec![item(model, &args.model, ArtifactType::Model)]),
        ]),
        input_order: vec!["model".into(), "golden".into()],
        output: folder.clone(),
        fingerprint: String::new(),
        parent: None,
    };
    let events = EventSink::new(Box::new(terminal::WarningWriter));
    stage::run_in_process(&Context::new(invocation, events), KINDS)?;
    print(args, &folder)
}

fn print(args: &EvaluateArgs, folder: &Path) -> Result<(), CliError> {
    let read = |file: &str| {
        let path = folder.join(file);
        std::fs::read_to_string(&path).map_err(|error| CliError::io(&path, &error))
    };
    if args.json {
        let report: Value = serde_json::from_str(&read("report.json")?)
            .map_err(|error| CliError::new(Exit::StageFailed, format!("the report is not JSON: {error}")))?;
        return output::print_json(&report);
    }
    output::print(&read("models/model/classification_report.txt")?)?;
    if args.out.is_some() {
        output::print_line(&format!("\n{}", folder.join("report.html").display()))?;
    }
    Ok(())
}

fn table(args: &EvaluateArgs, path: PathBuf) -> InputItem {
    let options = SourceOptions {
        text_column: args.text_column.clone(),
        label_column: args.label_column.clone(),
        ..SourceOptions::default()
    };
    InputItem { options, ..item(path, &args.data, ArtifactType::File) }
}

fn item(path: PathBuf, written: &Path, artifact_type: ArtifactType) -> InputItem {
    InputItem { path, name: written.display().to_string(), artifact_type, options: SourceOptions::default() }
}

fn existing(path: &Path) -> Result<PathBuf, CliError> {
    path.canonicalize().map_err(|error| CliError::io(path, &error))
}

/// Makes `folder`; refuses one that holds something.
pub(crate) fn empty_folder(folder: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).map_err(|error| CliError::io(folder, &error))?;
    let mut entries = std::fs::read_dir(folder).map_err(|error| CliError::io(folder, &error))?;
    if entries.next().is_some() {
        return Err(CliError::new(Exit::Usage, format!("`{}` is not empty", folder.display()))
            .hint("give a folder that does not exist yet"));
    }
    Ok(())
}
