//! Writes `model.safetensors`, tensor by tensor: the parameters are never in memory twice.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::safetensors_file::CHUNK;
use crate::ModelError;
use crate::build::Exported;

/// Writes `parameters` to `model.safetensors` of `directory`: sorted by name, so that equal weights give equal bytes.
pub(crate) fn write(directory: &Path, mut parameters: Vec<Exported>) -> Result<(), ModelError> {
    let path = directory.join(super::SAFETENSORS);
    parameters.sort_by(|a, b| a.name.cmp(&b.name));
    let mut offset = 0;
    let mut infos = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        let end = offset + 4 * parameter.shape.iter().product::<usize>();
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: parameter.shape.clone(),
            data_offsets: (offset, end),
        };
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
    writer
        .write_all(&(header.len() as u64).to_le_bytes())
        .map_err(io)?;
    writer.write_all(&header).map_err(io)?;
    for parameter in &parameters {
        for value in parameter.values()? {
            writer.write_all(&value.to_le_bytes()).map_err(io)?;
        }
    }
    writer.flush().map_err(io)
}
