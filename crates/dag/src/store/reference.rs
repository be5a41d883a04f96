//! References as users type them: `STAGE[@NUMBER|@TAG][.ARTIFACT]`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use stage::{Failure, nearest};

use super::{Broken, Manifest, Store, Version, VersionName};

/// A reference, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The stage's name.
    pub stage: String,
    /// Number or tag; absent: `latest`.
    pub version: Option<String>,
    /// Stem or full name.
    pub artifact: Option<String>,
}

/// Why a reference leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// It cannot be taken apart.
    #[error("`{0}` is not a reference")]
    Malformed(String),
    /// The stage has no version.
    #[error("there is no version of a stage `{stage}`")]
    UnknownStage {
        /// As given.
        stage: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The stage has no such version.
    #[error("stage `{stage}` has no version `{version}`")]
    UnknownVersion {
        /// The stage.
        stage: String,
        /// As given.
        version: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The version is broken.
    #[error("`{}` is broken: {}", .0.reference(), .0.damage)]
    Broken(Broken),
    /// The version has no such artifact.
    #[error("`{version}` has no artifact `{artifact}`")]
    UnknownArtifact {
        /// The version.
        version: String,
        /// As given.
        artifact: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Several artifacts have this stem.
    #[error("`{artifact}` of `{version}` may be {}", or(.candidates))]
    Ambiguous {
        /// The version.
        version: String,
        /// As given.
        artifact: String,
        /// Their full names.
        candidates: Vec<String>,
    },
    /// An artifact is needed and none is named.
    #[error("`{reference}` names no artifact")]
    NoArtifact {
        /// As given.
        reference: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ReferenceError::Malformed(text.to_owned());
        let stage_end = text.find(['@', '.']).unwrap_or(text.len());
        let (stage, rest) = text.split_at(stage_end);
        let (version, artifact) = match rest.strip_prefix('@') {
            Some(rest) => match rest.split_once('.') {
                Some((version, artifact)) => (Some(version), Some(artifact)),
                None => (Some(rest), None),
            },
            None => (None, rest.strip_prefix('.')),
        };
        let is_name = stage.starts_with(|c: char| c.is_ascii_lowercase())
            && stage
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_name || version == Some("") || artifact == Some("") {
            return Err(malformed());
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Self {
            stage: stage.to_owned(),
            version: owned(version),
            artifact: owned(artifact),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stage)?;
        self.version
            .iter()
            .try_for_each(|version| write!(f, "@{version}"))?;
        self.artifact
            .iter()
            .try_for_each(|artifact| write!(f, ".{artifact}"))
    }
}

impl Store {
    /// Where the artifact lies that `reference` names.
    pub fn resolve(&self, reference: &str) -> Result<PathBuf, ReferenceError> {
        let parsed: Reference = reference.parse()?;
        let version = self.find_version(&parsed)?;
        match &parsed.artifact {
            Some(artifact) => artifact_path(&version, artifact),
            None => Err(ReferenceError::NoArtifact {
                reference: reference.to_owned(),
                known: artifacts(&version),
            }),
        }
    }

    /// The version that `reference` names, whatever artifact it names.
    pub fn resolve_version(&self, reference: &str) -> Result<Version, ReferenceError> {
        self.find_version(&reference.parse()?)
    }

    fn find_version(&self, reference: &Reference) -> Result<Version, ReferenceError> {
        let stage = &reference.stage;
        let versions = self.versions(stage);
        if versions.is_empty() {
            return Err(ReferenceError::UnknownStage {
                stage: stage.clone(),
                known: self.stages(),
            });
        }
        let tags = self.tags(stage);
        let numbered = |number: u32| versions.iter().find(|name| name.number == number).cloned();
        let name = match reference.version.as_deref() {
            None | Some("latest") => match self.newest_complete(stage) {
                Some(version) => return Ok(version),
                None => versions.last().cloned(),
            },
            Some(given) => match given.parse().ok().or_else(|| tags.get(given).copied()) {
                Some(number) => numbered(number),
                None => VersionName::parse(given).filter(|name| versions.contains(name)),
            },
        };
        let unknown = || ReferenceError::UnknownVersion {
            stage: stage.clone(),
            version: reference.version.clone().unwrap_or_default(),
            known: versions
                .iter()
                .map(|name| name.number.to_string())
                .chain(tags.keys().cloned())
                .collect(),
        };
        let version = self
            .load(stage, &name.ok_or_else(unknown)?)
            .map_err(ReferenceError::Broken)?;
        self.check(&version).map_err(ReferenceError::Broken)?;
        Ok(version)
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        let failure = Self::missing(&error);
        // Users leave endings out, so that a suggestion does, too.
        let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
        let suggest = |given: &str, known: &[String], what: &str| {
            let stems: Vec<String> = known.iter().map(|name| stem(name)).collect();
            match nearest(given, stems.iter().chain(known).map(String::as_str)) {
                Some(close) => format!("did you mean `{close}`?"),
                None if known.is_empty() => {
                    "nothing has run yet; `pipeline run` makes the artifacts".to_owned()
                }
                None => format!("{what}: {}", known.join(", ")),
            }
        };
        match &error {
            ReferenceError::Malformed(_) => {
                failure.hint("references are STAGE[@NUMBER|@TAG].ARTIFACT, e.g. evaluate.report.html")
            }
            ReferenceError::UnknownStage { stage, known } => {
                failure.hint(suggest(stage, known, "stages with versions"))
            }
            ReferenceError::UnknownVersion { version, known, .. } => {
                failure.hint(suggest(version, known, "versions"))
            }
            ReferenceError::Broken(_) => failure.hint("`pipeline run` sets it aside and makes it anew"),
            ReferenceError::UnknownArtifact { artifact, known, .. } => {
                failure.hint(suggest(artifact, known, "artifacts"))
            }
            ReferenceError::Ambiguous { .. } => failure.hint("give the full name"),
            ReferenceError::NoArtifact { known, .. } => {
                failure.hint(format!("artifacts: {}", known.join(", ")))
            }
        }
    }
}

fn artifact_path(version: &Version, artifact: &str) -> Result<PathBuf, ReferenceError> {
    let names = artifacts(version);
    let inside = version.manifest.files.iter().map(|file| file.path.as_str());
    let own = [Manifest::FILE, Version::TIMINGS];
    if names
        .iter()
        .map(String::as_str)
        .chain(inside)
        .chain(own)
        .any(|name| name == artifact)
    {
        return Ok(version.path.join(artifact));
    }
    // First the whole path without its ending, then the file's name without it.
    let without_ending = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let stem = |name: &str| {
        Path::new(name)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let matching = |form: &dyn Fn(&str) -> String| -> Vec<String> {
        names
            .iter()
            .filter(|name| form(name) == artifact)
            .cloned()
            .collect()
    };
    let mut candidates = matching(&without_ending);
    if candidates.is_empty() {
        candidates = matching(&stem);
    }
    let (version_name, artifact) = (version.reference(), artifact.to_owned());
    match candidates.len() {
        0 => Err(ReferenceError::UnknownArtifact {
            version: version_name,
            artifact,
            known: names,
        }),
        1 => Ok(version.path.join(&candidates[0])),
        _ => Err(ReferenceError::Ambiguous {
            version: version_name,
            artifact,
            candidates,
        }),
    }
}

fn artifacts(version: &Version) -> Vec<String> {
    version
        .manifest
        .outputs
        .iter()
        .map(|output| output.file.clone())
        .collect()
}

fn or(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart_and_go_together() {
        let parts = |text: &str| {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
            (reference.stage, reference.version, reference.artifact)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("score"), ("score".into(), None, None));
        assert_eq!(parts("score.scored"), ("score".into(), None, some("scored")));
        assert_eq!(
            parts("score@3.scored.parquet"),
            ("score".into(), some("3"), some("scored.parquet"))
        );
        assert_eq!(parts("evaluate@best"), ("evaluate".into(), some("best"), None));
        assert_eq!(
            parts("evaluate.models/a/x.csv"),
            ("evaluate".into(), None, some("models/a/x.csv"))
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "@3",
            ".kept",
            "score@",
            "score.",
            "./score.csv",
            "Score.kept",
            "data/x.parquet",
        ] {
            assert!(
                matches!(text.parse::<Reference>(), Err(ReferenceError::Malformed(_))),
                "{text}"
            );
        }
    }
}
