//! Names that the user gives to versions, so that they can be referred to and are kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use stage::Failure;

use super::{Store, Version, WriterLock, disk};

impl Store {
    /// Tag → number for a stage; none if the file is missing or damaged.
    pub fn tags(&self, stage: &str) -> BTreeMap<String, u32> {
        let path = self.tags_file(stage);
        let Ok(text) = std::fs::read_to_string(&path) else {
            return BTreeMap::new();
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "tags cannot be read");
            BTreeMap::new()
        })
    }

    /// Gives `version` a tag: letters, digits, `_` and `-`, not a number and not `latest`.
    pub fn tag(&self, _: &WriterLock, version: &Version, tag: &str) -> Result<(), Failure> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let is_number = tag.bytes().all(|byte| byte.is_ascii_digit());
        if tag == "latest" || is_number || !tag.chars().all(allowed) {
            let message = format!("`{tag}` cannot be a tag");
            return Err(
                Failure::stage(message).hint("letters, digits, `_` and `-`; not a number and not `latest`")
            );
        }
        let mut tags = self.tags(&version.stage);
        tags.insert(tag.to_owned(), version.name.number);
        let text = serde_json::to_string_pretty(&tags).map_err(Failure::storage)? + "\n";
        disk::write_atomic(self.root(), &self.tags_file(&version.stage), text.as_bytes())
    }

    fn tags_file(&self, stage: &str) -> PathBuf {
        self.stage_folder(stage).join("tags.json")
    }
}
