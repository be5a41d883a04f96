//! How predictions are printed for people and for other programs.

use classification::LabelSet;
use serde_json::{Value, json};

use super::Answer;
use crate::args::PredictFormat;
use crate::error::{CliError, Exit};

/// All answers in one of the formats.
pub(super) fn render(
    answers: &[Answer],
    labels: &LabelSet,
    format: PredictFormat,
    top_k: Option<u16>,
) -> Result<String, CliError> {
    match format {
        PredictFormat::Text => Ok(answers.iter().map(|answer| line(answer, labels, top_k)).collect()),
        // A line per text, so that a long list can be read while it is written.
        PredictFormat::Map => answers.iter().map(|answer| Ok(map(answer, labels)? + "\n")).collect(),
        PredictFormat::Hf => {
            let documents = answers.iter().map(|answer| hugging_face(answer, labels, top_k)).collect();
            Ok(compact(&Value::Array(documents))? + "\n")
        }
    }
}

fn compact(value: &Value) -> Result<String, CliError> {
    serde_json::to_string(value)
        .map_err(|error| CliError::new(Exit::StageFailed, format!("cannot be written as JSON: {error}")))
}

/// `기쁨 0.93 (평온 0.03)	text`
fn line(answer: &Answer, labels: &LabelSet, top_k: Option<u16>) -> String {
    let scores = match (top_k, &answer.second) {
        (Some(k), _) => ranked(answer, labels, k)
            .map(|(label, score)| format!("{label} {score:.4}"))
            .collect::<Vec<_>>()
            .join(", "),
        (None, Some(second)) => {
            let second_score = answer.score - answer.margin;
            format!("{} {:.4} ({second} {second_score:.4})", answer.label, answer.score)
        }
        (None, None) => format!("{} {:.4}", answer.label, answer.score),
    };
    format!("{scores}\t{}\n", answer.text.replace(['\n', '\t'], " "))
}

/// `{label: probability}` in label order, which a JSON map type would not keep.
fn map(answer: &Answer, labels: &LabelSet) -> Result<String, CliError> {
    let entry = |(label, probability): (&str, &f32)| {
        Ok(format!("{}: {}", compact(&json!(label))?, compact(&json!(probability))?))
    };
    let entries: Result<Vec<String>, CliError> = labels.names().zip(&answer.probabilities).map(entry).collect();
    Ok(format!("{{{}}}", entries?.join(", ")))
}

/// `{label, score}` per text; with `top_k` a list of them, highest first.
fn hugging_face(answer: &Answer, labels: &LabelSet, top_k: Option<u16>) -> Value {
    let entry = |(label, score): (&str, f32)| json!({"label": label, "score": score});
    match top_k {
        None => entry((&answer.label, answer.score)),
        Some(k) => ranked(answer, labels, k).map(entry).collect(),
    }
}

fn ranked<'a>(answer: &Answer, labels: &'a LabelSet, k: u16) -> impl Iterator<Item = (&'a str, f32)> {
    let mut ranked: Vec<(&str, f32)> = labels.names().zip(answer.probabilities.iter().copied()).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.into_iter().take(usize::from(k))
}
