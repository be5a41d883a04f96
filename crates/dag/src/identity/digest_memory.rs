//! Remembered digests of files, so that a run with nothing to do need not read them.
//!
//! A digest is remembered under all that the system says about a file's content without reading it. A file that was
//! written a moment ago is not remembered: it could be written again within one tick of the clock. The memory is
//! advisory: lost, torn or altered, it costs time and nothing else.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Digest, digest_file, digest_of_entries, walk};

/// Entries beyond this number are dropped unless they were of use in this process.
const CAPACITY: usize = 20_000;
/// How long a file must have been left alone before its digest is remembered.
const SETTLED_NS: i64 = 2_000_000_000;

/// Digests by path, valid as long as the file looks the same.
pub(crate) struct DigestMemory {
    file: PathBuf,
    entries: BTreeMap<String, Entry>,
    changed: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    identity: Identity,
    digest: Digest,
    #[serde(skip)]
    used: bool,
}

/// What changes when a file's content does.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i64,
    changed_ns: i64,
}

impl DigestMemory {
    /// What `file` remembers; nothing if it is missing or damaged.
    pub(crate) fn load(file: PathBuf) -> Self {
        let entries = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| parse(&text))
            .unwrap_or_default();
        Self {
            file,
            entries,
            changed: false,
        }
    }

    /// The digest of a file, or of a directory with all that is in it.
    pub(crate) fn digest(&mut self, path: &Path) -> io::Result<Digest> {
        if !path.metadata()?.is_dir() {
            return self.file_digest(path);
        }
        let mut entries = Vec::new();
        for (name, file) in walk(path)? {
            entries.push((name, self.file_digest(&file)?));
        }
        Ok(digest_of_entries(
            entries.iter().map(|(name, digest)| (name.as_str(), *digest)),
        ))
    }

    /// The digest of a file.
    pub(crate) fn file_digest(&mut self, path: &Path) -> io::Result<Digest> {
        const ATTEMPTS: usize = 3;
        for _ in 0..ATTEMPTS {
            let before = Identity::of(&path.metadata()?);
            let key = path.to_str();
            if let Some(entry) = key.and_then(|key| self.entries.get_mut(key))
                && entry.identity == before
            {
                entry.used = true;
                return Ok(entry.digest);
            }
            let started = now_ns();
            let digest = digest_file(path)?;
            if Identity::of(&path.metadata()?) != before {
                continue;
            }
            if let Some(key) = key
                && before.settled_at(started)
            {
                self.entries.insert(
                    key.to_owned(),
                    Entry {
                        identity: before,
                        digest,
                        used: true,
                    },
                );
                self.changed = true;
            }
            return Ok(digest);
        }
        Err(io::Error::other("the file is being written to"))
    }

    /// Forgets files that are gone.
    pub(crate) fn forget_missing(&mut self) {
        let before = self.entries.len();
        self.entries.retain(|path, _| Path::new(path).exists());
        self.changed |= self.entries.len() != before;
    }

    /// Writes what was learnt, if anything was and the folder is there.
    pub(crate) fn save(&mut self) {
        let folder_exists = self.file.parent().is_some_and(Path::is_dir);
        if !self.changed || !folder_exists {
            return;
        }
        if self.entries.len() > CAPACITY {
            self.entries.retain(|_, entry| entry.used);
        }
        let temporary = self.file.with_extension(format!("tmp-{}", std::process::id()));
        let written = serde_json::to_string(&self.entries)
            .map_err(io::Error::other)
            .map(|body| format!("{}\n{body}\n", Digest::of(body.as_bytes())))
            .and_then(|text| std::fs::write(&temporary, text))
            .and_then(|()| std::fs::rename(&temporary, &self.file));
        match written {
            Ok(()) => self.changed = false,
            Err(error) => tracing::debug!(file = %self.file.display(), %error, "digests are not remembered"),
        }
    }
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn settled_at(&self, now_ns: i64) -> bool {
        self.modified_ns.max(self.changed_ns) < now_ns.saturating_sub(SETTLED_NS)
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// First line: the digest of the rest, so that an altered digest is not taken for a file's.
fn parse(text: &str) -> Option<BTreeMap<String, Entry>> {
    let (checksum, body) = text.split_once('\n')?;
    let body = body.strip_suffix('\n')?;
    let intact = checksum.parse() == Ok(Digest::of(body.as_bytes()));
    if intact {
        serde_json::from_str(body).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};
    use std::time::Duration;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn memory(&self) -> DigestMemory {
            DigestMemory::load(self.0.path().join("memory"))
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("file")
        }

        /// Remembers a false digest for the file as it is, to see whether the memory was asked.
        fn plant(&self, digest: Digest) {
            let mut memory = self.memory();
            let identity = Identity::of(&self.file().metadata().unwrap());
            let entry = Entry {
                identity,
                digest,
                used: true,
            };
            memory
                .entries
                .insert(self.file().to_str().unwrap().to_owned(), entry);
            memory.changed = true;
            memory.save();
        }
    }

    #[test]
    fn an_unchanged_file_is_not_read_again() {
        let folder = Folder::new();
        std::fs::write(folder.file(), "x").unwrap();
        folder.plant(Digest::of(b"planted"));
        assert_eq!(
            folder.memory().digest(&folder.file()).unwrap(),
            Digest::of(b"planted")
        );
    }

    #[test]
    fn a_file_written_a_moment_ago_is_not_remembered() {
        let folder = Folder::new();
        std::fs::write(folder.file(), "x").unwrap();
        let mut memory = folder.memory();
        memory.digest(&folder.file()).unwrap();
        assert!(memory.entries.is_empty());
    }

    #[test]
    fn a_change_that_keeps_size_and_modification_time_is_seen() {
        let folder = Folder::new();
        std::fs::write(folder.file(), "before").unwrap();
        let modified = folder.file().metadata().unwrap().modified().unwrap();
        folder.plant(Digest::of(b"planted"));
        std::thread::sleep(Duration::from_millis(20));
        std::fs::write(folder.file(), "after!").unwrap();
        File::options()
            .write(true)
            .open(folder.file())
            .unwrap()
            .set_modified(modified)
            .unwrap();
        assert_eq!(
            folder.memory().digest(&folder.file()).unwrap(),
            Digest::of(b"after!")
        );
    }

    #[test]
    fn a_damaged_memory_is_as_good_as_none() {
        let folder = Folder::new();
        std::fs::write(folder.file(), "x").unwrap();
        folder.plant(Digest::of(b"planted"));
        let path = folder.0.path().join("memory");
        let text = std::fs::read_to_string(&path).unwrap();
        let flipped = text.replace(
            &Digest::of(b"planted").to_string(),
            &Digest::of(b"flipped").to_string(),
        );
        for damaged in [&text[..text.len() / 2], &flipped, "", "\u{0}\n{}"] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(folder.memory().digest(&folder.file()).unwrap(), Digest::of(b"x"));
        }
    }

    #[test]
    fn an_old_file_is_remembered() {
        let identity = Identity {
            device: 1,
            inode: 1,
            size: 1,
            modified_ns: 5,
            changed_ns: 5,
        };
        assert!(identity.settled_at(SETTLED_NS + 6));
        assert!(!identity.settled_at(SETTLED_NS + 5));
    }

    #[test]
    fn a_time_in_the_future_is_never_settled() {
        let folder = Folder::new();
        std::fs::write(folder.file(), "x").unwrap();
        let future = SystemTime::now() + Duration::from_secs(3600);
        let file = File::options().write(true).open(folder.file()).unwrap();
        file.set_times(FileTimes::new().set_modified(future)).unwrap();
        let identity = Identity::of(&folder.file().metadata().unwrap());
        assert!(!identity.settled_at(now_ns()));
    }
}
