//! `pipeline tokenize`: how a model's tokenizer cuts texts. Needs tokenizer files only.

use std::time::Instant;

use serde::Serialize;
use tokenizer::Tokenizer;

use crate::args::TokenizeArgs;
use crate::error::CliError;
use crate::output;
use crate::predict::given_texts;

#[derive(Serialize)]
struct Document {
    texts: Vec<Tokenized>,
}

#[derive(Serialize)]
struct Tokenized {
    text: String,
    ids: Vec<u32>,
    tokens: Vec<String>,
}

/// What `--stats` prints.
#[derive(Serialize)]
struct Stats {
    sentences: usize,
    tokens: usize,
    seconds: f64,
    sentences_per_second: f64,
}

pub(crate) fn tokenize(args: &TokenizeArgs) -> Result<(), CliError> {
    let tokenizer = Tokenizer::load(&args.model).map_err(stage::Failure::from)?;
    let max_length = match args.max_length {
        Some(length) => length as usize,
        None => tokenizer.max_length().unwrap_or(usize::MAX),
    };
    let texts = given_texts(&args.texts)?;
    if args.stats {
        let start = Instant::now();
        let encodings = tokenizer.encode_batch(&texts, max_length);
        let seconds = start.elapsed().as_secs_f64();
        return output::print_json(&Stats {
            sentences: texts.len(),
            tokens: encodings.iter().map(|encoding| encoding.ids.len()).sum(),
            seconds,
            sentences_per_second: texts.len() as f64 / seconds,
        });
    }
    let tokenized = |text: &String| {
        let ids = tokenizer.encode(text, max_length).ids;
        Tokenized {
            text: text.clone(),
            tokens: tokenizer.tokens(&ids),
            ids,
        }
    };
    let document = Document {
        texts: texts.iter().map(tokenized).collect(),
    };
    if args.json {
        return output::print_json(&document);
    }
    for text in &document.texts {
        let ids: Vec<String> = text.ids.iter().map(u32::to_string).collect();
        output::print_line(&format!(
            "{}\n  {}\n  {}",
            text.text,
            text.tokens.join(" "),
            ids.join(" ")
        ))?;
    }
    Ok(())
}
