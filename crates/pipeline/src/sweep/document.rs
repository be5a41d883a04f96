//! What came of a sweep: as one JSON document, and as a table for people.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dag::{Action, VersionName};
use serde::Serialize;
use serde_json::Value;

use super::grid::{Grid, Point};
use super::statistics::{Spread, best};
use super::target::Target;
use crate::error::{CliError, Exit};
use crate::{output, table, words};

/// The document of `--json` and `sweep.json`.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    /// Version of this format.
    schema_version: u32,
    /// The name of the sweep's folder below `sweeps`.
    pub(super) sweep: String,
    stage: String,
    pub(super) metric: String,
    folds: Option<u16>,
    pub(super) points: Vec<PointRecord>,
    /// Position in `points`; null if all failed.
    best: Option<usize>,
    /// The learning curves of all points, if there are any.
    pub(super) curves: Option<PathBuf>,
}

/// A point and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct PointRecord {
    /// Key → value.
    settings: BTreeMap<String, Value>,
    /// Arguments for `--set`.
    set: Vec<String>,
    mean: Option<f64>,
    /// Standard deviation of the sample; null for less than two folds.
    sd: Option<f64>,
    /// What the stage took, all folds together.
    seconds: Option<f64>,
    pub(super) runs: Vec<TrialRecord>,
    pub(super) failure: Option<String>,
}

/// One execution of the stage.
#[derive(Debug, Serialize)]
pub(super) struct TrialRecord {
    /// `2/5`; null without folds.
    pub(super) fold: Option<String>,
    pub(super) action: Action,
    pub(super) version: String,
    pub(super) path: PathBuf,
    pub(super) value: f64,
    pub(super) seconds: Option<f64>,
    /// Of this and the stages that it needs.
    #[serde(skip)]
    pub(super) versions: BTreeMap<String, String>,
}

impl PointRecord {
    pub(super) fn new(point: &Point) -> Self {
        let value = |text: &String| serde_yaml::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
        Self {
            settings: point
                .settings
                .iter()
                .map(|(key, text)| (key.clone(), value(text)))
                .collect(),
            set: point
                .settings
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
            mean: None,
            sd: None,
            seconds: None,
            runs: Vec::new(),
            failure: None,
        }
    }

    pub(super) fn add(&mut self, trial: TrialRecord) {
        self.seconds = self
            .seconds
            .or(Some(0.0))
            .zip(trial.seconds)
            .map(|(all, one)| all + one);
        self.runs.push(trial);
    }

    /// Whether both are made of the same versions.
    pub(super) fn is_same_result(&self, other: &Self) -> bool {
        let versions = |record: &Self| {
            record
                .runs
                .iter()
                .map(|run| run.version.clone())
                .collect::<Vec<_>>()
        };
        !self.runs.is_empty() && versions(self) == versions(other)
    }

    fn spread(&self) -> Option<Spread> {
        let values: Vec<f64> = self.runs.iter().map(|run| run.value).collect();
        Spread::of(&values).filter(|_| self.failure.is_none())
    }

    fn versions(&self) -> String {
        match self.runs.as_slice() {
            [only] if only.fold.is_none() => only.version.clone(),
            runs => {
                let number =
                    |run: &TrialRecord| Some(format!("@{}", VersionName::parse(&run.version)?.number));
                runs.iter().filter_map(number).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

impl Document {
    pub(super) fn new(target: &Target, folds: Option<u16>, mut points: Vec<PointRecord>) -> Self {
        for point in &mut points {
            let spread = point.spread();
            point.mean = spread.map(|spread| spread.mean);
            point.sd = spread.and_then(|spread| spread.deviation);
        }
        let means: Vec<Option<f64>> = points.iter().map(|point| point.mean).collect();
        Self {
            schema_version: 1,
            sweep: String::new(),
            stage: target.stage.clone(),
            metric: target.metric.name(),
            folds,
            points,
            best: best(&means, target.metric.lower_is_better()),
            curves: None,
        }
    }

    /// Stage → version of the best point, of its first fold.
    pub(super) fn best_versions(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.points[self.best?].runs.first()?.versions)
    }

    /// The table, the best point as arguments, the path of the curves.
    pub(super) fn text(&self, grid: &Grid, points: &[Point], with_folds: bool) -> String {
        let with_folds = with_folds && self.folds.is_some();
        let mut header = grid.names();
        header.push(&self.metric);
        if with_folds {
            header.push("by fold");
        }
        let versions = format!(
            "{}{}",
            self.stage,
            if self.folds.is_some() {
                " versions"
            } else {
                " version"
            }
        );
        header.extend(["seconds", &versions, ""]);
        let rows = self.points.iter().zip(points).enumerate();
        let rows = rows.map(|(position, (record, point))| self.row(position, record, point, with_folds));
        let mut text = table::strings(&header, rows.collect());
        if let Some(best) = self.best.filter(|_| !grid.axes.is_empty()) {
            text.push_str(&format!("\n{}\n", points[best].set_line()));
        }
        if let Some(curves) = &self.curves {
            text.push_str(&format!("{}\n", output::relative(curves).display()));
        }
        text
    }

    fn row(&self, position: usize, record: &PointRecord, point: &Point, with_folds: bool) -> Vec<String> {
        let mut row: Vec<String> = point.settings.iter().map(|(_, value)| value.clone()).collect();
        row.push(
            record
                .spread()
                .map_or_else(|| "failed".to_owned(), |spread| spread.to_string()),
        );
        if with_folds {
            row.push(
                record
                    .runs
                    .iter()
                    .map(|run| format!("{:.4}", run.value))
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
        row.push(record.seconds.map(words::seconds).unwrap_or_default());
        row.push(record.versions());
        let is_best = self.best == Some(position) && self.points.len() > 1;
        row.push(if is_best { "best" } else { "" }.to_owned());
        row
    }

    /// The error that names the points that failed, if some did.
    pub(super) fn failed(&self, grid: &Grid, points: &[Point]) -> Option<CliError> {
        let failed = self
            .points
            .iter()
            .zip(points)
            .filter(|(record, _)| record.failure.is_some());
        let names: Vec<String> = failed
            .map(|(_, point)| format!("`{}`", grid.label(point)))
            .collect();
        let message = format!(
            "{} of {} points failed: {}",
            names.len(),
            points.len(),
            names.join(", ")
        );
        (!names.is_empty()).then(|| CliError::new(Exit::StageFailed, message))
    }
}
