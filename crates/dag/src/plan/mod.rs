//! What a run will do. The plan that is printed is the object that is executed.

mod explanation;
mod planner;
mod selection;

use std::collections::{BTreeMap, BTreeSet};

use stage::{Failure, nearest};

use crate::Dag;
use crate::execute::{Action, RunDocument, StageReport};
use crate::identity::StageKey;
use crate::store::{Broken, Store, Version};

use planner::Planner;

pub use explanation::{Explanation, explain};
pub(crate) use planner::UNMET;
pub use selection::Selection;

/// Stages with what is to be done about each, in the order of work.
#[derive(Debug)]
pub struct Plan {
    /// In the order of work.
    pub stages: Vec<PlannedStage>,
    /// After a failure go on with stages that do not need the failed one.
    pub keep_going: bool,
    /// Versions of stages that are not in the plan, taken as they are.
    pub(crate) taken: BTreeMap<usize, Version>,
}

/// A stage of a plan.
#[derive(Debug)]
pub struct PlannedStage {
    /// All about it, for people and programs.
    pub report: StageReport,
    /// The key, if all inputs are known.
    pub key: Option<StageKey>,
    /// Index into [`Dag::stages`].
    pub(crate) index: usize,
    /// Whether it runs even if a version is what is asked for.
    pub(crate) forced: bool,
    /// The version that is reused.
    pub(crate) reused: Option<Version>,
    /// Versions that were found not to count; the report's notes begin with one for each.
    pub(crate) broken: Vec<Broken>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A stage that is asked for is not in the pipeline file.
    #[error("no stage `{name}` in the pipeline file")]
    UnknownStage {
        /// As given.
        name: String,
        /// What to do.
        hint: String,
    },
}

impl Plan {
    /// What has to be done to bring the selected stages up to date.
    pub fn new(dag: &Dag, store: &Store, selection: &Selection) -> Result<Self, PlanError> {
        let targets = selection
            .targets
            .iter()
            .map(|name| find(dag, name))
            .collect::<Result<Vec<_>, _>>()?;
        let wanted = if targets.is_empty() {
            dag.order.iter().copied().collect()
        } else {
            with_needs(dag, &targets)
        };
        let mut plan = match (&selection.only, &selection.from) {
            (Some(only), _) => Self::of_one(dag, store, find(dag, only)?),
            (None, Some(from)) => Self::from_stage(dag, store, find(dag, from)?, &wanted),
            (None, None) => {
                let mut planner = Planner::new(dag, store);
                for index in dag.order.iter().copied().filter(|index| wanted.contains(index)) {
                    let is_named = targets.is_empty() || targets.contains(&index);
                    planner.assess(index, selection.force && is_named);
                }
                planner.into_plan()
            }
        };
        plan.keep_going = selection.keep_going;
        store.save_memory();
        Ok(plan)
    }

    /// Whether nothing runs and nothing is blocked.
    pub fn is_current(&self) -> bool {
        self.stages
            .iter()
            .all(|planned| planned.report.action == Action::Reuse)
    }

    /// Seconds that the stages to run will take, as far as their last versions tell.
    pub fn estimated_seconds(&self) -> f64 {
        let runs = self
            .stages
            .iter()
            .filter(|planned| planned.report.action == Action::Run);
        runs.filter_map(|planned| planned.report.estimated_seconds).sum()
    }

    /// The stage called `name`.
    pub fn stage(&self, name: &str) -> Option<&PlannedStage> {
        self.stages.iter().find(|planned| planned.report.stage == name)
    }

    /// The answer of `run --dry-run --json` and `status --json`.
    pub fn document(&self) -> RunDocument {
        RunDocument::of_stages(self.stages.iter().map(|planned| planned.report.clone()).collect())
    }

