//! The record that makes a folder a version: what went into it and what it must hold.
//!
//! Nothing measured stands here: equal runs write equal manifests. Times are in `timings.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stage::ArtifactType;

use crate::ParamSource;
use crate::identity::{Digest, Fingerprint, StageKey, canonical_json, digest_of_entries};

/// `manifest.json` of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format.
    pub format: u32,
    /// The stage's name.
    pub stage: String,
    /// The version's running number.
    pub number: u32,
    /// The digest of `key`.
    pub fingerprint: Fingerprint,
    /// All that determines the result.
    pub key: StageKey,
    /// What was declared to be written.
    pub outputs: Vec<OutputRecord>,
    /// Every file, sorted by path.
    pub files: Vec<FileRecord>,
    /// Inputs in the pipeline file's order.
    pub inputs: Vec<InputRecord>,
    /// Resolved params.
    pub params: BTreeMap<String, ParamRecord>,
    /// Gates that were not met, in words.
    pub gates_failed: Vec<String>,
    /// Name and version of the program.
    pub program: String,
    /// The digest of this document without this field.
    pub checksum: Option<Digest>,
}

/// A declared output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputRecord {
    /// Path within the version.
    pub file: String,
    /// What it holds.
    pub artifact_type: ArtifactType,
}

/// A file of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Path within the version.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Of its content.
    pub blake3: Digest,
}

/// An input as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputRecord {
    /// Its name.
    pub name: String,
    /// Its items in order.
    pub items: Vec<InputItemRecord>,
}

/// An item of an input as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputItemRecord {
    /// As written in the pipeline file.
    pub written: String,
    /// What it held.
    pub artifact_type: ArtifactType,
    /// The version that made it, as `prepare@3`; null for the user's files.
    pub version: Option<String>,
    /// Of its content.
    pub digest: Digest,
    /// For models of the Hub: the commit of the repository, in place of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// A resolved param.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParamRecord {
    /// Its value.
    pub value: Value,
    /// Where the value came from.
    pub source: ParamSource,
}

impl Manifest {
    /// The version of this format.
    pub const FORMAT: u32 = 1;
    /// Its file within a version.
    pub const FILE: &'static str = "manifest.json";

    /// Reads a manifest and proves that it is whole and that its fingerprint is that of its key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self =
            serde_json::from_str(text).map_err(|error| format!("not a manifest: {error}"))?;
        if manifest.format != Self::FORMAT {
            return Err(format!("manifest format {} is not known", manifest.format));
        }
        if manifest.checksum != Some(manifest.compute_checksum()) {
            return Err("the manifest was altered: its checksum does not hold".to_owned());
        }
        if manifest.fingerprint != manifest.key.fingerprint() {
            return Err("the manifest's fingerprint is not that of its key".to_owned());
        }
        Ok(manifest)
    }

    /// The document, with its checksum.
    pub fn to_json(mut self) -> String {
        self.checksum = Some(self.compute_checksum());
        // Strings, numbers and maps with string keys always have a JSON form.
        let mut text = serde_json::to_string_pretty(&self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The digest of an artifact: a file, or a directory with all that is in it.
    pub fn digest_of(&self, artifact: &str) -> Option<Digest> {
        if let Some(file) = self.files.iter().find(|file| file.path == artifact) {
            return Some(file.blake3);
        }
        let folder = format!("{artifact}/");
        let inside = self
            .files
            .iter()
            .filter_map(|file| Some((file.path.strip_prefix(&folder)?, file.blake3)));
        let inside: Vec<_> = inside.collect();
        if inside.is_empty() {
            None
        } else {
            Some(digest_of_entries(inside))
        }
    }

    /// Outputs that are folders.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        let is_file = |output: &&OutputRecord| self.files.iter().any(|file| file.path == output.file);
        self.outputs
            .iter()
            .filter(move |output| !is_file(output))
            .map(|output| output.file.as_str())
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    fn compute_checksum(&self) -> Digest {
        let bare = Self {
            checksum: None,
            ..self.clone()
        };
        Digest::of(canonical_json(&serde_json::to_value(bare).unwrap_or_default()).as_bytes())
    }
}
