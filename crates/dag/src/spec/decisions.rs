//! Decisions of people about rows, as `pipeline review import` leaves them: `overrides/STAGE/NNNN-DDDDDDDD.csv` beside
//! the pipeline file. A stage that takes decisions and is given none reads the newest file of its folder.
//!
//! NNNN is a running number, DDDDDDDD the beginning of the content's digest. Every file holds all decisions up to then.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use stage::{ArtifactType, InputSpec, Role, SourceOptions};

use super::report::Report;
use super::stages::Draft;
use crate::InputRef;
use crate::identity::digest_file;

/// The folder beside the pipeline file.
const FOLDER: &str = "overrides";

/// Why the decisions for a stage cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecisionsError {
    #[error("`{0}` is not called NNNN-DDDDDDDD.csv, as `pipeline review import` calls its files")]
    Name(String),
    #[error("`{0}` and `{1}` have the same number")]
    SameNumber(String, String),
    #[error("`{file}` was changed after it was written: by its content it would be `{now}`")]
    Changed { file: String, now: String },
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(String, io::Error),
}

impl DecisionsError {
    /// What to do about it.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Name(_) => "move it away, or give it to the input `overrides`".to_owned(),
            Self::SameNumber(..) => {
                "the newest one counts: give the one to be merged in to `pipeline review import`, and remove it here"
                    .to_owned()
            }
            Self::Changed { now, .. } => format!("if the change is meant, rename it to `{now}`; otherwise restore it"),
            Self::Unreadable(..) => "it must be readable, or not be there".to_owned(),
        }
    }
}

/// The input for decisions that `draft` takes and is not given.
pub(super) fn missing_input(draft: &Draft<'_>) -> Option<&'static InputSpec> {
    decisions_input(draft).filter(|spec| !draft.inputs.iter().any(|entry| entry.key == spec.name))
}

/// The newest decisions for the stage called `stage`.
pub(super) fn newest(base_dir: &Path, stage: &str) -> Result<Option<InputRef>, DecisionsError> {
    let folder = base_dir.join(FOLDER).join(stage);
    let shown = |name: &str| format!("{FOLDER}/{stage}/{name}");
    let names =
        names_in(&folder).map_err(|error| DecisionsError::Unreadable(format!("{FOLDER}/{stage}"), error))?;
    let mut newest: Option<(u32, String)> = None;
    // Sorted, so that equal numbers stand side by side and the last is the newest.
    for name in names.into_iter().filter(|name| name.ends_with(".csv")) {
        let number = number_of(&name).ok_or_else(|| DecisionsError::Name(shown(&name)))?;
        if let Some((_, other)) = newest.filter(|(other, _)| *other == number) {
            return Err(DecisionsError::SameNumber(shown(&other), shown(&name)));
        }
        newest = Some((number, name));
    }
    let Some((number, name)) = newest else {
        return Ok(None);
    };
    let path = folder.join(&name);
    let digest = digest_file(&path).map_err(|error| DecisionsError::Unreadable(shown(&name), error))?;
    let now = format!("{number:04}-{}.csv", digest.short());
    if now != name {
        return Err(DecisionsError::Changed {
            file: shown(&name),
            now,
        });
    }
    Ok(Some(InputRef::Path {
        path,
        written: shown(&name),
        artifact_type: ArtifactType::File,
        options: SourceOptions::default(),
    }))
}

/// Warns of decisions that no stage reads: a renamed stage must not lose them in silence.
pub(super) fn warn_of_unread(drafts: &[Draft<'_>], base_dir: &Path, report: &mut Report<'_>) {
    let folder = base_dir.join(FOLDER);
    let names = names_in(&folder).unwrap_or_default();
    for name in names.iter().filter(|name| folder.join(name).is_dir()) {
        let reader = drafts.iter().find(|draft| draft.name == name);
        if reader.and_then(decisions_input).is_none() {
            let message = format!("no stage reads the decisions in `{FOLDER}/{name}`");
            let hint = match reader {
                Some(_) => format!("stages of the kind of `{name}` take no decisions"),
                None => "was the stage renamed? rename the folder, too".to_owned(),
            };
            report.file_warning(message).hint(hint);
        }
    }
}

fn decisions_input(draft: &Draft<'_>) -> Option<&'static InputSpec> {
    let kind = draft.kind?;
    kind.inputs()
        .iter()
        .find(|spec| kind.role(spec.name) == Role::Decisions)
}

fn number_of(name: &str) -> Option<u32> {
    let (number, digest) = name.strip_suffix(".csv")?.split_once('-')?;
    let is_number = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_name = is_number && digest.len() == 8 && digest.bytes().all(is_hex);
    number.parse().ok().filter(|_| is_name)
}

/// Names in a folder but for hidden ones, by number if they begin with one; none if there is no folder.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = PathBuf::from(entry?.file_name()).to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_by_cached_key(|name| (number_of(name), name.clone()));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_decisions_is_a_number_and_a_digest() {
        assert_eq!(number_of("0012-ab12cd34.csv"), Some(12));
        assert_eq!(number_of("12345-ab12cd34.csv"), Some(12345));
        for other in [
            "12-ab12cd34.csv",
            "0012-AB12CD34.csv",
            "0012.csv",
            "0012-ab12cd34.tsv",
            "0012-ab12cd3.csv",
        ] {
            assert_eq!(number_of(other), None, "{other}");
        }
    }
}
