//! The identity of a stage's result: everything that determines its outputs, and nothing else.
//!
//! Where a stage runs (device, threads, paths) is not part of it.

use std::collections::{BTreeMap, BTreeSet};

use classification::{LabelSet, Task};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stage::{ArtifactType, Guard, HubModel, SourceOptions, StageKind};

use super::{Digest, Fingerprint, Reason, canonical_json, reason};
use crate::{InputRef, StageSpec};

/// Everything that determines a stage's outputs. Two equal keys may share a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageKey {
    /// Version of this format.
    pub format: u32,
    /// The kind of stage.
    pub kind: String,
    /// The kind's version.
    pub version: u32,
    /// Resolved params, without those that stand elsewhere in the key (seed, precision, files by their digest) and
    /// those that results do not depend on.
    pub params: Value,
    /// If the kind uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// If the kind uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// If the kind uses them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelSet>,
    /// If the kind uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// Input name → its items in order.
    pub inputs: BTreeMap<String, Vec<KeyInput>>,
    /// Inputs under names of the user's choice, in the file's order: it shows in the outputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// If the kind uses it: stage → the version that the result stands on, for all stages upstream.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lineage: BTreeMap<String, Fingerprint>,
    /// If the kind measures: it shows in the outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// Tag → the report of the version of this stage that has it, for tags that the params refer to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub promoted: BTreeMap<String, Digest>,
}

/// One item of an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyInput {
    /// Of its content.
    pub digest: Digest,
    /// What it holds.
    pub artifact_type: ArtifactType,
    /// How it is read.
    pub options: SourceOptions,
    /// For tables that the user named: the name ends up in the column `source` and decides the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// For models of the Hub: what `digest` stands for. Their bytes are not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl StageKey {
    /// The version of this format.
    pub const FORMAT: u32 = 1;

    /// The key of `spec` with these inputs, and neither lineage nor promoted versions.
    pub fn new(
        spec: &StageSpec,
        task: Task,
        labels: &LabelSet,
        inputs: BTreeMap<String, Vec<KeyInput>>,
    ) -> Self {
        let uses = spec.kind.uses();
        Self {
            format: Self::FORMAT,
            kind: spec.kind.name().to_owned(),
            version: spec.kind.version(),
            params: key_params(spec),
            seed: uses.seed.then_some(spec.seed),
            task: uses.labels.then_some(task),
            labels: uses.labels.then(|| labels.clone()),
            precision: uses.precision.then(|| spec.precision.clone()),
            inputs,
            order: other_inputs(spec),
            lineage: BTreeMap::new(),
            guard: spec.guard.clone(),
            promoted: BTreeMap::new(),
        }
    }

    /// The digest of the canonical JSON of this key.
    pub fn fingerprint(&self) -> Fingerprint {
        // A key is strings, numbers and maps with string keys: it always has a JSON form.
        let value = serde_json::to_value(self).unwrap_or_default();
        Fingerprint(Digest::of(canonical_json(&value).as_bytes()))
    }

    /// What differs in `after`; inputs in `unknown` are left out.
    pub fn differences(&self, after: &Self, unknown: &BTreeSet<&str>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut compare = |field: &str, before: Value, after: Value| {
            if before != after {
                reasons.push(Reason {
                    field: field.to_owned(),
                    before,
                    after,
                });
            }
        };
        compare("format", self.format.into(), after.format.into());
        compare("kind", self.kind.as_str().into(), after.kind.as_str().into());
        compare("version", self.version.into(), after.version.into());
        compare("seed", json(&self.seed), json(&after.seed));
        compare("task", json(&self.task), json(&after.task));
        compare("labels", json(&self.labels), json(&after.labels));
        compare("precision", json(&self.precision), json(&after.precision));
        compare("order of inputs", json(&self.order), json(&after.order));
        compare(
            "guard",
            guard_words(self.guard.as_ref()),
            guard_words(after.guard.as_ref()),
        );
        compare_params("params", &self.params, &after.params, &mut reasons);
        compare_digests(
            "promoted",
            &self.promoted,
            &after.promoted,
            Digest::short,
            &mut reasons,
        );
        let others = reasons.len();
        let names: BTreeSet<&String> = self.inputs.keys().chain(after.inputs.keys()).collect();
        for name in names.into_iter().filter(|name| !unknown.contains(name.as_str())) {
            compare_input(name, self.inputs.get(name), after.inputs.get(name), &mut reasons);
        }
        // Inputs that differ say it all; and while some are unknown, so is what they stand on.
        if reasons.len() == others && unknown.is_empty() {
            compare_digests(
                "lineage",
                &self.lineage,
                &after.lineage,
                Fingerprint::short,
                &mut reasons,
            );
        }
        reasons
    }
}

