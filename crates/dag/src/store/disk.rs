//! Writing so that a crash leaves the old or the new, and saying in words why the disk refused.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use stage::Failure;

/// Replaces `path` with `content`: a temporary file in `folder` (of the same file system), flushed to the disk, renamed.
pub(crate) fn write_atomic(folder: &Path, path: &Path, content: &[u8]) -> Result<(), Failure> {
    let temporary = temporary_in(folder, path);
    let written = write_synced(&temporary, content)
        .and_then(|()| std::fs::rename(&temporary, path))
        .and_then(|()| path.parent().map_or(Ok(()), sync_folder));
    written.map_err(|error| {
        remove_quietly(&temporary);
        failure(path, &error)
    })
}

/// Writes a new file and flushes it to the disk.
pub(crate) fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Flushes a folder: which names are in it.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Where in `folder` the next content of `path` is made before it takes its place.
pub(crate) fn temporary_in(folder: &Path, path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder.join(format!("{}{}-{name}", super::TEMPORARY, std::process::id()))
}

/// Removes a file or a folder with all that is in it; nothing there is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    const ATTEMPTS: usize = 20;
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.is_dir() {
        return std::fs::remove_file(path);
    }
    // A process that is being killed may still add a file while its folder is removed.
    for _ in 1..ATTEMPTS {
        match std::fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(std::time::Duration::from_millis(25));
            }
            Err(error) => return Err(error),
        }
    }
    std::fs::remove_dir_all(path)
}

/// As [`remove`], where a leftover is a nuisance and not an error.
pub(crate) fn remove_quietly(path: &Path) {
    if let Err(error) = remove(path) {
        tracing::warn!(path = %path.display(), %error, "a temporary file could not be removed");
    }
}

/// Bytes that may still be written beside `path`.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes of all files at or below `path`.
pub(crate) fn size(path: &Path) -> u64 {
    let Ok(metadata) = path.symlink_metadata() else {
        return 0;
    };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .map(|entry| size(&entry.path()))
        .sum()
}

/// Whether the disk is full, as far as this user is concerned.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// An input/output error in the store, in words.
pub(crate) fn failure(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::storage(format!("`{}`: {error}", path.display()));
    match error.kind() {
        _ if is_full(error) => match free_bytes(path) {
            Some(free) => failure.hint(format!("{} free there; make room or move the store", words(free))),
            None => failure.hint("make room or move the store"),
        },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            failure.hint("the artifact store must be writable; `--artifacts DIR` names another")
        }
        _ => failure,
    }
}

/// A number of bytes for people: `1.5 MiB`.
pub(crate) fn words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Whether `path` lies on a network file system, where locks may not hold.
pub(crate) fn is_network(path: &Path) -> bool {
    const NFS: i128 = 0x6969;
    const CIFS: i128 = 0xff53_4d42;
    const SMB2: i128 = 0xfe53_4d42;
    rustix::fs::statfs(path).is_ok_and(|disk| [NFS, CIFS, SMB2].contains(&i128::from(disk.f_type)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_content_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir_all(path.join("by-a-folder")).unwrap();
        assert!(write_atomic(folder.path(), &path, b"new").is_err());
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["taken"]);
    }

    #[test]
    fn a_full_disk_is_said_with_what_is_free() {
        let error = io::Error::from(ErrorKind::StorageFull);
        let failure = failure(&std::env::temp_dir().join("x"), &error);
        assert_eq!(failure.kind, stage::FailureKind::Storage);
        assert!(failure.hints[0].contains("free there"), "{:?}", failure.hints);
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(words(1023), "1023 bytes");
        assert_eq!(words(1536), "1.5 KiB");
        assert_eq!(words(3 << 30), "3.0 GiB");
    }
}
