//! Reads and writes `model.safetensors`, tensor by tensor: a checkpoint is never in memory twice.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::ModelError;
use crate::build::Exported;

/// The file's name within a model directory.
pub(crate) const FILE: &str = "model.safetensors";

/// Bytes that are read and converted at a time.
const CHUNK: usize = 1 << 20;

/// An open checkpoint whose header was checked against the file's length.
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: File,
    data_start: u64,
    tensors: BTreeMap<String, TensorInfo>,
}

impl Checkpoint {
    /// Opens `model.safetensors` of `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, ModelError> {
        let path = directory.join(FILE);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ModelError::Missing { directory: directory.to_owned(), file: FILE });
            }
            Err(error) => return Err(ModelError::io(&path, error)),
        };
        let length = file.metadata().map_err(|error| ModelError::io(&path, error))?.len();
        let truncated = |needed: u64| {
            ModelError::invalid(&path, format!("truncated: {length} bytes of {needed}; fetch or make it again"))
        };
        if length < 8 {
            return Err(truncated(8));
        }
        let mut prefix = [0; 8];
        file.read_exact(&mut prefix).map_err(|error| ModelError::io(&path, error))?;
        let header_length = u64::from_le_bytes(prefix);
        // The format's own bound: no checkpoint has 100 MB of names.
        if header_length > 100_000_000 {
            return Err(ModelError::invalid(&path, "not a safetensors file"));
        }
        let data_start = 8 + header_length;
        if data_start > length {
            return Err(truncated(data_start));
        }
        let mut header = vec![0; header_length as usize];
        file.read_exact(&mut header).map_err(|error| ModelError::io(&path, error))?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| ModelError::invalid(&path, format!("not a safetensors file: {error}")))?;
        let end = data_start + metadata.data_len() as u64;
        if end > length {
            return Err(truncated(end));
        }
        if end < length {
            return Err(ModelError::invalid(&path, format!("{} bytes follow the last tensor", length - end)));
        }
        let tensors = metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        Ok(Self { path, file, data_start, tensors })
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
        let info = self.tensors.get(name);
        let rows = info.and_then(|info| info.shape.first().copied());
        rows.ok_or_else(|| ModelError::NoTensor { path: self.path.clone(), tensor: name.to_owned() })
    }

    /// The values of `name`, which must have `shape`, as f32.
    pub(crate) fn read(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let Some(info) = self.tensors.get(name) else {
            return Err(ModelError::NoTensor { path: self.path.clone(), tensor: name.to_owned() });
        };
        if info.shape != shape {
            return Err(ModelError::Shape {
                path: self.path.clone(),
                tensor: name.to_owned(),
                expected: shape.to_vec(),
                found: info.shape.clone(),
            });
        }
        let convert: fn(&[u8], &mut Vec<f32>) = match info.dtype {
            Dtype::F32 => from_f32,
            Dtype::F16 => from_f16,
            Dtype::BF16 => from_bf16,
            other => {
                let reason = format!("tensor `{name}` is of type {other:?}; F32, F16 and BF16 are supported");
                return Err(ModelError::invalid(&self.path, reason));
            }
        };
        let (start, end) = info.data_offsets;
        let io = |error| ModelError::io(&self.path, error);
        self.file.seek(SeekFrom::Start(self.data_start + start as u64)).map_err(io)?;
        let mut values = Vec::with_capacity(shape.iter().product());
        let mut chunk = vec![0; CHUNK.min(end - start)];
        let mut left = end - start;
        while left > 0 {
            let part = &mut chunk[..left.min(CHUNK)];
            self.file.read_exact(part).map_err(io)?;
            convert(part, &mut values);
            left -= part.len();
        }
        Ok(values)
    }
}

fn from_f32(bytes: &[u8], values: &mut Vec<f32>) {
    let (numbers, _) = bytes.as_chunks::<4>();
    values.extend(numbers.iter().map(|number| f32::from_le_bytes(*number)));
}

