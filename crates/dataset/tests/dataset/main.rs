//! Tables from files and back: one binary, as linking polars takes long.

mod encodings;
mod inspect;
mod leaks;
mod multi_label;
mod objects;
mod overrides;
mod read;
mod select;
mod stream;
mod targets;
mod workbooks;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use classification::{LabelSet, Task};
use dataset::{DatasetError, Labelled, Normalize, Raw, ReadOptions};
use stage::{ArtifactType, InputItem, SourceOptions};
use tempfile::TempDir;

/// A folder with files of its own.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file; the item that stands for it.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> InputItem {
        std::fs::write(self.path(name), content).unwrap();
        self.item(name, ArtifactType::File)
    }

    fn item(&self, name: &str, artifact_type: ArtifactType) -> InputItem {
        InputItem {
            path: self.path(name),
            name: name.to_owned(),
            artifact_type,
            options: SourceOptions::default(),
        }
    }
}

fn labels() -> LabelSet {
    serde_json::from_str(
        r#"[{"name": "분노"}, {"name": "불안"}, {"name": "기쁨", "slug": "happy", "aliases": ["행복"]}]"#,
    )
    .unwrap()
}

fn options(labels: &LabelSet) -> ReadOptions<'_> {
    ReadOptions {
        task: Task::SingleLabel,
        labels,
        normalize: Normalize::Nfc,
        input_name: "train",
    }
}

fn labelled(items: &[InputItem]) -> Result<Labelled, DatasetError> {
    let labels = labels();
    dataset::read_labelled(items, &options(&labels))
}

/// The class of every row.
fn classes(table: &Labelled) -> Vec<usize> {
    table.labels.iter().filter_map(|ids| ids.first()).collect()
}

fn raw(items: &[InputItem]) -> Result<Raw, DatasetError> {
    let labels = labels();
    dataset::read_raw(
        items,
        &ReadOptions {
            input_name: "raw",
            ..options(&labels)
        },
    )
}

fn message(result: Result<Labelled, DatasetError>) -> String {
    result.unwrap_err().to_string()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
        .collect()
}

/// The project's data lies beside the checkout; without it the test says so.
fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no `{}`", path.display());
    None
}
