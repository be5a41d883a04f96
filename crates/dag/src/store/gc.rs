//! Clearing old versions. What is kept: the newest of each stage, the one that `latest` links to, tagged ones, and
//! all that those were made from or name as their lineage, so that a kept result can always be explained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use stage::Failure;

use super::{BROKEN, Store, TEMPORARY, VersionName, WriterLock, disk};

/// What a collection removes, or would remove.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Collection {
    /// In the order of removal.
    pub removed: Vec<Removal>,
    /// Versions that stay.
    pub kept: usize,
    /// Bytes that become free.
    pub bytes: u64,
}

/// One thing that is removed.
#[derive(Clone, Debug, Serialize)]
pub struct Removal {
    /// The stage's name.
    pub stage: String,
    /// The name of the folder.
    pub version: String,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes on the disk.
    pub bytes: u64,
    /// What it is.
    pub what: Removed,
}

/// What a collection finds to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removed {
    /// A version that is neither new nor needed.
    Version,
    /// A version that does not count, set aside or not: somebody may have edited it.
    Broken,
    /// What a stage that did not come to its end left for the next run.
    Unfinished,
}

impl Store {
    /// Removes all but the `keep` newest versions of each stage (and what must stay), what was set aside as broken, and
    /// work that did not come to its end. With `dry_run` says what it would do.
    pub fn collect(&self, lock: &WriterLock, keep: usize, dry_run: bool) -> Result<Collection, Failure> {
        let kept = self.versions_to_keep(keep);
        let mut collection = Collection {
            kept: kept.len(),
            ..Collection::default()
        };
        for stage in self.stages() {
            for name in self.versions(&stage) {
                if !kept.contains(&(stage.clone(), name.clone())) {
                    let path = self.stage_folder(&stage).join(name.to_string());
                    let loaded = self.load(&stage, &name);
                    let is_whole = loaded.and_then(|version| self.check(&version)).is_ok();
                    let what = if is_whole {
                        Removed::Version
                    } else {
                        Removed::Broken
                    };
                    collection.add(&stage, &name.to_string(), path, what);
                }
            }
        }
        for stage in super::folder_names(&self.root().join(BROKEN)) {
            let folder = self.root().join(BROKEN).join(&stage);
            for name in super::folder_names(&folder) {
                collection.add(&stage, &name, folder.join(&name), Removed::Broken);
            }
        }
        for stage in super::folder_names(self.root()) {
            for path in self.work_folders(&stage) {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                collection.add(&stage, &name, path, Removed::Unfinished);
            }
        }
        if !dry_run {
            for removal in &collection.removed {
                self.delete(lock, removal)?;
            }
            self.forget_missing();
        }
        Ok(collection)
    }

    fn versions_to_keep(&self, keep: usize) -> BTreeSet<(String, VersionName)> {
        let mut open = Vec::new();
        for stage in self.stages() {
            let (latest, tags) = (self.latest(&stage), self.tags(&stage));
            let complete = self.newest_complete(&stage).map(|version| version.name);
            for (age, name) in self.versions(&stage).into_iter().rev().enumerate() {
                let is_tagged = tags.values().any(|number| *number == name.number);
                let is_latest = [&latest, &complete].contains(&&Some(name.clone()));
                if age < keep || is_latest || is_tagged {
                    open.push((stage.clone(), name));
                }
            }
        }
        let mut kept = BTreeSet::new();
        while let Some((stage, name)) = open.pop() {
            if let Ok(version) = self.load(&stage, &name) {
                let items = version.manifest.inputs.iter().flat_map(|input| &input.items);
                let references = items.filter_map(|item| item.version.as_deref()?.split_once('@'));
                for (stage, number) in references {
                    let versions = self.versions(stage).into_iter();
                    let named = versions.filter(|name| Some(name.number) == number.parse().ok());
                    open.extend(
                        named
                            .map(|name| (stage.to_owned(), name))
                            .filter(|one| !kept.contains(one)),
                    );
                }
                for (stage, fingerprint) in &version.manifest.key.lineage {
                    let versions = self.versions(stage).into_iter();
                    let named = versions.filter(|name| name.short == fingerprint.short());
                    open.extend(
                        named
                            .map(|name| (stage.clone(), name))
                            .filter(|one| !kept.contains(one)),
                    );
                }
            }
            kept.insert((stage, name));
        }
        kept
    }

    /// Out of sight first, so that no reader sees half a version.
    fn delete(&self, _: &WriterLock, removal: &Removal) -> Result<(), Failure> {
        let hidden = self.root().join(format!(
            "{TEMPORARY}{}-{}-{}",
            std::process::id(),
            removal.stage,
            removal.version
        ));
        let deleted = std::fs::rename(&removal.path, &hidden).and_then(|()| disk::remove(&hidden));
        deleted.map_err(|error| disk::failure(&removal.path, &error))?;
        removal
            .path
            .parent()
            .map_or(Ok(()), disk::sync_folder)
            .map_err(|error| disk::failure(&removal.path, &error))
    }
}

impl Collection {
    fn add(&mut self, stage: &str, version: &str, path: PathBuf, what: Removed) {
        let bytes = disk::size(Path::new(&path));
        self.bytes += bytes;
        self.removed.push(Removal {
            stage: stage.to_owned(),
            version: version.to_owned(),
            path,
            bytes,
            what,
        });
    }
}
