//! The loop of a run: starts stages that are ready, listens to their processes, commits what they made.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use stage::Failure;

use super::child::{Child, End, Line};
use super::invocation::invocation;
use super::ledger::Ledger;
use super::run_record::RunFolder;
use super::{Action, News, Observer, Options, RunOutcome, space};
use crate::identity::Seal;
use crate::plan::Plan;
use crate::store::{
    Broken, Commit, OutputFolder, Store, Version, VersionName, WorkFolder, WriterLock, disk, fault,
};
use crate::{Dag, edited};

/// A run that goes on.
pub(super) struct Execution<'a> {
    plan: &'a Plan,
    dag: &'a Dag,
    store: &'a Store,
    lock: &'a WriterLock,
    options: &'a Options,
    observer: &'a mut dyn Observer,
    folder: RunFolder,
    started: Instant,
    ledger: Ledger<'a>,
    /// By position in the plan.
    running: BTreeMap<usize, Running>,
    lines: (Sender<Line>, Receiver<Line>),
    signal: Option<i32>,
}

struct Running {
    child: Child,
    seal: Seal,
    name: VersionName,
    output: OutputFolder,
    work: WorkFolder,
}

impl<'a> Execution<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        dag: &'a Dag,
        store: &'a Store,
        lock: &'a WriterLock,
        options: &'a Options,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Failure> {
        let folder = RunFolder::new(store, &options.command_line, &options.program)?;
        Ok(Self {
            plan,
            dag,
            store,
            lock,
            options,
            observer,
            folder,
            started: Instant::now(),
            ledger: Ledger::new(plan, dag),
            running: BTreeMap::new(),
            lines: channel(),
            signal: None,
        })
    }

    pub(super) fn run(mut self) -> Result<RunOutcome, Failure> {
        self.observer.observe(&News::RunStarted {
            run: self.folder.id(),
        });
        let works = self
            .plan
            .stages
            .iter()
            .any(|planned| planned.report.action == Action::Run);
        if works {
            self.folder.save(self.ledger.reports())?;
            fault::point("run-recorded");
        }
        self.settle_planned();
        loop {
            self.heed_interrupt();
            while let Some(position) = self.next_ready() {
                self.start(position);
                self.heed_interrupt();
            }
            if self.running.is_empty() {
                break;
            }
            self.listen();
            self.reap();
        }
        self.block_the_rest();
        let outcome = self.ledger.outcome(self.signal.is_some());
        match self.folder.finish(outcome, self.ledger.reports(), works) {
            // On a full disk the stage's failure is the one to show.
            Err(failure) if self.ledger.has_failure() => {
                tracing::warn!(%failure, "the run's end is not recorded")
            }
            recorded => recorded?,
        }
        self.store.save_memory();
        Ok(RunOutcome {
            run: self.folder.id().to_owned(),
            outcome,
            signal: self.signal,
            stages: self.ledger.into_reports(),
            seconds: self.started.elapsed().as_secs_f64(),
        })
    }

    /// What the plan reuses is done, what it blocks has failed.
    fn settle_planned(&mut self) {
        for (position, planned) in self.plan.stages.iter().enumerate() {
            match (&planned.reused, &planned.report.failure) {
                (Some(version), _) => {
                    self.set_aside(position, &planned.broken);
                    self.reused(position, version.clone());
                }
                (None, Some(failure)) => self.fail(position, failure.clone()),
                (None, None) => {}
            }
        }
    }

    /// The first stage that may start now.
    fn next_ready(&self) -> Option<usize> {
        let may_start = self.signal.is_none() && (!self.ledger.has_failure() || self.plan.keep_going);
        if !may_start || self.running.len() >= self.options.jobs.max(1) {
            return None;
        }
        self.ledger.next_ready()
    }

    /// Starts a stage, or reuses a version if the inputs turned out to be what they were.
    fn start(&mut self, position: usize) {
        if let Err(failure) = self.try_start(position) {
            self.fail(position, failure);
        }
    }

    fn try_start(&mut self, position: usize) -> Result<(), Failure> {
        let planned = &self.plan.stages[position];
        let spec = &self.dag.stages[planned.index];
        let seal = Seal::new(self.dag, planned.index, self.store, |need| {
            self.ledger.version_of(need)
        })?;
        let fingerprint = seal.key.fingerprint();
        let found = self.store.find(spec, &fingerprint);
        self.set_aside(position, &planned.broken);
        self.set_aside(position, &found.broken);
        if let Some(version) = found.version.filter(|_| !planned.forced) {
            self.reused(position, version);
            return Ok(());
        }
        seal.inputs.require_places()?;
        if let Some(text) = space::shortage(self.store, &spec.name) {
            self.warn(position, &text);
        }
        let name = VersionName::new(self.store.next_number(&spec.name), &fingerprint);
        let output = OutputFolder::new(self.store, &spec.name, &name)?;
        let work = WorkFolder::open(self.store, self.lock, &spec.name, &fingerprint, planned.forced)?;
        let invocation = invocation(self.dag, planned.index, &seal, output.path(), work.path());
        let path = self.folder.invocation_of(&spec.name);
        let text = serde_json::to_vec_pretty(&invocation).map_err(Failure::stage)?;
        std::fs::write(&path, text).map_err(|error| disk::failure(&path, &error))?;
        fault::point("invocation-written");
        self.lock.working_on(Some(&spec.name));
        let (command, env, log) = (
            &self.options.command,
            &self.options.env,
            self.folder.log_of(&spec.name),
        );
        let child = Child::start(position, command, env, &path, &log, self.lines.0.clone())?;
        fault::point("child-started");
        self.ledger.started(position);
        self.running.insert(
            position,
            Running {
                child,
                seal,
                name,
                output,
                work,
            },
        );
        self.observer.observe(&News::StageStarted {
            stage: &spec.name,
            position: position + 1,
            of: self.ledger.len(),
            reasons: &planned.report.reasons,
            estimated_seconds: planned.report.estimated_seconds,
        });
        Ok(())
    }

    /// Waits a moment for lines of the children and passes on what they say.
    fn listen(&mut self) {
        let ending = self.running.values().any(|running| running.child.is_ending());
        let mut patience = Duration::from_millis(if ending { 2 } else { 50 });
        loop {
            let line = match self.lines.1.recv_timeout(patience) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            };
            patience = Duration::ZERO;
            let Some(running) = self.running.get_mut(&line.child) else {
                continue;
            };
            let stage = &self.plan.stages[line.child].report.stage;
            if let Some(event) = running.child.hear(line.text.as_deref()) {
                let recorded = line
                    .text
                    .as_deref()
                    .and_then(|text| serde_json::from_str::<Value>(text).ok());
                self.folder.add_event(stage, &recorded.unwrap_or_default());
                self.observer.observe(&News::StageEvent { stage, event: &event });
            }
        }
    }

    /// Commits or buries children that have ended.
    fn reap(&mut self) {
        let ended: Vec<(usize, End)> = self
            .running
            .iter_mut()
            .filter_map(|(position, running)| Some((*position, running.child.poll()?)))
            .collect();
        for (position, end) in ended {
            let Some(running) = self.running.remove(&position) else {
                continue;
            };
            fault::point("child-ended");
            self.ledger.took(position, end.seconds);
            if end.by_interrupt {
                self.await_own_signal();
            }
            match self.complete(position, running, end) {
                Ok(version) => self.done(position, version, Action::Run),
                // The child's end is a consequence of the signal, not a failure of the stage.
                Err(_) if self.signal.is_some() => self.ledger.interrupted(position),
                Err(failure) => self.fail(position, failure),
            }
            if let Err(failure) = self.folder.save(self.ledger.reports()) {
                tracing::warn!(%failure, "the run's progress is not recorded");
            }
        }
    }

    fn complete(&mut self, position: usize, running: Running, end: End) -> Result<Version, Failure> {
        let Running {
            child,
            seal,
            name,
            output,
            work,
        } = running;
        drop(child);
        let completion = end
            .result
            .map_err(|failure| space::with_figures(failure, output.path()))?;
        seal.inputs.check_unchanged(self.store)?;
        let spec = &self.dag.stages[self.plan.stages[position].index];
        let mut timings = completion.timings;
        timings.insert("seconds".to_owned(), end.seconds.into());
        timings.insert("peak_memory_bytes".to_owned(), end.peak_memory.into());
        timings.insert("created".to_owned(), crate::clock::timestamp().into());
        timings.insert("run".to_owned(), self.folder.id().into());
        timings.insert("run_started".to_owned(), self.folder.started().into());
        timings
            .entry("device".to_owned())
            .or_insert_with(|| self.dag.runtime.device.as_str().into());
        if let Some(headline) = completion.headline {
            timings.insert("headline".to_owned(), headline.into());
        }
        let (gates_failed, program) = (&completion.gates_failed, &self.options.program);
        let commit = Commit {
            spec,
            name: &name,
            seal: &seal,
            gates_failed,
            timings: &timings,
            program,
        };
        let version = self.store.commit(self.lock, output, &commit)?;
        work.finish();
        Ok(version)
    }

    /// A version that was there is what is asked for.
    fn reused(&mut self, position: usize, version: Version) {
        if let Err(failure) = self.store.link_latest(self.lock, &version) {
            self.warn(position, &failure.message);
        }
        // A kill may have come between the version and the end of its work folder.
        let fingerprint = &version.manifest.fingerprint;
        self.store.clear_work(self.lock, &version.stage, fingerprint);
        self.done(position, version, Action::Reuse);
    }

    fn done(&mut self, position: usize, version: Version, action: Action) {
        self.ledger.done(position, version, action);
        let report = self.ledger.report(position);
        let (position, of) = (position + 1, self.ledger.len());
        self.observer.observe(&News::StageDone { report, position, of });
    }

    fn fail(&mut self, position: usize, failure: Failure) {
        let stage = &self.plan.stages[position].report.stage;
        let log = self.folder.log_of(stage);
        let log = log.exists().then_some(log.as_path());
        self.observer.observe(&News::StageFailed {
            stage,
            failure: &failure,
            log,
        });
        self.ledger.failed(position, failure);
    }

    fn block_the_rest(&mut self) {
        for position in self.ledger.block_the_rest(self.signal.is_some()) {
            if self.signal.is_none() {
                let report = self.ledger.report(position);
                self.observer.observe(&News::StageBlocked { report });
            }
        }
    }

    fn heed_interrupt(&mut self) {
        let Some(signal) = self.options.interrupt.signal() else {
            return;
        };
        if self.signal.is_none() {
            self.signal = Some(signal);
            self.observer.observe(&News::Interrupted { signal });
        }
        for running in self.running.values_mut() {
            running.child.terminate(self.options.grace);
        }
    }

    /// Ctrl-C reaches the stage, too, and its end may be seen before our own signal is.
    fn await_own_signal(&mut self) {
        for _ in 0..20 {
            self.heed_interrupt();
            if self.signal.is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn set_aside(&mut self, position: usize, broken: &[Broken]) {
        for one in broken.iter().filter(|one| one.path.exists()) {
            let spec = &self.dag.stages[self.plan.stages[position].index];
            let text = match self.store.set_aside(self.lock, one) {
                Ok(path) => edited::set_aside_note(spec, one, &path),
                Err(failure) => format!("{} does not count: {}; {failure}", one.reference(), one.damage),
            };
            self.warn(position, &text);
        }
    }

    fn warn(&mut self, position: usize, text: &str) {
        let stage = &self.plan.stages[position].report.stage;
        tracing::warn!(stage, "{text}");
        self.ledger.note(position, text);
        self.observer.observe(&News::Warning { stage, text });
    }
}
