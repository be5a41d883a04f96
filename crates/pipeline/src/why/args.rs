//! What can be typed behind `pipeline why`.

use clap::Args;

use crate::args::ProjectArgs;

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The row's id
    #[arg(value_name = "ID", required_unless_present = "text", conflicts_with = "text")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Find the row by a part of its text
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Only what this stage, and those before it, made of the row
    #[arg(long, value_name = "STAGE")]
    pub(crate) stage: Option<String>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}
