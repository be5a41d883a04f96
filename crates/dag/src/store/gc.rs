//! Clearing old versions. What is kept: the newest of each stage, the one that `latest` links to, tagged ones, and
//! all that those were made from, so that a kept result can always be explained.

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
    /// Whether it had been set aside as broken.
    pub broken: bool,
}

impl Store {
    /// Removes all but the `keep` newest versions of each stage (and what must stay), and what was set aside as broken.
    /// With `dry_run` says what it would do.
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
                    collection.add(&stage, &name.to_string(), path, false);
                }
            }
        }
        for stage in super::folder_names(&self.root().join(BROKEN)) {
            let folder = self.root().join(BROKEN).join(&stage);
            for name in super::folder_names(&folder) {
                collection.add(&stage, &name, folder.join(&name), true);
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
    fn add(&mut self, stage: &str, version: &str, path: PathBuf, broken: bool) {
        let bytes = disk::size(Path::new(&path));
        self.bytes += bytes;
        self.removed.push(Removal {
            stage: stage.to_owned(),
            version: version.to_owned(),
            path,
            bytes,
            broken,
        });
    }
}
