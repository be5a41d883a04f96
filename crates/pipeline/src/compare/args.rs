//! What can be typed behind `pipeline compare`.

use std::path::PathBuf;

use clap::Args;

use crate::args::ProjectArgs;

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct CompareArgs {
    /// What to compare with: a version (evaluate@7, evaluate@TAG, evaluate), a run (its id, latest, latest~1) or a
    /// report (out/report.json, the folder of `pipeline evaluate --out`)
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// What to compare, of the same sort
    #[arg(value_name = "B")]
    pub(crate) b: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Rows that came out differently to show of each sort [default: 10; with --json and --html 1000]
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub(crate) limit: Option<usize>,
    /// Show all of them, and all figures, also those that are the same
    #[arg(long)]
    pub(crate) all: bool,
    /// Write the comparison as one html file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

const AFTER: &str = "\
Examples:
  pipeline compare evaluate@production evaluate           the promoted version and the newest
  pipeline compare pseudo_label@2 pseudo_label@3 --all    which sentences are kept by one alone
  pipeline compare latest~1 latest                        the last two runs
  pipeline compare out-a/report.json out-b --html c.html  two reports of `pipeline evaluate --out`";
