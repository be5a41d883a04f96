//! Work folders: what a stage leaves for the next run of the same fingerprint, should it not come to its end.
//!
//! One outlives kills and failures, and goes when its version is committed. It is no version and never listed as one.

use std::path::{Path, PathBuf};

use stage::Failure;

use super::{Store, WORK, WriterLock, disk, fault};
use crate::identity::Fingerprint;

/// A work folder in use. Left where it is when dropped, unless it is empty.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
}

impl WorkFolder {
    /// The folder for `fingerprint`, with what an earlier run left in it unless it is to be `anew`. Those of other
    /// fingerprints of the stage go: what they were for is no longer asked for.
    pub(crate) fn open(
        store: &Store,
        _: &WriterLock,
        stage: &str,
        fingerprint: &Fingerprint,
        anew: bool,
    ) -> Result<Self, Failure> {
        let path = store.work_folder(stage, fingerprint);
        for other in store.work_folders(stage) {
            if anew || other != path {
                disk::remove_quietly(&other);
            }
        }
        std::fs::create_dir_all(&path).map_err(|error| disk::failure(&path, &error))?;
        fault::point("work-folder-made");
        Ok(Self { path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it: the version is there.
    pub(crate) fn finish(self) {
        disk::remove_quietly(&self.path);
        fault::point("work-folder-removed");
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        remove_if_empty(&self.path);
    }
}

impl Store {
    /// Removes what is left of the work on a version that is there.
    pub(crate) fn clear_work(&self, _: &WriterLock, stage: &str, fingerprint: &Fingerprint) {
        disk::remove_quietly(&self.work_folder(stage, fingerprint));
    }

    /// The work folders of a stage, sorted.
    pub(super) fn work_folders(&self, stage: &str) -> Vec<PathBuf> {
        let folder = self.stage_folder(stage);
        let names = super::folder_names(&folder).into_iter();
        names
            .filter(|name| name.starts_with(WORK))
            .map(|name| folder.join(name))
            .collect()
    }

    fn work_folder(&self, stage: &str, fingerprint: &Fingerprint) -> PathBuf {
        self.stage_folder(stage).join(format!("{WORK}{fingerprint}"))
    }
}

/// Removes a work folder that a killed run left with nothing in it.
pub(super) fn remove_if_empty(path: &Path) {
    if let Err(error) = std::fs::remove_dir(path) {
        tracing::debug!(path = %path.display(), %error, "the work folder stays");
    }
}
