//! The cache on the disk: `models--OWNER--NAME/{blobs,refs,snapshots,.no_exist}`, as Python's `huggingface_hub` has it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use stage::HubModel;

use crate::HubError;

/// A repository's folder.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    path: PathBuf,
    lock: PathBuf,
}

/// The files of one commit: links to blobs.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    path: PathBuf,
    absent: PathBuf,
}

impl Repository {
    pub(crate) fn new(cache: &Path, model: &HubModel) -> Self {
        let folder = folder_name(model);
        Self {
            path: cache.join(&folder),
            lock: cache.join(".locks").join(folder).join("pipeline.lock"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn snapshot(&self, commit: &str) -> Snapshot {
        Snapshot {
            path: self.path.join("snapshots").join(commit),
            absent: self.path.join(".no_exist").join(commit),
        }
    }

    /// Files under the digest of their content.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// Where files are until they are known to be whole.
    pub(crate) fn staging(&self) -> PathBuf {
        self.path.join(".incomplete")
    }

    /// The commit that `revision` was when it was last asked for.
    pub(crate) fn read_ref(&self, revision: &str) -> Option<String> {
        let commit = std::fs::read_to_string(self.path.join("refs").join(revision)).ok()?;
        let commit = commit.trim();
        is_commit(commit).then(|| commit.to_owned())
    }

    pub(crate) fn write_ref(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        let path = self.path.join("refs").join(revision);
        write(&path, commit.as_bytes()).map_err(|source| HubError::Disk { path, source })
    }

    /// One program at a time fetches files of a repository. `None`: another one does.
    pub(crate) fn try_lock(&self) -> Result<Option<File>, HubError> {
        let disk = |source| HubError::Disk {
            path: self.lock.clone(),
            source,
        };
        if let Some(folder) = self.lock.parent() {
            std::fs::create_dir_all(folder).map_err(disk)?;
        }
        let file = File::create(&self.lock).map_err(disk)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(source)) => Err(disk(source)),
        }
    }

    /// Gives the whole file at `staged` its name among the blobs and lets `snapshot` link to it.
    pub(crate) fn publish(
        &self,
        staged: &Path,
        blob: &str,
        snapshot: &Snapshot,
        file: &str,
    ) -> io::Result<()> {
        let target = self.blobs().join(blob);
        let is_linked = staged.symlink_metadata()?.is_symlink();
        if !is_linked {
            File::open(staged)?.sync_all()?;
            std::fs::create_dir_all(self.blobs())?;
            std::fs::rename(staged, target)?;
        }
        snapshot.link(blob, file)
    }
}

impl Snapshot {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is there, a link to nothing being none.
    pub(crate) fn has(&self, file: &str) -> bool {
        self.path.join(file).is_file()
    }

    /// Whether it is known that the commit has no such file.
    pub(crate) fn lacks(&self, file: &str) -> bool {
        self.absent.join(file).exists()
    }

    /// Remembers that the commit has no such file.
    pub(crate) fn note_absent(&self, file: &str) -> Result<(), HubError> {
        let path = self.absent.join(file);
        write(&path, b"").map_err(|source| HubError::Disk { path, source })
    }

    pub(crate) fn read(&self, file: &str) -> io::Result<String> {
        std::fs::read_to_string(self.path.join(file))
    }

    fn link(&self, blob: &str, file: &str) -> io::Result<()> {
        std::fs::create_dir_all(&self.path)?;
        let (link, temporary) = (
            self.path.join(file),
            self.path.join(format!(".{file}.{}", std::process::id())),
        );
        remove_file(&temporary)?;
        link_to(&Path::new("../../blobs").join(blob), &temporary)?;
        std::fs::rename(&temporary, &link)
    }
}

/// `models--owner--name`.
pub(crate) fn folder_name(model: &HubModel) -> String {
    format!("models--{}--{}", model.owner(), model.name())
}

pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(crate) fn link_to(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Nobody sees half of the file.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    std::fs::write(&temporary, content)?;
    std::fs::rename(&temporary, path)
}
