//! The files of decisions about a stage: numbered, never written over, the newest counts.

use std::io::Write;
use std::path::{Path, PathBuf};

use dag::{Dag, Digest};
use dataset::Overrides;
use stage::{ArtifactType, InputItem, SourceOptions};

use super::rows::failed;
use crate::error::{CliError, Exit};

/// `overrides/STAGE` beside the pipeline file.
pub(crate) struct History {
    folder: PathBuf,
    stage: String,
    /// By number.
    pub(crate) files: Vec<DecisionFile>,
    /// Greatest number that was ever given.
    last: u32,
}

/// `NNNN-DDDDDDDD.csv`.
#[derive(Clone, Debug)]
pub(crate) struct DecisionFile {
    pub(crate) number: u32,
    /// First 8 hex digits of what it held when it was written.
    pub(crate) digest: String,
    pub(crate) path: PathBuf,
}

/// Added to the name of a file that was taken back.
const UNDONE: &str = "undone";

impl History {
    pub(crate) fn open(base: &Path, stage: &str) -> Result<Self, CliError> {
        let folder = base.join("overrides").join(stage);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let entries = entries.map_err(|error| CliError::io(&folder, &error))?;
        let (mut files, mut last) = (Vec::new(), 0);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let (name, undone) = match name.strip_suffix(&format!(".{UNDONE}")) {
                Some(name) => (name, true),
                None => (&*name, false),
            };
            if let Some((number, digest)) = parse(name) {
                last = last.max(number);
                if !undone {
                    let (digest, path) = (digest.to_owned(), entry.path());
                    files.push(DecisionFile { number, digest, path });
                }
            }
        }
        files.sort_by_key(|file| file.number);
        Ok(Self {
            folder,
            stage: stage.to_owned(),
            files,
            last,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn newest(&self) -> Option<&DecisionFile> {
        self.files.last()
    }

    /// All decisions that count; none without a file.
    pub(crate) fn decisions(&self, dag: &Dag) -> Result<Overrides, CliError> {
        self.newest()
            .map_or_else(|| Ok(Overrides::default()), |file| file.read(dag))
    }

    /// How people call a file: relative to the pipeline file.
    pub(crate) fn name_of(&self, path: &Path) -> String {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        format!("overrides/{}/{file}", self.stage)
    }

    /// Writes the next file; whole or not at all.
    pub(crate) fn add(&self, content: &[u8]) -> Result<PathBuf, CliError> {
        let failed = |error: std::io::Error| CliError::io(&self.folder, &error);
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let name = format!("{:04}-{}.csv", self.last + 1, Digest::of(content).short());
        let path = self.folder.join(name);
        write_new(&path, content, false)?;
        Ok(path)
    }

    /// Sets the newest file aside; where it is now.
    pub(crate) fn undo(&self) -> Result<(DecisionFile, PathBuf), CliError> {
        let newest = self.newest().ok_or_else(|| {
            CliError::new(
                Exit::Missing,
                format!("there are no decisions about `{}`", self.stage),
            )
            .hint(format!("`pipeline review export {}` begins a review", self.stage))
        })?;
        let mut aside = newest.path.clone().into_os_string();
        aside.push(format!(".{UNDONE}"));
        let aside = PathBuf::from(aside);
        std::fs::rename(&newest.path, &aside).map_err(|error| CliError::io(&newest.path, &error))?;
        Ok((newest.clone(), aside))
    }
}

impl DecisionFile {
    pub(crate) fn read(&self, dag: &Dag) -> Result<Overrides, CliError> {
        let item = InputItem {
            path: self.path.clone(),
            name: self.path.display().to_string(),
            artifact_type: ArtifactType::File,
            options: SourceOptions::default(),
        };
        Overrides::read(&item, &dag.labels, dag.task).map_err(failed)
    }
}

/// Number and digest of `NNNN-DDDDDDDD.csv`.
fn parse(name: &str) -> Option<(u32, &str)> {
    let (number, digest) = name.strip_suffix(".csv")?.split_once('-')?;
    let is_number = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_digest = digest.len() == 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_number && is_digest {
        Some((number.parse().ok()?, digest))
    } else {
        None
    }
}

/// Writes a file through one beside it; with `replace` in place of what is there, else only if nothing is.
pub(super) fn write_new(path: &Path, content: &[u8], replace: bool) -> Result<(), CliError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |error: &std::io::Error| CliError::io(path, error);
    let mut file = tempfile::Builder::new()
        .prefix(".tmp-review-")
        .permissions(permissions())
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?;
    file.write_all(content)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    let persisted = if replace {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(failed(&error.error)),
    }
}

/// The error for a file that must not be written over.
pub(super) fn exists(path: &Path) -> CliError {
    CliError::new(Exit::Usage, format!("`{}` is there already", path.display()))
        .hint("somebody's decisions may stand in it; `--force` writes over it")
}

/// As of any file that a program writes, less what the process masks.
fn permissions() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_behind_what_was_taken_back() {
        let base = tempfile::tempdir().unwrap();
        let open = || History::open(base.path(), "pseudo_label").unwrap();
        assert!(open().newest().is_none());
        let first = open().add(b"id,decision\n").unwrap();
        let second = open().add(b"id,decision\na,keep\n").unwrap();
        std::fs::write(open().folder().join("notes.csv"), "").unwrap();
        let digest = Digest::of(b"id,decision\n").short();
        assert_eq!(
            first.file_name().unwrap().to_string_lossy(),
            format!("0001-{digest}.csv")
        );
        assert_eq!(open().newest().unwrap().path, second);
        let (undone, aside) = open().undo().unwrap();
        assert_eq!((undone.number, aside.exists()), (2, true));
        assert_eq!(open().newest().unwrap().path, first);
        let third = open().add(b"id,decision\nb,keep\n").unwrap();
        assert!(third.file_name().unwrap().to_string_lossy().starts_with("0003-"));
    }

    #[test]
    fn a_file_that_is_there_is_not_written_over() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("review.csv");
        write_new(&path, b"1", false).unwrap();
        assert_eq!(write_new(&path, b"2", false).unwrap_err().exit, Exit::Usage);
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
        write_new(&path, b"2", true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"2");
    }
}
