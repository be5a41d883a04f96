//! `pipeline predict -i`: a text, its label, the next text, until Ctrl-D.

use std::io::{BufRead, IsTerminal};

use rustyline::config::{Behavior, Config};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;

use super::answer::Labeller;
use super::ensemble::Ensemble;
use super::format;
use crate::args::PredictArgs;
use crate::error::{CliError, Exit};
use crate::{output, terminal};

const PROMPT: &str = "> ";

pub(super) fn converse(ensemble: &Ensemble, labeller: &Labeller, args: &PredictArgs) -> Result<(), CliError> {
    let reply = |text: &str| reply(text, ensemble, labeller, args);
    if std::io::stdin().is_terminal() {
        edited_lines(&reply)
    } else {
        plain_lines(&reply)
    }
}

fn reply(text: &str, ensemble: &Ensemble, labeller: &Labeller, args: &PredictArgs) -> Result<(), CliError> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let texts = vec![text.to_owned()];
    let scores = ensemble.score(&texts, &mut |_, _| {})?;
    let answers = labeller.answers(texts, scores.rows);
    if args.json {
        return answers
            .iter()
            .try_for_each(|answer| output::print_line(&format::json(answer)?));
    }
    output::print(&format::render(&answers, labeller, args.format, args.top_k)?)
}

/// With line editing; what was typed can be called back until the program ends. Ctrl-C drops a line, Ctrl-D ends.
fn edited_lines(reply: &dyn Fn(&str) -> Result<(), CliError>) -> Result<(), CliError> {
    // Standard output is for results: where it goes elsewhere, the prompt stays on the terminal.
    let behavior = if std::io::stdout().is_terminal() {
        Behavior::Stdio
    } else {
        Behavior::PreferTerm
    };
    let config = Config::builder()
        .behavior(behavior)
        .auto_add_history(true)
        .build();
    let history = MemHistory::with_config(&config);
    let mut editor = rustyline::Editor::<(), _>::with_history(config, history).map_err(unreadable)?;
    loop {
        match editor.readline(PROMPT) {
            Ok(text) => reply(&text)?,
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(unreadable(error)),
        }
    }
}

/// A pipe: nobody to edit.
fn plain_lines(reply: &dyn Fn(&str) -> Result<(), CliError>) -> Result<(), CliError> {
    terminal::print_error(PROMPT);
    for line in std::io::stdin().lock().lines() {
        reply(&line.map_err(unreadable)?)?;
        terminal::print_error(PROMPT);
    }
    terminal::print_error("\n");
    Ok(())
}

fn unreadable(error: impl std::fmt::Display) -> CliError {
    CliError::new(Exit::StageFailed, format!("standard input: {error}"))
}
