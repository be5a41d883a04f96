//! What has become of each stage of a plan, and what may be done next.

use std::collections::BTreeMap;

use serde_json::Value;
use stage::Failure;

use super::{Action, Outcome, StageReport};
use crate::Dag;
use crate::identity::Reason;
use crate::plan::{Plan, PlannedStage, UNMET};
use crate::store::Version;

/// States, reports and versions; positions are those of `plan.stages`.
pub(super) struct Ledger<'a> {
    plan: &'a Plan,
    dag: &'a Dag,
    states: Vec<State>,
    reports: Vec<StageReport>,
    versions: BTreeMap<usize, Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
    Interrupted,
    Failed,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(plan: &'a Plan, dag: &'a Dag) -> Self {
        // Nothing has been done about a stage that will run: until it starts it is as good as blocked.
        let report = |planned: &PlannedStage| {
            let mut report = planned.report.clone();
            // What is done about these versions will be noted then.
            report.notes = report
                .notes
                .split_off(planned.broken.len().min(report.notes.len()));
            if report.action == Action::Run {
                (report.action, report.version) = (Action::Blocked, None);
            }
            report
        };
        Self {
            plan,
            dag,
            states: vec![State::Waiting; plan.stages.len()],
            reports: plan.stages.iter().map(report).collect(),
            versions: plan.taken.clone(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    pub(super) fn has_failure(&self) -> bool {
        self.states.contains(&State::Failed)
    }

    pub(super) fn report(&self, position: usize) -> &StageReport {
        &self.reports[position]
    }

    pub(super) fn reports(&self) -> &[StageReport] {
        &self.reports
    }

    pub(super) fn into_reports(self) -> Vec<StageReport> {
        self.reports
    }

    /// The version of stage `index` of the dag that others read.
    pub(super) fn version_of(&self, index: usize) -> Option<&Version> {
        self.versions.get(&index)
    }

    /// The first stage that waits for nothing.
    pub(super) fn next_ready(&self) -> Option<usize> {
        let is_ready = |position: &usize| {
            let planned = &self.plan.stages[*position];
            let needs = self.dag.needs(planned.index);
            self.states[*position] == State::Waiting
                && planned.report.action == Action::Run
                && needs.iter().all(|need| self.versions.contains_key(need))
                && self.dag.stages[planned.index]
                    .after
                    .iter()
                    .all(|before| self.lets_pass(*before))
        };
        (0..self.states.len()).find(is_ready)
    }

    /// Whether a stage that comes after stage `index` of the dag may begin: it is done and its gates are met, or this
    /// plan has nothing to do with it.
    fn lets_pass(&self, index: usize) -> bool {
        self.position_of(index).is_none_or(|position| {
            self.states[position] == State::Done && self.reports[position].gates_failed.is_empty()
        })
    }

    fn position_of(&self, index: usize) -> Option<usize> {
        self.plan.stages.iter().position(|planned| planned.index == index)
    }

    /// The stage's process runs.
    pub(super) fn started(&mut self, position: usize) {
        self.states[position] = State::Running;
        self.reports[position].action = Action::Run;
    }

    /// The stage's process ended.
    pub(super) fn took(&mut self, position: usize, seconds: f64) {
        self.reports[position].seconds = Some(seconds);
    }

    /// The stage is up to date.
    pub(super) fn done(&mut self, position: usize, version: Version, action: Action) {
        let headline = version.timings().remove("headline");
        let report = &mut self.reports[position];
        report.action = action;
        report.version = Some(version.name.to_string());
        report.path = Some(version.path.clone());
        report.gates_failed.clone_from(&version.manifest.gates_failed);
        report.headline = headline.as_ref().and_then(Value::as_str).map(str::to_owned);
        self.states[position] = State::Done;
        self.versions.insert(self.plan.stages[position].index, version);
    }

    /// The stage could not be brought up to date.
    pub(super) fn failed(&mut self, position: usize, failure: Failure) {
        self.states[position] = State::Failed;
        self.reports[position].action = self.plan.stages[position].report.action;
        self.reports[position].failure = Some(failure);
    }

    /// The stage's process was ended by a signal that the run got.
    pub(super) fn interrupted(&mut self, position: usize) {
        self.states[position] = State::Interrupted;
    }

    pub(super) fn note(&mut self, position: usize, text: &str) {
        self.reports[position].notes.push(text.to_owned());
    }

    /// Gives stages that were not come to the reason for it; says which they are.
    pub(super) fn block_the_rest(&mut self, is_interrupted: bool) -> Vec<usize> {
        let waiting = (0..self.states.len()).filter(|position| self.states[*position] == State::Waiting);
        let waiting: Vec<usize> = waiting.collect();
        for position in &waiting {
            let reason = if is_interrupted {
                not_run("the run was interrupted")
            } else {
                self.blocked_by(*position)
            };
            let report = &mut self.reports[*position];
            (report.action, report.version) = (Action::Blocked, None);
            report.reasons = vec![reason];
        }
        waiting
    }

    pub(super) fn outcome(&self, is_interrupted: bool) -> Outcome {
        if is_interrupted {
            Outcome::Interrupted
        } else if self.has_failure() {
            Outcome::Failed
        } else if self.reports.iter().any(|report| !report.gates_failed.is_empty()) {
            // What is not done waits for such a gate.
            Outcome::Gate
        } else if self.states.iter().any(|state| *state != State::Done) {
            Outcome::Failed
        } else {
            Outcome::Done
        }
    }

    fn blocked_by(&self, position: usize) -> Reason {
        let has_failed = |index: usize| {
            let at = self.position_of(index);
            at.is_some_and(|at| self.states[at] == State::Failed)
        };
        let mut open = vec![self.plan.stages[position].index];
        let mut unmet = None;
        while let Some(index) = open.pop() {
            if has_failed(index) {
                let name = &self.dag.stages[index].name;
                return not_run(format!("stage `{name}`, which it needs, failed"));
            }
            let gates = self.position_of(index).map(|at| &self.reports[at].gates_failed);
            if gates.is_some_and(|gates| !gates.is_empty()) {
                unmet = Some(index);
            }
            open.extend(self.dag.waits_for(index));
        }
        match unmet {
            Some(index) if !self.has_failure() => Reason::held_back(&self.dag.stages[index].name, UNMET),
            _ => not_run("another stage failed; `--keep-going` goes on"),
        }
    }
}

fn not_run(why: impl Into<Value>) -> Reason {
    Reason::changed("not run", Value::Null, why)
}
