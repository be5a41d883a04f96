//! `pipeline tokenize`: how a model's tokenizer cuts texts. Needs tokenizer files only.

use serde::Serialize;
use tokenizer::Tokenizer;

use crate::args::TokenizeArgs;
use crate::error::CliError;
use crate::output;

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

pub(crate) fn tokenize(args: &TokenizeArgs) -> Result<(), CliError> {
    let tokenizer = Tokenizer::load(&args.model).map_err(stage::Failure::from)?;
    let max_length = match args.max_length {
        Some(length) => length as usize,
        None => tokenizer.max_length().unwrap_or(usize::MAX),
    };
    let tokenized = |text: &String| {
        let ids = tokenizer.encode(text, max_length).ids;
        Tokenized {
            text: text.clone(),
            tokens: tokenizer.tokens(&ids),
            ids,
        }
    };
    let document = Document {
        texts: args.texts.iter().map(tokenized).collect(),
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
