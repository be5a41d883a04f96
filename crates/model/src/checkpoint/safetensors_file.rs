//! One file of the safetensors format, read tensor by tensor: a checkpoint is never in memory twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::convert::{from_bf16, from_f16, from_f32};
use crate::ModelError;

/// Bytes that are read and converted at a time.
pub(super) const CHUNK: usize = 1 << 20;

/// An open checkpoint whose header was checked against the file's length.
pub(super) struct SafetensorsFile {
    path: PathBuf,
    file: File,
    data_start: u64,
    tensors: BTreeMap<String, TensorInfo>,
}

impl SafetensorsFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ModelError> {
        let mut file = File::open(&path).map_err(|error| ModelError::io(&path, error))?;
        let length = file
            .metadata()
            .map_err(|error| ModelError::io(&path, error))?
            .len();
        let truncated = |needed: u64| {
            ModelError::invalid(
                &path,
                format!("truncated: {length} bytes of {needed}; fetch or make it again"),
            )
        };
        if length < 8 {
            return Err(truncated(8));
        }
        let mut prefix = [0; 8];
        file.read_exact(&mut prefix)
            .map_err(|error| ModelError::io(&path, error))?;
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
        file.read_exact(&mut header)
            .map_err(|error| ModelError::io(&path, error))?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| ModelError::invalid(&path, format!("not a safetensors file: {error}")))?;
        let end = data_start + metadata.data_len() as u64;
        if end > length {
            return Err(truncated(end));
        }
        if end < length {
            return Err(ModelError::invalid(
                &path,
                format!("{} bytes follow the last tensor", length - end),
            ));
        }
        let tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| (name, info.clone()))
            .collect();
        Ok(Self {
            path,
            file,
            data_start,
            tensors,
        })
    }

    /// Names and shapes of all tensors.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors
            .iter()
            .map(|(name, info)| (name.as_str(), info.shape.as_slice()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The values of `name` as f32.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<f32>, ModelError> {
        let Some(info) = self.tensors.get(name) else {
            return Err(ModelError::NoTensor {
                path: self.path.clone(),
                tensor: name.to_owned(),
            });
        };
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
        self.file
            .seek(SeekFrom::Start(self.data_start + start as u64))
            .map_err(io)?;
        let mut values = Vec::with_capacity(info.shape.iter().product());
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

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "model.safetensors";

    /// A file with one tensor `t` of `values`, as `dtype`.
    fn file(directory: &Path, dtype: &str, values: &[u8], elements: usize) {
        let end = values.len();
        let header =
            format!(r#"{{"t":{{"dtype":"{dtype}","shape":[{elements}],"data_offsets":[0,{end}]}}}}"#);
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(values);
        std::fs::write(directory.join(FILE), bytes).unwrap();
    }

    fn read(dtype: &str, values: &[u8]) -> Vec<f32> {
        let directory = tempfile::tempdir().unwrap();
        file(directory.path(), dtype, values, 2);
        SafetensorsFile::open(directory.path().join(FILE))
            .unwrap()
            .read("t")
            .unwrap()
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
            let message = SafetensorsFile::open(directory.path().join(FILE))
                .err()
                .unwrap()
                .to_string();
            assert!(
                message.contains(&format!("truncated: {length} bytes of ")),
                "{message}"
            );
        }
    }

    #[test]
    fn any_other_file_is_not_a_checkpoint() {
        let directory = tempfile::tempdir().unwrap();
        for content in [
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
            "\x04\0\0\0\0\0\0\0none",
        ] {
            std::fs::write(directory.path().join(FILE), content).unwrap();
            let message = SafetensorsFile::open(directory.path().join(FILE))
                .err()
                .unwrap()
                .to_string();
            assert!(message.contains("not a safetensors file"), "{message}");
        }
    }

    #[test]
    fn a_type_that_is_no_float_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        file(directory.path(), "I64", &[0; 16], 2);
        let message = SafetensorsFile::open(directory.path().join(FILE))
            .unwrap()
            .read("t")
            .unwrap_err()
            .to_string();
        assert!(message.contains("tensor `t` is of type I64"), "{message}");
    }
}
