//! Models of the Hugging Face Hub: which commit a revision stands for, and a directory with the files of a model.
//!
//! The cache is that of Python's `huggingface_hub`, file for file, so that what one has fetched the other need not.
//! A file gets its name in the cache once its size and digest are what the Hub says they are.

mod cache;
mod client;
mod error;
mod fetch;
mod model_files;
mod progress;
mod settings;

use std::path::PathBuf;

pub use error::HubError;
pub use progress::{Progress, Watch};
pub use settings::{Settings, SettingsError};
pub use stage::HubModel;

use crate::cache::Repository;
use crate::client::Client;

/// The Hub and the cache in front of it.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: Settings,
}

impl Hub {
    /// The Hub that `settings` describe. Nothing is opened or asked yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// What the cache alone says about the commit that `model` stands for. Asks nobody.
    pub fn cached_commit(&self, model: &HubModel) -> Option<String> {
        match model.commit() {
            Some(commit) => Some(commit.to_owned()),
            None => self.repository(model).read_ref(model.revision()),
        }
    }

    /// The commit that `model` stands for now. A commit stands for itself; for a branch or a tag the Hub is asked, or,
    /// offline or when nobody answers, the cache.
    pub fn resolve(&self, model: &HubModel, watch: &mut dyn Watch) -> Result<String, HubError> {
        if let Some(commit) = model.commit() {
            return Ok(commit.to_owned());
        }
        let repository = self.repository(model);
        if self.settings.is_offline() {
            let known = repository.read_ref(model.revision());
            return known.ok_or_else(|| self.not_cached(model, model.revision(), model_files::CONFIG));
        }
        let asked = Client::new(&self.settings, model)?.describe(model.revision(), watch);
        match asked {
            Ok(description) => {
                repository.write_ref(model.revision(), &description.commit)?;
                Ok(description.commit)
            }
            Err(error @ HubError::Unreachable { .. }) => match repository.read_ref(model.revision()) {
                Some(commit) => {
                    tracing::warn!("{error}; `{model}` is taken to be {commit}, as it was last seen");
                    Ok(commit)
                }
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The directory with the files of `model` at `commit`; fetches those that the cache lacks. What is complete
    /// in the cache needs no connection.
    pub fn fetch(&self, model: &HubModel, commit: &str, watch: &mut dyn Watch) -> Result<PathBuf, HubError> {
        let repository = self.repository(model);
        let snapshot = repository.snapshot(commit);
        if self.settings.is_offline() {
            return match model_files::missing(&snapshot) {
                None => Ok(snapshot.path().to_owned()),
                Some(file) => Err(self.not_cached(model, commit, &file)),
            };
        }
        if model_files::is_complete(&snapshot) {
            return Ok(snapshot.path().to_owned());
        }
        match (
            fetch::fetch(&self.settings, model, commit, &repository, watch),
            model_files::missing(&snapshot),
        ) {
            (Ok(()), None) => Ok(snapshot.path().to_owned()),
            (Ok(()), Some(file)) => Err(HubError::FileNotFound {
                file,
                model: fetch::at(model, commit),
            }),
            (Err(error @ HubError::Unreachable { .. }), None) => {
                tracing::warn!("{error}; the files of `{model}` that the cache has are used");
                Ok(snapshot.path().to_owned())
            }
            (Err(error), _) => Err(error),
        }
    }

    fn repository(&self, model: &HubModel) -> Repository {
        Repository::new(self.settings.cache(), model)
    }

    fn not_cached(&self, model: &HubModel, revision: &str, file: &str) -> HubError {
        HubError::NotCached {
            file: file.to_owned(),
            model: fetch::at(model, revision),
            cache: self.repository(model).path().to_owned(),
        }
    }
}
