//! The state of a run: which stages wait, run, are done, and what to do next.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use stage::{Failure, Invocation, Runtime};

use super::child::{Child, End, Line};
use super::run_record::RunFolder;
use super::{Action, News, Observer, Options, Outcome, RunOutcome, StageReport};
use crate::Dag;
use crate::identity::{Reason, Seal};
use crate::plan::{Plan, PlannedStage};
use crate::store::{Broken, Commit, Store, Version, VersionName, WorkFolder, WriterLock, disk, fault};

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
    /// Beside `plan.stages`.
    states: Vec<State>,
    reports: Vec<StageReport>,
    versions: BTreeMap<usize, Version>,
    running: BTreeMap<usize, Running>,
    lines: (Sender<Line>, Receiver<Line>),
    failed: bool,
    signal: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
    Failed,
}

struct Running {
    child: Child,
    seal: Seal,
    name: VersionName,
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
        // Nothing has been done about a stage that will run: until it starts it is as good as blocked.
        let report = |planned: &PlannedStage| {
            let (mut action, mut version) = (planned.report.action, planned.report.version.clone());
            if action == Action::Run {
                (action, version) = (Action::Blocked, None);
            }
            StageReport {
                action,
                version,
                ..planned.report.clone()
            }
        };
        Ok(Self {
            plan,
            dag,
            store,
            lock,
            options,
            observer,
            folder,
            started: Instant::now(),
            states: vec![State::Waiting; plan.stages.len()],
            reports: plan.stages.iter().map(report).collect(),
            versions: plan.taken.clone(),
            running: BTreeMap::new(),
            lines: channel(),
            failed: false,
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
            self.folder.save(self.reports.clone())?;
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
        let outcome = self.outcome();
        match self.folder.finish(outcome, self.reports.clone(), works) {
            // On a full disk the stage's failure is the one to show.
            Err(failure) if self.failed => tracing::warn!(%failure, "the run's end is not recorded"),
            recorded => recorded?,
        }
        self.store.save_memory();
        Ok(RunOutcome {
            run: self.folder.id().to_owned(),
            outcome,
            signal: self.signal,
            stages: self.reports,
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
        let may_start = self.signal.is_none() && (!self.failed || self.plan.keep_going);
        if !may_start || self.running.len() >= self.options.jobs.max(1) {
            return None;
        }
        let is_ready = |position: &usize| {
            let planned = &self.plan.stages[*position];
            let needs = self.dag.needs(planned.index);
            self.states[*position] == State::Waiting
                && planned.report.action == Action::Run
                && needs.iter().all(|need| self.versions.contains_key(need))
        };
        (0..self.states.len()).find(is_ready)
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
            self.versions.get(&need)
        })?;
        let fingerprint = seal.key.fingerprint();
        let found = self.store.find(spec, &fingerprint);
        self.set_aside(position, &found.broken);
        if let Some(version) = found.version.filter(|_| !planned.forced) {
            self.reused(position, version);
            return Ok(());
        }
        self.warn_of_little_space(position);
        let name = VersionName::new(self.store.next_number(&spec.name), &fingerprint);
        let work = WorkFolder::new(self.store, &spec.name, &name)?;
        let invocation = self.invocation(planned.index, &seal, &work);
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
        self.states[position] = State::Running;
        self.reports[position].action = Action::Run;
        self.running.insert(
            position,
            Running {
                child,
                seal,
                name,
                work,
            },
        );
        self.observer.observe(&News::StageStarted {
            stage: &spec.name,
            position: position + 1,
            of: self.states.len(),
            reasons: &planned.report.reasons,
            estimated_seconds: planned.report.estimated_seconds,
        });
        Ok(())
    }

    fn invocation(&self, index: usize, seal: &Seal, work: &WorkFolder) -> Invocation {
        let spec = &self.dag.stages[index];
        let runtime = &self.dag.runtime;
        let (device, backend, threads) = (runtime.device.clone(), runtime.backend.clone(), runtime.threads);
        Invocation {
            format: Invocation::FORMAT,
            stage: spec.name.clone(),
            kind: spec.kind.name().to_owned(),
            params: spec.params.clone(),
            seed: spec.seed,
            task: self.dag.task,
            labels: self.dag.labels.clone(),
            precision: spec.precision.clone(),
            runtime: Runtime {
                device,
                backend,
                threads,
            },
            inputs: seal.inputs.items(),
            input_order: spec.inputs.iter().map(|(name, _)| name.clone()).collect(),
            output: work.path().to_owned(),
            fingerprint: seal.key.fingerprint().to_string(),
            parent: Some(std::process::id()),
        }
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
            self.reports[position].seconds = Some(end.seconds);
            if end.by_interrupt {
                self.await_own_signal();
            }
            match self.complete(position, running, end) {
                Ok(version) => self.done(position, version),
                // The child's end is a consequence of the signal, not a failure of the stage.
                Err(_) if self.signal.is_some() => self.states[position] = State::Failed,
                Err(failure) => self.fail(position, failure),
            }
            if let Err(failure) = self.folder.save(self.reports.clone()) {
                tracing::warn!(%failure, "the run's progress is not recorded");
            }
        }
    }

