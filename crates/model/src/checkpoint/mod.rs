//! The tensors of a model directory: `model.safetensors`, `pytorch_model.bin`, or either in several files.

mod convert;
mod pytorch_file;
mod safetensors_file;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ModelError;
pub(crate) use write::write;

use pytorch_file::PytorchFile;
use safetensors_file::SafetensorsFile;

/// The file's name within a model directory.
const SAFETENSORS: &str = "model.safetensors";
/// The same in the format that came before.
const PYTORCH: &str = "pytorch_model.bin";

/// An open checkpoint. Its tensors are read one at a time.
pub(crate) struct Checkpoint {
    files: Vec<CheckpointFile>,
    tensors: BTreeMap<String, Place>,
}

enum CheckpointFile {
    Safetensors(SafetensorsFile),
    Pytorch(PytorchFile),
}

/// Where a tensor lies, and its shape.
struct Place {
    file: usize,
    shape: Vec<usize>,
}

impl Checkpoint {
    /// Opens the checkpoint of `directory`; `model.safetensors` wins over `pytorch_model.bin`.
    pub(crate) fn open(directory: &Path) -> Result<Self, ModelError> {
        for name in [SAFETENSORS, PYTORCH] {
            let path = directory.join(name);
            if path.exists() {
                return Self::of(vec![CheckpointFile::open(path)?]);
            }
            let index = directory.join(format!("{name}.index.json"));
            if index.exists() {
                return Self::sharded(directory, &index);
            }
        }
        Err(ModelError::Missing {
            directory: directory.to_owned(),
            file: SAFETENSORS,
        })
    }

    /// The files that `index` names.
    fn sharded(directory: &Path, index: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(index).map_err(|error| ModelError::io(index, error))?;
        let map: ShardIndex =
            serde_json::from_str(&text).map_err(|error| ModelError::invalid(index, error))?;
        let mut names: Vec<&String> = map.weight_map.values().collect();
        names.sort_unstable();
        names.dedup();
        let mut files = Vec::with_capacity(names.len());
        for name in &names {
            if Path::new(name)
                .file_name()
                .is_none_or(|file| file != name.as_str())
            {
                return Err(ModelError::invalid(
                    index,
                    format!("`{name}` is not a file beside it"),
                ));
            }
            files.push(CheckpointFile::open(directory.join(name))?);
        }
        let checkpoint = Self::of(files)?;
        for (tensor, name) in &map.weight_map {
            let place = checkpoint.tensors.get(tensor);
            if place.is_none_or(|place| names[place.file] != name) {
                return Err(ModelError::NoTensor {
                    path: directory.join(name),
                    tensor: tensor.clone(),
                });
            }
        }
        Ok(checkpoint)
    }

    fn of(files: Vec<CheckpointFile>) -> Result<Self, ModelError> {
        let mut tensors = BTreeMap::new();
        for (number, file) in files.iter().enumerate() {
            for (name, shape) in file.shapes() {
                if tensors
                    .insert(name.clone(), Place { file: number, shape })
                    .is_some()
                {
                    return Err(ModelError::invalid(
                        file.path(),
                        format!("tensor `{name}` is in another file, too"),
                    ));
                }
            }
        }
        Ok(Self { files, tensors })
    }

    /// Names of all tensors, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The first dimension of `name`.
    pub(crate) fn rows(&self, name: &str) -> Result<usize, ModelError> {
        let rows = self
            .tensors
            .get(name)
            .and_then(|place| place.shape.first().copied());
        rows.ok_or_else(|| self.no_tensor(name))
    }

    /// The values of `name`, which must have `shape`, as f32.
    pub(crate) fn read(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let Some(place) = self.tensors.get(name) else {
            return Err(self.no_tensor(name));
        };
        let file = &mut self.files[place.file];
        if place.shape != shape {
            return Err(ModelError::Shape {
                path: file.path().to_owned(),
                tensor: name.to_owned(),
                expected: shape.to_vec(),
                found: place.shape.clone(),
            });
        }
        match file {
            CheckpointFile::Safetensors(file) => file.read(name),
            CheckpointFile::Pytorch(file) => file.read(name),
        }
    }

    fn no_tensor(&self, name: &str) -> ModelError {
        let path = self
            .files
            .first()
            .map(CheckpointFile::path)
            .unwrap_or(Path::new(SAFETENSORS));
        ModelError::NoTensor {
            path: path.to_owned(),
            tensor: name.to_owned(),
        }
    }
}

impl CheckpointFile {
    fn open(path: PathBuf) -> Result<Self, ModelError> {
        if path
            .extension()
            .is_some_and(|extension| extension == "safetensors")
        {
            SafetensorsFile::open(path).map(Self::Safetensors)
        } else {
            PytorchFile::open(path).map(Self::Pytorch)
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Safetensors(file) => file.path(),
            Self::Pytorch(file) => file.path(),
        }
    }

    fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let owned = |(name, shape): (&str, &[usize])| (name.to_owned(), shape.to_vec());
        match self {
            Self::Safetensors(file) => file.shapes().map(owned).collect(),
            Self::Pytorch(file) => file.shapes().map(owned).collect(),
        }
    }
}

/// `model.safetensors.index.json`.
#[derive(Deserialize)]
struct ShardIndex {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}
