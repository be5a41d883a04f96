//! A stage's params: checked by its kind, with every problem placed in the file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};
use stage::{CheckContext, Problem, Resolved, StageKind, nearest};

use super::header::Header;
use super::node::{Content, Entry, Node};
use super::overrides::{OverrideOrigin, canonical_param};
use super::report::Report;
use super::source::Place;
use super::stages::Draft;
use crate::ParamSource;

/// Checks the params of `draft` and finds out what the stage writes.
pub(super) fn check(draft: &mut Draft<'_>, header: &Header, base_dir: &Path, report: &mut Report<'_>) {
    let Some(kind) = draft.kind else { return };
    let names = draft.input_names();
    let other_inputs: Vec<String> = match kind.other_inputs() {
        Some(_) => draft
            .inputs
            .iter()
            .map(|input| input.key.clone())
            .filter(|name| !draft.is_fixed_input(name))
            .collect(),
        None => Vec::new(),
    };
    let ctx = CheckContext {
        inputs: &names,
        other_inputs: &other_inputs,
        labels: &header.labels,
        task: header.task,
        precision: &header.runtime.precision,
        base_dir,
    };
    let given = draft.params.map_or(Value::Null, Node::to_json);
    let known = match kind.check(&given, &ctx) {
        Ok(resolved) => {
            let params = resolved.params.clone();
            draft.resolved = Some(resolved);
            Some(params)
        }
        Err(problems) => {
            for problem in &problems {
                place_problem(draft, kind, problem, report);
            }
            without_problems(kind, given, &problems, &ctx).map(|resolved| resolved.params)
        }
    };
    draft.outputs = known.map(|params| kind.outputs(&params, &names));
}

/// Where the value of each param came from.
pub(super) fn sources(
    kind: &dyn StageKind,
    given: Option<&Node>,
    resolved: &Value,
    report: &Report<'_>,
) -> BTreeMap<String, ParamSource> {
    let given = given.map(Node::entries).unwrap_or_default();
    let source = |param: &String| match given
        .iter()
        .find(|entry| canonical_param(kind, &entry.key) == param)
    {
        Some(entry) => source(entry, report),
        None => ParamSource::Default,
    };
    resolved
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(|param| (param.clone(), source(param)))
        .collect()
}

fn source(entry: &Entry, report: &Report<'_>) -> ParamSource {
    let mut last = entry.key_place;
    entry.node.walk(&mut |_, node| last = last.max(node.place));
    match last {
        Place::File(..) => ParamSource::File,
        Place::Setting(index) => match report.override_at(index).map(|setting| &setting.origin) {
            Some(OverrideOrigin::Environment(_)) => ParamSource::Environment,
            Some(OverrideOrigin::Set) | None => ParamSource::Set,
        },
    }
}

/// The param `name` of `draft`, under any of its names.
pub(super) fn find_param<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a Entry> {
    let kind = draft.kind?;
    let entries = draft.params?.entries();
    let canonical = canonical_param(kind, name);
    let exact = entries.iter().find(|entry| entry.key == name);
    exact.or_else(|| {
        entries
            .iter()
            .find(|entry| canonical_param(kind, &entry.key) == canonical)
    })
}

/// What the params come to without those that are wrong: enough to know the stage's artifacts.
fn without_problems(
    kind: &dyn StageKind,
    given: Value,
    problems: &[Problem],
    ctx: &CheckContext<'_>,
) -> Option<Resolved> {
    let mut map = match given {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let wrong = |key: &String| {
        let same = |name: &String| canonical_param(kind, name) == canonical_param(kind, key);
        problems
            .iter()
            .filter_map(|problem| problem.path.first())
            .any(same)
    };
    map.retain(|key, _| !wrong(key));
    kind.check(&Value::Object(map), ctx)
        .or_else(|_| kind.check(&Value::Null, ctx))
        .ok()
}

fn place_problem(draft: &Draft<'_>, kind: &dyn StageKind, problem: &Problem, report: &mut Report<'_>) {
    let found = descend(draft, &problem.path);
    let serde = SerdeMessage::read(&problem.message);
    let mut place = found.place;
    let mut message = problem.message.clone();
    let mut hint = problem.hint.clone();
    match &serde {
        Some(SerdeMessage::UnknownField { name, known }) => {
            let key = found.node.and_then(|node| find_key(node, name));
            place = key.map_or(place, |entry| entry.key_place);
            message = format!("unknown key `{name}`");
            hint = hint.or_else(|| Some(suggestion(name, known, "keys")));
        }
        Some(SerdeMessage::UnknownVariant { name, known }) => {
            place = found
                .node
                .and_then(|node| find_scalar(node, name))
                .map_or(place, |node| node.place);
            message = format!("`{name}` is not one of {}", known.join(", "));
            hint = hint.or_else(|| {
                nearest(name, known.iter().copied()).map(|close| format!("did you mean `{close}`?"))
            });
        }
        Some(SerdeMessage::WrongType { given, expected }) => {
            let scalar = found.node.and_then(|node| find_scalar(node, given));
            place = scalar.map_or(place, |node| node.place);
            let described = scalar
                .or(found.node)
                .map_or_else(|| format!("`{given}`"), Node::describe);
            message = format!("must be {}, not {described}", in_words(expected));
        }
        // A key that should not be there is marked itself; of a wrong value, the value is.
        None => {
            if let (Some(last), Some(key)) = (problem.path.last(), found.key)
                && message.starts_with("unknown")
                && message.contains(&format!("`{last}`"))
            {
                place = key;
            }
        }
    }
    let stage = draft.name;
    let named = problem.path.is_empty()
        || problem
            .path
            .iter()
            .any(|part| problem.message.contains(&format!("`{part}`")));
    let text = match (problem.path.is_empty(), named && serde.is_none()) {
        (true, _) => format!("stage `{stage}`: params: {message}"),
        (false, true) => format!("stage `{stage}`: {message}"),
        (false, false) => format!(
            "stage `{stage}`: param `{}`: {message}",
            written_path(kind, draft, &problem.path)
        ),
    };
    let diagnostic = report.error(place, text);
    if let Some(hint) = hint {
        diagnostic.hint(hint);
    }
}

/// The path as the file has it: the first part may be an alias there.
fn written_path(kind: &dyn StageKind, draft: &Draft<'_>, path: &[String]) -> String {
    let mut parts = path.to_vec();
    if let Some(first) = parts.first_mut()
        && let Some(entry) = find_param(draft, first)
        && canonical_param(kind, &entry.key) == canonical_param(kind, first)
    {
        first.clone_from(&entry.key);
    }
    parts.join(".")
}

/// The value at a path below the params, or the last one on the way there.
struct Found<'a> {
    place: Place,
    /// Of the last key, if the whole path exists.
    key: Option<Place>,
    node: Option<&'a Node>,
}