/// bf16 is the upper half of an f32.
fn from_bf16(bytes: &[u8], values: &mut Vec<f32>) {
    let (numbers, _) = bytes.as_chunks::<2>();
    values.extend(numbers.iter().map(|[low, high]| f32::from_le_bytes([0, 0, *low, *high])));
}

fn from_f16(bytes: &[u8], values: &mut Vec<f32>) {
    let data = TensorData::from_bytes_vec(bytes.to_vec(), [bytes.len() / 2], DType::F16);
    values.extend(data.iter::<f32>());
}

/// Writes `parameters` to `model.safetensors` of `directory`: sorted by name, so that equal weights give equal bytes.
pub(crate) fn write(directory: &Path, mut parameters: Vec<Exported>) -> Result<(), ModelError> {
    let path = directory.join(FILE);
    parameters.sort_by(|a, b| a.name.cmp(&b.name));
    let mut offset = 0;
    let mut infos = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        let end = offset + 4 * parameter.shape.iter().product::<usize>();
        let info = TensorInfo { dtype: Dtype::F32, shape: parameter.shape.clone(), data_offsets: (offset, end) };
        infos.push((parameter.name.clone(), info));
        offset = end;
    }
    // transformers 4 refuses metadata without a format that it knows; more than one key would be in random order.
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(format), infos).map_err(|error| ModelError::invalid(&path, error))?;
    let mut header = serde_json::to_vec(&metadata).map_err(|error| ModelError::invalid(&path, error))?;
    header.resize(header.len().next_multiple_of(8), b' ');

    let io = |error| ModelError::io(&path, error);
    let mut writer = BufWriter::with_capacity(CHUNK, File::create(&path).map_err(io)?);
    writer.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
    writer.write_all(&header).map_err(io)?;
    for parameter in &parameters {
        for value in parameter.values()? {
            writer.write_all(&value.to_le_bytes()).map_err(io)?;
        }
    }
    writer.flush().map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one tensor `t` of `values`, as `dtype`.
    fn file(directory: &Path, dtype: &str, values: &[u8], elements: usize) {
        let end = values.len();
        let header = format!(r#"{{"t":{{"dtype":"{dtype}","shape":[{elements}],"data_offsets":[0,{end}]}}}}"#);
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(values);
        std::fs::write(directory.join(FILE), bytes).unwrap();
    }

    fn read(dtype: &str, values: &[u8]) -> Vec<f32> {
        let directory = tempfile::tempdir().unwrap();
        file(directory.path(), dtype, values, 2);
        Checkpoint::open(directory.path()).unwrap().read("t", &[2]).unwrap()
    }

    #[test]
    fn half_precision_becomes_f32() {
        assert_eq!(read("F16", &[0x00, 0x3c, 0x00, 0xc1]), [1.0, -2.5]);
        assert_eq!(read("BF16", &[0x80, 0x3f, 0x20, 0xc0]), [1.0, -2.5]);
    }

    #[test]
    fn a_truncated_file_says_how_much_is_there() {
        let directory = tempfile::tempdir().unwrap();
        file(directory.path(), "F32", &[0; 8], 2);
        let path = directory.path().join(FILE);
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 7, 20, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let message = Checkpoint::open(directory.path()).err().unwrap().to_string();
            assert!(message.contains(&format!("truncated: {length} bytes of ")), "{message}");
        }
    }

    #[test]
    fn any_other_file_is_not_a_checkpoint() {
        let directory = tempfile::tempdir().unwrap();
        for content in ["version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "\x04\0\0\0\0\0\0\0none"] {
            std::fs::write(directory.path().join(FILE), content).unwrap();
            let message = Checkpoint::open(directory.path()).err().unwrap().to_string();
            assert!(message.contains("not a safetensors file"), "{message}");
        }
    }

    #[test]
    fn a_type_that_is_no_float_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        file(directory.path(), "I64", &[0; 16], 2);
        let message = Checkpoint::open(directory.path()).unwrap().read("t", &[2]).unwrap_err().to_string();
        assert!(message.contains("tensor `t` is of type I64"), "{message}");
    }
}
