//! One file of PyTorch's own format, `torch.save` of a state dict. The pickle in it is read as data: nothing of what it
//! says is executed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pytorch_reader::{DType, PytorchReader, Tensor};

use super::convert::{from_bf16, from_f16, from_f32};
use crate::ModelError;

/// An open file; the values of a tensor are read when they are asked for.
pub(super) struct PytorchFile {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
}

impl PytorchFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ModelError> {
        std::fs::File::open(&path).map_err(|error| ModelError::io(&path, error))?;
        let reader = PytorchReader::new(&path).map_err(|error| {
            ModelError::invalid(
                &path,
                format!("not a PyTorch checkpoint that can be read: {error}"),
            )
        })?;
        Ok(Self {
            path,
            tensors: reader.into_tensors(),
        })
    }

    /// Names and shapes of all tensors, in no order.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor.shape()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The values of `name` as f32.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<f32>, ModelError> {
        let Some(tensor) = self.tensors.get(name) else {
            return Err(ModelError::NoTensor {
                path: self.path.clone(),
                tensor: name.to_owned(),
            });
        };
        let convert: fn(&[u8], &mut Vec<f32>) = match tensor.dtype() {
            DType::F32 => from_f32,
            DType::F16 => from_f16,
            DType::BF16 => from_bf16,
            other => {
                let reason = format!("tensor `{name}` is of type {other:?}; F32, F16 and BF16 are supported");
                return Err(ModelError::invalid(&self.path, reason));
            }
        };
        let bytes = tensor.read().map_err(|error| ModelError::io(&self.path, error))?;
        let mut values = Vec::with_capacity(tensor.num_elements());
        convert(&bytes, &mut values);
        Ok(values)
    }
}
