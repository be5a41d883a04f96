//! Decides stage by stage, in the order of work, what is to be done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stage::Failure;

use super::{Plan, PlannedStage};
use crate::execute::{Action, StageReport};
use crate::identity::{Reason, SealedInputs, StageKey};
use crate::store::{Broken, Damage, Store, Version, VersionName};
use crate::{Dag, InputRef, edited};

/// Why a stage is held back that comes after another one.
pub(crate) const UNMET: &str = "its gates are not met";

/// What is known so far. Stages are assessed after those that they need.
pub(super) struct Planner<'a> {
    dag: &'a Dag,
    store: &'a Store,
    stages: Vec<PlannedStage>,
    versions: BTreeMap<usize, Version>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(dag: &'a Dag, store: &'a Store) -> Self {
        Self {
            dag,
            store,
            stages: Vec::new(),
            versions: BTreeMap::new(),
        }
    }

    pub(super) fn into_plan(self) -> Plan {
        let planned: BTreeSet<usize> = self.stages.iter().map(|planned| planned.index).collect();
        let taken = self
            .versions
            .into_iter()
            .filter(|(index, _)| !planned.contains(index))
            .collect();
        Plan {
            stages: self.stages,
            keep_going: false,
            taken,
        }
    }

    /// Uses `version` for a stage that is not in the plan.
    pub(super) fn take(&mut self, index: usize, version: Version) {
        self.versions.insert(index, version);
    }

    /// Reuses `version` whatever its key.
    pub(super) fn reuse(&mut self, index: usize, version: Version, notes: Vec<String>) {
        let mut planned = self.planned(index, Action::Reuse, Vec::new());
        planned.report.notes = notes;
        planned.report.version = Some(version.name.to_string());
        planned.report.path = Some(version.path.clone());
        planned
            .report
            .gates_failed
            .clone_from(&version.manifest.gates_failed);
        planned.reused = Some(version.clone());
        self.versions.insert(index, version);
        self.stages.push(planned);
    }

    /// The stage cannot run.
    pub(super) fn block(&mut self, index: usize, failure: Failure) {
        let reason = Reason::changed("blocked", Value::Null, failure.message.as_str());
        let mut planned = self.planned(index, Action::Blocked, vec![reason]);
        planned.report.failure = Some(failure);
        self.stages.push(planned);
    }

    /// Whether the stage is current, and if not, why.
    pub(super) fn assess(&mut self, index: usize, forced: bool) {
        if let Some((input, stage)) = self.inputs_from(index, Action::Blocked).first() {
            let reason = Reason::changed(
                format!("input {input}"),
                Value::Null,
                format!("stage `{stage}` is blocked"),
            );
            let planned = self.planned(index, Action::Blocked, vec![reason]);
            self.stages.push(planned);
            return;
        }
        if let Some(reason) = self.held_back(index) {
            let planned = self.planned(index, Action::Blocked, vec![reason]);
            self.stages.push(planned);
            return;
        }
        let inputs = SealedInputs::new(self.dag, index, self.store, |need| self.versions.get(&need));
        let inputs = match inputs {
            Ok(inputs) => inputs,
            Err(failure) => return self.block(index, failure),
        };
        let key = inputs.key(self.dag, index);
        let running = self.inputs_from(index, Action::Run);
        let unresolved = self.unresolved(index);
        if running.is_empty() && unresolved.is_empty() {
            self.assess_key(index, forced, key);
        } else {
            self.assess_running(index, forced, &key, &running, &unresolved);
        }
    }

    /// All inputs are known.
    fn assess_key(&mut self, index: usize, forced: bool, key: StageKey) {
        let spec = &self.dag.stages[index];
        let fingerprint = key.fingerprint();
        let found = self.store.find(spec, &fingerprint);
        let broken = self.with_latest(index, found.broken, found.version.as_ref());
        let notes = self.broken_notes(index, &broken);
        if let Some(version) = found.version.filter(|_| !forced) {
            self.reuse(index, version, notes);
            if let Some(planned) = self.stages.last_mut() {
                planned.key = Some(key);
                planned.broken = broken;
            }
            return;
        }
        let newest = self.store.newest(&spec.name);
        let mut reasons = if forced {
            vec![Reason::forced()]
        } else {
            Vec::new()
        };
        let damaged = broken
            .iter()
            .find(|broken| broken.name.short == fingerprint.short());
        match (damaged, &newest) {
            (Some(broken), _) => reasons.push(damage_reason(&broken.damage)),
            (None, Some(version)) => reasons.extend(version.manifest.key.differences(&key, &BTreeSet::new())),
            (None, None) => reasons = vec![Reason::never_ran()],
        }
        if reasons.is_empty() {
            // The key holds, so the version is from before the kind wrote all that it writes now.
            let names = |files: Vec<&str>| files.into_iter().map(Value::from).collect::<Value>();
            let before = newest
                .iter()
                .flat_map(|version| &version.manifest.outputs)
                .map(|output| output.file.as_str());
            let after = spec.outputs.iter().map(|output| output.file.as_str());
            reasons.push(Reason::changed(
                "outputs",
                names(before.collect()),
                names(after.collect()),
            ));
        }
        let mut planned = self.planned(index, Action::Run, reasons);
        planned.report.version =
            Some(VersionName::new(self.store.next_number(&spec.name), &fingerprint).to_string());
        planned.report.estimated_seconds = newest.as_ref().and_then(Version::seconds);
        planned.report.notes = notes;
        planned.forced = forced;
        planned.key = Some(key);
        planned.broken = broken;
        self.stages.push(planned);
    }

    /// Some inputs are made anew before this stage, or not resolved yet; what else differs can be said already.
    fn assess_running(
        &mut self,
        index: usize,
        forced: bool,
        key: &StageKey,
        running: &[(String, String)],
        unresolved: &[&str],
    ) {
        let newest = self.store.newest(&self.dag.stages[index].name);
        let running_inputs = running.iter().map(|(input, _)| input.as_str());
        let unknown: BTreeSet<&str> = running_inputs.chain(unresolved.iter().copied()).collect();
        let mut reasons = if forced {
            vec![Reason::forced()]
        } else {
            Vec::new()
        };
        match &newest {
            Some(version) => {
                reasons.extend(version.manifest.key.differences(key, &unknown));
                reasons.extend(
                    running
                        .iter()
                        .map(|(input, stage)| Reason::input_runs(input, stage)),
                );
            }
            None => reasons = vec![Reason::never_ran()],
        }
        reasons.extend(unresolved.iter().map(|input| Reason::not_resolved(input)));
        let broken = self.with_latest(index, Vec::new(), None);
        let mut planned = self.planned(index, Action::Run, reasons);
        planned.report.estimated_seconds = newest.as_ref().and_then(Version::seconds);
        planned.report.notes = self.broken_notes(index, &broken);
        planned.forced = forced;
        planned.broken = broken;
        self.stages.push(planned);
    }

    /// Adds what `latest` links to if that does not count: an edit of it must be noticed, whatever is asked for now.
    fn with_latest(&self, index: usize, mut broken: Vec<Broken>, found: Option<&Version>) -> Vec<Broken> {
        let stage = &self.dag.stages[index].name;
        let is_found = found.is_some_and(|found| self.store.latest(stage).as_ref() == Some(&found.name));
        if !is_found
            && let Some(latest) = self.store.broken_latest(stage)
            && broken.iter().all(|known| known.name != latest.name)
        {
            broken.push(latest);
        }
        broken
    }

    /// A note for each.
    fn broken_notes(&self, index: usize, broken: &[Broken]) -> Vec<String> {
        let spec = &self.dag.stages[index];
        let note = |broken: &Broken| edited::planned_note(spec, self.store, broken);
        broken.iter().map(note).collect()
    }

    /// Why a stage that stage `index` comes after does not let it begin, as far as that is known.
    fn held_back(&self, index: usize) -> Option<Reason> {
        let why = |before: &usize| {
            let planned = self.stages.iter().find(|planned| planned.index == *before)?;
            let why = if planned.report.action == Action::Blocked {
                "it is blocked"
            } else if planned.report.gates_failed.is_empty() {
                return None;
            } else {
                UNMET
            };
            Some(Reason::held_back(&planned.report.stage, why))
        };
        self.dag.stages[index].after.iter().find_map(why)
    }

    /// Inputs with a model of the Hub whose commit is not known.
    fn unresolved(&self, index: usize) -> Vec<&'a str> {
        let inputs = self.dag.stages[index].inputs.iter();
        let is_unresolved = |item: &InputRef| matches!(item, InputRef::Hub(input) if input.commit.is_none());
        inputs
            .filter(|(_, items)| items.iter().any(is_unresolved))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Inputs that read stages about which `action` is done: (input, stage), each once.
    fn inputs_from(&self, index: usize, action: Action) -> Vec<(String, String)> {
        inputs_from(self.dag, &self.stages, index, action)
    }

    fn planned(&self, index: usize, action: Action, reasons: Vec<Reason>) -> PlannedStage {
        let spec = &self.dag.stages[index];
        let report = StageReport {
            stage: spec.name.clone(),
            kind: spec.kind.name().to_owned(),
            action,
            reasons,
            version: None,
            path: None,
            seconds: None,
            estimated_seconds: None,
            headline: None,
            gates_failed: Vec::new(),
            notes: Vec::new(),
            failure: None,
        };
        PlannedStage {
            report,
            key: None,
            index,
            forced: false,
            reused: None,
            broken: Vec::new(),
        }
    }
}

/// Inputs of stage `index` that read stages about which `action` is planned: (input, stage), each once.
pub(super) fn inputs_from(
    dag: &Dag,
    stages: &[PlannedStage],
    index: usize,
    action: Action,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, items) in &dag.stages[index].inputs {
        for item in items {
            let InputRef::Artifact { stage: need, .. } = item else {
                continue;
            };
            let planned = stages.iter().find(|planned| planned.index == *need);
            let pair = (name.clone(), dag.stages[*need].name.clone());
            if planned.is_some_and(|planned| planned.report.action == action) && !found.contains(&pair) {
                found.push(pair);
            }
        }
    }
    found
}

fn damage_reason(damage: &Damage) -> Reason {
    match damage {
        Damage::Manifest(what) => Reason::changed("manifest damaged", Value::Null, what.as_str()),
        Damage::Missing(file) => Reason::output_missing(file),
        Damage::Modified(file) | Damage::Added(file) => Reason::output_modified(file),
        Damage::Unreadable(what) => Reason::changed("output unreadable", Value::Null, what.as_str()),
    }
}
