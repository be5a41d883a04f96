//! Why a model of the Hub cannot be had.

use std::path::PathBuf;

use hf_hub::HFError;
use stage::Failure;

use crate::client::Client;
use crate::fetch::at;

/// Why a model of the Hub cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The cache lacks a file, and nobody may be asked.
    #[error("`{file}` of `{model}` is not in the cache `{cache}`, and this run is offline", cache = cache.display())]
    NotCached {
        /// The file.
        file: String,
        /// The model and its revision or commit.
        model: String,
        /// The repository's folder in the cache.
        cache: PathBuf,
    },
    /// The Hub has no such repository.
    #[error("there is no model `{repository}` on {endpoint}")]
    RepositoryNotFound {
        /// `owner/name`.
        repository: String,
        /// The Hub.
        endpoint: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("the model `{repository}` has no branch, tag or commit `{revision}` on {endpoint}")]
    RevisionNotFound {
        /// `owner/name`.
        repository: String,
        /// What was asked for.
        revision: String,
        /// The Hub.
        endpoint: String,
    },
    /// The commit lacks a file that is needed.
    #[error("`{model}` has no `{file}`")]
    FileNotFound {
        /// The file.
        file: String,
        /// The model and its commit.
        model: String,
    },
    /// The Hub does not say whether there is such a model, or wants its conditions accepted.
    #[error("{endpoint} does not hand out `{repository}` ({status}){message}")]
    Unauthorised {
        /// `owner/name`.
        repository: String,
        /// The Hub.
        endpoint: String,
        /// 401 or 403.
        status: u16,
        /// `: ` and the Hub's own words, if it has any.
        message: String,
        /// Whether a token was sent.
        has_token: bool,
    },
    /// Nobody answers, or only with an apology.
    #[error("{endpoint} cannot be reached: {reason}")]
    Unreachable {
        /// The Hub.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// The Hub answers something else.
    #[error("{endpoint} gives an answer that cannot be used: {what}")]
    Answer {
        /// The Hub.
        endpoint: String,
        /// What.
        what: String,
    },
    /// A file did not come as it is on the Hub, however often it was tried.
    #[error("`{file}` of `{model}` did not arrive whole: {reason}")]
    Broken {
        /// The file.
        file: String,
        /// The model and its commit.
        model: String,
        /// What happened.
        reason: String,
    },
    /// The cache cannot be written.
    #[error("the cache of the Hub: `{path}`: {source}", path = path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No connection can be set up at all.
    #[error("cannot set up a connection to the Hub: {0}")]
    Client(String),
    /// The caller gave up.
    #[error("interrupted")]
    Interrupted,
}

impl HubError {
    /// What `error` means for a request about `file` of `revision`, or about the revision as a whole.
    pub(crate) fn new(error: HFError, client: &Client, revision: &str, file: Option<&str>) -> Self {
        let (endpoint, repository) = (client.endpoint.clone(), client.model.repository());
        let broken = |reason: String| match file {
            Some(file) => Self::Broken {
                file: file.to_owned(),
                model: at(&client.model, revision),
                reason,
            },
            None => Self::Unreachable {
                endpoint: client.endpoint.clone(),
                reason,
            },
        };
        match error {
            HFError::AuthRequired { context } | HFError::Forbidden { context } => {
                let message = context
                    .server_message
                    .map(|message| format!(": {message}"))
                    .unwrap_or_default();
                let (status, has_token) = (context.status.as_u16(), client.has_token);
                Self::Unauthorised {
                    repository,
                    endpoint,
                    status,
                    message,
                    has_token,
                }
            }
            HFError::RepoNotFound { .. } => Self::RepositoryNotFound { repository, endpoint },
            HFError::RevisionNotFound { context, .. } => {
                let code = context.and_then(|context| context.error_code);
                if code.as_deref() == Some("RepoNotFound") {
                    return Self::RepositoryNotFound { repository, endpoint };
                }
                Self::RevisionNotFound {
                    repository,
                    revision: revision.to_owned(),
                    endpoint,
                }
            }
            HFError::EntryNotFound { path, .. } => Self::FileNotFound {
                file: path,
                model: at(&client.model, revision),
            },
            HFError::RateLimited { context, .. } => {
                client.unreachable(format!("it answers {}", context.status))
            }
            HFError::Http { context } if context.status.is_server_error() => {
                client.unreachable(format!("it answers {}", context.status))
            }
            HFError::Http { context } => Self::Answer {
                endpoint,
                what: context.status.to_string(),
            },
            HFError::Request { source, .. } if source.is_connect() || source.is_timeout() => {
                client.unreachable(words(&source))
            }
            HFError::Request { source, .. } => {
                broken(format!("the connection broke off: {}", words(&source)))
            }
            error @ HFError::Xet { .. } => broken(words(&error)),
            HFError::Io(source) => Self::Disk {
                path: client.staging.clone(),
                source,
            },
            other => Self::Answer {
                endpoint,
                what: words(&other),
            },
        }
    }

    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NotCached { .. } => {
                "without `HF_HUB_OFFLINE` and `TRANSFORMERS_OFFLINE` it is fetched; `HF_HUB_CACHE` or `HF_HOME` name another cache"
            }
            Self::Unauthorised { has_token: false, .. } => {
                "a private or gated model needs a token: set `HF_TOKEN`, or log in with `hf auth login`; and the name may be wrong"
            }
            Self::Unauthorised { .. } => {
                "the token must be allowed to read this model, and a gated model's conditions accepted on its page; the name may be wrong"
            }
            Self::RepositoryNotFound { .. } => {
                "models are named `owner/name[@revision]`; a directory beside the pipeline file is written `./name`"
            }
            Self::RevisionNotFound { .. } => "without `@revision` the branch `main` is meant",
            Self::Unreachable { .. } => {
                "`HF_ENDPOINT` names another Hub; `HF_HUB_OFFLINE=1` uses the cache alone"
            }
            Self::Broken { .. } => "run again: files that are whole are not fetched twice",
            Self::FileNotFound { .. } => {
                "a model needs config.json, a tokenizer, and its weights as model.safetensors or pytorch_model.bin"
            }
            Self::Answer { .. } | Self::Disk { .. } | Self::Client(_) | Self::Interrupted => {
                return Vec::new();
            }
        };
        vec![hint.to_owned()]
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        let failure = match error {
            HubError::Disk { .. } => Self::storage(&error),
            _ => Self::missing(&error),
        };
        error.hints().into_iter().fold(failure, Self::hint)
    }
}

/// The error and what caused it, in one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = error.source();
    }
    words
}
