//! Log lines: to standard error for people, to the stage's log file (its standard error) in a stage process.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::Verbosity;

/// Logs of the program itself. `RUST_LOG` wins over the flags.
pub(crate) fn start(verbosity: Verbosity) {
    let level = match (verbosity.quiet, verbosity.verbose) {
        // What hf-hub has to say comes back as an error, in our words.
        (true, _) => "error,hf_hub=off",
        (_, 0) => "warn,hf_hub=off",
        (_, 1) => "debug",
        _ => "trace",
    };
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .without_time()
        .init();
}

/// Logs of a stage process.
pub(crate) fn start_in_stage() {
    tracing_subscriber::fmt()
        .with_env_filter(filter("info"))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level))
}
