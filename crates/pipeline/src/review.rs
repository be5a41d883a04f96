//! `pipeline review`: rows go out to people, decisions come back and count.
//!
//! Decisions about a stage lie beside the pipeline file in `overrides/STAGE/NNNN-DDDDDDDD.csv`; the newest file holds all
//! that were made so far and is an input of the stage.

pub(crate) mod args;
mod choice;
mod decisions;
mod edited;
mod export;
pub(crate) mod history;
mod import;
mod label_studio;
mod list;
pub(crate) mod rows;
mod settle;
mod subject;

use args::{ReviewArgs, ReviewCommand};

use crate::error::CliError;

pub(crate) fn review(args: &ReviewArgs) -> Result<(), CliError> {
    match &args.command {
        ReviewCommand::Export(args) => export::export(args),
        ReviewCommand::Import(args) => import::import(args),
        ReviewCommand::List { stage, project, json } => list::list(project, stage.as_deref(), *json),
        ReviewCommand::Undo { stage, project } => list::undo(project, stage),
    }
}
