//! Brings the files of a model into the cache: into a staging folder first, and from there once they are proven.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use stage::HubModel;

use crate::cache::{Repository, Snapshot, folder_name, link_to, remove_folder};
use crate::client::{Client, Staged};
use crate::model_files::{self, CONFIG, INDEX, PICKLED, WEIGHTS};
use crate::{HubError, Settings, Watch};

/// How often a transfer that broke off or brought the wrong bytes is tried.
const ATTEMPTS: u32 = 3;

/// Completes the snapshot of `commit`.
pub(crate) fn fetch(
    settings: &Settings,
    model: &HubModel,
    commit: &str,
    repository: &Repository,
    watch: &mut dyn Watch,
) -> Result<(), HubError> {
    let lock = Arc::new(lock(repository, watch)?);
    let snapshot = repository.snapshot(commit);
    if model_files::is_complete(&snapshot) {
        // Another program fetched it while this one waited.
        return Ok(());
    }
    let client = Client::new(settings, model)?;
    let files = client.describe(commit, watch)?.files;
    prepare_staging(repository, model).map_err(|source| HubError::Disk {
        path: repository.staging(),
        source,
    })?;
    let mut fetcher = Fetcher {
        client: &client,
        commit,
        repository,
        snapshot,
        files,
        lock,
        watch,
    };
    fetcher.all()?;
    remove_folder(&repository.staging()).map_err(|source| HubError::Disk {
        path: repository.staging(),
        source,
    })
}

/// `owner/name@revision`.
pub(crate) fn at(model: &HubModel, revision: &str) -> String {
    format!("{}@{revision}", model.repository())
}

struct Fetcher<'a> {
    client: &'a Client,
    commit: &'a str,
    repository: &'a Repository,
    snapshot: Snapshot,
    files: Option<BTreeSet<String>>,
    lock: Arc<File>,
    watch: &'a mut dyn Watch,
}

impl Fetcher<'_> {
    fn all(&mut self) -> Result<(), HubError> {
        for file in model_files::small_files() {
            if !self.file(file)? && file == CONFIG {
                return Err(self.not_found(CONFIG));
            }
        }
        if self.file(WEIGHTS)? {
            return Ok(());
        }
        if self.file(INDEX)? {
            let shards = model_files::shards(&self.snapshot)
                .ok_or_else(|| self.broken(INDEX, "it names no files".to_owned()))?;
            for shard in shards {
                if !self.file(&shard)? {
                    return Err(self.not_found(&shard));
                }
            }
            return Ok(());
        }
        if self.file(PICKLED)? {
            Ok(())
        } else {
            Err(self.not_found(WEIGHTS))
        }
    }

    /// Whether the commit has the file; then it is in the snapshot.
    fn file(&mut self, file: &str) -> Result<bool, HubError> {
        if self.snapshot.has(file) {
            return Ok(true);
        }
        let is_listed = self.files.as_ref().is_none_or(|files| files.contains(file));
        if !is_listed || self.snapshot.lacks(file) {
            self.snapshot.note_absent(file)?;
            return Ok(false);
        }
        match self.whole(file) {
            Ok(staged) => {
                let published = self
                    .repository
                    .publish(&staged.path, &staged.etag, &self.snapshot, file);
                published.map_err(|source| HubError::Disk {
                    path: self.repository.path().to_owned(),
                    source,
                })?;
                Ok(true)
            }
            Err(HubError::FileNotFound { .. }) => {
                self.snapshot.note_absent(file)?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The file in the staging folder, its bytes proven.
    fn whole(&mut self, file: &str) -> Result<Staged, HubError> {
        let mut attempt = 1;
        loop {
            let staged = self
                .client
                .download(file, self.commit, attempt > 1, &self.lock, self.watch);
            let error = match staged.and_then(|staged| self.prove(file, staged)) {
                Ok(staged) => return Ok(staged),
                Err(error) => error,
            };
            if !matches!(error, HubError::Broken { .. }) {
                return Err(error);
            }
            if attempt == ATTEMPTS {
                // Perhaps the bytes were not the file but an apology.
                return Err(self
                    .client
                    .probe(file, self.commit, self.watch)
                    .err()
                    .unwrap_or(error));
            }
            tracing::debug!(%error, attempt, "trying again");
            std::thread::sleep(Duration::from_millis(200) * attempt);
            attempt += 1;
        }
    }

    /// Refuses a file that is not as long as the Hub says, or not what its name says.
    fn prove(&self, file: &str, staged: Staged) -> Result<Staged, HubError> {
        let disk = |source| HubError::Disk {
            path: staged.path.clone(),
            source,
        };
        let bytes = std::fs::metadata(&staged.path).map_err(disk)?.len();
        if let Some(size) = staged.size.filter(|size| *size != bytes) {
            return Err(self.broken(file, format!("{bytes} bytes came, not {size}")));
        }
        // Large files are called by the SHA-256 of their content. A blob of the cache was proven when it came.
        let is_new = !staged.path.symlink_metadata().map_err(disk)?.is_symlink();
        if is_new && is_sha256(&staged.etag) && sha256(&staged.path).map_err(disk)? != staged.etag {
            return Err(self.broken(file, format!("what came is not {}", staged.etag)));
        }
        if staged.etag.is_empty() || staged.etag.starts_with('.') || staged.etag.contains(['/', '\\']) {
            return Err(self.broken(
                file,
                format!("`{}` cannot be the name of its content", staged.etag),
            ));
        }
        Ok(staged)
    }

    fn not_found(&self, file: &str) -> HubError {
        HubError::FileNotFound {
            file: file.to_owned(),
            model: at(&self.client.model, self.commit),
        }
    }

    fn broken(&self, file: &str, reason: String) -> HubError {
        HubError::Broken {
            file: file.to_owned(),
            model: at(&self.client.model, self.commit),
            reason,
        }
    }
}

/// An empty staging folder in which hf-hub finds the blobs that are in the cache already.
fn prepare_staging(repository: &Repository, model: &HubModel) -> io::Result<()> {
    remove_folder(&repository.staging())?;
    let staged = repository.staging().join(folder_name(model)).join("blobs");
    std::fs::create_dir_all(&staged)?;
    let entries = match std::fs::read_dir(repository.blobs()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().ends_with(".incomplete") {
            link_to(&entry.path(), &staged.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn lock(repository: &Repository, watch: &mut dyn Watch) -> Result<File, HubError> {
    loop {
        if let Some(lock) = repository.try_lock()? {
            return Ok(lock);
        }
        if watch.is_interrupted() {
            return Err(HubError::Interrupted);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn is_sha256(etag: &str) -> bool {
    etag.len() == 64 && etag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut reader = io::BufReader::with_capacity(1 << 20, File::open(path)?);
    loop {
        let buffer = io::BufRead::fill_buf(&mut reader)?;
        if buffer.is_empty() {
            break;
        }
        hasher.update(buffer);
        let read = buffer.len();
        io::BufRead::consume(&mut reader, read);
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
