//! How a result becomes a version: made in a folder beside the versions, checked, flushed, described, renamed.
//!
//! Whatever kills the program, and whenever: there is the whole version or none.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stage::Failure;

use super::{
    Broken, DIGESTS, FileRecord, Manifest, OutputRecord, ParamRecord, Store, TEMPORARY, Version, VersionName,
    WORK, WriterLock, disk, fault, outputs, work,
};
use crate::identity::{Seal, digest_file};
use crate::{ParamSource, StageSpec};

/// Where a stage writes before its result is a version. Removed when dropped, unless committed.
#[derive(Debug)]
pub(crate) struct OutputFolder {
    path: PathBuf,
    committed: bool,
}

/// All that a commit needs to know.
pub(crate) struct Commit<'a> {
    /// The stage.
    pub(crate) spec: &'a StageSpec,
    /// The version's name.
    pub(crate) name: &'a VersionName,
    /// What it was made from.
    pub(crate) seal: &'a Seal,
    /// Gates that were not met.
    pub(crate) gates_failed: &'a [String],
    /// All that was measured.
    pub(crate) timings: &'a BTreeMap<String, Value>,
    /// Name and version of the program.
    pub(crate) program: &'a str,
}

impl OutputFolder {
    /// An empty folder beside the versions of the stage.
    pub(crate) fn new(store: &Store, stage: &str, name: &VersionName) -> Result<Self, Failure> {
        let folder = store.stage_folder(stage);
        let path = disk::temporary_in(&folder, Path::new(&name.to_string()));
        let is_new = !folder.is_dir();
        let made = std::fs::create_dir_all(&folder)
            .and_then(|()| {
                if is_new {
                    disk::sync_folder(store.root())
                } else {
                    Ok(())
                }
            })
            .and_then(|()| disk::remove(&path))
            .and_then(|()| std::fs::create_dir(&path));
        made.map_err(|error| disk::failure(&path, &error))?;
        fault::point("output-folder-made");
        Ok(Self {
            path,
            committed: false,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        if !self.committed {
            disk::remove_quietly(&self.path);
        }
    }
}

impl Store {
    /// Makes what is in `output` a version and lets `latest` link to it.
    pub(crate) fn commit(
        &self,
        lock: &WriterLock,
        mut output: OutputFolder,
        commit: &Commit<'_>,
    ) -> Result<Version, Failure> {
        let files = outputs::check(output.path(), commit.spec)?;
        fault::point("outputs-checked");
        let folder = self.stage_folder(&commit.spec.name);
        let path = folder.join(commit.name.to_string());
        let manifest = describe(output.path(), &files, commit)
            .and_then(|manifest| {
                std::fs::rename(output.path(), &path)?;
                output.committed = true;
                fault::point("renamed");
                disk::sync_folder(&folder)?;
                fault::point("parent-synced");
                Ok(manifest)
            })
            .map_err(|error| self.refused(output.path(), &error))?;
        let version = Version {
            stage: commit.spec.name.clone(),
            name: commit.name.clone(),
            path,
            manifest,
        };
        self.link_latest(lock, &version)?;
        Ok(version)
    }

    /// Lets `latest` link to `version`.
    pub fn link_latest(&self, _: &WriterLock, version: &Version) -> Result<(), Failure> {
        if self.latest(&version.stage).as_ref() == Some(&version.name) {
            return Ok(());
        }
        let folder = self.stage_folder(&version.stage);
        let link = folder.join("latest");
        let temporary = disk::temporary_in(&folder, &link);
        let linked = disk::remove(&temporary)
            .and_then(|()| symlink(version.name.to_string(), &temporary))
            .and_then(|()| {
                fault::point("latest-linked");
                std::fs::rename(&temporary, &link)
            })
            .and_then(|()| {
                fault::point("latest-replaced");
                disk::sync_folder(&folder)
            });
        linked.map_err(|error| {
            disk::remove_quietly(&temporary);
            disk::failure(&link, &error)
        })
    }

    /// Moves a version that does not count out of the way; says where to.
    pub(crate) fn set_aside(&self, _: &WriterLock, broken: &Broken) -> Result<PathBuf, Failure> {
        let folder = self.aside_folder(&broken.stage);
        let mut target = folder.join(broken.name.to_string());
        let mut attempt = 1;
        while target.exists() {
            target = folder.join(format!("{}.{attempt}", broken.name));
            attempt += 1;
        }
        let moved = std::fs::create_dir_all(&folder).and_then(|()| std::fs::rename(&broken.path, &target));
        moved.map_err(|error| disk::failure(&broken.path, &error))?;
        fault::point("set-aside");
        Ok(target)
    }

    /// Removes what killed writers left half-made. Only the holder of the lock may.
    pub(super) fn clear_leftovers(&self) {
        let stages = super::folder_names(self.root());
        let folders = stages
            .iter()
            .filter(|name| !name.starts_with('.'))
            .map(|name| self.root().join(name));
        for folder in std::iter::once(self.root().to_owned()).chain(folders) {
            for entry in std::fs::read_dir(&folder)
                .into_iter()
                .flatten()
                .filter_map(Result::ok)
            {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with(TEMPORARY) || is_dead_memory(&name) {
                    tracing::debug!(path = %entry.path().display(), "clearing what a killed run left");
                    disk::remove_quietly(&entry.path());
                } else if name.starts_with(WORK) {
                    work::remove_if_empty(&entry.path());
                }
            }
        }
    }

    fn refused(&self, output: &Path, error: &io::Error) -> Failure {
        let failure = disk::failure(output, error);
        if !disk::is_full(error) {
            return failure;
        }
        failure.hint(format!(
            "this result needs at least {}",
            disk::words(disk::size(output))
        ))
    }
}

/// Flushes the files, then writes `timings.json` and last the manifest.
fn describe(output: &Path, files: &[String], commit: &Commit<'_>) -> io::Result<Manifest> {
    let mut records = Vec::with_capacity(files.len());
    for file in files {
        let path = output.join(file);
        let opened = std::fs::File::open(&path)?;
        opened.sync_all()?;
        let (path, size, blake3) = (file.clone(), opened.metadata()?.len(), digest_file(&path)?);
        records.push(FileRecord { path, size, blake3 });
    }
    for folder in folders_of(files) {
        disk::sync_folder(&output.join(folder))?;
    }
    fault::point("files-synced");
    let mut timings = serde_json::to_vec_pretty(commit.timings)?;
    timings.push(b'\n');
    disk::write_synced(&output.join(Version::TIMINGS), &timings)?;
    fault::point("timings-written");
    let text = manifest(records, commit).to_json();
    disk::write_synced(&output.join(Manifest::FILE), text.as_bytes())?;
    fault::point("manifest-written");
    disk::sync_folder(output)?;
    fault::point("folder-synced");
    Manifest::parse(&text).map_err(io::Error::other)
}

fn manifest(files: Vec<FileRecord>, commit: &Commit<'_>) -> Manifest {
    let spec = commit.spec;
    let source = |name: &String| {
        spec.param_sources
            .get(name)
            .cloned()
            .unwrap_or(ParamSource::Default)
    };
    let params = spec.params.as_object().into_iter().flatten();
    let params = params.map(|(name, value)| {
        (
            name.clone(),
            ParamRecord {
                value: value.clone(),
                source: source(name),
            },
        )
    });
    let output = |output: &stage::OutputSpec| OutputRecord {
        file: output.file.clone(),
        artifact_type: output.artifact_type,
    };
    Manifest {
        format: Manifest::FORMAT,
        stage: spec.name.clone(),
        number: commit.name.number,
        fingerprint: commit.seal.key.fingerprint(),
        key: commit.seal.key.clone(),
        outputs: spec.outputs.iter().map(output).collect(),
        files,
        inputs: commit
            .seal
            .inputs
            .records(spec.inputs.iter().map(|(name, _)| name.as_str())),
        params: params.collect(),
        gates_failed: commit.gates_failed.to_vec(),
        program: commit.program.to_owned(),
        checksum: None,
    }
}

/// Folders that hold `files`, deepest first.
fn folders_of(files: &[String]) -> Vec<&str> {
    let mut folders = BTreeSet::new();
    for file in files {
        let mut path = file.as_str();
        while let Some((folder, _)) = path.rsplit_once('/') {
            folders.insert(folder);
            path = folder;
        }
    }
    folders.into_iter().rev().collect()
}

/// Whether this is a digest memory in the making whose writer, perhaps a reader of the store, is gone.
fn is_dead_memory(name: &str) -> bool {
    let pid = name
        .strip_prefix(DIGESTS)
        .and_then(|rest| rest.strip_prefix(TEMPORARY));
    let pid = pid.and_then(|pid| pid.parse::<u32>().ok());
    pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists())
}
