//! The hidden subcommand: this process is one stage.

use std::path::Path;

use crate::error::{CliError, Exit};
use crate::kinds::KINDS;

pub(crate) fn run(invocation: &Path) -> Result<(), CliError> {
    crate::logging::start_in_stage();
    let threads = stage::Invocation::read(invocation).map(|invocation| invocation.runtime.threads)?;
    crate::threads::limit(threads)?;
    // The failure went to the engine as an event; only the exit code is left to say.
    stage::run_child(invocation, KINDS).map_err(|failure| {
        tracing::error!(hints = ?failure.hints, "{}", failure.message);
        CliError::silent(Exit::StageFailed)
    })
}
