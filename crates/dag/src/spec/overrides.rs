//! Values from the command line and the environment that take the place of the pipeline file's.

use std::fmt;

use stage::{StageKind, nearest};

use super::node::{Content, Entry, Node};
use super::report::Report;
use super::source::Place;
use super::{header, yaml};

/// One value that takes the place of the file's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Where it goes: keys (and list indices) joined by dots, `stages.teacher.params.epochs`.
    pub key: String,
    /// YAML. A mapping replaces the whole mapping.
    pub value: String,
    /// Where it comes from.
    pub origin: OverrideOrigin,
}

/// Where an override comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverrideOrigin {
    /// `--set KEY=VALUE`.
    Set,
    /// The environment variable of this name.
    Environment(String),
}

/// An argument of `--set` that is not `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`--set {0}` is not `KEY=VALUE`; write e.g. `--set stages.teacher.params.epochs=2`")]
pub struct OverrideError(pub String);

impl Override {
    /// Reads `stages.teacher.params.epochs=2`.
    pub fn parse(argument: &str) -> Result<Self, OverrideError> {
        match argument.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self {
                key: key.trim().to_owned(),
                value: value.to_owned(),
                origin: OverrideOrigin::Set,
            }),
            _ => Err(OverrideError(argument.to_owned())),
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            OverrideOrigin::Set => write!(f, "--set {}", self.key),
            OverrideOrigin::Environment(name) => f.write_str(name),
        }
    }
}

/// The overrides among environment variables: `PIPELINE_SET__STAGES__TEACHER__PARAMS__EPOCHS=2`. Sorted by
/// name, so that a mapping comes before what is set within it.
pub fn overrides_from_env(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Override> {
    let mut overrides: Vec<Override> = variables
        .into_iter()
        .filter_map(|(name, value)| {
            let key = name
                .strip_prefix("PIPELINE_SET__")?
                .split("__")
                .collect::<Vec<_>>()
                .join(".")
                .to_lowercase();
            Some(Override {
                key,
                value,
                origin: OverrideOrigin::Environment(name),
            })
        })
        .collect();
    overrides.sort_by(|a, b| a.key.cmp(&b.key));
    overrides
}

/// Puts override number `index` into the tree.
pub(super) fn apply(
    root: &mut Node,
    index: usize,
    kinds: &[&'static dyn StageKind],
    report: &mut Report<'_>,
) {
    let Some(setting) = report.override_at(index) else {
        return;
    };
    let place = Place::Setting(index);
    let keys: Vec<&str> = setting.key.split('.').collect();
    if keys.iter().any(|key| key.is_empty()) {
        report
            .error(place, format!("`{}` is not a key", setting.key))
            .hint("write e.g. `stages.teacher.params.epochs`");
        return;
    }
    if !known(root, &keys, place, report) {
        return;
    }
    let before = report.len();
    let value = yaml::parse(&setting.value, Some(place), report);
    if report.len() > before {
        return;
    }
    let value = value.unwrap_or_else(|| Node::null(place));
    let keys = canonical_keys(root, &keys, kinds);
    set(root, &keys, value, place, report);
}

/// Whether the outer keys exist. The inner ones are checked with the value, as if they stood in the file.
fn known(root: &Node, keys: &[&str], place: Place, report: &mut Report<'_>) -> bool {
    let stages = || {
        root.get("stages")
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|entry| entry.key.as_str())
    };
    let (what, given, candidates): (&str, &str, Vec<&str>) = match keys {
        [top, ..] if !header::KEYS.contains(top) => ("key", top, header::KEYS.to_vec()),
        ["stages", name, ..] if !stages().any(|stage| stage == *name) => ("stage", name, stages().collect()),
        ["stages", _, key, ..] if !header::STAGE_KEYS.contains(key) => {
            ("key", key, header::STAGE_KEYS.to_vec())
        }
        ["runtime", key, ..] if !header::RUNTIME_KEYS.contains(key) => {
            ("key", key, header::RUNTIME_KEYS.to_vec())
        }
        _ => return true,
    };
    let problem = report.error(place, format!("unknown {what} `{given}`"));
    let close = nearest(given, candidates.iter().copied());
    problem.hint(match close {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("{what}s are: {}", candidates.join(", ")),
    });
    false
}

/// A param may stand in the file under another of its names than in the override; both mean the same entry.
fn canonical_keys(root: &Node, keys: &[&str], kinds: &[&'static dyn StageKind]) -> Vec<String> {
    let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    if let [stages, stage, params, param, ..] = keys.as_mut_slice()
        && stages == "stages"
        && params == "params"
        && let Some(spec) = root.get("stages").and_then(|stages| stages.get(stage))
        && let Some(kind) = spec.get("kind").and_then(Node::text)
        && let Some(kind) = kinds.iter().find(|known| known.name() == kind)
        && let Some(given) = spec.get("params")
        && let Some(entry) = given
            .entries()
            .iter()
            .find(|entry| same_param(*kind, &entry.key, param))
    {
        param.clone_from(&entry.key);
    }
    keys
}

fn same_param(kind: &dyn StageKind, one: &str, other: &str) -> bool {
    canonical_param(kind, one) == canonical_param(kind, other)
}

/// The param that `name` is a name of.
pub(super) fn canonical_param<'a>(kind: &dyn StageKind, name: &'a str) -> &'a str {
    kind.param_aliases()
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, param)| param)
}

