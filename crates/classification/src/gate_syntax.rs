//! How a gate's text falls into parts, whatever they say.

use std::collections::BTreeMap;

/// The tags that `text` names, in their order, each once.
pub(crate) fn tags(text: &str) -> Vec<String> {
    let at = operator_position(text).unwrap_or(text.len());
    let (left, right) = text.split_at(at);
    let (right, _) = split_level(right);
    let mut tags: Vec<String> = Vec::new();
    for (_, operand, _) in operands(left).into_iter().chain(operands(right)) {
        let tag = split_tag(operand.trim()).1.filter(|tag| !tag.is_empty());
        if let Some(tag) = tag.filter(|tag| tags.iter().all(|known| known != tag)) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

pub(crate) fn operator_position(text: &str) -> Option<usize> {
    text.find(['<', '>', '='])
}

/// The parts of a side: whether it adds or subtracts, what stands there, and at which byte.
pub(crate) fn operands(text: &str) -> Vec<(f64, &str, usize)> {
    let signs = [(" + ", 1.0), (" - ", -1.0)];
    let found = signs
        .iter()
        .flat_map(|(sign, factor)| text.match_indices(sign).map(|(at, _)| (at, *factor)));
    let signs: BTreeMap<usize, f64> = found.collect();
    let (mut operands, mut factor, mut start) = (Vec::new(), 1.0, 0);
    for (at, next) in signs {
        operands.push((factor, &text[start..at.max(start)], start));
        (factor, start) = (next, at + 3);
    }
    operands.push((factor, &text[start..], start));
    operands
}

/// What precedes ` at `, and what follows it with its position.
pub(crate) fn split_level(text: &str) -> (&str, Option<(&str, usize)>) {
    match text.rfind(" at ") {
        Some(split) => (&text[..split], Some((&text[split + 4..], split + 4))),
        None => (text, None),
    }
}

/// `METRIC@TAG`. A label may have an `@`, too, but something follows it after a full stop.
pub(crate) fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((metric, tag)) if !tag.contains('.') => (metric, Some(tag)),
        _ => (text, None),
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Bytes of white space before the first word.
pub(crate) fn leading(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
