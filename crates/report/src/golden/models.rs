//! What the golden report shows of the models: figures on golden rows, and rows.

use classification::{Calibration, Interval, McNemar, MetricIntervals, Metrics, Tally};
use serde::Serialize;

/// One model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelSection {
    /// Its name in the pipeline file.
    pub name: String,
    /// How it treats texts and logits, in words.
    pub settings: String,
    /// Its figures.
    pub metrics: Metrics,
    /// Their 95 % intervals.
    pub intervals: Option<MetricIntervals>,
    /// What was taken for what.
    #[serde(skip)]
    pub confusion: Tally,
    /// How far its probabilities can be trusted.
    pub calibration: Calibration,
    /// The most confident mistakes, worst first.
    pub mistakes: Vec<Mistake>,
}

/// A row that a model has wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Mistake {
    /// The row's id.
    pub id: String,
    /// The text; long ones are cut.
    pub text: String,
    /// The true class, or classes.
    pub label: String,
    /// The predicted class, or classes.
    pub predicted: String,
    /// How sure the model was.
    pub confidence: f32,
    /// The model's second choice, where it has one.
    pub second: Option<String>,
}

/// Two models on the same rows.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The model that is to be beaten.
    pub baseline: String,
    /// The model that is to beat it.
    pub candidate: String,
    /// Macro-F1 of the candidate minus that of the baseline.
    pub difference: f64,
    /// Its 95 % interval by the paired bootstrap.
    pub interval: Option<Interval>,
    /// Whether the number of right rows differs by more than chance.
    pub mcnemar: McNemar,
    /// Rows that both have right.
    pub both_right: u64,
    /// Rows that both have wrong.
    pub both_wrong: u64,
    /// Rows that only the candidate has right; the first ones.
    pub fixed: Vec<Flip>,
    /// Rows that only the baseline has right; the first ones.
    pub broken: Vec<Flip>,
}

/// A row that exactly one of two models has right.
#[derive(Clone, Debug, Serialize)]
pub struct Flip {
    /// The row's id.
    pub id: String,
    /// The text; long ones are cut.
    pub text: String,
    /// The true class.
    pub label: String,
    /// What the baseline says.
    pub baseline: String,
    /// The baseline's confidence.
    pub baseline_confidence: f32,
    /// What the candidate says.
    pub candidate: String,
    /// The candidate's confidence.
    pub confidence: f32,
}

/// The golden rows cut into parts by something that is known of them.
#[derive(Clone, Debug, Serialize)]
pub struct SliceTable {
    /// What they are cut by: `length`, `source`.
    pub by: String,
    /// What that is, in words.
    pub description: String,
    /// The parts.
    pub slices: Vec<Slice>,
}

/// A part of the golden rows.
#[derive(Clone, Debug, Serialize)]
pub struct Slice {
    /// What the rows have in common.
    pub name: String,
    /// How many there are.
    pub rows: u64,
    /// In the models' order.
    pub models: Vec<SliceFigures>,
}

/// A model on a part of the golden rows.
#[derive(Clone, Debug, Serialize)]
pub struct SliceFigures {
    /// Share of rows that it has right.
    pub accuracy: f64,
    /// Its 95 % Wilson interval.
    pub interval: Option<Interval>,
    /// Mean F1 of the classes that these rows have.
    pub macro_f1: f64,
}

/// Golden rows whose label the models' predictions speak against.
#[derive(Clone, Debug, Serialize)]
pub struct Suspects {
    /// How many rows are suspected.
    pub count: u64,
    /// How many rows have the label that the models find most probable.
    pub agreed: u64,
    /// The most suspicious ones.
    pub rows: Vec<Suspect>,
    /// Macro-F1 of each model on all golden rows and on those that are not suspected, in the models' order.
    pub macro_f1: Vec<(f64, f64)>,
}

/// A row whose label may be wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Suspect {
    /// The row's id.
    pub id: String,
    /// The text; long ones are cut.
    pub text: String,
    /// The label that it has.
    pub label: String,
    /// The label that it may be meant to have.
    pub suggested: String,
    /// Mean probability that the models give the label that it has.
    pub self_confidence: f64,
}
