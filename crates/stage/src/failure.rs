//! How a stage says that it could not do its work.

use serde::{Deserialize, Serialize};

/// What went wrong, as far as the exit code depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The data, the model or the training is not usable (exit 1).
    Stage,
    /// A file, model or Hub entry that is needed is missing (exit 4).
    Missing,
    /// Reading or writing failed: disk full, permissions (exit 5).
    Storage,
}

/// The end of a stage that did not succeed, in words for the user.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Decides the exit code.
    pub kind: FailureKind,
    /// Where it happened and what is wrong. Lower case, no final stop.
    pub message: String,
    /// What to do, one line each.
    pub hints: Vec<String>,
}

impl Failure {
    /// Unusable data, model or training.
    pub fn stage(message: impl ToString) -> Self {
        Self {
            kind: FailureKind::Stage,
            message: message.to_string(),
            hints: Vec::new(),
        }
    }

    /// Something needed is not there.
    pub fn missing(message: impl ToString) -> Self {
        Self {
            kind: FailureKind::Missing,
            ..Self::stage(message)
        }
    }

    /// The disk or the store failed.
    pub fn storage(message: impl ToString) -> Self {
        Self {
            kind: FailureKind::Storage,
            ..Self::stage(message)
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl ToString) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// An input/output error on `path`.
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        let message = format!("`{}`: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::missing(message),
            _ => Self::storage(message),
        }
    }
}
