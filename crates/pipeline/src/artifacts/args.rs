//! What can be typed after `pipeline artifacts`.

use clap::{Args, Subcommand};

use crate::args::ProjectArgs;

#[derive(Debug, Args)]
pub(crate) struct ArtifactsArgs {
    #[command(subcommand)]
    pub(crate) command: ArtifactsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ArtifactsCommand {
    /// List versions
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
    /// Show the manifest of a version: what it was made from
    Show {
        /// STAGE[@NUMBER|@TAG]
        #[arg(value_name = "STAGE[@NUMBER|@TAG]")]
        version: String,
        #[command(flatten)]
        project: ProjectArgs,
    },
    /// Give a version a name of its own, which references, gates and gc know; another version may have had it
    Tag {
        /// STAGE[@NUMBER|@TAG]
        #[arg(value_name = "STAGE[@NUMBER]")]
        version: String,
        /// Letters, digits, `_` and `-`, e.g. production
        #[arg(value_name = "TAG")]
        tag: String,
        #[command(flatten)]
        project: ProjectArgs,
    },
    /// Take a tag away
    Untag {
        /// STAGE@TAG
        #[arg(value_name = "STAGE@TAG")]
        tag: String,
        #[command(flatten)]
        project: ProjectArgs,
    },
    /// Hash every file again and compare with the manifests
    Verify {
        #[command(flatten)]
        project: ProjectArgs,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Delete old versions, what was set aside, and unfinished work
    Gc {
        /// Newest versions to keep per stage
        #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        keep: u32,
        /// Say what would be deleted
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        project: ProjectArgs,
    },
}