    fn complete(&mut self, position: usize, running: Running, end: End) -> Result<Version, Failure> {
        let Running {
            child,
            seal,
            name,
            work,
        } = running;
        drop(child);
        let completion = match end.result {
            Ok(completion) => completion,
            Err(failure) if failure.kind == stage::FailureKind::Storage => {
                return Err(self.with_space(failure, &work));
            }
            Err(failure) => return Err(failure),
        };
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
        self.store.commit(self.lock, work, &commit)
    }

    /// A version that was there is what is asked for.
    fn reused(&mut self, position: usize, version: Version) {
        if let Err(failure) = self.store.link_latest(self.lock, &version) {
            self.warn(position, &failure.message);
        }
        self.reports[position].action = Action::Reuse;
        self.done(position, version);
    }

    fn done(&mut self, position: usize, version: Version) {
        let headline = version
            .timings()
            .get("headline")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let report = &mut self.reports[position];
        report.version = Some(version.name.to_string());
        report.path = Some(version.path.clone());
        report.gates_failed.clone_from(&version.manifest.gates_failed);
        report.headline = headline;
        self.states[position] = State::Done;
        self.versions.insert(self.plan.stages[position].index, version);
        let of = self.states.len();
        self.observer.observe(&News::StageDone {
            report: &self.reports[position],
            position: position + 1,
            of,
        });
    }

    fn fail(&mut self, position: usize, failure: Failure) {
        self.failed = true;
        self.states[position] = State::Failed;
        let report = &mut self.reports[position];
        if self.plan.stages[position].report.action == Action::Run {
            report.action = Action::Run;
        }
        report.failure = Some(failure.clone());
        let stage = &self.plan.stages[position].report.stage;
        let log = self.folder.log_of(stage);
        let log = log.exists().then_some(log.as_path());
        self.observer.observe(&News::StageFailed {
            stage,
            failure: &failure,
            log,
        });
    }

    /// Stages that were not come to, with the reason.
    fn block_the_rest(&mut self) {
        for position in 0..self.states.len() {
            if self.states[position] != State::Waiting {
                continue;
            }
            let reason = Reason::changed("not run", Value::Null, self.blocked_by(position));
            let report = &mut self.reports[position];
            (report.action, report.version) = (Action::Blocked, None);
            report.reasons = vec![reason];
            if self.signal.is_none() {
                self.observer.observe(&News::StageBlocked {
                    report: &self.reports[position],
                });
            }
        }
    }

    fn blocked_by(&self, position: usize) -> String {
        if self.signal.is_some() {
            return "the run was interrupted".to_owned();
        }
        let failed = |index: usize| {
            let at = self.plan.stages.iter().position(|planned| planned.index == index);
            at.is_some_and(|at| self.states[at] == State::Failed)
        };
        let mut open = self.dag.needs(self.plan.stages[position].index);
        while let Some(need) = open.pop() {
            if failed(need) {
                return format!("stage `{}`, which it needs, failed", self.dag.stages[need].name);
            }
            open.extend(self.dag.needs(need));
        }
        "another stage failed; `--keep-going` goes on".to_owned()
    }

    fn outcome(&self) -> Outcome {
        if self.signal.is_some() {
            Outcome::Interrupted
        } else if self.failed || self.states.iter().any(|state| *state != State::Done) {
            Outcome::Failed
        } else if self.reports.iter().any(|report| !report.gates_failed.is_empty()) {
            Outcome::Gate
        } else {
            Outcome::Done
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
            let text = match self.store.set_aside(self.lock, one) {
                Ok(path) => {
                    let path = path
                        .strip_prefix(self.store.root())
                        .unwrap_or(&path)
                        .display()
                        .to_string();
                    format!(
                        "{} does not count: {}; set aside as `{path}`",
                        one.reference(),
                        one.damage
                    )
                }
                Err(failure) => format!("{} does not count: {}; {failure}", one.reference(), one.damage),
            };
            self.warn(position, &text);
        }
    }

    /// The last version's size is the best guess at what the next one needs.
    fn warn_of_little_space(&mut self, position: usize) {
        let stage = &self.plan.stages[position].report.stage;
        let last = self
            .store
            .versions(stage)
            .pop()
            .and_then(|name| self.store.load(stage, &name).ok());
        let (Some(last), Some(free)) = (last, disk::free_bytes(self.store.root())) else {
            return;
        };
        let needed = last.manifest.bytes();
        if needed > free {
            let (needed, free) = (disk::words(needed), disk::words(free));
            self.warn(
                position,
                &format!("the last version took {needed}, and {free} are free"),
            );
        }
    }

    fn with_space(&self, failure: Failure, work: &WorkFolder) -> Failure {
        let written = disk::words(disk::size(work.path()));
        match disk::free_bytes(self.store.root()) {
            Some(free) => failure.hint(format!(
                "it had written {written}; {} are free",
                disk::words(free)
            )),
            None => failure,
        }
    }

    fn warn(&mut self, position: usize, text: &str) {
        let stage = &self.plan.stages[position].report.stage;
        tracing::warn!(stage, "{text}");
        self.reports[position].notes.push(text.to_owned());
        self.observer.observe(&News::Warning { stage, text });
    }
}
