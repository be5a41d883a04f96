//! The program `pipeline`: arguments → actions → words on the terminal.
//!
//! It knows what to call and how to say what came of it; how anything is computed is the other crates' business.

mod args;
mod artifacts;
mod check;
mod compare;
mod doctor;
mod error;
mod evaluate;
mod export;
mod hub_models;
mod inspect;
mod kinds;
mod logging;
mod memory;
mod noise;
mod output;
mod predict;
mod project;
mod review;
mod run;
mod stage_process;
mod status;
mod sweep;
mod table;
mod terminal;
mod threads;
mod tokenize;
mod why;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};
use crate::error::CliError;

/// Runs the program with these arguments, the program's name first.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    memory::keep_pages();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match act(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            error.exit.into()
        }
    }
}

fn act(cli: &Cli) -> Result<(), CliError> {
    if !matches!(cli.command, Command::Stage { .. }) {
        logging::start(cli.verbosity);
    }
    match &cli.command {
        Command::Run(args) => run::run(args, cli.verbosity.quiet),
        Command::Sweep(args) => sweep::sweep(args, cli.verbosity),
        Command::Noise(args) => noise::noise(args, cli.verbosity),
        Command::Status(args) => status::status(args),
        Command::Explain(args) => status::explain(args),
        Command::Check(args) => check::check(args),
        Command::Graph(args) => check::graph(args),
        Command::Schema => check::schema(),
        Command::Inspect(args) => inspect::inspect(args),
        Command::Compare(args) => compare::compare(args),
        Command::Evaluate(args) => evaluate::evaluate(args, cli.verbosity.quiet),
        Command::Predict(args) => predict::predict(args, cli.verbosity.quiet),
        Command::Tokenize(args) => tokenize::tokenize(args),
        Command::Review(args) => review::review(args),
        Command::Why(args) => why::why(args),
        Command::Artifacts(args) => artifacts::artifacts(args),
        Command::Export(args) => export::export(args),
        Command::Completions { shell } => completions(*shell),
        Command::Doctor(args) => doctor::doctor(args),
        Command::Stage { invocation } => stage_process::run(invocation),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pipeline", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
