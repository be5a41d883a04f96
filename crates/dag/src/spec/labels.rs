//! `labels:`, the classes in the order of their ids.

use classification::{Label, LabelSet, LabelSetError};
use unicode_normalization::UnicodeNormalization;

use super::header::{missing, unknown_keys};
use super::node::{Content, Node, Scalar};
use super::report::Report;
use super::source::Place;

/// Reads the labels of `root`. If they are wrong, what can be kept of them is returned, so that the rest of the
/// file is checked against it.
pub(super) fn read(root: &Node, report: &mut Report<'_>) -> LabelSet {
    let before = report.len();
    let found = match root.get("labels").map(|node| (node, &node.content)) {
        None => {
            missing(
                root,
                "labels",
                "list the classes in the order of their ids",
                report,
            );
            Vec::new()
        }
        Some((_, Content::List(items))) => items.iter().filter_map(|item| label(item, report)).collect(),
        Some((node, _)) => {
            report.error(
                node.place,
                format!("`labels` must be a list, not {}", node.describe()),
            );
            Vec::new()
        }
    };
    let place = root
        .entry("labels")
        .map(|entry| entry.key_place)
        .filter(|_| report.len() == before);
    check(found, place, report)
}

/// A label, where it stands, and where each of its names stands.
struct Found {
    label: Label,
    place: Place,
    names: Vec<(String, Place)>,
}

/// `place`: where to say that there are too few labels; absent when something was said already.
fn check(mut found: Vec<Found>, place: Option<Place>, report: &mut Report<'_>) -> LabelSet {
    loop {
        let error = match LabelSet::new(found.iter().map(|found| found.label.clone()).collect()) {
            Ok(labels) => return labels,
            Err(error) => error,
        };
        match &error {
            LabelSetError::TooFew(count) => {
                if let Some(place) = place {
                    report.error(
                        place,
                        format!("`labels`: a task needs at least two labels, not {count}"),
                    );
                }
                return placeholder(found);
            }
            LabelSetError::Empty(position) => {
                let empty = found.remove(*position);
                report.error(empty.place, "`labels`: a label has no name");
            }
            LabelSetError::Repeated(name, first, second) => {
                let other = found[*first].label.name.clone();
                let repeated = &mut found[*second];
                let at = repeated
                    .names
                    .iter()
                    .find(|(other, _)| other == name)
                    .map_or(repeated.place, |(_, at)| *at);
                let message = match *name == other && repeated.label.name == other {
                    true => format!("`labels`: the label `{name}` is given twice"),
                    false => format!("`labels`: `{name}` already stands for the label `{other}`"),
                };
                report.error(at, message);
                if repeated.label.name == *name {
                    found.remove(*second);
                } else {
                    repeated.label.aliases.retain(|alias| alias != name);
                    repeated.label.slug.take_if(|slug| slug == name);
                }
            }
        }
    }
}

fn placeholder(found: Vec<Found>) -> LabelSet {
    let mut labels: Vec<Label> = found.into_iter().map(|found| found.label).collect();
    let mut number = 0;
    loop {
        if let Ok(set) = LabelSet::new(labels.clone()) {
            return set;
        }
        labels.push(Label {
            name: format!("label {number}"),
            slug: None,
            aliases: Vec::new(),
        });
        number += 1;
    }
}

fn label(node: &Node, report: &mut Report<'_>) -> Option<Found> {
    let Content::Map(entries) = &node.content else {
        let name = name(node, "a label", report)?;
        let label = Label {
            name: name.clone(),
            slug: None,
            aliases: Vec::new(),
        };
        return Some(Found {
            label,
            place: node.place,
            names: vec![(name, node.place)],
        });
    };
    unknown_keys(entries, &["name", "slug", "aliases"], "`labels`: ", report);
    let Some(named) = node.get("name") else {
        report
            .error(node.place, "`labels`: a label has no `name`")
            .hint("write `{name: 기쁨, slug: happy, aliases: [joy]}`");
        return None;
    };
    let mut names = Vec::new();
    let mut label = Label {
        name: name(named, "a label", report)?,
        slug: None,
        aliases: Vec::new(),
    };
    names.push((label.name.clone(), named.place));
    if let Some(slug) = node.get("slug").filter(|slug| !slug.is_null()) {
        label.slug =
            name(slug, "a slug", report).inspect(|slug_name| names.push((slug_name.clone(), slug.place)));
    }
    match node.get("aliases").map(|aliases| (aliases, &aliases.content)) {
        None => {}
        Some((_, Content::List(items))) => {
            for item in items {
                if let Some(alias) = name(item, "an alias", report) {
                    names.push((alias.clone(), item.place));
                    label.aliases.push(alias);
                }
            }
        }
        Some((aliases, _)) if aliases.is_null() => {}
        Some((aliases, _)) => {
            report.error(
                aliases.place,
                format!("`labels`: `aliases` must be a list, not {}", aliases.describe()),
            );
        }
    }
    Some(Found {
        label,
        place: node.place,
        names,
    })
}

/// A name that every YAML reader takes for a text, in NFC and without surrounding spaces. A bare `no` or `1` is
/// refused but kept, so that what refers to it is not reported too.
fn name(node: &Node, what: &str, report: &mut Report<'_>) -> Option<String> {
    let Content::Scalar(Scalar {
        value,
        written,
        plain,
    }) = &node.content
    else {
        report.error(
            node.place,
            format!("`labels`: {what} must be a text, not {}", node.describe()),
        );
        return None;
    };
    if !value.is_string() || (*plain && reads_as_other(written)) {
        let written = if written.is_empty() { "~" } else { written };
        let message =
            format!("`labels`: {what} must be a text, and a bare `{written}` may be read as something else");
        report
            .error(node.place, message)
            .hint(format!("write it in quotes: \"{written}\""));
    }
    Some(written.trim().nfc().collect())
}

/// Whether some YAML reader takes the bare word for a boolean, a number or nothing.
fn reads_as_other(word: &str) -> bool {
    let lower = word.to_lowercase();
    let words = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "",
    ];
    words.contains(&lower.as_str())
        || (lower.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && (lower.replace('_', "").parse::<f64>().is_ok()
                || lower.starts_with("0x")
                || lower.starts_with("0o")))
}
