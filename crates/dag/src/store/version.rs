//! One complete result of a stage: a folder whose manifest was read and proved.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Manifest, disk};
use crate::clock;
use crate::identity::Fingerprint;

/// The name of a version's folder: `0003-ab12cd34`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionName {
    /// Running number within the stage, from 1.
    pub number: u32,
    /// First 8 hex digits of the fingerprint.
    pub short: String,
}

/// A version whose manifest is sound. Whether its files are is another question: [`super::Store::check`].
#[derive(Clone, Debug)]
pub struct Version {
    /// The stage's name.
    pub stage: String,
    /// The folder's name.
    pub name: VersionName,
    /// The folder.
    pub path: PathBuf,
    /// What went into it and what it must hold.
    pub manifest: Manifest,
}

/// A version that does not count, and why.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The stage's name.
    pub stage: String,
    /// The folder's name.
    pub name: VersionName,
    /// The folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What is wrong with a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The manifest is missing, cut short or altered.
    #[error("{0}")]
    Manifest(String),
    /// A file is gone.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A file is not what was written.
    #[error("`{0}` was modified")]
    Modified(String),
    /// A file is there that was not written by the stage.
    #[error("`{0}` was added")]
    Added(String),
    /// A file cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

impl VersionName {
    /// The name for this number and fingerprint.
    pub fn new(number: u32, fingerprint: &Fingerprint) -> Self {
        Self {
            number,
            short: fingerprint.short(),
        }
    }

    /// Reads a folder's name; none if it is not a version's.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, short) = text.split_once('-')?;
        let is_number = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !is_number || short.len() != 8 || !short.bytes().all(is_hex) {
            return None;
        }
        Some(Self {
            number: number.parse().ok()?,
            short: short.to_owned(),
        })
    }
}

impl fmt::Display for VersionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{}", self.number, self.short)
    }
}

impl Version {
    /// The file with all that was measured, beside the manifest.
    pub const TIMINGS: &'static str = "timings.json";

    /// Reads the version in `path`.
    pub(crate) fn load(stage: &str, name: VersionName, path: PathBuf) -> Result<Self, Broken> {
        match read_manifest(stage, &name, &path) {
            Ok(manifest) => Ok(Self {
                stage: stage.to_owned(),
                name,
                path,
                manifest,
            }),
            Err(message) => {
                let damage = Damage::Manifest(message);
                Err(Broken {
                    stage: stage.to_owned(),
                    name,
                    path,
                    damage,
                })
            }
        }
    }

    /// As in references: `prepare@3`.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.stage, self.name.number)
    }

    /// What was measured; empty if it was lost (it is outside every digest).
    pub fn timings(&self) -> BTreeMap<String, Value> {
        let text = std::fs::read_to_string(self.path.join(Self::TIMINGS));
        text.ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// How long the stage ran.
    pub fn seconds(&self) -> Option<f64> {
        self.timings().get("seconds").and_then(Value::as_f64)
    }

    /// When it was made, in UTC.
    pub fn created(&self) -> String {
        let recorded = self
            .timings()
            .get("created")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let modified = || self.path.metadata().and_then(|metadata| metadata.modified()).ok();
        recorded
            .or_else(|| modified().map(clock::timestamp_of))
            .unwrap_or_default()
    }

    pub(crate) fn broken(&self, damage: Damage) -> Broken {
        Broken {
            stage: self.stage.clone(),
            name: self.name.clone(),
            path: self.path.clone(),
            damage,
        }
    }
}

fn read_manifest(stage: &str, name: &VersionName, path: &Path) -> Result<Manifest, String> {
    let text = std::fs::read_to_string(path.join(Manifest::FILE))
        .map_err(|error| format!("`{}`: {error}", Manifest::FILE))?;
    let manifest = Manifest::parse(&text)?;
    let named = VersionName::new(manifest.number, &manifest.fingerprint);
    if manifest.stage != stage || named != *name {
        return Err(format!(
            "the manifest belongs to `{}@{}`",
            manifest.stage, manifest.number
        ));
    }
    Ok(manifest)
}

impl Broken {
    /// As in references: `prepare@3`.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.stage, self.name.number)
    }

    /// Bytes of what is left.
    pub fn bytes(&self) -> u64 {
        disk::size(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_versions_have_version_names() {
        assert_eq!(
            VersionName::parse("0003-ab12cd34").unwrap().to_string(),
            "0003-ab12cd34"
        );
        assert_eq!(VersionName::parse("12345-ab12cd34").unwrap().number, 12345);
        for other in [
            "latest",
            "3-ab12cd34",
            "0003-AB12CD34",
            "0003-ab12cd3",
            ".tmp-1-0003",
            "+003-ab12cd34",
        ] {
            assert_eq!(VersionName::parse(other), None, "{other}");
        }
    }
}
