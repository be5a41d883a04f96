//! What is kept of a run: `runs/ID/run.json`, `events.jsonl`, a log per stage.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stage::Failure;

use super::{Outcome, StageReport};
use crate::clock;
use crate::store::{Store, disk, fault};

/// `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this format.
    pub schema_version: u32,
    /// The run's id.
    pub run: String,
    /// As written; [`RunRecord::outcome`] knows about killed runs.
    pub outcome: Option<Outcome>,
    /// The stages so far.
    pub stages: Vec<StageReport>,
    /// What was typed.
    pub command_line: Vec<String>,
    /// Name and version of the program.
    pub program: String,
    /// In UTC.
    pub started: String,
    /// In UTC; null while it goes on.
    pub ended: Option<String>,
    /// The program's process id.
    pub pid: u32,
    /// When that process started, in ticks since the system did: process ids come again.
    pub process_start: Option<u64>,
}

/// The folder of a run that goes on.
pub(super) struct RunFolder {
    store_root: PathBuf,
    path: PathBuf,
    events: Option<File>,
    record: RunRecord,
}

impl RunRecord {
    /// How the run ended; none while it goes on. A run whose process is gone without an end was interrupted.
    pub fn outcome(&self) -> Option<Outcome> {
        let is_alive =
            || process_start(self.pid).is_some_and(|start| self.process_start.is_none_or(|own| own == start));
        match self.outcome {
            Some(outcome) => Some(outcome),
            None if is_alive() => None,
            None => Some(Outcome::Interrupted),
        }
    }
}

impl Store {
    /// Where the records of runs lie.
    pub fn runs_folder(&self) -> PathBuf {
        self.root().join("runs")
    }

    /// Records of runs, oldest first; damaged ones are left out.
    pub fn runs(&self) -> Vec<RunRecord> {
        let entries = std::fs::read_dir(self.runs_folder())
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("run.json")).ok());
        let mut records: Vec<RunRecord> = texts
            .filter_map(|text| serde_json::from_str(&text).ok())
            .collect();
        records.sort_by(|a, b| a.run.cmp(&b.run));
        records
    }
}

impl RunFolder {
    /// A new folder for a run that starts now.
    pub(super) fn new(store: &Store, command_line: &[String], program: &str) -> Result<Self, Failure> {
        let runs = store.runs_folder();
        let fail = |error| disk::failure(&runs, &error);
        std::fs::create_dir_all(&runs).map_err(fail)?;
        let pid = std::process::id();
        let name = format!("{}-{pid}", clock::compact_timestamp());
        let names = std::iter::once(name.clone()).chain((2..).map(|again| format!("{name}-{again}")));
        for run in names {
            let path = runs.join(&run);
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    let record = RunRecord {
                        schema_version: super::RunDocument::SCHEMA_VERSION,
                        run,
                        outcome: None,
                        stages: Vec::new(),
                        command_line: command_line.to_vec(),
                        program: program.to_owned(),
                        started: clock::timestamp(),
                        ended: None,
                        pid,
                        process_start: process_start(pid),
                    };
                    return Ok(Self {
                        store_root: store.root().to_owned(),
                        path,
                        events: None,
                        record,
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(fail(error)),
            }
        }
        Err(Failure::storage("no name is left for this run"))
    }

    pub(super) fn id(&self) -> &str {
        &self.record.run
    }

    pub(super) fn started(&self) -> &str {
        &self.record.started
    }

    pub(super) fn log_of(&self, stage: &str) -> PathBuf {
        self.path.join(format!("{stage}.log"))
    }

    pub(super) fn invocation_of(&self, stage: &str) -> PathBuf {
        self.path.join(format!("{stage}.invocation.json"))
    }

    /// Writes down how far the run is.
    pub(super) fn save(&mut self, stages: &[StageReport]) -> Result<(), Failure> {
        self.record.stages = stages.to_vec();
        self.write_durably()
    }

    /// Writes down how the run ended. Nothing is flushed to the disk if nothing was done: it takes time.
    pub(super) fn finish(
        &mut self,
        outcome: Outcome,
        stages: &[StageReport],
        durable: bool,
    ) -> Result<(), Failure> {
        self.record.stages = stages.to_vec();
        self.record.outcome = Some(outcome);
        self.record.ended = Some(clock::timestamp());
        if durable {
            self.write_durably()?;
        } else {
            let path = self.file();
            std::fs::write(&path, self.text()).map_err(|error| disk::failure(&path, &error))?;
        }
        fault::point("run-ended");
        Ok(())
    }

    /// Adds an event of a stage to `events.jsonl`. A run does not fail for want of its diary.
    pub(super) fn add_event(&mut self, stage: &str, event: &Value) {
        if let Err(error) = self.try_add_event(stage, event) {
            tracing::warn!(path = %self.path.display(), %error, "an event is not recorded");
        }
    }

    fn try_add_event(&mut self, stage: &str, event: &Value) -> std::io::Result<()> {
        let file = match self.events.take() {
            Some(file) => file,
            None => File::options()
                .create(true)
                .append(true)
                .open(self.path.join("events.jsonl"))?,
        };
        let mut line = json!({"time": clock::timestamp(), "stage": stage});
        if let (Value::Object(line), Value::Object(event)) = (&mut line, event) {
            line.extend(event.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        self.events.insert(file).write_all(format!("{line}\n").as_bytes())
    }

    fn write_durably(&self) -> Result<(), Failure> {
        disk::write_atomic(&self.store_root, &self.file(), &self.text())
    }

    fn file(&self) -> PathBuf {
        self.path.join("run.json")
    }

    fn text(&self) -> Vec<u8> {
        // Strings, numbers and maps with string keys always have a JSON form.
        let mut text = serde_json::to_vec_pretty(&self.record).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

/// Field 22 of `/proc/PID/stat`; the second field is a name in parentheses that may hold anything.
fn process_start(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}