fn descend<'a>(draft: &Draft<'a>, path: &[String]) -> Found<'a> {
    let Some(params) = draft.params else {
        return Found {
            place: draft.place,
            key: None,
            node: None,
        };
    };
    let mut found = Found {
        place: params.place,
        key: None,
        node: Some(params),
    };
    for (depth, part) in path.iter().enumerate() {
        let Some(node) = found.node else { break };
        let child = match &node.content {
            Content::Map(_) if depth == 0 => {
                find_param(draft, part).map(|entry| (Some(entry.key_place), &entry.node))
            }
            Content::Map(_) => node.entry(part).map(|entry| (Some(entry.key_place), &entry.node)),
            Content::List(items) => part
                .parse::<usize>()
                .ok()
                .and_then(|at| items.get(at))
                .map(|item| (None, item)),
            Content::Scalar(_) => None,
        };
        let Some((key, node)) = child else {
            found.key = None;
            break;
        };
        found = Found {
            place: node.place,
            key,
            node: Some(node),
        };
    }
    found
}

fn find_key<'a>(node: &'a Node, name: &str) -> Option<&'a Entry> {
    let mut found = None;
    node.walk(&mut |entry, _| found = found.or(entry.filter(|entry| entry.key == name)));
    found
}

fn find_scalar<'a>(node: &'a Node, written: &str) -> Option<&'a Node> {
    let mut found = None;
    node.walk(&mut |_, node| {
        let same = matches!(&node.content, Content::Scalar(scalar) if same_scalar(&scalar.value, &scalar.written, written));
        found = found.or(same.then_some(node));
    });
    found
}

fn same_scalar(value: &Value, written: &str, given: &str) -> bool {
    let shown = value.to_string();
    written == given || (!value.is_string() && shown.strip_suffix(".0").unwrap_or(&shown) == given)
}

fn suggestion(given: &str, known: &[&str], what: &str) -> String {
    match nearest(given, known.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("{what} are: {}", known.join(", ")),
    }
}

/// What serde says of a wrong value, taken apart so that it can be said in our own words.
enum SerdeMessage<'a> {
    UnknownField { name: &'a str, known: Vec<&'a str> },
    UnknownVariant { name: &'a str, known: Vec<&'a str> },
    WrongType { given: &'a str, expected: &'a str },
}

impl<'a> SerdeMessage<'a> {
    fn read(message: &'a str) -> Option<Self> {
        // Every second part of a text split at backticks stood between two of them.
        let quoted = |text: &'a str| text.split('`').skip(1).step_by(2).collect::<Vec<_>>();
        let named = |text: &'a str| {
            quoted(text)
                .split_first()
                .map(|(name, known)| (*name, known.to_vec()))
        };
        if let Some(rest) = message.strip_prefix("unknown field ") {
            let (name, known) = named(rest)?;
            return Some(Self::UnknownField { name, known });
        }
        if let Some(rest) = message.strip_prefix("unknown variant ") {
            let (name, known) = named(rest)?;
            return Some(Self::UnknownVariant { name, known });
        }
        let rest = message
            .strip_prefix("invalid type: ")
            .or_else(|| message.strip_prefix("invalid value: "))?;
        let (given, expected) = rest.rsplit_once(", expected ")?;
        let given = given
            .split_once(['`', '"'])
            .map_or(given, |(_, value)| value.trim_end_matches(['`', '"']));
        Some(Self::WrongType { given, expected })
    }
}

fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        _ if expected.starts_with("struct ") => "a mapping".to_owned(),
        _ => expected.to_owned(),
    }
}
