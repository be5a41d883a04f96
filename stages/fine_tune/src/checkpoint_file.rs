//! One checkpoint as a file: tensors in the safetensors format, all else as JSON in its metadata.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, BufWriter, Error, Read, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::{Deserialize, Serialize};
use training::{Checkpoint, Progress};

/// The metadata's only key.
const KEY: &str = "checkpoint";
/// Values that are converted at a time.
const CHUNK: usize = 1 << 18;
/// The format's own bound of a header.
const LONGEST_HEADER: u64 = 100_000_000;

/// What is in a checkpoint besides tensors.
#[derive(Serialize, Deserialize)]
struct Note<P> {
    /// Of the version that is being made.
    fingerprint: String,
    progress: P,
}

/// Writes `checkpoint` of the version `fingerprint` to `path`.
pub(crate) fn write(path: &Path, fingerprint: &str, checkpoint: &Checkpoint<'_>) -> Result<(), Error> {
    let note = serde_json::to_string(&Note {
        fingerprint: fingerprint.to_owned(),
        progress: &*checkpoint.progress,
    })?;
    let tensors = checkpoint.tensors();
    let mut end = 0;
    let infos = tensors.iter().map(|(name, values)| {
        let start = end;
        end += 4 * values.len();
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: vec![values.len()],
            data_offsets: (start, end),
        };
        (name.clone(), info)
    });
    let metadata = Metadata::new(Some(HashMap::from([(KEY.to_owned(), note)])), infos.collect());
    let mut header = serde_json::to_vec(&metadata.map_err(Error::other)?)?;
    header.resize(header.len().next_multiple_of(8), b' ');

    let mut file = BufWriter::with_capacity(4 * CHUNK, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    let mut bytes = Vec::with_capacity(4 * CHUNK);
    for values in tensors.iter().flat_map(|(_, values)| values.chunks(CHUNK)) {
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        file.write_all(&bytes)?;
    }
    file.flush()
}

/// Reads what [`write`] wrote, if it is of the version `fingerprint`.
pub(crate) fn read(path: &Path, fingerprint: &str) -> Result<Checkpoint<'static>, Error> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut file = BufReader::with_capacity(4 * CHUNK, file);
    let mut prefix = [0; 8];
    file.read_exact(&mut prefix)?;
    let header_length = u64::from_le_bytes(prefix);
    if header_length > LONGEST_HEADER.min(length) {
        return Err(Error::other("it is not a safetensors file"));
    }
    let mut header = Vec::new();
    file.by_ref().take(header_length).read_to_end(&mut header)?;
    let metadata: Metadata = serde_json::from_slice(&header)?;
    if 8 + header_length + metadata.data_len() as u64 != length {
        return Err(Error::other("it has not the length that its header says"));
    }
    let note = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
    let note = note.ok_or_else(|| Error::other("it is not a checkpoint"))?;
    let note: Note<Progress> = serde_json::from_str(note)?;
    if note.fingerprint != fingerprint {
        return Err(Error::other("it is of another version"));
    }
    let mut tensors = BTreeMap::new();
    for name in metadata.offset_keys() {
        let info = metadata.info(&name).filter(|info| info.dtype == Dtype::F32);
        let (start, end) = info
            .ok_or_else(|| Error::other("a tensor is not f32"))?
            .data_offsets;
        let values = read_values(&mut file, (end - start) / 4)?;
        tensors.insert(name, values);
    }
    Checkpoint::new(note.progress, tensors).map_err(Error::other)
}

fn read_values(file: &mut impl Read, count: usize) -> Result<Vec<f32>, Error> {
    let mut values = Vec::with_capacity(count);
    let mut bytes = vec![0; 4 * count.min(CHUNK)];
    while values.len() < count {
        let bytes = &mut bytes[..4 * (count - values.len()).min(CHUNK)];
        file.read_exact(bytes)?;
        let (quads, _) = bytes.as_chunks::<4>();
        values.extend(quads.iter().map(|quad| f32::from_le_bytes(*quad)));
    }
    Ok(values)
}
