//! What can be typed. Meaning is given to it in the command modules.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stage::{Sheet, SourceOptions};

/// Teacher, pseudo-labels, student and a golden report that can be trusted, for Korean emotion classifiers.
#[derive(Debug, Parser)]
#[command(
    name = "pipeline",
    version,
    about,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Verbosity {
    /// Say more (-v: debug, -vv: trace); RUST_LOG is finer
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring stages up to date with what they need; reuse what is current
    Run(RunArgs),
    /// Compare settings: a fine_tune stage at every point of a grid, cross-validated if asked for
    Sweep(SweepArgs),
    /// List labels of training rows that are likely wrong, for a review
    Noise(crate::noise::NoiseArgs),
    /// Say which stages are current or stale, and why
    Status(StatusArgs),
    /// Say field by field why a stage is stale
    Explain(ExplainArgs),
    /// Check the pipeline file without running anything
    Check(ProjectArgs),
    /// Draw the stages and what flows between them
    Graph(GraphArgs),
    /// Print the JSON Schema of pipeline files, for editors
    Schema,
    /// Look into an artifact or a table: schema and first rows, filters, SQL
    Inspect(InspectArgs),
    /// Two versions, runs or reports side by side: what differs, figures, flipped sentences
    Compare(crate::compare::args::CompareArgs),
    /// Measure a model on a labelled table, outside any pipeline
    Evaluate(EvaluateArgs),
    /// Label texts with a model
    Predict(PredictArgs),
    /// Show how a model's tokenizer cuts texts
    Tokenize(TokenizeArgs),
    /// Have people decide about rows: export them, import what was decided
    Review(crate::review::args::ReviewArgs),
    /// Say where a row comes from and what became of it, step by step
    Why(crate::why::args::WhyArgs),
    /// List, show, tag, verify or clear versions of artifacts
    Artifacts(crate::artifacts::ArtifactsArgs),
    /// Copy a model out of the store as a Hugging Face directory
    Export(ExportArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Say what this build can use on this machine
    Doctor(DoctorArgs),
    /// Run one stage as a child of the engine
    #[command(name = "__stage", hide = true)]
    Stage {
        /// The invocation file
        invocation: PathBuf,
    },
}

/// Which pipeline file and which store.
#[derive(Clone, Debug, Args)]
pub(crate) struct ProjectArgs {
    /// The pipeline file
    #[arg(
        short,
        long,
        default_value = "pipeline.yaml",
        value_name = "FILE",
        env = "PIPELINE_FILE"
    )]
    pub(crate) file: PathBuf,
    /// The artifact store [default: `artifacts` beside the pipeline file]
    #[arg(long, value_name = "DIR", env = "PIPELINE_ARTIFACTS")]
    pub(crate) artifacts: Option<PathBuf>,
    /// Override a value of the pipeline file, e.g. stages.teacher.params.epochs=2 (YAML; a map replaces)
    #[arg(long = "set", value_name = "K=V")]
    pub(crate) set: Vec<String>,
    /// Where to compute: auto, cpu, cuda, cuda:N
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// What computes: auto, flex, tch, cuda
    #[arg(long)]
    pub(crate) backend: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Stages to bring up to date [default: all]
    #[arg(value_name = "STAGE")]
    pub(crate) stages: Vec<String>,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Run the named stages anew, or all
    #[arg(long, conflicts_with_all = ["from", "only"])]
    pub(crate) force: bool,
    /// Run this stage and what follows anew; take what precedes as it is
    #[arg(long, value_name = "STAGE", conflicts_with = "only")]
    pub(crate) from: Option<String>,
    /// Run this stage alone, on the newest complete inputs, stale or not
    #[arg(long, value_name = "STAGE", conflicts_with = "stages")]
    pub(crate) only: Option<String>,
    /// After a failure go on with stages that do not need the failed one
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Print the plan and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask the Hub again which commits the branches are that the pipeline names
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) update_hub: bool,
    /// Stages that may run side by side
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// How long to wait for another run on the same store [default: until it ends]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    pub(crate) wait: Option<Option<u64>>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Values to try for a key, e.g. stages.teacher.params.batch_size=16,32 (YAML; `[16, 32]` is the same); of several
    /// --grid every combination
    #[arg(long, value_name = "KEY=V1,V2,…")]
    pub(crate) grid: Vec<String>,
    /// Cross-validate: the stage's training rows in K parts, each validated once by a model of the others
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub(crate) folds: Option<u16>,
    /// The fine_tune stage to compare [default: the last that the grid names, else the last]
    #[arg(long, value_name = "STAGE")]
    pub(crate) stage: Option<String>,
    /// What to compare by [default: the metric of the stage's early stopping, else macro_f1]
    #[arg(long, value_enum)]
    pub(crate) metric: Option<SweepMetric>,
    /// How long to wait for another run on the same store [default: until it ends]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    pub(crate) wait: Option<Option<u64>>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// A figure of `metrics.json`, by its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum SweepMetric {
    MacroF1,
    WeightedF1,
    Accuracy,
    Loss,
    /// Multi-label only
    MicroF1,
    /// Multi-label only
    SamplesF1,
    /// Multi-label only
    HammingLoss,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The stage
    #[arg(value_name = "STAGE")]
    pub(crate) stage: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// How to draw
    #[arg(long, value_enum, default_value_t = GraphFormat::Ascii)]
    pub(crate) format: GraphFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum GraphFormat {
    Ascii,
    Mermaid,
    Dot,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// STAGE[@NUMBER|@TAG].ARTIFACT or a file
    #[arg(value_name = "REF|FILE")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Show the first N rows [default: 10; of answers to --sql and --by 100, with --csv and --json all]
    #[arg(long, value_name = "N", conflicts_with = "stats")]
    pub(crate) head: Option<usize>,
    /// Show N rows drawn at random, in the table's order
    #[arg(long, value_name = "N", conflicts_with_all = ["head", "sql", "by", "stats"])]
    pub(crate) sample: Option<usize>,
    /// The seed of --sample: the same seed draws the same rows
    #[arg(long, value_name = "S", default_value_t = 42, requires = "sample")]
    pub(crate) seed: u64,
    /// Only rows for which this SQL expression holds, e.g. "pred_conf >= 0.9 AND pred_emotion = '기쁨'"
    #[arg(long = "where", value_name = "EXPR", conflicts_with = "sql")]
    pub(crate) condition: Option<String>,
    /// A SQL query over the table `t`
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["by", "stats"])]
    pub(crate) sql: Option<String>,
    /// Count rows per value of this column, most first
    #[arg(long, value_name = "COLUMN", conflicts_with = "stats")]
    pub(crate) by: Option<String>,
    /// Summary of every column
    #[arg(long)]
    pub(crate) stats: bool,
    /// JSON on standard output
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// CSV on standard output
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The model's directory; several are compared: `--model A --model B`
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) model: Vec<PathBuf>,
    /// A labelled table
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Keep the report's files here (must not exist or be empty)
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The column with the text
    #[arg(long, value_name = "COLUMN")]
    pub(crate) text_column: Option<String>,
    /// The column with the label
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label_column: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// The report as one JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a file is read, as far as its name does not say so.
#[derive(Clone, Debug, Args)]
pub(crate) struct SourceArgs {
    /// Encoding of a text file: utf-8, cp949, utf-16, utf-16le, utf-16be
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
    /// Sheet of a workbook, by name or by number from 1
    #[arg(long, value_name = "SHEET")]
    pub(crate) sheet: Option<String>,
    /// Row that names the columns (csv, tsv, xlsx, xls), from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) header_row: Option<u64>,
}

