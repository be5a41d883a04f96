//! Predictions as a table.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use dataset::Column;
use serde::Serialize;

use super::answer::{Answer, Choice};
use crate::error::{CliError, Exit};

/// What the ending of a file's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Jsonl,
    Parquet,
}

impl Kind {
    /// The kind of table that `path` asks for. Its folder must exist.
    pub(super) fn of(path: &Path) -> Result<Self, CliError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::metadata(folder).map_err(|error| CliError::io(folder, &error))?;
        }
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl") => Ok(Self::Jsonl),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(CliError::new(
                Exit::Usage,
                format!("`{}`: cannot write this format", path.display()),
            )
            .hint("the file's ending must be csv, jsonl or parquet")),
        }
    }
}

/// Columns `id` (where there are ids), `text`, `label`, `score`, `second`, `margin`; all but csv have `logits`
/// (jsonl only) and `probabilities`, too.
pub(super) fn write(path: &Path, ids: Option<&[String]>, answers: &[Answer]) -> Result<(), CliError> {
    let kind = Kind::of(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let written = match kind {
        Kind::Csv => write_csv(&temporary, ids, answers),
        Kind::Jsonl => write_jsonl(&temporary, ids, answers),
        Kind::Parquet => write_parquet(&temporary, ids, answers),
    };
    // The old file or the new one, never half of it.
    let replaced =
        written.and_then(|()| std::fs::rename(&temporary, path).map_err(|error| CliError::io(path, &error)));
    if replaced.is_err() {
        drop(std::fs::remove_file(&temporary));
    }
    replaced
}

fn write_csv(path: &Path, ids: Option<&[String]>, answers: &[Answer]) -> Result<(), CliError> {
    let failed = |error: csv::Error| CliError::new(Exit::Storage, format!("`{}`: {error}", path.display()));
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    let header = ["text", "label", "score", "second", "margin"];
    writer
        .write_record(ids.map(|_| "id").into_iter().chain(header))
        .map_err(failed)?;
    for (row, answer) in answers.iter().enumerate() {
        let (label, score, margin) = (
            answer.label.cell(),
            answer.score.to_string(),
            answer.margin.to_string(),
        );
        let second = answer.second.as_deref().unwrap_or_default();
        let fields = [&answer.text, label.as_str(), &score, second, &margin];
        writer
            .write_record(ids.map(|ids| ids[row].as_str()).into_iter().chain(fields))
            .map_err(failed)?;
    }
    writer.flush().map_err(|error| CliError::io(path, &error))
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(flatten)]
    answer: &'a Answer,
}

fn write_jsonl(path: &Path, ids: Option<&[String]>, answers: &[Answer]) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::io(path, &error);
    let mut writer = BufWriter::new(File::create(path).map_err(failed)?);
    for (row, answer) in answers.iter().enumerate() {
        let line = Line {
            id: ids.map(|ids| ids[row].as_str()),
            answer,
        };
        serde_json::to_writer(&mut writer, &line).map_err(|error| failed(error.into()))?;
        writer.write_all(b"\n").map_err(failed)?;
    }
    writer.flush().map_err(failed)
}

fn write_parquet(path: &Path, ids: Option<&[String]>, answers: &[Answer]) -> Result<(), CliError> {
    let text = |of: fn(&Answer) -> Option<String>| answers.iter().map(of).collect::<Vec<_>>();
    let mut columns = Vec::new();
    if let Some(ids) = ids {
        columns.push(Column::Str("id".into(), ids.iter().cloned().map(Some).collect()));
    }
    columns.push(Column::Str(
        "text".into(),
        text(|answer| Some(answer.text.clone())),
    ));
    columns.push(labels(answers));
    columns.push(Column::F32(
        "score".into(),
        answers.iter().map(|answer| answer.score).collect(),
    ));
    columns.push(Column::Str("second".into(), text(|answer| answer.second.clone())));
    columns.push(Column::F32(
        "margin".into(),
        answers.iter().map(|answer| answer.margin).collect(),
    ));
    let probabilities = answers
        .iter()
        .map(|answer| answer.probabilities.clone())
        .collect();
    columns.push(Column::ListF32("probabilities".into(), probabilities));
    dataset::write_columns(path, columns).map_err(|error| CliError::from(stage::Failure::from(error)))
}

/// Strings, or lists of them for multi-label.
fn labels(answers: &[Answer]) -> Column {
    let list = |answer: &Answer| match &answer.label {
        Choice::One(label) => vec![label.clone()],
        Choice::Several(labels) => labels.clone(),
    };
    if answers
        .iter()
        .any(|answer| matches!(answer.label, Choice::Several(_)))
    {
        return Column::ListStr("label".into(), answers.iter().map(list).collect());
    }
    Column::Str(
        "label".into(),
        answers.iter().map(|answer| Some(answer.label.cell())).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_an_unknown_kind_is_refused_before_the_work() {
        assert_eq!(Kind::of(Path::new("out.xlsx")).unwrap_err().exit, Exit::Usage);
        assert_eq!(
            Kind::of(Path::new("nowhere/out.csv")).unwrap_err().exit,
            Exit::Missing
        );
        assert_eq!(Kind::of(Path::new("out.jsonl")).unwrap(), Kind::Jsonl);
    }
}
