//! Why one stage is current or stale, followed up through the stages that it needs.

use std::collections::BTreeSet;

use super::planner::inputs_from;
use super::{Plan, PlanError, PlannedStage, Selection};
use crate::Dag;
use crate::execute::{Action, RunDocument};
use crate::identity::{Fingerprint, Reason};
use crate::store::Store;

/// Why a stage is current or stale.
#[derive(Debug)]
pub struct Explanation {
    /// The stage.
    pub stage: PlannedStage,
    /// The first causes in the stages that it needs, each with the way to it:
    /// `input train: stage pseudo_label: params.min_confidence`.
    pub chain: Vec<Reason>,
}

/// Explains the stage called `name`.
pub fn explain(dag: &Dag, store: &Store, name: &str) -> Result<Explanation, PlanError> {
    let mut plan = Plan::new(dag, store, &Selection::targets([name]))?;
    let mut chain = Vec::new();
    if let Some(index) = dag.index_of(name) {
        follow(dag, &plan.stages, index, &mut BTreeSet::new(), &mut |reason| {
            chain.push(reason)
        });
    }
    // A stage comes after all that it needs, so that it is the last of its own plan.
    let stage = plan.stages.pop().ok_or_else(|| PlanError::UnknownStage {
        name: name.to_owned(),
        hint: "the pipeline has no stages".to_owned(),
    })?;
    Ok(Explanation { stage, chain })
}

impl Explanation {
    /// Whether the newest version is what is asked for.
    pub fn is_current(&self) -> bool {
        self.stage.report.action == Action::Reuse
    }

    /// Identity of the result, if all inputs are known.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.stage
            .key
            .as_ref()
            .map(crate::identity::StageKey::fingerprint)
    }

    /// The stage's own reasons, then the chain.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        self.stage.report.reasons.iter().chain(&self.chain)
    }

    /// The answer of `explain --json`.
    pub fn document(&self) -> RunDocument {
        let mut report = self.stage.report.clone();
        report.reasons.extend(self.chain.iter().cloned());
        RunDocument::of_stages(vec![report])
    }
}

/// Tells the reasons of the stages above `index`, nearest first, each stage once.
fn follow(
    dag: &Dag,
    stages: &[PlannedStage],
    index: usize,
    seen: &mut BTreeSet<usize>,
    tell: &mut dyn FnMut(Reason),
) {
    for action in [Action::Run, Action::Blocked] {
        for (input, name) in inputs_from(dag, stages, index, action) {
            let planned = stages.iter().find(|planned| planned.report.stage == name);
            let Some(planned) = planned.filter(|planned| seen.insert(planned.index)) else {
                continue;
            };
            let inherited: BTreeSet<String> = inputs_from(dag, stages, planned.index, action)
                .into_iter()
                .map(|(input, _)| format!("input {input}"))
                .collect();
            for reason in planned
                .report
                .reasons
                .iter()
                .filter(|reason| !inherited.contains(&reason.field))
            {
                tell(reason.through(&input, &name));
            }
            follow(dag, stages, planned.index, seen, &mut |reason| {
                tell(reason.through(&input, &name))
            });
        }
    }
}
