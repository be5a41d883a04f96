//! `stages:`, as far as each stage can be read on its own.

use std::collections::BTreeSet;

use stage::{InputSpec, OutputSpec, Resolved, StageKind, nearest};

use super::header::{STAGE_KEYS, missing, unknown_keys};
use super::node::{Content, Entry, Node};
use super::report::Report;
use super::source::Place;

/// A stage of which not everything has been checked yet.
pub(super) struct Draft<'a> {
    pub(super) name: &'a str,
    /// Its key in the file.
    pub(super) place: Place,
    /// Absent: unknown, and reported.
    pub(super) kind: Option<&'static dyn StageKind>,
    pub(super) inputs: &'a [Entry],
    pub(super) params: Option<&'a Node>,
    /// Stages whose gates must be met before.
    pub(super) after: Option<&'a Node>,
    /// Absent: the params are wrong, and reported.
    pub(super) resolved: Option<Resolved>,
    /// Absent: not known, because kind or params are wrong.
    pub(super) outputs: Option<Vec<OutputSpec>>,
}

impl Draft<'_> {
    /// The names of the given inputs.
    pub(super) fn input_names(&self) -> BTreeSet<String> {
        self.inputs.iter().map(|input| input.key.clone()).collect()
    }

    /// What the kind says of the input `name`.
    pub(super) fn input_spec(&self, name: &str) -> Option<&'static InputSpec> {
        let kind = self.kind?;
        kind.inputs()
            .iter()
            .find(|input| input.name == name)
            .or(kind.other_inputs())
    }

    /// Whether the kind has a fixed input of this name.
    pub(super) fn is_fixed_input(&self, name: &str) -> bool {
        self.kind
            .is_some_and(|kind| kind.inputs().iter().any(|input| input.name == name))
    }
}

/// Reads the stages of `root`.
pub(super) fn read<'a>(
    root: &'a Node,
    kinds: &[&'static dyn StageKind],
    report: &mut Report<'_>,
) -> Vec<Draft<'a>> {
    let Some(node) = root.get("stages") else {
        missing(root, "stages", "a pipeline has at least one stage", report);
        return Vec::new();
    };
    match &node.content {
        Content::Map(entries) if !entries.is_empty() => {
            entries.iter().map(|entry| draft(entry, kinds, report)).collect()
        }
        Content::Map(_) => {
            report
                .error(node.place, "`stages` is empty")
                .hint("a pipeline has at least one stage");
            Vec::new()
        }
        Content::List(_) | Content::Scalar(_) => {
            let message = format!(
                "`stages` must be a mapping of names to stages, not {}",
                node.describe()
            );
            report.error(node.place, message);
            Vec::new()
        }
    }
}

/// `[a-z][a-z0-9_]*`.
pub(super) fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn draft<'a>(entry: &'a Entry, kinds: &[&'static dyn StageKind], report: &mut Report<'_>) -> Draft<'a> {
    let name = entry.key.as_str();
    if !is_stage_name(name) {
        let message = format!("`{name}` cannot be the name of a stage");
        report
            .error(entry.key_place, message)
            .hint("use small letters, digits and `_`, a letter first");
    } else if name == "runs" {
        let problem = report.error(entry.key_place, "`runs` cannot be the name of a stage");
        problem.hint("the artifact store keeps its run records under that name");
    }
    let node = &entry.node;
    if !matches!(node.content, Content::Map(_)) {
        let message = format!(
            "stage `{name}` must be a mapping with `kind`, not {}",
            node.describe()
        );
        report.error(node.place, message);
    } else {
        unknown_keys(node.entries(), STAGE_KEYS, &format!("stage `{name}`: "), report);
    }
    Draft {
        name,
        place: entry.key_place,
        kind: kind(name, entry, kinds, report),
        inputs: inputs(name, node, report),
        params: node.get("params"),
        after: node.get("after"),
        resolved: None,
        outputs: None,
    }
}

fn kind(
    name: &str,
    entry: &Entry,
    kinds: &[&'static dyn StageKind],
    report: &mut Report<'_>,
) -> Option<&'static dyn StageKind> {
    let known = || kinds.iter().map(|kind| kind.name());
    let list = || format!("kinds are: {}", known().collect::<Vec<_>>().join(", "));
    let Some(node) = entry.node.get("kind") else {
        if matches!(entry.node.content, Content::Map(_)) {
            report
                .error(entry.key_place, format!("stage `{name}`: `kind` is missing"))
                .hint(list());
        }
        return None;
    };
    let given = node.text().unwrap_or_default();
    let found = kinds.iter().find(|kind| kind.name() == given).copied();
    if found.is_none() {
        let problem = report.error(
            node.place,
            format!("stage `{name}`: there is no kind {}", node.describe()),
        );
        problem.hint(match nearest(given, known()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => list(),
        });
    }
    found
}

fn inputs<'a>(name: &str, node: &'a Node, report: &mut Report<'_>) -> &'a [Entry] {
    let Some(inputs) = node.get("inputs") else {
        return &[];
    };
    if !matches!(inputs.content, Content::Map(_)) && !inputs.is_null() {
        let message = format!(
            "stage `{name}`: `inputs` must be a mapping, not {}",
            inputs.describe()
        );
        report
            .error(inputs.place, message)
            .hint("write `{train: prepare.train}`");
    }
    inputs.entries()
}
