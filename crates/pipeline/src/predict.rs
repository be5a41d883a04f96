//! `pipeline predict`: texts in, labels out.

mod answer;
mod converse;
mod ensemble;
mod format;
mod input;
mod table;

pub(crate) use input::given_texts;

use std::time::Instant;

use serde::Serialize;

use crate::args::PredictArgs;
use crate::error::CliError;
use crate::output;
use crate::predict::answer::{Answer, Labeller};
use crate::predict::ensemble::{Ensemble, Scores};
use crate::terminal::{self, Terminal};

/// Counts and speed, for `--stats`. `seconds` is all but loading; tokens are those of all models.
#[derive(Default, Serialize)]
struct Stats {
    sentences: usize,
    tokens: u64,
    padded_tokens: u64,
    load_seconds: f64,
    seconds: f64,
    sentences_per_second: f64,
}

/// The `--json` document.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    labels: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predictions: Option<&'a [Answer]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<&'a Stats>,
}

pub(crate) fn predict(args: &PredictArgs, quiet: bool) -> Result<(), CliError> {
    input::check(args)?;
    args.output.as_deref().map(table::Kind::of).transpose()?;
    let started = Instant::now();
    let ensemble = Ensemble::load(args)?;
    let labeller = Labeller::new(&ensemble, args.second_min_logit)?;
    let load_seconds = started.elapsed().as_secs_f64();
    if args.interactive {
        return converse::converse(&ensemble, &labeller, args);
    }
    let started = Instant::now();
    let input = input::read(args, ensemble.labels())?;
    let Scores {
        rows,
        tokens,
        padded_tokens,
    } = score(&ensemble, &input.texts, quiet)?;
    let sentences = input.texts.len();
    let answers = labeller.answers(input.texts, rows);
    if let Some(path) = &args.output {
        table::write(path, input.ids.as_deref(), &answers)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let sentences_per_second = sentences as f64 / seconds.max(1e-9);
    let stats = Stats {
        sentences,
        tokens,
        padded_tokens,
        load_seconds,
        seconds,
        sentences_per_second,
    };
    print(&answers, &labeller, args, &stats)
}

/// Few texts are done before a bar could be read.
const SHOW_PROGRESS_FROM: usize = 256;

fn score(ensemble: &Ensemble, texts: &[String], quiet: bool) -> Result<Scores, CliError> {
    let mut terminal = Terminal::new(quiet || texts.len() < SHOW_PROGRESS_FROM);
    let scores = ensemble.score(texts, &mut |done, total| {
        terminal.progress(
            "predict",
            "labelling",
            done as u64,
            Some(total as u64),
            "sentences",
            None,
        );
    });
    terminal.clear("predict");
    scores
}

fn print(answers: &[Answer], labeller: &Labeller, args: &PredictArgs, stats: &Stats) -> Result<(), CliError> {
    if args.json {
        let predictions = args.output.is_none().then_some(answers);
        let stats = args.stats.then_some(stats);
        let labels = labeller.labels().names().collect();
        return output::print_json(&Document {
            schema_version: 1,
            labels,
            predictions,
            stats,
        });
    }
    if args.output.is_none() {
        output::print(&format::render(answers, labeller, args.format, args.top_k)?)?;
    }
    if args.stats {
        terminal::print_error(&format!(
            "{} sentences, {} tokens ({} with padding) in {:.2} s: {:.0} sentences/s; loading took {:.2} s\n",
            stats.sentences,
            stats.tokens,
            stats.padded_tokens,
            stats.seconds,
            stats.sentences_per_second,
            stats.load_seconds
        ));
    }
    Ok(())
}