    /// One stage alone, on whatever its inputs are.
    fn of_one(dag: &Dag, store: &Store, only: usize) -> Self {
        let now = status_of(dag, store, &with_needs(dag, &[only]));
        let mut planner = Planner::new(dag, store);
        let (mut notes, mut missing) = (Vec::new(), Vec::new());
        for need in dag.needs(only) {
            match take(dag, store, &now, need) {
                Ok((version, note)) => {
                    planner.take(need, version);
                    notes.extend(note);
                }
                Err(failure) => missing.push(failure),
            }
        }
        // A lineage goes on beyond what is read directly.
        for planned in now.iter().filter(|planned| planned.index != only) {
            if let Some(version) = &planned.reused {
                planner.take(planned.index, version.clone());
            }
        }
        match missing.into_iter().next() {
            Some(failure) => planner.block(only, failure),
            None => planner.assess(only, false),
        }
        let mut plan = planner.into_plan();
        plan.stages
            .iter_mut()
            .for_each(|planned| planned.report.notes.append(&mut notes));
        plan
    }

    /// One stage and what follows anew, on what there is.
    fn from_stage(dag: &Dag, store: &Store, from: usize, wanted: &BTreeSet<usize>) -> Self {
        let mut anew = BTreeSet::from([from]);
        for index in dag.order.iter().copied() {
            if dag.needs(index).iter().any(|need| anew.contains(need)) {
                anew.insert(index);
            }
        }
        let anew: BTreeSet<usize> = anew
            .into_iter()
            .filter(|index| *index == from || wanted.contains(index))
            .collect();
        let roots: Vec<usize> = anew.iter().copied().collect();
        let needed: BTreeSet<usize> = anew.iter().flat_map(|index| dag.needs(*index)).collect();
        let now = status_of(dag, store, &with_needs(dag, &roots));
        let mut planner = Planner::new(dag, store);
        for index in dag.order.iter().copied() {
            if anew.contains(&index) {
                planner.assess(index, true);
            } else if now.iter().any(|planned| planned.index == index) {
                match take(dag, store, &now, index) {
                    Ok((version, note)) => planner.reuse(index, version, note.into_iter().collect()),
                    Err(failure) if needed.contains(&index) => planner.block(index, failure),
                    Err(_) => {}
                }
            }
        }
        planner.into_plan()
    }
}

/// What is current and what is stale: a plan for all stages.
pub fn status(dag: &Dag, store: &Store) -> Result<Plan, PlanError> {
    Plan::new(dag, store, &Selection::default())
}

fn find(dag: &Dag, name: &str) -> Result<usize, PlanError> {
    dag.index_of(name).ok_or_else(|| {
        let names: Vec<&str> = dag.stages.iter().map(|stage| stage.name.as_str()).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("stages are: {}", names.join(", ")),
        };
        PlanError::UnknownStage {
            name: name.to_owned(),
            hint,
        }
    })
}

/// The stages and all that they need, directly or not.
fn with_needs(dag: &Dag, targets: &[usize]) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut open = targets.to_vec();
    while let Some(index) = open.pop() {
        if all.insert(index) {
            open.extend(dag.waits_for(index));
        }
    }
    all
}

fn status_of(dag: &Dag, store: &Store, wanted: &BTreeSet<usize>) -> Vec<PlannedStage> {
    let mut planner = Planner::new(dag, store);
    for index in dag.order.iter().copied().filter(|index| wanted.contains(index)) {
        planner.assess(index, false);
    }
    planner.into_plan().stages
}

/// The version of a stage that is current, else its newest complete one with a note that says so.
fn take(
    dag: &Dag,
    store: &Store,
    now: &[PlannedStage],
    index: usize,
) -> Result<(Version, Option<String>), Failure> {
    let planned = now.iter().find(|planned| planned.index == index);
    if let Some(version) = planned.and_then(|planned| planned.reused.clone()) {
        return Ok((version, None));
    }
    let name = &dag.stages[index].name;
    let version = store.newest_complete(name).ok_or_else(|| {
        Failure::missing(format!("stage `{name}` has no complete version to take"))
            .hint(format!("`pipeline run {name}` makes one"))
    })?;
    let reasons = planned
        .into_iter()
        .flat_map(|planned| &planned.report.reasons)
        .map(ToString::to_string);
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    let note = format!(
        "stage `{name}` is stale ({reasons}); {} is taken as it is",
        version.reference()
    );
    Ok((version, Some(note)))
}
