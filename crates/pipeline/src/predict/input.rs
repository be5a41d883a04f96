//! Where texts come from: the command line, standard input, a table.

use std::io::BufRead;
use std::path::Path;

use classification::LabelSet;
use dataset::{Normalize, ReadOptions};
use stage::{ArtifactType, InputItem, SourceOptions};

use crate::args::PredictArgs;
use crate::error::{CliError, Exit};

/// Texts in the order in which they were given.
pub(super) struct Input {
    pub(super) texts: Vec<String>,
    /// Of a table.
    pub(super) ids: Option<Vec<String>>,
}

/// Says what is missing before a model is loaded.
pub(super) fn check(args: &PredictArgs) -> Result<(), CliError> {
    if args.texts.is_empty() && args.input.is_none() && !args.interactive {
        return Err(CliError::new(Exit::Usage, "nothing to predict")
            .hint("give texts, `-` for standard input, --input FILE, or -i"));
    }
    match &args.input {
        Some(path) => std::fs::metadata(path)
            .map(drop)
            .map_err(|error| CliError::io(path, &error)),
        None => Ok(()),
    }
}

pub(super) fn read(args: &PredictArgs, labels: &LabelSet) -> Result<Input, CliError> {
    match &args.input {
        Some(path) => table(path, args, labels),
        None => given(&args.texts),
    }
}

fn given(arguments: &[String]) -> Result<Input, CliError> {
    let texts = given_texts(arguments)?;
    Ok(Input { texts, ids: None })
}

/// Texts of the command line; `-` stands for the lines of standard input.
pub(crate) fn given_texts(arguments: &[String]) -> Result<Vec<String>, CliError> {
    let mut texts = Vec::new();
    for text in arguments {
        match text.as_str() {
            "-" => lines(std::io::stdin().lock(), &mut texts)?,
            text => texts.push(text.to_owned()),
        }
    }
    Ok(texts)
}

/// A text per line, empty ones among them: answers stand in the lines of their texts.
fn lines(input: impl BufRead, texts: &mut Vec<String>) -> Result<(), CliError> {
    for (number, line) in input.split(b'\n').enumerate() {
        let line =
            line.map_err(|error| CliError::new(Exit::StageFailed, format!("standard input: {error}")))?;
        let line = String::from_utf8(line).map_err(|_| {
            CliError::new(
                Exit::StageFailed,
                format!("standard input:{}: not UTF-8", number + 1),
            )
            .hint("convert it first, e.g. with iconv -f CP949 -t UTF-8")
        })?;
        let line = if number == 0 {
            line.trim_start_matches('\u{feff}')
        } else {
            &line
        };
        texts.push(line.trim_end_matches('\r').to_owned());
    }
    Ok(())
}

fn table(path: &Path, args: &PredictArgs, labels: &LabelSet) -> Result<Input, CliError> {
    let absolute = path.canonicalize().map_err(|error| CliError::io(path, &error))?;
    let item = InputItem {
        path: absolute,
        name: path.display().to_string(),
        artifact_type: ArtifactType::File,
        options: SourceOptions {
            text_column: args.text_column.clone(),
            ..args.source.options()
        },
    };
    let options = ReadOptions {
        task: classification::Task::SingleLabel,
        labels,
        // As it stands in the table: the model's own normalisation comes later.
        normalize: Normalize::None,
        input_name: "input",
    };
    // A row without text is a row all the same, as an empty line is.
    let raw = dataset::read_every_row(&[item], &options).map_err(stage::Failure::from)?;
    Ok(Input {
        texts: raw.texts,
        ids: Some(raw.ids),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<String>, CliError> {
        let mut texts = Vec::new();
        lines(bytes, &mut texts).map(|()| texts)
    }

    #[test]
    fn empty_lines_keep_their_place() {
        assert_eq!(
            read("\u{feff}하나\r\n\n셋".as_bytes()).unwrap(),
            ["하나", "", "셋"]
        );
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_named() {
        let error = read(b"ok\n\xB1\xE2\xBB\xDD\n").unwrap_err();
        assert_eq!(error.message, "standard input:2: not UTF-8");
    }
}
