//! The artifact store: versions of stages' results, complete or absent.
//!
//! A version counts only if its manifest is whole, its fingerprint is that of its key, and every file has the
//! recorded size and digest. One that does not count is a miss: set aside, never deleted, never an error.

mod catalogue;
mod commit;
pub(crate) mod disk;
mod gc;
mod lock;
mod manifest;
mod outputs;
mod reference;
mod tags;
mod verify;
mod version;
mod work;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::StageSpec;
use crate::identity::{Digest, DigestMemory, Fingerprint, walk};

pub use catalogue::VersionInfo;
pub use gc::{Collection, Removal, Removed};
pub use lock::{LockError, LockHolder, Wait, WriterLock};
pub use manifest::{FileRecord, InputItemRecord, InputRecord, Manifest, OutputRecord, ParamRecord};
pub use reference::{Reference, ReferenceError};
pub use verify::Verification;
pub use version::{Broken, Damage, Version, VersionName};

pub(crate) use stage::fault;

pub(crate) use commit::{Commit, OutputFolder};
pub(crate) use tags::Promoted;
pub(crate) use work::WorkFolder;

/// A folder of versions.
pub struct Store {
    root: PathBuf,
    memory: OnceLock<Mutex<DigestMemory>>,
}

/// What was found for a fingerprint.
pub(crate) struct Found {
    /// The newest complete version.
    pub(crate) version: Option<Version>,
    /// Newer ones that do not count.
    pub(crate) broken: Vec<Broken>,
}

