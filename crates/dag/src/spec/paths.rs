//! Files and directories that a pipeline file names: whether they are there and are what is asked for.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use stage::{ArtifactType, HubModel, HubNameError, SourceOptions, nearest};

use crate::{HubInput, InputRef};

/// Why a path cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PathError {
    #[error("there is no {} `{written}`", if *.model { "directory" } else { "file" })]
    Missing {
        written: String,
        model: bool,
        close: Option<String>,
        parent: Option<PathBuf>,
    },
    #[error("`{written}` is {what}")]
    WrongType { written: String, what: &'static str },
    #[error("`{written}` is not a model: it has no config.json")]
    NotAModel { written: String },
    #[error("`{written}` is a model of the Hub")]
    HubModel { written: String },
    #[error(transparent)]
    HubName(#[from] HubNameError),
    #[error("the path is empty")]
    Empty,
    #[error("`{written}` cannot be looked at: {source}")]
    Unreadable { written: String, source: std::io::Error },
}

impl PathError {
    /// What to do about it.
    pub(super) fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing {
                close: Some(close), ..
            } => vec![format!("did you mean `{close}`?")],
            Self::Missing {
                parent: Some(parent), ..
            } => vec![format!("there is no directory `{}`", parent.display())],
            Self::Missing { .. } => vec!["paths are relative to the pipeline file".to_owned()],
            Self::NotAModel { .. } => {
                vec![
                    "a model is a directory with config.json, model.safetensors and tokenizer.json"
                        .to_owned(),
                ]
            }
            Self::WrongType { .. }
            | Self::HubModel { .. }
            | Self::HubName(_)
            | Self::Empty
            | Self::Unreadable { .. } => Vec::new(),
        }
    }
}

/// Whether files of users may be given where this type is taken.
pub(super) fn is_table(artifact_type: ArtifactType) -> bool {
    use ArtifactType::{Decided, Document, File, Kept, Labelled, LabelledScored, Model, Raw, Scored, Table};
    match artifact_type {
        Labelled | Raw | Scored | LabelledScored | Kept | Decided | Table | File => true,
        Model | Document => false,
    }
}

/// The file or directory `written`, relative to `base_dir`; `accepts` is `None` if nothing is known of it.
pub(super) fn check_path(
    base_dir: &Path,
    written: &str,
    accepts: Option<&[ArtifactType]>,
) -> Result<InputRef, PathError> {
    let given = || written.to_owned();
    if written.trim().is_empty() {
        return Err(PathError::Empty);
    }
    let takes_model = accepts.is_none_or(|accepts| accepts.contains(&ArtifactType::Model));
    if written.starts_with(HubModel::SCHEME) {
        let model: HubModel = written.parse()?;
        return if takes_model {
            Ok(InputRef::Hub(HubInput::new(model, given())))
        } else {
            Err(PathError::HubModel { written: given() })
        };
    }
    let takes_file = accepts.is_none_or(|accepts| accepts.iter().any(|accepted| is_table(*accepted)));
    let path = std::path::absolute(base_dir.join(written)).map_err(|source| PathError::Unreadable {
        written: given(),
        source,
    })?;
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let (close, parent) = neighbours(base_dir, &path);
            return Err(PathError::Missing {
                written: given(),
                model: takes_model && !takes_file,
                close,
                parent,
            });
        }
        Err(source) => {
            return Err(PathError::Unreadable {
                written: given(),
                source,
            });
        }
    };
    let artifact_type = match (metadata.is_dir(), takes_model, takes_file) {
        (true, true, _) if path.join("config.json").is_file() => ArtifactType::Model,
        (true, true, _) => return Err(PathError::NotAModel { written: given() }),
        (true, false, _) => {
            return Err(PathError::WrongType {
                written: given(),
                what: "a directory",
            });
        }
        (false, _, true) => ArtifactType::File,
        (false, _, false) => {
            return Err(PathError::WrongType {
                written: given(),
                what: "a file",
            });
        }
    };
    Ok(InputRef::Path {
        path,
        written: given(),
        artifact_type,
        options: SourceOptions::default(),
    })
}

/// The entry of the same folder with the closest name; or the folder, if that is missing itself.
fn neighbours(base_dir: &Path, path: &Path) -> (Option<String>, Option<PathBuf>) {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return (None, None);
    };
    let shown = |path: &Path| path.strip_prefix(base_dir).unwrap_or(path).to_path_buf();
    let Ok(entries) = std::fs::read_dir(parent) else {
        return (None, Some(shown(parent)));
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let close = nearest(name, names.iter().map(String::as_str));
    (
        close.map(|close| shown(&parent.join(close)).display().to_string()),
        None,
    )
}
