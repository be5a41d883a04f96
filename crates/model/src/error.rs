//! Why a model cannot be loaded, saved or run.

use std::path::{Path, PathBuf};

use tokenizer::TokenizerError;

/// A model directory, a configuration or a device that is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file of the model directory is not there.
    #[error("model `{}` has no `{file}`", .directory.display())]
    Missing {
        /// The model directory.
        directory: PathBuf,
        /// The file's name.
        file: &'static str,
    },
    /// A file is not what its name says, or describes something that is not supported.
    #[error("`{}`: {reason}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Sizes or probabilities that no model can have.
    #[error("{0}")]
    Config(String),
    /// The checkpoint lacks a tensor.
    #[error("`{}` has no tensor `{tensor}`", .path.display())]
    NoTensor {
        /// The checkpoint.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
    },
    /// A tensor is not of the shape that `config.json` asks for.
    #[error("`{}`: tensor `{tensor}` has shape {found:?}, but config.json asks for {expected:?}", .path.display())]
    Shape {
        /// The checkpoint.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// What the configuration says.
        expected: Vec<usize>,
        /// What the checkpoint holds.
        found: Vec<usize>,
    },
    /// The tokenizer gives ids that the model has no embedding for.
    #[error(
        "model `{}`: the tokenizer has {tokenizer} tokens, but the embedding only {embedding}; \
         tokenizer and weights are of different models",
        .directory.display()
    )]
    Vocabulary {
        /// The model directory.
        directory: PathBuf,
        /// Tokens of the tokenizer.
        tokenizer: usize,
        /// Rows of the embedding.
        embedding: usize,
    },
    /// The checkpoint's classes are the task's in another order.
    #[error(
        "model `{}`: its labels stand in another order ({}) than the task's ({}); \
         list the labels in the model's order",
        .directory.display(), .found.join(", "), .expected.join(", ")
    )]
    PermutedLabels {
        /// The model directory.
        directory: PathBuf,
        /// The task's labels.
        expected: Vec<String>,
        /// The checkpoint's labels.
        found: Vec<String>,
    },
    /// The checkpoint's classes are not the task's.
    #[error("model `{}` knows the labels {}, not {}", .directory.display(), .found.join(", "), .expected.join(", "))]
    OtherLabels {
        /// The model directory.
        directory: PathBuf,
        /// The task's labels.
        expected: Vec<String>,
        /// The checkpoint's labels.
        found: Vec<String>,
    },
    /// An encoding is longer than the model's positions.
    #[error("row {row} has {length} tokens, but the model takes at most {limit}")]
    TooLong {
        /// 0-based.
        row: usize,
        /// Tokens of the row.
        length: usize,
        /// Positions of the model.
        limit: usize,
    },
    /// The model's output is not a number.
    #[error("row {row}: the model's output is not a finite number; its weights are broken")]
    NotFinite {
        /// 0-based.
        row: usize,
    },
    /// The device cannot be used by this build.
    #[error("{0}")]
    Device(String),
    /// The tokenizer cannot be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Reading or writing failed.
    #[error("`{}`: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl ModelError {
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

impl From<ModelError> for stage::Failure {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Tokenizer(error) => error.into(),
            ModelError::Io { path, source } => Self::io(&path, &source),
            ModelError::Missing { .. } | ModelError::Device(_) => Self::missing(error),
            _ => Self::stage(error),
        }
    }
}