impl Store {
    /// The store in `root`, which need not exist.
    pub fn open(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let root = std::path::absolute(&root).unwrap_or(root);
        Self {
            root,
            memory: OnceLock::new(),
        }
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the versions of `stage` lie.
    pub fn stage_folder(&self, stage: &str) -> PathBuf {
        self.root.join(stage)
    }

    /// Where versions of `stage` go that do not count.
    pub fn aside_folder(&self, stage: &str) -> PathBuf {
        self.root.join(BROKEN).join(stage)
    }

    /// Names of stages that have a folder, sorted.
    pub fn stages(&self) -> Vec<String> {
        let names = folder_names(&self.root).into_iter();
        names
            .filter(|name| !name.starts_with('.') && name != "runs" && !self.versions(name).is_empty())
            .collect()
    }

    /// Versions of a stage by number; whether they are complete is not looked at.
    pub fn versions(&self, stage: &str) -> Vec<VersionName> {
        let names = folder_names(&self.stage_folder(stage));
        let mut versions: Vec<_> = names.iter().filter_map(|name| VersionName::parse(name)).collect();
        versions.sort();
        versions
    }

    /// The version that `latest` links to.
    pub fn latest(&self, stage: &str) -> Option<VersionName> {
        let target = std::fs::read_link(self.stage_folder(stage).join("latest")).ok()?;
        VersionName::parse(target.to_str()?)
    }

    /// Reads a version's manifest.
    pub fn load(&self, stage: &str, name: &VersionName) -> Result<Version, Broken> {
        Version::load(
            stage,
            name.clone(),
            self.stage_folder(stage).join(name.to_string()),
        )
    }

    /// Holds every file of a version against the manifest, trusting digests that are remembered.
    pub fn check(&self, version: &Version) -> Result<(), Broken> {
        self.check_with(version, |path| self.memory().file_digest(path))
    }

    /// The newest version that counts: the one last made or reused, else the highest number.
    pub fn newest_complete(&self, stage: &str) -> Option<Version> {
        let latest = self.latest(stage);
        let others = self
            .versions(stage)
            .into_iter()
            .rev()
            .filter(|name| Some(name) != latest.as_ref());
        let complete = |name: VersionName| {
            self.load(stage, &name)
                .and_then(|version| self.check(&version).map(|()| version))
        };
        latest
            .clone()
            .into_iter()
            .chain(others)
            .find_map(|name| complete(name).ok())
    }

    /// The version last made or reused, else the highest number; its manifest is sound, its files may not be.
    pub(crate) fn newest(&self, stage: &str) -> Option<Version> {
        let names = self
            .latest(stage)
            .into_iter()
            .chain(self.versions(stage).into_iter().rev());
        names.into_iter().find_map(|name| self.load(stage, &name).ok())
    }

    /// What `latest` links to, if it does not count.
    pub(crate) fn broken_latest(&self, stage: &str) -> Option<Broken> {
        let name = self.latest(stage)?;
        if !self.versions(stage).contains(&name) {
            return None;
        }
        let version = match self.load(stage, &name) {
            Ok(version) => version,
            Err(broken) => return Some(broken),
        };
        self.check(&version).err()
    }

    /// Digest of a file or directory, remembered as long as nothing touches it.
    pub fn digest(&self, path: &Path) -> io::Result<Digest> {
        self.memory().digest(path)
    }

    /// Writes down the digests that were learnt.
    pub(crate) fn save_memory(&self) {
        self.memory().save();
    }

    pub(crate) fn forget_missing(&self) {
        let mut memory = self.memory();
        memory.forget_missing();
        memory.save();
    }

    /// The newest complete version of `spec` with this fingerprint, and broken ones on the way to it.
    pub(crate) fn find(&self, spec: &StageSpec, fingerprint: &Fingerprint) -> Found {
        let short = fingerprint.short();
        let mut broken = Vec::new();
        for name in self
            .versions(&spec.name)
            .into_iter()
            .rev()
            .filter(|name| name.short == short)
        {
            let loaded = self.load(&spec.name, &name);
            match loaded.and_then(|version| self.check(&version).map(|()| version)) {
                Ok(version)
                    if version.manifest.fingerprint == *fingerprint && has_outputs(&version, spec) =>
                {
                    return Found {
                        version: Some(version),
                        broken,
                    };
                }
                Ok(_) => {}
                Err(one) => broken.push(one),
            }
        }
        Found {
            version: None,
            broken,
        }
    }

    /// The number that the next version of `stage` gets; numbers of versions that were set aside are not used again.
    pub(crate) fn next_number(&self, stage: &str) -> u32 {
        let aside = folder_names(&self.aside_folder(stage));
        let aside = aside
            .iter()
            .filter_map(|name| VersionName::parse(name.split('.').next()?));
        let numbers = self
            .versions(stage)
            .into_iter()
            .chain(aside)
            .map(|name| name.number);
        numbers.max().unwrap_or(0) + 1
    }

    pub(crate) fn check_with(
        &self,
        version: &Version,
        mut digest: impl FnMut(&Path) -> io::Result<Digest>,
    ) -> Result<(), Broken> {
        for file in &version.manifest.files {
            let path = version.path.join(&file.path);
            let modified = || version.broken(Damage::Modified(file.path.clone()));
            let unreadable = |error: io::Error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    version.broken(Damage::Missing(file.path.clone()))
                }
                _ => version.broken(Damage::Unreadable(format!(
                    "`{}` cannot be read: {error}",
                    file.path
                ))),
            };
            let metadata = path.symlink_metadata().map_err(unreadable)?;
            if !metadata.is_file() || metadata.len() != file.size {
                return Err(modified());
            }
            if digest(&path).map_err(unreadable)? != file.blake3 {
                return Err(modified());
            }
        }
        // A file that was added to a folder is read with the rest of it.
        for folder in version.manifest.folders() {
            let files = walk(&version.path.join(folder)).unwrap_or_default();
            let is_recorded = |name: &str| {
                let path = format!("{folder}/{name}");
                version.manifest.files.iter().any(|file| file.path == path)
            };
            if let Some((name, _)) = files.iter().find(|(name, _)| !is_recorded(name)) {
                return Err(version.broken(Damage::Added(format!("{folder}/{name}"))));
            }
        }
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, DigestMemory> {
        let memory = self
            .memory
            .get_or_init(|| Mutex::new(DigestMemory::load(self.root.join(DIGESTS))));
        memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where versions go that do not count.
const BROKEN: &str = ".broken";
/// Remembered digests.
const DIGESTS: &str = ".digests";
/// What names begin with that are in the making.
const TEMPORARY: &str = ".tmp-";
/// What names of work folders begin with; the whole fingerprint follows.
const WORK: &str = ".work-";

/// A version from before a kind wrote all that it writes now is not what is asked for.
fn has_outputs(version: &Version, spec: &StageSpec) -> bool {
    let made: BTreeSet<&str> = version
        .manifest
        .outputs
        .iter()
        .map(|output| output.file.as_str())
        .collect();
    spec.outputs
        .iter()
        .all(|output| made.contains(output.file.as_str()))
}

/// Sorted names of the folders in `folder`; none if it is missing.
fn folder_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut names: Vec<_> = folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