fn set(node: &mut Node, keys: &[String], value: Node, place: Place, report: &mut Report<'_>) {
    let Some((key, rest)) = keys.split_first() else {
        *node = value;
        return;
    };
    if node.is_null() {
        *node = Node::empty_map(place);
    }
    let described = node.describe();
    match &mut node.content {
        Content::Map(entries) => {
            let at = entries
                .iter()
                .position(|entry| entry.key == *key)
                .unwrap_or_else(|| {
                    entries.push(Entry {
                        key: key.clone(),
                        key_place: place,
                        node: Node::null(place),
                    });
                    entries.len() - 1
                });
            if rest.is_empty() {
                entries[at].key_place = place;
            }
            set(&mut entries[at].node, rest, value, place, report);
        }
        Content::List(items) => match key.parse::<usize>().ok().filter(|index| *index < items.len()) {
            Some(index) => set(&mut items[index], rest, value, place, report),
            None => {
                let count = items.len();
                let problem = report.error(place, format!("`{key}` is not an index of this list of {count}"));
                problem.hint("indices begin at 0; or set the whole list");
            }
        },
        Content::Scalar(_) => {
            let problem = report.error(place, format!("there is no `{key}` in {described}"));
            problem.hint("set the whole value");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_names_a_key_by_double_underscores() {
        let variables = [
            ("PIPELINE_SET__STAGES__TEACHER__PARAMS__MAX_LENGTH", "64"),
            ("PIPELINE_ARTIFACTS", "x"),
        ];
        let found = overrides_from_env(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let keys: Vec<&str> = found.iter().map(|setting| setting.key.as_str()).collect();
        assert_eq!(keys, ["stages.teacher.params.max_length"]);
    }

    #[test]
    fn a_value_may_hold_equals_signs() {
        let setting = Override::parse("stages.e.params.gates=[\"s.macro_f1 >= 0.4\"]").unwrap();
        assert_eq!(
            (setting.key.as_str(), setting.value.as_str()),
            ("stages.e.params.gates", "[\"s.macro_f1 >= 0.4\"]")
        );
    }

    #[test]
    fn an_argument_without_equals_sign_is_refused() {
        let message = Override::parse("seed").unwrap_err().to_string();
        assert_eq!(
            message,
            "`--set seed` is not `KEY=VALUE`; write e.g. `--set stages.teacher.params.epochs=2`"
        );
    }
}
