//! Texts from a table, predictions into a table.

use std::path::Path;

use classification::LabelSet;
use dataset::{Column, Normalize, ReadOptions};
use serde_json::json;
use stage::{ArtifactType, InputItem, SourceOptions};

use super::Answer;
use crate::args::PredictArgs;
use crate::error::{CliError, Exit};

/// Rows as read: what is empty in the table is dropped by the reader and said.
pub(super) struct Input {
    pub(super) ids: Vec<String>,
    pub(super) texts: Vec<String>,
}

pub(super) fn read(path: &Path, args: &PredictArgs, labels: &LabelSet) -> Result<Input, CliError> {
    let absolute = path.canonicalize().map_err(|error| CliError::io(path, &error))?;
    let item = InputItem {
        path: absolute,
        name: path.display().to_string(),
        artifact_type: ArtifactType::File,
        options: SourceOptions { text_column: args.text_column.clone(), ..SourceOptions::default() },
    };
    // As it stands in the table: the model's own normalisation comes later.
    let options =
        ReadOptions { task: classification::Task::SingleLabel, labels, normalize: Normalize::None, input_name: "input" };
    let raw = dataset::read_raw(&[item], &options).map_err(stage::Failure::from)?;
    Ok(Input { ids: raw.ids, texts: raw.texts })
}

/// Columns `id` (with a table as input), `text`, `label`, `score`, `second`, `margin`, `probabilities`.
pub(super) fn write(path: &Path, input: Option<&Input>, answers: &[Answer]) -> Result<(), CliError> {
    let ids = input.map(|input| input.ids.as_slice());
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let temporary = path.with_extension(format!("{ending}.tmp"));
    let written = match ending {
        "csv" => write_csv(&temporary, ids, answers),
        "jsonl" => write_jsonl(&temporary, ids, answers),
        "parquet" => write_parquet(&temporary, ids, answers),
        _ => {
            return Err(CliError::new(Exit::Usage, format!("`{}`: cannot write this format", path.display()))
                .hint("the file's ending must be csv, jsonl or parquet"));
        }
    };
    // The old file or the new one, never half of it.
    written.and_then(|()| std::fs::rename(&temporary, path).map_err(|error| CliError::io(path, &error))).inspect_err(|_| {
        drop(std::fs::remove_file(&temporary));
    })
}

fn write_csv(path: &Path, ids: Option<&[String]>, answers: &[Answer]) -> Result<(), CliError> {
    let failed = |error: csv::Error| CliError::new(Exit::Storage, format!("`{}`: {error}", path.display()));
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    let header = ["text", "label", "score", "second", "margin"];
    writer.write_record(ids.map(|_| "id").into_iter().chain(header)).map_err(failed)?;
    for (row, answer) in answers.iter().enumerate() {
        let (score, margin) = (answer.score.to_string(), answer.margin.to_string());
        let second = answer.second.as_deref().unwrap_or_default();
        let fields = [&answer.text, &answer.label, &score, second, &margin];
        writer.write_record(ids.map(|ids| ids[row].as_str()).into_iter().chain(fields)).map_err(failed)?;
    }
    writer.flush().map_err(|error| CliError::io(path, &error))
}

fn write_jsonl(path: &Path, ids: Option<&[String]>, answers: &[Answer]) -> Result<(), CliError> {
    let mut text = String::new();
    for (row, answer) in answers.iter().enumerate() {
        let mut object = json!(answer);
        if let (Some(ids), Some(fields)) = (ids, object.as_object_mut()) {
            fields.insert("id".into(), json!(ids[row]));
        }
        text.push_str(&object.to_string());
        text.push('\n');
    }
    std::fs::write(path, text).map_err(|error| CliError::io(path, &error))
}

fn write_parquet(path: &Path, ids: Option<&[String]>, answers: &[Answer]) -> Result<(), CliError> {
    let text = |of: fn(&Answer) -> Option<String>| answers.iter().map(of).collect::<Vec<_>>();
    let mut columns = Vec::new();
    if let Some(ids) = ids {
        columns.push(Column::Str("id".into(), ids.iter().cloned().map(Some).collect()));
    }
    columns.push(Column::Str("text".into(), text(|answer| Some(answer.text.clone()))));
    columns.push(Column::Str("label".into(), text(|answer| Some(answer.label.clone()))));
    columns.push(Column::F32("score".into(), answers.iter().map(|answer| answer.score).collect()));
    columns.push(Column::Str("second".into(), text(|answer| answer.second.clone())));
    columns.push(Column::F32("margin".into(), answers.iter().map(|answer| answer.margin).collect()));
    let probabilities = answers.iter().map(|answer| answer.probabilities.clone()).collect();
    columns.push(Column::ListF32("probabilities".into(), probabilities));
    dataset::write_columns(path, columns).map_err(|error| CliError::from(stage::Failure::from(error)))
}
