//! Executes the points of a sweep one after the other and reads what came of each.

use std::collections::BTreeMap;
use std::path::Path;

use dag::{Action, Fingerprint, Outcome, Plan, Selection, StageReport, VersionName};
use serde_json::Value;
use stage::{Failure, FailureKind};

use super::Trial;
use super::document::{PointRecord, TrialRecord};
use super::grid::{Grid, Point};
use super::target::Target;
use crate::error::CliError;
use crate::run::{self, Engine, Shown};

/// Where points are measured.
pub(super) struct Bench<'a> {
    engine: &'a Engine<'a>,
    target: &'a Target,
    shown: Shown,
    /// What failed once need not be tried again: a stage that all points share, with the same inputs.
    failed: BTreeMap<Fingerprint, String>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(engine: &'a Engine<'a>, target: &'a Target, shown: Shown) -> Self {
        Self {
            engine,
            target,
            shown,
            failed: BTreeMap::new(),
        }
    }

    /// Goes on after points that fail; an error is the store's or a signal.
    pub(super) fn measure(
        &mut self,
        grid: &Grid,
        points: &[Point],
        trials: &[Vec<Trial>],
    ) -> Result<Vec<PointRecord>, CliError> {
        let mut records: Vec<PointRecord> = Vec::new();
        for (position, (point, trials)) in points.iter().zip(trials).enumerate() {
            let name = format!(
                "point {} of {}: {}",
                position + 1,
                points.len(),
                grid.label(point)
            );
            let mut record = PointRecord::new(point);
            for trial in trials {
                self.engine.check_interrupt()?;
                let fold = trial
                    .fold
                    .iter()
                    .map(|fold| format!(", fold {fold}"))
                    .collect::<String>();
                self.shown.note(&format!("{name}{fold}"));
                match self.try_trial(trial)? {
                    Ok(trial) => record.add(trial),
                    Err(failure) => {
                        record.failure = Some(failure);
                        break;
                    }
                }
            }
            if let Some(twin) = records.iter().position(|other| other.is_same_result(&record)) {
                let (this, other) = (grid.label(point), grid.label(&points[twin]));
                self.shown
                    .note(&format!("`{this}` and `{other}` come to the same result"));
            }
            records.push(record);
        }
        Ok(records)
    }

    /// The inner error is the trial's own.
    fn try_trial(&mut self, trial: &Trial) -> Result<Result<TrialRecord, String>, CliError> {
        let plan = Plan::new(
            &trial.dag,
            self.engine.store(),
            &Selection::targets([&self.target.stage]),
        )?;
        if let Some(failure) = self.failed_before(&plan) {
            self.shown.note(&format!("not tried again: {failure}"));
            return Ok(Err(failure.clone()));
        }
        if plan.is_current() {
            return Ok(self.read(trial, &plan.document().stages));
        }
        let outcome = self.engine.execute(&plan, &trial.dag, &mut self.shown)?;
        match (outcome.outcome, outcome.failures().next()) {
            (Outcome::Done | Outcome::Gate, _) => Ok(self.read(trial, &outcome.stages)),
            (Outcome::Failed, Some((stage, failure))) if failure.kind != FailureKind::Storage => {
                let text = format!("stage `{stage}`: {}", failure.message);
                let key = plan.stage(stage).and_then(|planned| planned.key.as_ref());
                self.failed
                    .extend(key.map(|key| (key.fingerprint(), text.clone())));
                Ok(Err(text))
            }
            (Outcome::Failed | Outcome::Interrupted, _) => run::ended(&outcome).map(|()| Err(String::new())),
        }
    }

    fn failed_before(&self, plan: &Plan) -> Option<&String> {
        let runs = plan
            .stages
            .iter()
            .filter(|planned| planned.report.action == Action::Run);
        runs.filter_map(|planned| self.failed.get(&planned.key.as_ref()?.fingerprint()))
            .next()
    }

    /// What the target's version says of itself.
    fn read(&self, trial: &Trial, stages: &[StageReport]) -> Result<TrialRecord, String> {
        let stage = &self.target.stage;
        let found = stages.iter().find(|report| report.stage == *stage);
        let (report, version, path) = found
            .and_then(|report| Some((report, report.version.clone()?, report.path.clone()?)))
            .ok_or_else(|| format!("stage `{stage}` has no version"))?;
        let value = figure(&path, &self.target.metric.name()).map_err(|failure| failure.message)?;
        let loaded =
            VersionName::parse(&version).and_then(|name| self.engine.store().load(stage, &name).ok());
        let versions = stages
            .iter()
            .filter_map(|report| Some((report.stage.clone(), report.version.clone()?)));
        Ok(TrialRecord {
            fold: trial.fold.clone(),
            action: report.action,
            version,
            path,
            value,
            seconds: loaded.and_then(|version| version.seconds()),
            versions: versions.collect(),
        })
    }
}

/// `name` in the `metrics.json` of the version in `folder`.
fn figure(folder: &Path, name: &str) -> Result<f64, Failure> {
    let path = folder.join("metrics.json");
    let text = std::fs::read(&path).map_err(|error| Failure::io(&path, &error))?;
    let metrics: Value = serde_json::from_slice(&text).map_err(Failure::stage)?;
    let value = metrics.get(name).and_then(Value::as_f64);
    value.ok_or_else(|| Failure::stage(format!("`{}` has no figure `{name}`", path.display())))
}
