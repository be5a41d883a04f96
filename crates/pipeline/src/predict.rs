//! `pipeline predict`: texts in, labels out.

mod format;
mod table;

use std::io::{BufRead, Write};
use std::time::Instant;

use classification::{LabelSet, Prediction};
use model::Predictor;
use serde::Serialize;

use crate::args::PredictArgs;
use crate::error::{CliError, Exit};
use crate::output;

/// One labelled text, as `--json` shows it.
#[derive(Serialize)]
struct Answer {
    text: String,
    label: String,
    score: f32,
    second: Option<String>,
    margin: f32,
    logits: Vec<f32>,
    probabilities: Vec<f32>,
}

/// Counts and speed, for `--stats`. `seconds` is all but loading.
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

pub(crate) fn predict(args: &PredictArgs) -> Result<(), CliError> {
    let started = Instant::now();
    crate::threads::limit(args.compute.threads)?;
    let device = model::open_device(&args.compute.device, &args.compute.backend).map_err(stage::Failure::from)?;
    let predictor = Predictor::load(&args.model, None, &device).map_err(stage::Failure::from)?;
    let mut stats = Stats { load_seconds: started.elapsed().as_secs_f64(), ..Stats::default() };
    if args.interactive {
        return converse(&predictor, args);
    }
    let started = Instant::now();
    let input = match &args.input {
        Some(path) => Some(table::read(path, args, predictor.labels())?),
        None => None,
    };
    let typed;
    let texts = match &input {
        Some(input) => &input.texts,
        None => {
            typed = given_texts(args)?;
            &typed
        }
    };
    let answers = answer(&predictor, texts, args, &mut stats)?;
    if let Some(path) = &args.output {
        table::write(path, input.as_ref(), &answers)?;
    }
    stats.seconds = started.elapsed().as_secs_f64();
    stats.sentences_per_second = answers.len() as f64 / stats.seconds.max(1e-9);
    print(&answers, predictor.labels(), args, &stats)
}

fn given_texts(args: &PredictArgs) -> Result<Vec<String>, CliError> {
    let mut texts = Vec::new();
    for text in &args.texts {
        if text != "-" {
            texts.push(text.clone());
            continue;
        }
        for (number, line) in std::io::stdin().lock().split(b'\n').enumerate() {
            let line = line.map_err(|error| CliError::new(Exit::Storage, format!("standard input: {error}")))?;
            let line = String::from_utf8(line).map_err(|_| {
                CliError::new(Exit::StageFailed, format!("standard input:{}: not UTF-8", number + 1))
                    .hint("convert it first, e.g. with iconv -f CP949 -t UTF-8")
            })?;
            texts.push(line.trim_end_matches('\r').to_owned());
        }
    }
    if args.texts.is_empty() {
        return Err(CliError::new(Exit::Usage, "nothing to predict")
            .hint("give texts, `-` for standard input, --input FILE, or -i"));
    }
    Ok(texts)
}

fn answer(
    predictor: &Predictor,
    texts: &[String],
    args: &PredictArgs,
    stats: &mut Stats,
) -> Result<Vec<Answer>, CliError> {
    let normalize = dataset::Normalize::parse(&predictor.settings().normalize)
        .ok_or_else(|| unknown_normalization(&predictor.settings().normalize))?;
    let normalized: Vec<String> = texts.iter().map(|text| normalize.apply(text).into_owned()).collect();
    let inference = predictor
        .predict(&normalized, None, None, &mut |_, _| {})
        .map_err(stage::Failure::from)?;
    stats.sentences = texts.len();
    stats.tokens = inference.tokens;
    stats.padded_tokens = inference.padded_tokens;
    let labels = predictor.labels();
    let answers = texts.iter().zip(inference.logits);
    Ok(answers.map(|(text, logits)| labelled(text, logits, labels, args.second_min_logit)).collect())
}

fn labelled(text: &str, logits: Vec<f32>, labels: &LabelSet, second_min_logit: Option<f32>) -> Answer {
    let prediction = Prediction::from_logits(&logits);
    let shown = second_min_logit.is_none_or(|least| logits[prediction.second] > least);
    Answer {
        text: text.to_owned(),
        label: labels.name(prediction.label).to_owned(),
        score: prediction.confidence,
        second: shown.then(|| labels.name(prediction.second).to_owned()),
        margin: prediction.margin,
        logits,
        probabilities: prediction.probabilities,
    }
}

fn print(answers: &[Answer], labels: &LabelSet, args: &PredictArgs, stats: &Stats) -> Result<(), CliError> {
    if args.json {
        let predictions = args.output.is_none().then_some(answers);
        let stats = args.stats.then_some(stats);
        let document = Document { schema_version: 1, labels: labels.names().collect(), predictions, stats };
        return output::print_json(&document);
    }
    if args.output.is_none() {
        output::print(&format::render(answers, labels, args.format, args.top_k)?)?;
    }
    if args.stats {
        crate::terminal::print_error(&format!(
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

fn converse(predictor: &Predictor, args: &PredictArgs) -> Result<(), CliError> {
    let prompt = || {
        crate::terminal::print_error("> ");
        drop(std::io::stderr().flush());
    };
    prompt();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| CliError::new(Exit::StageFailed, format!("standard input: {error}")))?;
        if !line.trim().is_empty() {
            let answers = answer(predictor, &[line], args, &mut Stats::default())?;
            output::print(&format::render(&answers, predictor.labels(), args.format, args.top_k)?)?;
        }
        prompt();
    }
    crate::terminal::print_error("\n");
    Ok(())
}

fn unknown_normalization(name: &str) -> CliError {
    CliError::new(Exit::StageFailed, format!("the model's pipeline.json asks for normalisation `{name}`"))
        .hint("this version knows none, nfc and kcelectra")
}
