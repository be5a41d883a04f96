//! One writer per store. The kernel releases the lock when its holder dies, however it dies; readers take none.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use stage::Failure;

use super::{Store, disk, fault};
use crate::clock;
use crate::execute::Interrupt;

/// Who holds a lock, as far as it said so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Its process id.
    pub pid: u32,
    /// When it took the lock, in UTC.
    pub since: String,
    /// Its command line.
    pub command: String,
    /// What it is working on.
    pub stage: Option<String>,
}

/// How long to wait for another writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until it ends.
    Forever,
    /// At most so long; zero: not at all.
    AtMost(Duration),
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another writer still has it.
    #[error("the artifact store `{store}` is in use by {holder}")]
    Busy {
        /// The store.
        store: PathBuf,
        /// Who has it.
        holder: LockHolder,
    },
    /// A signal came while waiting.
    #[error("interrupted while waiting for the artifact store")]
    Interrupted {
        /// Its number.
        signal: i32,
    },
    /// The store cannot be written to.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// The right to write to a store; given back when dropped.
#[derive(Debug)]
pub struct WriterLock {
    path: PathBuf,
    held: Mutex<(File, LockHolder)>,
}

impl std::fmt::Display for LockHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pid == 0 {
            return f.write_str("another process");
        }
        write!(f, "process {} since {} (`{}`", self.pid, self.since, self.command)?;
        match &self.stage {
            Some(stage) => write!(f, ", stage `{stage}`)"),
            None => f.write_str(")"),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Store(failure) => failure,
            busy => Self::storage(busy).hint("wait for it, or `--artifacts DIR` names another store"),
        }
    }
}

impl Store {
    /// Takes the writer lock, makes the store's folder if need be, and clears what killed runs left half-made.
    /// `on_wait` hears for whom it waits, first and whenever that changes.
    pub fn lock(
        &self,
        command: &str,
        wait: Wait,
        interrupt: &Interrupt,
        on_wait: &mut dyn FnMut(&LockHolder),
    ) -> Result<WriterLock, LockError> {
        std::fs::create_dir_all(self.root()).map_err(|error| disk::failure(self.root(), &error))?;
        let path = self.root().join(".lock");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = file.map_err(|error| disk::failure(&path, &error))?;
        self.wait_for(&mut file, &path, wait, interrupt, on_wait)?;
        if disk::is_network(self.root()) {
            tracing::warn!(store = %self.root().display(), "network file system: two machines may not see each other's lock");
        }
        let since = clock::timestamp();
        let holder = LockHolder {
            pid: std::process::id(),
            since,
            command: command.to_owned(),
            stage: None,
        };
        let lock = WriterLock {
            path,
            held: Mutex::new((file, holder)),
        };
        lock.write_holder();
        fault::point("locked");
        self.clear_leftovers();
        fault::point("leftovers-cleared");
        Ok(lock)
    }

    fn wait_for(
        &self,
        file: &mut File,
        path: &Path,
        wait: Wait,
        interrupt: &Interrupt,
        on_wait: &mut dyn FnMut(&LockHolder),
    ) -> Result<(), LockError> {
        const POLL: Duration = Duration::from_millis(50);
        let started = Instant::now();
        let mut announced = None;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(disk::failure(path, &error).into()),
            }
            let holder = read_holder(file);
            if let Some(signal) = interrupt.signal() {
                return Err(LockError::Interrupted { signal });
            }
            if let Wait::AtMost(limit) = wait
                && started.elapsed() >= limit
            {
                return Err(LockError::Busy {
                    store: self.root().to_owned(),
                    holder,
                });
            }
            if announced.as_ref() != Some(&holder) {
                on_wait(&holder);
                announced = Some(holder);
            }
            std::thread::sleep(POLL);
        }
    }
}

impl WriterLock {
    /// Tells those who wait which stage is being worked on.
    pub(crate) fn working_on(&self, stage: Option<&str>) {
        let mut held = self
            .held
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        held.1.stage = stage.map(str::to_owned);
        drop(held);
        self.write_holder();
    }

    fn write_holder(&self) {
        let mut held = self
            .held
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (file, holder) = &mut *held;
        let text = serde_json::to_vec(holder).unwrap_or_default();
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(&text));
        if let Err(error) = written {
            tracing::debug!(path = %self.path.display(), %error, "the lock does not say who holds it");
        }
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        let held = self
            .held
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(error) = held.0.set_len(0) {
            tracing::debug!(path = %self.path.display(), %error, "the lock still names this process");
        }
    }
}

/// What the lock file says; it may be read in the middle of a write, and then says nothing.
fn read_holder(file: &mut File) -> LockHolder {
    let mut text = String::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_string(&mut text));
    read.ok()
        .and_then(|_| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}
