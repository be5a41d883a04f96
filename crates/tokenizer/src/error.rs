//! Why a tokenizer cannot be loaded or saved.

use std::path::{Path, PathBuf};

/// A tokenizer directory that is not usable, or a disk that failed.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// None of the files that make a tokenizer is there.
    #[error("`{}` has no tokenizer: none of `tokenizer.json`, `vocab.txt` and `spiece.model` is there", .0.display())]
    Missing(PathBuf),
    /// A SentencePiece file of a family that is not supported.
    #[error(
        "`{}` is a SentencePiece model of a kind that is not supported; \
         give a model whose tokenizer is `tokenizer.json`, `vocab.txt` or KoBERT's `spiece.model`",
        .0.display()
    )]
    SentencePiece(PathBuf),
    /// A file is not what its name says.
    #[error("`{}`: {reason}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The vocabulary lacks a special token.
    #[error("`{}` has no token `{token}`", .path.display())]
    NoSpecialToken {
        /// The tokenizer's file, or `vocabulary` when it was made in memory.
        path: PathBuf,
        /// The token.
        token: &'static str,
    },
    /// Reading or writing failed.
    #[error("`{}`: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl TokenizerError {
    pub(crate) fn invalid(path: &Path, reason: impl ToString) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<TokenizerError> for stage::Failure {
    fn from(error: TokenizerError) -> Self {
        match &error {
            TokenizerError::Missing(_) => Self::missing(error),
            TokenizerError::Io { path, source } => Self::io(path, source),
            _ => Self::stage(error),
        }
    }
}
