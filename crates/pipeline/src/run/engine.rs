//! The store under this process's lock, and how stages are executed in it.

use std::ffi::OsString;
use std::time::Duration;

use dag::{Dag, Interrupt, LockError, Observer, Options, Plan, RunOutcome, Store, Wait, WriterLock};

use crate::error::{CliError, Exit};
use crate::terminal::Terminal;

/// Executes plans; as long as it lives no other process writes to the store.
pub(crate) struct Engine<'a> {
    store: &'a Store,
    lock: WriterLock,
    options: Options,
}

impl<'a> Engine<'a> {
    /// Waits for the store: for ever, or as many seconds as `--wait` says.
    pub(crate) fn start(
        store: &'a Store,
        jobs: u16,
        wait: Option<Option<u64>>,
        terminal: &Terminal,
    ) -> Result<Self, CliError> {
        let interrupt = Interrupt::install()
            .map_err(|error| CliError::new(Exit::Storage, format!("cannot listen for signals: {error}")))?;
        let command_line: Vec<String> = std::env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let wait = match wait {
            Some(Some(seconds)) => Wait::AtMost(Duration::from_secs(seconds)),
            Some(None) | None => Wait::Forever,
        };
        let lock = store
            .lock(&command_line.join(" "), wait, &interrupt, &mut |holder| {
                terminal.line(&format!("waiting for another run: {holder}"));
            })
            .map_err(not_locked)?;
        let mut options = Options::new(stage_command()?);
        options.jobs = usize::from(jobs);
        options.interrupt = interrupt;
        options.command_line = command_line;
        Ok(Self { store, lock, options })
    }

    /// Does what `plan` says.
    pub(crate) fn execute(
        &self,
        plan: &Plan,
        dag: &Dag,
        observer: &mut dyn Observer,
    ) -> Result<RunOutcome, CliError> {
        let mut options = self.options.clone();
        if dag.runtime.threads > 0 {
            // libtorch reads it when it is loaded, before anything could tell it otherwise.
            let threads = dag.runtime.threads.to_string();
            options.env.push(("OMP_NUM_THREADS".into(), threads.into()));
        }
        Ok(dag::execute(
            plan, dag, self.store, &self.lock, &options, observer,
        )?)
    }

    /// The store.
    pub(crate) fn store(&self) -> &'a Store {
        self.store
    }

    /// What entitles to write to the store.
    pub(crate) fn lock(&self) -> &WriterLock {
        &self.lock
    }

    /// What SIGINT and SIGTERM set.
    pub(crate) fn interrupt(&self) -> Interrupt {
        self.options.interrupt.clone()
    }

    /// An error with the signal's exit code, if a signal came.
    pub(crate) fn check_interrupt(&self) -> Result<(), CliError> {
        match self.options.interrupt.signal() {
            Some(signal) => Err(CliError::silent(signal_exit(signal))),
            None => Ok(()),
        }
    }
}

/// This program with the hidden subcommand.
fn stage_command() -> Result<Vec<OsString>, CliError> {
    let program = std::env::current_exe()
        .map_err(|error| CliError::new(Exit::Missing, format!("cannot find this program's file: {error}")))?;
    Ok(vec![program.into_os_string(), "__stage".into()])
}

fn not_locked(error: LockError) -> CliError {
    match error {
        LockError::Interrupted { signal } => CliError::silent(signal_exit(signal)),
        LockError::Store(failure) => failure.into(),
        busy @ LockError::Busy { .. } => {
            CliError::new(Exit::Storage, format!("another run has the store: {busy}"))
                .hint("without --wait=0 this run waits; --artifacts DIR names another store")
        }
    }
}

/// The exit code of a program that a signal ended.
pub(crate) fn signal_exit(signal: i32) -> Exit {
    if signal == signal_hook::consts::SIGTERM {
        Exit::Terminated
    } else {
        Exit::Interrupted
    }
}
