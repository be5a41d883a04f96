//! What a stage's `run` is given, and what it gives back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use classification::{LabelSet, Task};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Ancestor, Event, EventSink, Failure, InputItem, Invocation, Level, Runtime};

/// A stage's view of its invocation.
pub struct Context {
    invocation: Invocation,
    events: EventSink,
}

/// What a stage gives back besides its files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// Measured figures for `timings.json`; outside every digest.
    pub timings: BTreeMap<String, Value>,
    /// One line about the result for the terminal ("kept 41,203 of 240,000 rows").
    pub headline: Option<String>,
    /// Gates that were not met, in words. The artifacts are complete all the same.
    pub gates_failed: Vec<String>,
}

impl Context {
    /// A context for `invocation` whose events go to `events`.
    pub fn new(invocation: Invocation, events: EventSink) -> Self {
        Self { invocation, events }
    }

    /// All that the stage was given.
    pub fn invocation(&self) -> &Invocation {
        &self.invocation
    }

    /// The resolved params.
    pub fn params<P: DeserializeOwned>(&self) -> Result<P, Failure> {
        serde_json::from_value(self.invocation.params.clone())
            .map_err(|error| Failure::stage(format!("params of stage `{}`: {error}", self.invocation.stage)))
    }

    /// The items of an input; none when it was not given.
    pub fn inputs(&self, name: &str) -> &[InputItem] {
        self.invocation.inputs.get(name).map_or(&[], Vec::as_slice)
    }

    /// The single item of an input that must be there.
    pub fn input(&self, name: &str) -> Result<&InputItem, Failure> {
        match self.inputs(name) {
            [item] => Ok(item),
            [] => Err(Failure::stage(format!(
                "stage `{}` has no input `{name}`",
                self.invocation.stage
            ))),
            _ => Err(Failure::stage(format!(
                "input `{name}` of stage `{}` must be one item",
                self.invocation.stage
            ))),
        }
    }

    /// The stages that the inputs come from.
    pub fn lineage(&self) -> &[Ancestor] {
        &self.invocation.lineage
    }

    /// A folder that outlives a kill and goes when the version is committed, with what an earlier, unfinished run of
    /// the same fingerprint left. What is in it may be torn.
    pub fn work(&self) -> Option<&Path> {
        self.invocation.work.as_deref()
    }

    /// Where to write the output `file`; parent folders are made.
    pub fn output(&self, file: &str) -> Result<PathBuf, Failure> {
        let path = self.invocation.output.join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Failure::io(parent, &error))?;
        }
        Ok(path)
    }

    /// Writes a JSON document (pretty, keys in the type's order, final newline).
    pub fn write_json(&self, file: &str, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::stage(format!("`{file}` cannot be written as JSON: {error}")))?;
        text.push('\n');
        self.write(file, text.as_bytes())
    }

    /// Writes a whole file.
    pub fn write(&self, file: &str, content: &[u8]) -> Result<(), Failure> {
        let path = self.output(file)?;
        std::fs::write(&path, content).map_err(|error| Failure::io(&path, &error))
    }

    /// The pipeline's labels.
    pub fn labels(&self) -> &LabelSet {
        &self.invocation.labels
    }

    /// The pipeline's task.
    pub fn task(&self) -> Task {
        self.invocation.task
    }

    /// The seed for every random choice of this stage.
    pub fn seed(&self) -> u64 {
        self.invocation.seed
    }

    /// Where to run.
    pub fn runtime(&self) -> &Runtime {
        &self.invocation.runtime
    }

    /// Says how far an activity is.
    pub fn progress(&self, activity: &str, done: u64, total: Option<u64>, unit: &str) {
        self.progress_with(activity, done, total, unit, None);
    }

    /// As [`Context::progress`], with a few words that change ("epoch 2/5, loss 1.32").
    pub fn progress_with(
        &self,
        activity: &str,
        done: u64,
        total: Option<u64>,
        unit: &str,
        detail: Option<String>,
    ) {
        let (activity, unit) = (activity.to_owned(), unit.to_owned());
        self.events.send(&Event::Progress {
            activity,
            done,
            total,
            unit,
            detail,
        });
    }

    /// Something that the user should look at, though the work goes on.
    pub fn warn(&self, text: impl ToString) {
        self.message(Level::Warn, text);
    }

    /// Something worth a line.
    pub fn info(&self, text: impl ToString) {
        self.message(Level::Info, text);
    }

    /// Sends an event as it is.
    pub fn send(&self, event: &Event) {
        self.events.send(event);
    }

    fn message(&self, level: Level, text: impl ToString) {
        let text = text.to_string();
        match level {
            Level::Info => tracing::info!(stage = self.invocation.stage, "{text}"),
            Level::Warn => tracing::warn!(stage = self.invocation.stage, "{text}"),
        }
        self.events.send(&Event::Message { level, text });
    }
}
