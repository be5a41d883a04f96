//! How a command ends that did not succeed: a kind that decides the exit code, a message, hints.

use std::fmt::Display;
use std::process::ExitCode;

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// A stage failed, bad data content among the causes.
    StageFailed = 1,
    /// The command line or the pipeline file is wrong.
    Usage = 2,
    /// A gate was not met.
    GateNotMet = 3,
    /// Something that the command needs is missing.
    Missing = 4,
    /// The artifact store, the disk, or a lock not had in time.
    Storage = 5,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    /// Empty: everything has been said already.
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
}

impl CliError {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            hints: Vec::new(),
        }
    }

    /// The exit code alone.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// An input/output error on `path`.
    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        stage::Failure::io(path, error).into()
    }

    /// Writes message and hints to standard error.
    pub(crate) fn report(&self) {
        if self.message.is_empty() {
            return;
        }
        let mut text = format!("error: {}\n", self.message);
        for hint in &self.hints {
            text.push_str(&format!("hint: {hint}\n"));
        }
        crate::terminal::print_error(&text);
    }
}

impl From<stage::Failure> for CliError {
    fn from(failure: stage::Failure) -> Self {
        let exit = match failure.kind {
            stage::FailureKind::Stage => Exit::StageFailed,
            stage::FailureKind::Missing => Exit::Missing,
            stage::FailureKind::Storage => Exit::Storage,
        };
        Self {
            exit,
            message: failure.message,
            hints: failure.hints,
        }
    }
}
