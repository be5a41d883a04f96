//! In place of the Hub in a build without it.

use std::path::PathBuf;

use stage::HubModel;

use crate::error::{CliError, Exit};
use crate::run::Engine;
use crate::terminal::Terminal;

/// No connection.
pub(super) struct Source;

impl Source {
    pub(super) fn check(model: &HubModel) -> Result<(), CliError> {
        Err(CliError::new(
            Exit::Missing,
            format!("`{model}` is a model of the Hub, and this program was built without the feature `hub`"),
        )
        .hint(format!(
            "fetch it by other means and name its directory, e.g. `./{}`",
            model.name()
        )))
    }

    pub(super) fn connect(_: &Engine<'_>, _: &mut Terminal) -> Result<Self, CliError> {
        Ok(Self)
    }

    pub(super) fn resolve(&mut self, model: &HubModel) -> Result<String, CliError> {
        Self::check(model).map(|()| String::new())
    }

    pub(super) fn fetch(&mut self, model: &HubModel, _: &str) -> Result<PathBuf, CliError> {
        Self::check(model).map(|()| PathBuf::new())
    }
}

/// There is no cache either.
pub(super) fn cached_commit(_: &HubModel) -> Option<String> {
    None
}
