//! Params: from the pipeline file's mapping to a checked type, with every mistake reported at once.

use std::collections::BTreeSet;
use std::path::Path;

use classification::{LabelSet, Task};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

/// A mistake in a stage's params.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path below `params`, e.g. `["early_stopping", "metric"]`; empty: `params` itself.
    pub path: Vec<String>,
    /// What is wrong. Lower case, no final stop.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with the param at `path` (dotted).
    pub fn new(path: &str, message: impl Into<String>) -> Self {
        let path = path
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            path,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a check may look at besides the params.
#[derive(Clone, Copy, Debug)]
pub struct CheckContext<'a> {
    /// Names of the inputs that are given.
    pub inputs: &'a BTreeSet<String>,
    /// The names among `inputs` that are not fixed by the kind, in the file's order (evaluate: the models).
    pub other_inputs: &'a [String],
    /// The pipeline's labels.
    pub labels: &'a LabelSet,
    /// The pipeline's task.
    pub task: Task,
    /// The pipeline's `runtime.precision`, as it is written there.
    pub precision: &'a str,
    /// The pipeline file's folder.
    pub base_dir: &'a Path,
}

/// A stage's params. Every field has a default, so that each can be checked on its own.
pub trait Params: DeserializeOwned + Serialize + JsonSchema + Default {
    /// Other names for fields: (alias, field).
    const ALIASES: &'static [(&'static str, &'static str)] = &[];

    /// Ranges and whatever concerns several fields.
    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem>;
}

/// Checks `given` (a mapping or null) against `P`: unknown keys, types, then [`Params::check`].
pub fn resolve<P: Params>(given: &Value, ctx: &CheckContext<'_>) -> Result<P, Vec<Problem>> {
    let empty = Map::new();
    let given = match given {
        Value::Null => &empty,
        Value::Object(map) => map,
        _ => return Err(vec![Problem::new("", "must be a mapping of names to values")]),
    };
    let fields = field_names::<P>();
    let mut problems = Vec::new();
    let mut canonical = Map::new();
    for (key, value) in given {
        let alias = P::ALIASES.iter().find(|(alias, _)| alias == key);
        let field = alias.map_or(key.as_str(), |(_, field)| field);
        if !fields.iter().any(|known| known == field) {
            let known = fields
                .iter()
                .map(String::as_str)
                .chain(P::ALIASES.iter().map(|(alias, _)| *alias));
            let mut problem = Problem::new("", format!("unknown param `{key}`"));
            problem.path = vec![key.clone()];
            problem.hint = Some(match nearest(key, known) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("params are: {}", fields.join(", ")),
            });
            problems.push(problem);
            continue;
        }
        if canonical.contains_key(field) {
            problems.push(Problem::new(
                key,
                format!("`{key}` and `{field}` are the same param; give one"),
            ));
            continue;
        }
        let alone = Value::Object(Map::from_iter([(field.to_owned(), value.clone())]));
        match serde_json::from_value::<P>(alone) {
            Ok(_) => {
                canonical.insert(field.to_owned(), value.clone());
            }
            Err(error) => problems.push(Problem::new(key, error.to_string())),
        }
    }
    match serde_json::from_value::<P>(Value::Object(canonical)) {
        Ok(params) => {
            problems.extend(params.check(ctx));
            if problems.is_empty() {
                Ok(params)
            } else {
                Err(problems)
            }
        }
        Err(error) => {
            problems.push(Problem::new("", error.to_string()));
            Err(problems)
        }
    }
}

/// The closest of `known` to `given`, if it is close enough to be what was meant. Hangul is compared by its
/// letters, so that `기쁭` is close to `기쁨`.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |text: &str| text.to_lowercase().nfd().collect::<String>();
    let given = letters(given);
    let similarity = |name: &str| {
        let name = letters(name);
        let one_slip = given.chars().count() >= 3 && strsim::osa_distance(&given, &name) <= 1;
        strsim::jaro_winkler(&given, &name).max(if one_slip { 0.8 } else { 0.0 })
    };
    known
        .into_iter()
        .map(|name| (similarity(name), name))
        .filter(|(similarity, _)| *similarity >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

fn field_names<P: JsonSchema>() -> Vec<String> {
    let schema = schemars::schema_for!(P);
    let properties = schema.as_value().get("properties").and_then(Value::as_object);
    properties
        .map(|map| map.keys().cloned().collect())
        .unwrap_or_default()
}
