//! What the golden report shows of how the models came about: the stages that they come from, and what these left.

use classification::{Interval, ReliabilityBin};
use serde::Serialize;

use crate::CurvePoint;

/// All that is known of the stages upstream. What is not known stays empty, and is not shown.
#[derive(Clone, Debug, Default)]
pub struct Background {
    /// Rows kept from golden rows, a section for each stage that did so.
    pub leaks: Vec<Leaks>,
    /// How large a part of each table the classes are.
    pub shares: Option<ClassShares>,
    /// From raw rows to kept ones, a section for each selection.
    pub funnels: Vec<Funnel>,
    /// What calibration did, for each stage that calibrated.
    pub recalibrations: Vec<Recalibration>,
    /// How training went, for each trained model.
    pub training: Vec<TrainingRun>,
    /// The stages, those that others need first.
    pub lineage: Vec<LineageStage>,
}

/// A training run.
#[derive(Clone, Debug, Serialize)]
pub struct TrainingRun {
    /// The stage.
    pub stage: String,
    /// What was measured. Pass only what shall be drawn.
    #[serde(skip)]
    pub points: Vec<CurvePoint>,
    /// After how many updates the model was that was kept.
    pub best_step: Option<u64>,
    /// In words: epochs, rows, the validation figure.
    pub words: String,
}

/// Labels per table.
#[derive(Clone, Debug, Serialize)]
pub struct ClassShares {
    /// In the order in which the bars stand.
    pub tables: Vec<ClassTable>,
}

/// Rows per class of a table.
#[derive(Clone, Debug, Serialize)]
pub struct ClassTable {
    /// `train`, `raw (predicted)`, …
    pub name: String,
    /// In id order.
    pub counts: Vec<u64>,
}

impl ClassTable {
    /// The part of its labels that are of a class; 0 of an empty table.
    pub(crate) fn share(&self, class: usize) -> f64 {
        let total: u64 = self.counts.iter().sum();
        if total == 0 {
            0.0
        } else {
            self.counts[class] as f64 / total as f64
        }
    }
}

/// What came through a selection.
#[derive(Clone, Debug, Serialize)]
pub struct Funnel {
    /// The stage.
    pub stage: String,
    /// What happened before and in it: (step, rows left).
    pub steps: Vec<(String, u64)>,
    /// Reason → rows dropped.
    pub drops: Vec<(String, u64)>,
    /// In id order.
    pub classes: Vec<FunnelClass>,
    /// The rules, in words.
    pub rules: Vec<String>,
    /// How right the kept rows would be, from labelled rows.
    pub validation: Option<KeptPrecision>,
    /// What other thresholds would keep, a table for each class.
    pub sweep: Vec<SweepClass>,
    /// Where the sweep's expected precision comes from, in words.
    pub basis: String,
}

/// A class in a selection.
#[derive(Clone, Debug, Serialize)]
pub struct FunnelClass {
    /// Its name.
    pub label: String,
    /// Rows predicted as it.
    pub candidates: u64,
    /// Rows kept.
    pub kept: u64,
    /// Reason → rows dropped.
    pub drops: Vec<(String, u64)>,
    /// From which confidence on rows were kept; none where nothing is, because no threshold promises enough.
    pub threshold: Option<f64>,
    /// How right its rows would be from there on, from labelled rows.
    pub evidence: Option<KeptPrecision>,
}

/// How many of the labelled rows that a selection would keep are right.
#[derive(Clone, Debug, Serialize)]
pub struct KeptPrecision {
    /// Labelled rows; of a class, those predicted as it.
    pub rows: u64,
    /// Rows of these that the selection would keep.
    pub kept: u64,
    /// The share of these that is right; none without any.
    pub precision: Option<f64>,
    /// Its 95 % Wilson interval.
    pub interval: Option<Interval>,
}

/// What thresholds would do to a class.
#[derive(Clone, Debug, Serialize)]
pub struct SweepClass {
    /// Its name; empty for all classes together.
    pub label: String,
    /// Thresholds, ascending.
    pub points: Vec<SweepPoint>,
}

/// What a threshold would do.
#[derive(Clone, Debug, Serialize)]
pub struct SweepPoint {
    /// Lowest confidence.
    pub threshold: f64,
    /// Scored rows that reach it.
    pub rows: u64,
    /// The share of them that may be expected to be right.
    pub precision: Option<f64>,
    /// Its 95 % Wilson interval, where it comes from labelled rows.
    pub interval: Option<Interval>,
    /// Labelled rows that reach it.
    pub evidence: Option<u64>,
}

/// What calibration did to the confidences of labelled rows.
#[derive(Clone, Debug, Serialize)]
pub struct Recalibration {
    /// The stage.
    pub stage: String,
    /// `temperature`.
    pub method: String,
    /// What logits are divided by.
    pub temperature: Option<f64>,
    /// Labelled rows that it was fitted to.
    pub rows: u64,
    /// With the probabilities as the model gives them.
    pub before: CalibrationFigures,
    /// With the calibrated ones.
    pub after: CalibrationFigures,
}

/// How far probabilities can be trusted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CalibrationFigures {
    /// Expected calibration error.
    pub ece: Option<f64>,
    /// The same over bins of equal count.
    pub ece_adaptive: Option<f64>,
    /// Mean negative log-likelihood.
    pub nll: Option<f64>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Share right by confidence.
    #[serde(skip)]
    pub reliability: Vec<ReliabilityBin>,
}

/// Rows that a stage dropped because they stand in a more protected table.
#[derive(Clone, Debug, Serialize)]
pub struct Leaks {
    /// The stage.
    pub stage: String,
    /// How it looks for them, in words.
    pub guard: String,
    /// Dropped rows by where they stood and what they were like.
    pub counts: Vec<LeakCount>,
    /// Some of them.
    pub examples: Vec<LeakExample>,
}

/// Rows dropped from a table for those of another one.
#[derive(Clone, Debug, Serialize)]
pub struct LeakCount {
    /// The table that lost them.
    pub split: String,
    /// The table that has their like.
    pub kept_split: String,
    /// The same but for spelling.
    pub exact: u64,
    /// Nearly the same.
    pub near: u64,
}

/// A dropped row and what it was like.
#[derive(Clone, Debug, Serialize)]
pub struct LeakExample {
    /// The table that lost it.
    pub split: String,
    /// The table that has its like.
    pub kept_split: String,
    /// Its text; long ones are cut.
    pub text: String,
    /// The text that it is like.
    pub kept_text: String,
    /// How alike, in [0, 1].
    pub similarity: f64,
}

/// A stage upstream.
#[derive(Clone, Debug, Serialize)]
pub struct LineageStage {
    /// Its name in the pipeline file.
    pub stage: String,
    /// Its kind.
    pub kind: String,
    /// The first eight digits of its fingerprint.
    pub fingerprint: String,
    /// Input → what it takes.
    pub inputs: Vec<(String, String)>,
    /// Param → value.
    pub params: Vec<(String, String)>,
}
