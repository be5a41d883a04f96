//! From YAML text to a tree of values with places. `serde_yaml` says what the values are; see [`super::spans`].

use serde_yaml::Value as Yaml;

use super::node::{self, Node};
use super::report::Report;
use super::source::Place;
use super::spans::{Shape, SpanNode, SpanTree};

/// Reads `text`; `fixed` is the place of a text that is not the file's. `None`: mistakes were reported, or there
/// is nothing but comments.
pub(super) fn parse(text: &str, fixed: Option<Place>, report: &mut Report<'_>) -> Option<Node> {
    let at = |start: usize, end: usize| fixed.unwrap_or(Place::File(start, end));
    // First the parser with a limit on nesting: the other takes time that grows with the square of it.
    let spans = SpanTree::read(text);
    if let Err(error) = &spans
        && error.too_deep
    {
        report.error(
            at(error.at, error.at + 1),
            "lists and mappings are nested too deeply",
        );
        return None;
    }
    if let Ok(spans) = &spans
        && reject_structure(spans, &at, report)
    {
        return None;
    }
    match (serde_yaml::from_str::<Yaml>(text), spans) {
        (Ok(value), Ok(spans)) => node::join(&value, &spans, fixed, report),
        (Err(error), _) => {
            let index = error.location().map_or(0, |location| location.index());
            syntax_error(text, index, &plain_message(&error), &at, report);
            None
        }
        (Ok(_), Err(error)) => {
            syntax_error(text, error.at, &error.message, &at, report);
            None
        }
    }
}

/// Reports what `serde_yaml` refuses without saying where, or where it says so only for the first.
fn reject_structure(spans: &SpanTree, at: &impl Fn(usize, usize) -> Place, report: &mut Report<'_>) -> bool {
    let mut rejected = false;
    if let Some(second) = &spans.second_document {
        report.error(
            at(second.start, second.end),
            "a second YAML document begins here; there must be one only",
        );
        rejected = true;
    }
    if let Some(root) = &spans.root {
        rejected |= reject_repeated_keys(root, at, report);
    }
    rejected
}

fn reject_repeated_keys(
    node: &SpanNode,
    at: &impl Fn(usize, usize) -> Place,
    report: &mut Report<'_>,
) -> bool {
    match &node.shape {
        Shape::Scalar { .. } | Shape::Alias(_) => false,
        Shape::List(items) => items.iter().fold(false, |rejected, item| {
            reject_repeated_keys(item, at, report) | rejected
        }),
        Shape::Map(entries) => {
            let mut rejected = false;
            for (position, (key, value)) in entries.iter().enumerate() {
                let Shape::Scalar { text, .. } = &key.shape else {
                    continue;
                };
                let same = |other: &SpanNode| matches!(&other.shape, Shape::Scalar { text: other, .. } if other == text);
                if let Some((first, _)) = entries[..position].iter().find(|(other, _)| same(other)) {
                    let line = report.line_of(at(first.bytes.start, first.bytes.end));
                    let place = at(key.bytes.start, key.bytes.end);
                    let problem = report.error(place, format!("the key `{text}` is given twice"));
                    if !line.is_empty() {
                        problem.hint(format!("the first one is on {line}"));
                    }
                    rejected = true;
                }
                rejected |= reject_repeated_keys(value, at, report);
            }
            rejected
        }
    }
}

fn syntax_error(
    text: &str,
    index: usize,
    message: &str,
    at: &impl Fn(usize, usize) -> Place,
    report: &mut Report<'_>,
) {
    let index = index.min(text.len());
    let rest = text.get(index..).unwrap_or_default();
    let line_start = text
        .get(..index)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1);
    let indentation: &str = text.get(line_start..).unwrap_or_default();
    let indentation = &indentation[..indentation.len() - indentation.trim_start_matches([' ', '\t']).len()];
    if let Some(tab) = indentation.find('\t') {
        let place = at(line_start + tab, line_start + tab + 1);
        report
            .error(place, "a tab in the indentation")
            .hint("indent with spaces");
        return;
    }
    let length = rest
        .chars()
        .next()
        .filter(|c| !c.is_whitespace())
        .map_or(0, char::len_utf8);
    report.error(at(index, index + length), format!("not valid YAML: {message}"));
}

/// Without "at line 3 column 5", which the location says already.
fn plain_message(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let Some((problem, context)) = text.split_once(" at line ") else {
        return text;
    };
    match context.split_once(", ") {
        Some((_, context)) => format!("{problem}, {context}"),
        None => problem.to_owned(),
    }
}
