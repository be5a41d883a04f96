//! What can be typed behind `pipeline noise`.

use std::path::PathBuf;

use clap::Args;

use crate::args::ProjectArgs;

#[derive(Debug, Args)]
pub(crate) struct NoiseArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The fine_tune stage whose training rows are looked at [default: the first]
    #[arg(long, value_name = "STAGE")]
    pub(crate) stage: Option<String>,
    /// In how many parts the rows are taken: each is judged by a model that was trained on the others
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub(crate) folds: u16,
    /// Write the suspected rows to a csv file, to be decided on and given to `pipeline review import`
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// How many of the suspected rows to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// How long to wait for another run on the same store [default: until it ends]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    pub(crate) wait: Option<Option<u64>>,
    /// One JSON document on standard output, with all suspected rows
    #[arg(long)]
    pub(crate) json: bool,
}
