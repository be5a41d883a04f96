//! Names that the user gives to versions, so that they can be referred to and are kept.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use stage::Failure;

use super::{Store, Version, WriterLock, disk};
use crate::identity::Digest;

/// The report of a tagged version.
pub(crate) struct Promoted {
    /// Where it is.
    pub(crate) report: PathBuf,
    /// Of its content.
    pub(crate) digest: Digest,
}

/// The output that a promoted version is known by.
const REPORT: &str = "report.json";

impl Store {
    /// Tag → number for a stage; none if the file is missing or damaged.
    pub fn tags(&self, stage: &str) -> BTreeMap<String, u32> {
        self.read_tags(stage).unwrap_or_else(|failure| {
            tracing::warn!(%failure, "tags cannot be read");
            BTreeMap::new()
        })
    }

    /// Gives `version` a tag, which another version of the stage may have had: letters, digits, `_` and `-`, not a
    /// number and not `latest`. Says which number had it.
    pub fn tag(&self, _: &WriterLock, version: &Version, tag: &str) -> Result<Option<u32>, Failure> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let is_number = tag.bytes().all(|byte| byte.is_ascii_digit());
        if tag == "latest" || is_number || !tag.chars().all(allowed) {
            let message = format!("`{tag}` cannot be a tag");
            return Err(
                Failure::stage(message).hint("letters, digits, `_` and `-`; not a number and not `latest`")
            );
        }
        let mut tags = self.read_tags(&version.stage)?;
        let before = tags.insert(tag.to_owned(), version.name.number);
        self.write_tags(&version.stage, &tags)?;
        Ok(before)
    }

    /// Takes a tag away; says which number had it, if any.
    pub fn untag(&self, _: &WriterLock, stage: &str, tag: &str) -> Result<Option<u32>, Failure> {
        let mut tags = self.read_tags(stage)?;
        let before = tags.remove(tag);
        if before.is_some() {
            self.write_tags(stage, &tags)?;
        }
        Ok(before)
    }

    /// The reports of the versions of `stage` that have these tags. A tag that no version has is left out; one whose
    /// version does not count is an error.
    pub(crate) fn promoted(
        &self,
        stage: &str,
        tags: &[String],
    ) -> Result<BTreeMap<String, Promoted>, Failure> {
        let mut promoted = BTreeMap::new();
        if tags.is_empty() {
            return Ok(promoted);
        }
        let known = self.read_tags(stage)?;
        for tag in tags {
            let Some(number) = known.get(tag) else { continue };
            let fail = |why: String| {
                Failure::missing(format!(
                    "`{stage}@{tag}`, version {number}, cannot be compared with: {why}"
                ))
                .hint(format!(
                    "`pipeline artifacts tag {stage}@NUMBER {tag}` gives the tag to another version"
                ))
            };
            let version = self
                .resolve_version(&format!("{stage}@{number}"))
                .map_err(|error| fail(error.to_string()))?;
            let digest = version
                .manifest
                .digest_of(REPORT)
                .ok_or_else(|| fail(format!("it has no `{REPORT}`")))?;
            let report = version.path.join(REPORT);
            promoted.insert(tag.clone(), Promoted { report, digest });
        }
        Ok(promoted)
    }

    fn read_tags(&self, stage: &str) -> Result<BTreeMap<String, u32>, Failure> {
        let path = self.tags_file(stage);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(disk::failure(&path, &error)),
        };
        serde_json::from_str(&text).map_err(|error| {
            Failure::storage(format!("`{}`: {error}", path.display()))
                .hint("it maps tags to numbers of versions; mend or remove it")
        })
    }

    fn write_tags(&self, stage: &str, tags: &BTreeMap<String, u32>) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(tags).map_err(Failure::storage)? + "\n";
        disk::write_atomic(self.root(), &self.tags_file(stage), text.as_bytes())
    }

    fn tags_file(&self, stage: &str) -> PathBuf {
        self.stage_folder(stage).join("tags.json")
    }
}
