//! What a stage process is given: everything that it may read, write and depend on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use classification::{LabelSet, Task};
use serde::{Deserialize, Serialize};

use crate::{ArtifactType, Failure, Format, Guard};

/// How the rows of a file are found, as far as the pipeline file says so; the rest is detected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceOptions {
    /// Absent: by the file's ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Of a text file, by a name that [`Encoding::from_name`](crate::Encoding::from_name) knows. Absent: UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Of a workbook. Absent: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<Sheet>,
    /// The row with the names of the columns, from 1. Absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u64>,
    /// Absent: `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_column: Option<String>,
    /// Absent: `label` (multi-label: `labels`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// Label in the file → label of the pipeline, or `drop`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub map: BTreeMap<String, String>,
}

/// A sheet of a workbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Sheet {
    /// Counted from 1.
    Number(u32),
    /// By its name.
    Name(String),
}

impl std::fmt::Display for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => write!(f, "`{name}`"),
        }
    }
}

/// One file, directory or artifact that an input consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputItem {
    /// Absolute.
    pub path: PathBuf,
    /// As the user wrote it: `prepare.train`, `datasets/train.csv`. For messages.
    pub name: String,
    /// What it holds.
    pub artifact_type: ArtifactType,
    /// How to read it, for files.
    pub options: SourceOptions,
}

/// Where a stage runs. Not part of a result's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// `auto`, `cpu`, `cuda`, `cuda:N`.
    pub device: String,
    /// `auto`, `flex`, `tch`, `cuda`.
    pub backend: String,
    /// Number of threads; 0 = all cores.
    pub threads: usize,
}

impl Default for Runtime {
    fn default() -> Self {
        Self {
            device: "auto".into(),
            backend: "auto".into(),
            threads: 0,
        }
    }
}

/// A stage that a result stands on, as far as the fingerprint of that stage determines it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ancestor {
    /// Its name in the pipeline file.
    pub stage: String,
    /// Its kind.
    pub kind: String,
    /// Identity of the version used, in hex.
    pub fingerprint: String,
    /// Its resolved params.
    pub params: serde_json::Value,
    /// Input name → items as the user wrote them (`prepare.train`, `datasets/train.csv`), in the file's order.
    pub inputs: Vec<(String, Vec<String>)>,
    /// Folder of the version, with its outputs.
    pub path: PathBuf,
}

/// The whole of a stage process's world, read from a JSON file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invocation {
    /// Version of this format.
    pub format: u32,
    /// The stage's name in the pipeline file.
    pub stage: String,
    /// Which kind does the work.
    pub kind: String,
    /// Resolved params: canonical names, defaults filled in.
    pub params: serde_json::Value,
    /// The stage's seed.
    pub seed: u64,
    /// Single- or multi-label.
    pub task: Task,
    /// Class ids are positions in it.
    pub labels: LabelSet,
    /// `f32`, `bf16` or `int8`, resolved.
    pub precision: String,
    /// Where to run.
    pub runtime: Runtime,
    /// Input name → its items, in the file's order.
    pub inputs: BTreeMap<String, Vec<InputItem>>,
    /// Input names in the order of the pipeline file.
    pub input_order: Vec<String>,
    /// All stages that its inputs come from, those that others need first; empty unless the kind
    /// [uses](crate::Uses::lineage) them.
    #[serde(default)]
    pub lineage: Vec<Ancestor>,
    /// For a kind that measures: whether its models are known not to have learnt from its golden rows.
    #[serde(default)]
    pub guard: Guard,
    /// Tag → `report.json` of the version of this stage that has it, for [tags](crate::StageKind::tags) that the params
    /// refer to. A tag that no version has is absent.
    #[serde(default)]
    pub promoted: BTreeMap<String, PathBuf>,
    /// Where outputs are written; exists and is empty.
    pub output: PathBuf,
    /// A folder that outlives a kill: the next run of the same fingerprint finds in it what this one left. It exists,
    /// and goes when the version is committed. What is in it may be torn: the stage checks what it takes.
    #[serde(default)]
    pub work: Option<PathBuf>,
    /// Identity of the result, in hex.
    pub fingerprint: String,
    /// The engine's process id: the stage ends when this is no longer its parent.
    pub parent: Option<u32>,
}

impl Invocation {
    /// The version of this format that the program reads and writes.
    pub const FORMAT: u32 = 1;

    /// Reads the invocation file at `path`.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
        serde_json::from_str(&text)
            .map_err(|error| Failure::stage(format!("`{}`: not an invocation: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_not_given_leave_no_trace_in_a_key() {
        let json = |options: &SourceOptions| serde_json::to_string(options).unwrap();
        assert_eq!(json(&SourceOptions::default()), "{}");
        let csv = SourceOptions {
            format: Some(Format::Csv),
            encoding: Some("utf-8".to_owned()),
            ..SourceOptions::default()
        };
        assert_eq!(json(&csv), r#"{"format":"csv","encoding":"utf-8"}"#);
    }

    #[test]
    fn a_sheet_is_a_number_or_a_name() {
        let sheet = |text: &str| serde_json::from_str::<Sheet>(text).unwrap();
        assert_eq!(sheet("2"), Sheet::Number(2));
        assert_eq!(sheet("\"2\""), Sheet::Name("2".to_owned()));
    }
}
