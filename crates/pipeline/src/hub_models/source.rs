//! The Hub itself, with what it does shown on the terminal.

use std::path::PathBuf;

use dag::Interrupt;
use hub::{Hub, HubError, Progress, Settings, Watch};
use stage::{Event, Failure, HubModel};

use crate::error::{CliError, Exit};
use crate::run::Engine;
use crate::terminal::{BYTES, Terminal};

/// A connection to the Hub. Nothing is opened before something is asked.
pub(super) struct Source<'a> {
    hub: Hub,
    interrupt: Interrupt,
    terminal: &'a mut Terminal,
}

impl<'a> Source<'a> {
    /// This build can reach the Hub.
    pub(super) fn check(_: &HubModel) -> Result<(), CliError> {
        Ok(())
    }

    pub(super) fn connect(engine: &Engine<'_>, terminal: &'a mut Terminal) -> Result<Self, CliError> {
        let settings =
            Settings::from_env(std::env::vars_os()).map_err(|error| CliError::new(Exit::Usage, error))?;
        Ok(Self {
            hub: Hub::new(settings),
            interrupt: engine.interrupt(),
            terminal,
        })
    }

    /// The commit that `model` stands for now.
    pub(super) fn resolve(&mut self, model: &HubModel) -> Result<String, CliError> {
        let (hub, mut shown) = self.shown(model);
        let resolved = hub.resolve(model, &mut shown);
        let commit = self.done(model, resolved)?;
        self.terminal.note(&format!("{model} is commit {commit}"));
        Ok(commit)
    }

    /// The directory with the files of `model` at `commit`.
    pub(super) fn fetch(&mut self, model: &HubModel, commit: &str) -> Result<PathBuf, CliError> {
        let (hub, mut shown) = self.shown(model);
        let fetched = hub.fetch(model, commit, &mut shown);
        self.done(model, fetched)
    }

    fn shown(&mut self, model: &HubModel) -> (&Hub, Shown<'_>) {
        let shown = Shown {
            model: model.repository(),
            interrupt: &self.interrupt,
            terminal: &mut *self.terminal,
        };
        (&self.hub, shown)
    }

    fn done<T>(&mut self, model: &HubModel, result: Result<T, HubError>) -> Result<T, CliError> {
        self.terminal.clear(&model.repository());
        result.map_err(|error| match (error, self.interrupt.signal()) {
            (HubError::Interrupted, Some(signal)) => CliError::silent(crate::run::signal_exit(signal)),
            (error, _) => Failure::from(error).into(),
        })
    }
}

/// What the cache alone says; nobody is asked.
pub(super) fn cached_commit(model: &HubModel) -> Option<String> {
    // Without a place for a cache nothing is cached.
    let settings = Settings::from_env(std::env::vars_os()).ok()?;
    Hub::new(settings).cached_commit(model)
}

struct Shown<'a> {
    model: String,
    interrupt: &'a Interrupt,
    terminal: &'a mut Terminal,
}

impl Watch for Shown<'_> {
    fn progress(&mut self, progress: &Progress) {
        let event = Event::Progress {
            activity: format!("fetching {}", progress.file),
            done: progress.done,
            total: progress.total,
            unit: BYTES.to_owned(),
            detail: None,
        };
        self.terminal.event(&self.model, &event);
    }

    fn is_interrupted(&mut self) -> bool {
        self.interrupt.signal().is_some()
    }
}
