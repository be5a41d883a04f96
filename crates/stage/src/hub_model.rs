//! The name of a model of the Hugging Face Hub. Nothing is fetched here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A repository of the Hub at a revision: `owner/name`, `owner/name@revision`, `hf://owner/name@revision`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HubModel {
    owner: String,
    name: String,
    revision: String,
}

/// Why a text does not name a model of the Hub.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubNameError {
    /// It is not `owner/name`.
    #[error("`{0}` does not name a model of the Hub: write `owner/name` or `owner/name@revision`")]
    NotARepository(String),
    /// The owner or the name has characters that the Hub does not allow.
    #[error(
        "`{written}` does not name a model of the Hub: `{part}` may hold only letters, digits, `-`, `_` and `.`"
    )]
    Part {
        /// As given.
        written: String,
        /// The owner or the name.
        part: String,
    },
    /// What follows the `@` cannot be a branch, a tag or a commit.
    #[error("`{written}`: `{revision}` is not a branch, tag or commit")]
    Revision {
        /// As given.
        written: String,
        /// What follows the `@`.
        revision: String,
    },
}

impl HubModel {
    /// What a name begins with where paths may stand too.
    pub const SCHEME: &'static str = "hf://";
    /// The revision of a name without one.
    pub const MAIN: &'static str = "main";

    /// Who it belongs to.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name below the owner.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A branch, a tag or a commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// `owner/name`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The revision, if it is a commit: then it always means the same files.
    pub fn commit(&self) -> Option<&str> {
        let is_commit =
            self.revision.len() == 40 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_commit.then_some(&*self.revision)
    }
}

impl FromStr for HubModel {
    type Err = HubNameError;

    fn from_str(written: &str) -> Result<Self, HubNameError> {
        let given = || written.to_owned();
        let bare = written.strip_prefix(Self::SCHEME).unwrap_or(written);
        let (repository, revision) = match bare.split_once('@') {
            Some((repository, revision)) => (repository, revision),
            None => (bare, Self::MAIN),
        };
        let (owner, name) = repository
            .split_once('/')
            .ok_or_else(|| HubNameError::NotARepository(given()))?;
        if owner.is_empty() || name.is_empty() || name.contains('/') {
            return Err(HubNameError::NotARepository(given()));
        }
        if let Some(part) = [owner, name].into_iter().find(|part| !is_part(part)) {
            return Err(HubNameError::Part {
                written: given(),
                part: part.to_owned(),
            });
        }
        if !is_revision(revision) {
            return Err(HubNameError::Revision {
                written: given(),
                revision: revision.to_owned(),
            });
        }
        let model = Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            revision: revision.to_owned(),
        };
        // A commit has one spelling, so that it has one place in the cache.
        match model.commit().map(str::to_ascii_lowercase) {
            Some(revision) => Ok(Self { revision, ..model }),
            None => Ok(model),
        }
    }
}

impl fmt::Display for HubModel {
    /// `owner/name@revision`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.owner, self.name, self.revision)
    }
}

fn is_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    part.bytes().all(allowed) && !part.starts_with(['.', '-']) && !part.contains("..")
}

/// Revisions become paths in the cache, so none may lead out of it.
fn is_revision(revision: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'+');
    let is_segment = |segment: &str| !segment.is_empty() && !segment.starts_with('.');
    revision.bytes().all(allowed) && revision.split('/').all(is_segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(written: &str) -> Result<HubModel, HubNameError> {
        written.parse()
    }

    #[test]
    fn a_name_without_revision_means_main() {
        let model = parse("klue/roberta-base").unwrap();
        assert_eq!(
            (model.owner(), model.name(), model.revision()),
            ("klue", "roberta-base", "main")
        );
        assert_eq!(model.to_string(), "klue/roberta-base@main");
        assert_eq!(model.repository(), "klue/roberta-base");
        assert_eq!(parse("hf://klue/roberta-base@main").unwrap(), model);
        assert_eq!(model.commit(), None);
    }

    #[test]
    fn a_commit_is_told_from_a_branch_and_has_one_spelling() {
        let commit = "0123456789ABCDEF0123456789abcdef01234567";
        let model = parse(&format!("o/n@{commit}")).unwrap();
        assert_eq!(model.commit(), Some(commit.to_lowercase().as_str()));
        assert_eq!(parse("o/n@refs/pr/1").unwrap().revision(), "refs/pr/1");
        assert_eq!(parse("o/n@v1.0").unwrap().commit(), None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for written in ["bert", "", "/", "o/", "/n", "a/b/c", "hf://", "hf://n"] {
            assert_eq!(
                parse(written),
                Err(HubNameError::NotARepository(written.to_owned()))
            );
        }
        for written in ["o w/n", "o/na me", "o/..", "./n", "감정/모델"] {
            assert!(
                matches!(parse(written), Err(HubNameError::Part { .. })),
                "{written}"
            );
        }
        for written in ["o/n@", "o/n@../x", "o/n@/x", "o/n@a//b", "o/n@a b", "o/n@a@b"] {
            assert!(
                matches!(parse(written), Err(HubNameError::Revision { .. })),
                "{written}"
            );
        }
    }
}
