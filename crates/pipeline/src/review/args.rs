//! What can be typed behind `pipeline review`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::ProjectArgs;

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    #[command(subcommand)]
    pub(crate) command: ReviewCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// Write rows that are worth a look to a file for people: csv, or json for Label Studio
    Export(ExportArgs),
    /// Take decisions back in: a filled csv, Label Studio's json, or an edited kept.parquet
    Import(ImportArgs),
    /// List the files of decisions
    List {
        /// Only of this stage
        #[arg(value_name = "STAGE")]
        stage: Option<String>,
        #[command(flatten)]
        project: ProjectArgs,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Set the newest file of decisions aside, so that the one before it counts again
    Undo {
        /// The stage
        #[arg(value_name = "STAGE")]
        stage: String,
        #[command(flatten)]
        project: ProjectArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A select stage (its kept rows), or a prepare stage (its labelled rows)
    #[arg(value_name = "STAGE")]
    pub(crate) stage: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The file to write: .csv, or .json for Label Studio
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// The N kept rows with the lowest margin
    #[arg(long, value_name = "N")]
    pub(crate) lowest_margin: Option<usize>,
    /// N random kept rows of every predicted class
    #[arg(long, value_name = "N")]
    pub(crate) per_class: Option<usize>,
    /// N random rows that were dropped just below a threshold
    #[arg(long, value_name = "N")]
    pub(crate) dropped: Option<usize>,
    /// Only rows for which this SQL expression holds, e.g. "pred_emotion = '기쁨'"; alone: all of these
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) condition: Option<String>,
    /// The seed of what is random: the same seed draws the same rows
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The stage whose rows were reviewed
    #[arg(value_name = "STAGE")]
    pub(crate) stage: String,
    /// The file that came back
    #[arg(value_name = "FILE")]
    pub(crate) reviewed: PathBuf,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Encoding of a csv file: utf-8, cp949, utf-16, utf-16le, utf-16be
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
    /// An edited table: the version that it was a copy of [default: by its path, else the newest]
    #[arg(long, value_name = "STAGE@N")]
    pub(crate) from: Option<String>,
    /// Take an edited table at its word even if most of its rows are gone
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would change and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
