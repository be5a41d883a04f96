//! Pipeline file → checked [`Dag`], or everything that is wrong with it.
//!
//! Text becomes a tree of values that know their places (`source`, `spans`, `node`, `yaml`), settings are put into
//! it (`overrides`), and then it is read from top to bottom (`header`, `labels`, `stages`, `params`, `inputs`,
//! `order`, `guard`). Every part reports its mistakes and goes on with what is left, so that all come out in one go.

mod after;
mod artifact;
mod decisions;
mod described;
mod guard;
mod header;
mod inputs;
mod labels;
mod node;
mod order;
mod overrides;
mod params;
mod paths;
mod report;
mod same_file;
mod source;
mod spans;
mod stages;
mod trace;
mod yaml;

use std::path::{Path, PathBuf};

use serde_json::Value;
use stage::StageKind;

use self::header::Header;
use self::node::{Content, Node};
use self::report::Report;
use self::source::Source;
use self::stages::Draft;
use crate::diagnostic::Diagnostics;
use crate::{Dag, RuntimeSpec, StageSpec};

pub use self::artifact::{ArtifactNameError, artifact_names, find_artifact};
pub(crate) use self::header::{BACKENDS, DEFAULT_SEED, PRECISIONS, TASKS, VERSION};
pub use self::overrides::{Override, OverrideError, OverrideOrigin, overrides_from_env};

/// Turns a requested precision (`auto`, `f32`, …) into the one that will be used, or says why it cannot be.
pub type ResolvePrecision<'a> = &'a dyn Fn(&RuntimeSpec, &str) -> Result<String, String>;

/// Reads and checks the pipeline file at `path`, with `overrides` in place of some of its values: those of the
/// environment first, then those of the command line, each in the given order.
pub fn load(
    path: &Path,
    overrides: &[Override],
    kinds: &'static [&'static dyn StageKind],
    resolve_precision: ResolvePrecision<'_>,
) -> Result<Dag, Diagnostics> {
    let source = Source::read(path)?;
    let mut ordered: Vec<&Override> = overrides.iter().collect();
    ordered.sort_by_key(|setting| setting.origin == OverrideOrigin::Set);
    let mut report = Report::new(&source, &ordered);
    let dag = check(
        path,
        &source,
        ordered.len(),
        kinds,
        resolve_precision,
        &mut report,
    );
    if dag.is_none() && report.len() == 0 {
        report.whole_file("the pipeline file could not be checked");
    }
    let diagnostics = report.finish();
    match dag {
        Some(dag) if diagnostics.items.is_empty() => Ok(dag),
        _ => Err(diagnostics),
    }
}

fn check(
    path: &Path,
    source: &Source,
    overrides: usize,
    kinds: &'static [&'static dyn StageKind],
    resolve_precision: ResolvePrecision<'_>,
    report: &mut Report<'_>,
) -> Option<Dag> {
    let mut root = root(source, report)?;
    for index in 0..overrides {
        overrides::apply(&mut root, index, kinds, report);
    }
    let file = absolute(path, report)?;
    let base_dir = file.parent().unwrap_or(Path::new("/")).to_path_buf();
    let header = header::read(&root, report);
    let mut drafts = stages::read(&root, kinds, report);
    // Params first: they decide what artifacts there are.
    for draft in &mut drafts {
        params::check(draft, &header, &base_dir, report);
    }
    let (mut inputs, mut edges, mut afters) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..drafts.len() {
        let mut linked = inputs::link(&drafts, index, &header.labels, &base_dir, report);
        inputs.push(linked.inputs);
        let after = after::link(&drafts, index, report);
        afters.push(after.iter().map(|edge| edge.from).collect::<Vec<usize>>());
        linked.edges.extend(after);
        edges.push(linked.edges);
    }
    decisions::warn_of_unread(&drafts, &base_dir, report);
    let order = order::order(&drafts, &edges, report);
    // Where anything is wrong, it is not certain what reads what.
    let guards = if report.len() == 0 {
        guard::check(&drafts, &inputs, kinds, report)
    } else {
        vec![None; drafts.len()]
    };
    let stages: Vec<StageSpec> = drafts
        .into_iter()
        .zip(inputs)
        .zip(guards)
        .zip(afters)
        .filter_map(|(((draft, inputs), guard), after)| {
            let precision = precision(&draft, &root, &header.runtime, resolve_precision, report)?;
            let (kind, resolved) = (draft.kind?, draft.resolved?);
            let seed = resolved
                .params
                .get("seed")
                .and_then(Value::as_u64)
                .unwrap_or(header.seed);
            let param_sources = params::sources(kind, draft.params, &resolved.params, report);
            let (name, params, outputs) = (draft.name.to_owned(), resolved.params, draft.outputs?);
            Some(StageSpec {
                name,
                kind,
                params,
                param_sources,
                seed,
                precision,
                inputs,
                outputs,
                guard,
                after,
            })
        })
        .collect();
    let Header {
        name,
        seed,
        task,
        labels,
        runtime,
    } = header;
    Some(Dag {
        file,
        base_dir,
        name,
        seed,
        task,
        labels,
        runtime,
        stages,
        order,
        warnings: report.take_warnings(),
    })
}

fn root(source: &Source, report: &mut Report<'_>) -> Option<Node> {
    let before = report.len();
    let root = yaml::parse(&source.text, None, report);
    match root {
        Some(root) if matches!(root.content, Content::Map(_)) => return Some(root),
        Some(root) if !root.is_null() => {
            let message = format!(
                "a pipeline file is a mapping of keys to values, not {}",
                root.describe()
            );
            report
                .error(root.place, message)
                .hint(format!("keys are: {}", header::KEYS.join(", ")));
        }
        _ if report.len() == before => {
            report
                .whole_file("the pipeline file is empty")
                .hint(format!("keys are: {}", header::KEYS.join(", ")));
        }
        _ => {}
    }
    None
}

fn absolute(path: &Path, report: &mut Report<'_>) -> Option<PathBuf> {
    match std::path::absolute(path) {
        Ok(path) => Some(path),
        Err(error) => {
            report.whole_file(format!("the path has no absolute form: {error}"));
            None
        }
    }
}

/// The precision of a stage: its own param, else the runtime's.
fn precision(
    draft: &Draft<'_>,
    root: &Node,
    runtime: &RuntimeSpec,
    resolve: ResolvePrecision<'_>,
    report: &mut Report<'_>,
) -> Option<String> {
    let (kind, resolved) = (draft.kind?, draft.resolved.as_ref()?);
    if !kind.uses().precision {
        return Some("f32".to_owned());
    }
    let own = resolved
        .params
        .get("precision")
        .and_then(Value::as_str)
        .filter(|own| *own != "auto");
    let error = match resolve(runtime, own.unwrap_or(&runtime.precision)) {
        Ok(precision) => return Some(precision),
        Err(error) => error,
    };
    match own.and_then(|_| params::find_param(draft, "precision")) {
        Some(entry) => {
            report.error(
                entry.node.place,
                format!("stage `{}`: param `precision`: {error}", draft.name),
            );
        }
        None => {
            let place = header::precision_place(root, draft.place);
            report.error(place, format!("`runtime.precision`: {error}"));
        }
    }
    None
}
