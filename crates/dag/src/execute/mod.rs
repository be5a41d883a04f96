//! Executing a plan: each stage a child process, sealed before it starts, committed after it ended.

mod child;
mod execution;
mod interrupt;
mod invocation;
mod ledger;
mod observer;
mod outcome;
mod run_record;
mod space;

use std::ffi::OsString;
use std::time::Duration;

use stage::Failure;

use crate::Dag;
use crate::plan::Plan;
use crate::store::{Store, WriterLock};

pub use interrupt::Interrupt;
pub use observer::{News, Observer};
pub use outcome::{Action, Outcome, RunDocument, RunOutcome, StageReport};
pub use run_record::RunRecord;

/// How to execute.
#[derive(Clone, Debug)]
pub struct Options {
    /// The command that runs a stage; the path of its invocation is added.
    pub command: Vec<OsString>,
    /// Variables for stage processes. Nothing that changes results.
    pub env: Vec<(OsString, OsString)>,
    /// Stages that may run side by side.
    pub jobs: usize,
    /// Looked at all the time.
    pub interrupt: Interrupt,
    /// How long an interrupted stage may take to end by itself.
    pub grace: Duration,
    /// What was typed, for the record.
    pub command_line: Vec<String>,
    /// Name and version of the program, for records.
    pub program: String,
}

impl Options {
    /// One stage at a time, run by `command`.
    pub fn new(command: Vec<OsString>) -> Self {
        Self {
            command,
            env: Vec::new(),
            jobs: 1,
            interrupt: Interrupt::default(),
            grace: Duration::from_secs(30),
            command_line: Vec::new(),
            program: concat!("pipeline ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Does what `plan` says. What stages do wrong is in the outcome; an error is the store's.
///
/// Call it on a thread that lives as long as the program: the system ends stage processes when the thread that
/// started them ends.
pub fn execute(
    plan: &Plan,
    dag: &Dag,
    store: &Store,
    lock: &WriterLock,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<RunOutcome, Failure> {
    execution::Execution::new(plan, dag, store, lock, options, observer)?.run()
}