impl SourceArgs {
    pub(crate) fn options(&self) -> SourceOptions {
        let sheet = |written: &String| match written.parse() {
            Ok(number) => Sheet::Number(number),
            Err(_) => Sheet::Name(written.clone()),
        };
        SourceOptions {
            encoding: self.encoding.clone(),
            sheet: self.sheet.as_ref().map(sheet),
            header_row: self.header_row,
            ..SourceOptions::default()
        }
    }
}

/// Where to compute, outside a pipeline.
#[derive(Clone, Debug, Args)]
pub(crate) struct ComputeArgs {
    /// Where to compute: auto, cpu, cuda, cuda:N
    #[arg(long, default_value = "auto")]
    pub(crate) device: String,
    /// What computes: auto, flex, tch, cuda
    #[arg(long, default_value = "auto")]
    pub(crate) backend: String,
    /// In what numbers: auto, f32, bf16, int8
    #[arg(long, default_value = "auto")]
    pub(crate) precision: String,
    /// Number of threads; 0 = all cores
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

impl ComputeArgs {
    /// What is meant, or why it cannot be had.
    pub(crate) fn choose(&self) -> Result<model::Choice, stage::Failure> {
        Ok(model::Choice::of(&self.device, &self.backend, &self.precision)?)
    }
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The texts; `-` reads one per line from standard input
    #[arg(value_name = "TEXT")]
    pub(crate) texts: Vec<String>,
    /// The model's directory; of several, `--model A --model B`, the probabilities are averaged
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) model: Vec<PathBuf>,
    /// Read texts from a table (csv, tsv, jsonl, json, parquet, xlsx, xls)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["texts", "interactive"])]
    pub(crate) input: Option<PathBuf>,
    /// The column with the text
    #[arg(long, value_name = "COLUMN", requires = "input")]
    pub(crate) text_column: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Write predictions to a table (csv, jsonl, parquet)
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Ask for texts, one after the other, until Ctrl-D
    #[arg(short, long, conflicts_with_all = ["texts", "output", "stats"])]
    pub(crate) interactive: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = PredictFormat::Text)]
    pub(crate) format: PredictFormat,
    /// Show the N most probable labels (text, map, hf)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top_k: Option<u16>,
    /// Name the second label only if its logit is greater than X
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub(crate) second_min_logit: Option<f32>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Add counts and speed
    #[arg(long)]
    pub(crate) stats: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PredictFormat {
    /// A line per text
    Text,
    /// {label: probability}
    Map,
    /// What transformers' text-classification pipeline prints
    Hf,
}

#[derive(Debug, Args)]
pub(crate) struct TokenizeArgs {
    /// The texts; `-` reads one per line from standard input
    #[arg(value_name = "TEXT", required = true)]
    pub(crate) texts: Vec<String>,
    /// A directory with tokenizer files
    #[arg(long, value_name = "DIR")]
    pub(crate) model: PathBuf,
    /// Longest sequence in tokens, [CLS] and [SEP] included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) max_length: Option<u32>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// How many, and how fast, instead of the tokens
    #[arg(long)]
    pub(crate) stats: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// STAGE[@NUMBER].model
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Where to; must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Load the copy and compare token ids and logits of 100 texts with the model in the store
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}