impl KeyInput {
    /// The beginning of the commit, or of the digest.
    fn short(&self) -> String {
        let commit = self.commit.as_deref().and_then(|commit| commit.get(..8));
        commit.map_or_else(|| self.digest.short(), str::to_owned)
    }
}

/// Params without the seed and the precision where the key has them already, and without those that name a file.
fn key_params(spec: &StageSpec) -> Value {
    let Value::Object(params) = &spec.params else {
        return spec.params.clone();
    };
    let uses = spec.kind.uses();
    let keep = |name: &str| match name {
        "seed" => !uses.seed,
        "precision" => !uses.precision,
        name if spec.kind.execution_params().contains(&name) => false,
        name => !names_a_file(spec, name, &params[name]),
    };
    let kept = params
        .iter()
        .filter(|(name, _)| keep(name))
        .map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(Map::from_iter(kept))
}

/// Whether the param's content is the input of the same name. An input that merely shares a param's name (a model
/// called `baseline`) is told apart: its path is not the param's value.
fn names_a_file(spec: &StageSpec, param: &str, value: &Value) -> bool {
    let input = spec.inputs.iter().find(|(name, _)| name == param);
    let Some((_, items)) = input.filter(|_| !is_fixed(spec.kind, param)) else {
        return false;
    };
    let same = |item: &InputRef, value: &str| match item {
        InputRef::Path { written, .. } => written == value,
        InputRef::Hub(input) => value.parse().is_ok_and(|model: HubModel| model == input.model),
        InputRef::Artifact { .. } => false,
    };
    spec.kind.other_inputs().is_none()
        || matches!((&items[..], value.as_str()), ([item], Some(value)) if same(item, value))
}

fn other_inputs(spec: &StageSpec) -> Vec<String> {
    if spec.kind.other_inputs().is_none() {
        return Vec::new();
    }
    let names = spec.inputs.iter().map(|(name, _)| name);
    names.filter(|name| !is_fixed(spec.kind, name)).cloned().collect()
}

fn is_fixed(kind: &dyn StageKind, input: &str) -> bool {
    kind.inputs().iter().any(|spec| spec.name == input)
}

fn compare_params(field: &str, before: &Value, after: &Value, reasons: &mut Vec<Reason>) {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        if before != after {
            reasons.push(Reason::changed(field, before.clone(), after.clone()));
        }
        return;
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let value = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
        compare_params(&format!("{field}.{name}"), &value(old), &value(new), reasons);
    }
}

/// One reason for each name whose digest differs: `lineage prepare changed (0a1b2c3d → 4e5f6071)`.
fn compare_digests<D: PartialEq>(
    field: &str,
    before: &BTreeMap<String, D>,
    after: &BTreeMap<String, D>,
    short: impl Fn(&D) -> String,
    reasons: &mut Vec<Reason>,
) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
    {
        let value =
            |map: &BTreeMap<String, D>| map.get(name).map_or(Value::Null, |digest| short(digest).into());
        reasons.push(Reason::changed(
            format!("{field} {name}"),
            value(before),
            value(after),
        ));
    }
}

fn guard_words(guard: Option<&Guard>) -> Value {
    match guard {
        None => Value::Null,
        Some(Guard::Guarded) => "guarded".into(),
        Some(Guard::Unguarded { reasons }) => format!("unguarded ({})", reasons.join("; ")).into(),
        Some(Guard::Unknown) => "unknown".into(),
    }
}

fn compare_input(
    name: &str,
    before: Option<&Vec<KeyInput>>,
    after: Option<&Vec<KeyInput>>,
    reasons: &mut Vec<Reason>,
) {
    let digests = |items: Option<&Vec<KeyInput>>| {
        items.map_or(Value::Null, |items| {
            reason::digests(items.iter().map(KeyInput::short))
        })
    };
    let content = |items: Option<&Vec<KeyInput>>| {
        items.map(|items| items.iter().map(|item| item.digest).collect::<Vec<_>>())
    };
    let field = format!("input {name}");
    if content(before) != content(after) {
        reasons.push(Reason::changed(field, digests(before), digests(after)));
        return;
    }
    for (before, after) in before.into_iter().flatten().zip(after.into_iter().flatten()) {
        let mut compare = |part: &str, before: Value, after: Value| {
            compare_params(&format!("{field}.{part}"), &before, &after, reasons);
        };
        compare(
            "artifact_type",
            json(&before.artifact_type),
            json(&after.artifact_type),
        );
        compare("options", json(&before.options), json(&after.options));
        compare("file_name", json(&before.file_name), json(&after.file_name));
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
