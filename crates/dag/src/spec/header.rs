//! Everything above `stages:`: version, name, seed, task, labels, runtime.

use classification::{LabelSet, Task};
use stage::nearest;

use super::labels;
use super::node::{Content, Entry, Node, Scalar};
use super::report::Report;
use super::source::Place;
use crate::RuntimeSpec;

/// The keys of a pipeline file.
pub(super) const KEYS: &[&str] = &["version", "name", "seed", "task", "labels", "runtime", "stages"];
/// The keys of a stage.
pub(super) const STAGE_KEYS: &[&str] = &["kind", "inputs", "params", "after"];
/// The keys of `runtime`.
pub(super) const RUNTIME_KEYS: &[&str] = &["device", "backend", "precision", "threads"];
/// The seed of a file that names none.
pub(crate) const DEFAULT_SEED: u64 = 42;
/// The version of the pipeline file that is read.
pub(crate) const VERSION: u64 = 1;
/// Values of `task`.
pub(crate) const TASKS: &[&str] = &["single_label", "multi_label"];
/// Values of `runtime.device`, besides `cuda:N`.
pub(crate) const DEVICES: &[&str] = &["auto", "cpu", "cuda"];
/// Values of `runtime.backend`.
pub(crate) const BACKENDS: &[&str] = &["auto", "flex", "tch", "cuda"];
/// Values of `runtime.precision`.
pub(crate) const PRECISIONS: &[&str] = &["auto", "f32", "bf16", "int8"];

/// What stands above the stages.
pub(super) struct Header {
    pub(super) name: Option<String>,
    pub(super) seed: u64,
    pub(super) task: Task,
    pub(super) labels: LabelSet,
    pub(super) runtime: RuntimeSpec,
}

/// Reads the header of `root`; what is wrong is reported and has its default.
pub(super) fn read(root: &Node, report: &mut Report<'_>) -> Header {
    unknown_keys(root.entries(), KEYS, "", report);
    match root.get("version") {
        None => missing(root, "version", &format!("add `version: {VERSION}`"), report),
        Some(node) if node.whole_number() != Some(VERSION) => {
            let message = format!("`version` must be {VERSION}, not {}", node.describe());
            report.error(node.place, message);
        }
        Some(_) => {}
    }
    let name = root
        .get("name")
        .filter(|node| !node.is_null())
        .and_then(|node| string(node, "`name`", report));
    let seed = root
        .get("seed")
        .and_then(|node| seed(node, report))
        .unwrap_or(DEFAULT_SEED);
    let task = match root
        .get("task")
        .and_then(|node| one_of(node, "`task`", TASKS, report))
        .as_deref()
    {
        Some("multi_label") => Task::MultiLabel,
        _ => Task::SingleLabel,
    };
    let labels = labels::read(root, report);
    let runtime = root
        .get("runtime")
        .map(|node| runtime(node, report))
        .unwrap_or_default();
    Header {
        name,
        seed,
        task,
        labels,
        runtime,
    }
}

/// Reports that a key of the file is missing; not if it only seems to be misspelt, which is reported as well.
pub(super) fn missing(root: &Node, key: &str, hint: &str, report: &mut Report<'_>) {
    let unknown = |entry: &&Entry| !KEYS.contains(&entry.key.as_str());
    let meant = |entry: &Entry| nearest(&entry.key, KEYS.iter().copied()) == Some(key);
    if !root.entries().iter().filter(unknown).any(meant) {
        report.whole_file(format!("`{key}` is missing")).hint(hint);
    }
}

/// Reports keys that are not among `known`; `within` ends with a space or is empty.
pub(super) fn unknown_keys(entries: &[Entry], known: &[&str], within: &str, report: &mut Report<'_>) {
    for entry in entries
        .iter()
        .filter(|entry| !known.contains(&entry.key.as_str()))
    {
        let problem = report.error(entry.key_place, format!("{within}unknown key `{}`", entry.key));
        problem.hint(match nearest(&entry.key, known.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("keys are: {}", known.join(", ")),
        });
    }
}

/// A text, or a mistake called `what`.
pub(super) fn string(node: &Node, what: &str, report: &mut Report<'_>) -> Option<String> {
    if let Some(text) = node.text() {
        return Some(text.to_owned());
    }
    let problem = report.error(
        node.place,
        format!("{what} must be a text, not {}", node.describe()),
    );
    if let Content::Scalar(Scalar { written, .. }) = &node.content
        && !written.is_empty()
    {
        problem.hint(format!("write it in quotes: \"{written}\""));
    }
    None
}

/// One of a few words, or a mistake called `what`.
pub(super) fn one_of(node: &Node, what: &str, words: &[&str], report: &mut Report<'_>) -> Option<String> {
    if let Some(text) = node.text().filter(|text| words.contains(text)) {
        return Some(text.to_owned());
    }
    let message = format!(
        "{what} must be one of {}, not {}",
        words.join(", "),
        node.describe()
    );
    let problem = report.error(node.place, message);
    if let Some(close) = node.text().and_then(|text| nearest(text, words.iter().copied())) {
        problem.hint(format!("did you mean `{close}`?"));
    }
    None
}

fn seed(node: &Node, report: &mut Report<'_>) -> Option<u64> {
    let seed = node.whole_number();
    if seed.is_none() {
        report.error(
            node.place,
            format!("`seed` must be a whole number from 0, not {}", node.describe()),
        );
    }
    seed
}

fn runtime(node: &Node, report: &mut Report<'_>) -> RuntimeSpec {
    let mut runtime = RuntimeSpec::default();
    let Content::Map(entries) = &node.content else {
        if !node.is_null() {
            report.error(
                node.place,
                format!("`runtime` must be a mapping, not {}", node.describe()),
            );
        }
        return runtime;
    };
    unknown_keys(entries, RUNTIME_KEYS, "`runtime`: ", report);
    if let Some(node) = node.get("device") {
        match node
            .text()
            .filter(|text| DEVICES.contains(text) || is_numbered_cuda(text))
        {
            Some(device) => runtime.device = device.to_owned(),
            None => {
                let message = format!(
                    "`runtime.device` must be auto, cpu, cuda or cuda:N, not {}",
                    node.describe()
                );
                report.error(node.place, message);
            }
        }
    }
    if let Some(backend) = node
        .get("backend")
        .and_then(|node| one_of(node, "`runtime.backend`", BACKENDS, report))
    {
        runtime.backend = backend;
    }
    let precision = node
        .get("precision")
        .and_then(|node| one_of(node, "`runtime.precision`", PRECISIONS, report));
    if let Some(precision) = precision {
        runtime.precision = precision;
    }
    if let Some(node) = node.get("threads") {
        match node
            .whole_number()
            .and_then(|threads| usize::try_from(threads).ok())
        {
            Some(threads) => runtime.threads = threads,
            None => {
                let message = format!(
                    "`runtime.threads` must be a whole number, not {}",
                    node.describe()
                );
                report.error(node.place, message).hint("0 = all cores");
            }
        }
    }
    runtime
}

/// `cuda:0`, `cuda:1`, …
pub(crate) fn is_numbered_cuda(device: &str) -> bool {
    device
        .strip_prefix("cuda:")
        .is_some_and(|number| number.parse::<u8>().is_ok())
}

/// The place of `runtime.precision`, or of whatever stands nearest to it.
pub(super) fn precision_place(root: &Node, otherwise: Place) -> Place {
    let runtime = root.get("runtime");
    let precision = runtime.and_then(|runtime| runtime.get("precision"));
    precision.or(runtime).map_or(otherwise, |node| node.place)
}
