//! Which predictions are good enough to teach a student.
//!
//! What is asked for is a [`Policy`]; what each class must reach follows from it and, for some rules, from the rows
//! themselves or from validation rows. Rows are then dropped for the first reason that holds: thresholds, agreement of
//! several models, caps; and a person's decisions stand above all. The table is read in batches and only as far as the
//! decision needs, so that it may be larger than memory.

mod decisions;
mod evidence;
mod funnel;
mod policy;
mod predictions;
mod review;
mod sweep;
mod thresholds;
mod write;

use classification::{LabelIds, LabelSet, Task};
use serde::Serialize;
use stage::InputItem;

use crate::batches::ParquetTable;
use crate::write::label_title;
use crate::{DatasetError, Normalize, Overrides, parquet};
use decisions::Decisions;
use predictions::{DISAGREEMENT, Known, Predictions};
use review::Verdicts;

pub use evidence::Evidence;
pub use funnel::{ClassFunnel, Funnel};
pub use policy::{Cap, ClassThreshold, Policy, Reason, Rule, Teaching, Threshold};
pub use review::Reviewed;
pub use sweep::{Basis, Sweep, SweepPoint};
pub use thresholds::{ClassEvidence, Learning};
pub(crate) use write::SOFT_LABEL;

/// What is selected from, and how.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The table with the predictions.
    pub scored: &'a InputItem,
    /// Labelled rows with the same model's predictions.
    pub validation: Option<&'a InputItem>,
    /// What a person decided.
    pub overrides: Option<&'a Overrides>,
    /// What is asked for.
    pub policy: &'a Policy,
    /// The pipeline's labels.
    pub labels: &'a LabelSet,
    /// The pipeline's task.
    pub task: Task,
}

/// The decision on every row of a scored table.
pub struct Selection<'a> {
    source: ParquetTable<'a>,
    predictions: Predictions,
    decisions: Decisions,
    verdicts: Verdicts,
    normalize: Option<Normalize>,
    labels: &'a LabelSet,
    task: Task,
    teaching: Teaching,
    /// What each class had to reach, in id order.
    pub thresholds: Vec<ClassThreshold>,
    /// How many rows came through.
    pub funnel: Funnel,
    /// Per class, in id order, what the validation rows say about its threshold; of a class that abstains, about the
    /// one with the highest lower bound.
    pub evidence: Option<Vec<ClassEvidence>>,
    /// What the thresholds do on the validation rows; caps and reviews have no part in it.
    pub validation: Option<ValidationFunnel>,
    /// With [`Rule::FlexMatch`], per class.
    pub learning: Option<Vec<Learning>>,
    /// What became of the decisions of a review.
    pub reviewed: Option<Reviewed>,
    /// What other thresholds would do.
    pub sweep: Sweep,
}

/// How the thresholds do on rows whose labels are known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidationFunnel {
    /// Scored rows.
    pub rows: u64,
    /// Rows that reach the thresholds.
    pub kept: u64,
    /// Rows of those that are predicted rightly.
    pub correct: u64,
    /// `correct` of `kept`; null when nothing is kept.
    pub precision: Option<f64>,
    /// Its 95 % Wilson interval.
    pub ci95: Option<classification::Interval>,
}

const PROBABILITIES: &str = "probs";

const COLUMNS: [&str; 8] = [
    "id",
    "text",
    "source",
    "pred_emotion",
    "pred_conf",
    "pred_margin",
    "pred_second",
    PROBABILITIES,
];

/// Columns that a scored table may have.
const OPTIONAL_COLUMNS: [&str; 3] = [RAW_CONFIDENCE, DISAGREEMENT, "votes"];

/// The confidence before calibration: there only if there was one.
const RAW_CONFIDENCE: &str = "raw_conf";

/// Decides on every row of a scored table.
pub fn select<'a>(request: &Request<'a>) -> Result<Selection<'a>, DatasetError> {
    let (policy, labels, task) = (request.policy, request.labels, request.task);
    let (path, name) = (&request.scored.path, &request.scored.name);
    let wanted: Vec<&str> = COLUMNS.into_iter().chain(policy.column()).collect();
    let source = ParquetTable::open(path, name, &wanted)?;
    let predictions = Predictions::read(&source, labels, task, policy.column().is_some())?;
    let known = request
        .validation
        .map(|item| read_known(item, request))
        .transpose()?;
    let resolved = policy.resolve(&predictions, known.as_ref());
    let single_label = task == Task::SingleLabel;
    let mut decisions = Decisions::make(policy, &predictions, &resolved.classes, single_label);
    let predicted = |row| label_ids(&predictions, row);
    let review = |overrides| review::apply(overrides, &source, predicted, &mut decisions);
    let (reviewed, verdicts) = request.overrides.map(review).transpose()?.unzip();
    let reasons = policy.reasons(reviewed.is_some());
    Ok(Selection {
        normalize: parquet::stated_normalize(path, name)?,
        labels,
        task,
        teaching: policy.teaching,
        funnel: Funnel::count(&predictions.classes, &decisions.drops, &reasons, labels),
        validation: known
            .as_ref()
            .map(|known| ValidationFunnel::of(policy, known, &resolved.classes)),
        sweep: Sweep::of(
            policy,
            &predictions,
            known.as_ref(),
            source.has(RAW_CONFIDENCE),
            labels,
        ),
        thresholds: resolved.classes,
        evidence: resolved.evidence,
        learning: resolved.learning,
        reviewed,
        verdicts: verdicts.unwrap_or_default(),
        source,
        predictions,
        decisions,
    })
}

fn read_known(item: &InputItem, request: &Request<'_>) -> Result<Known, DatasetError> {
    let (labels, task) = (request.labels, request.task);
    let disagreement = request.policy.column();
    let mut wanted = predictions::columns(disagreement.is_some());
    wanted.push(label_title(task));
    let source = ParquetTable::open(&item.path, &item.name, &wanted)?;
    Known::read(&source, labels, task, disagreement.is_some())
}

fn label_ids(predictions: &Predictions, row: usize) -> LabelIds {
    predictions
        .classes
        .of(row)
        .iter()
        .map(|id| *id as usize)
        .collect()
}

impl Selection<'_> {
    fn predicted(&self, row: usize) -> LabelIds {
        label_ids(&self.predictions, row)
    }
}

impl ValidationFunnel {
    fn of(policy: &Policy, known: &Known, thresholds: &[ClassThreshold]) -> Self {
        let is_kept = |row: &usize| policy.reason(&known.predictions, thresholds, *row).is_none();
        let kept: Vec<usize> = (0..known.predictions.rows()).filter(is_kept).collect();
        let correct = kept.iter().filter(|row| known.is_right(**row)).count() as u64;
        let evidence = Evidence::of(correct, kept.len() as u64);
        Self {
            rows: known.predictions.rows() as u64,
            kept: evidence.rows,
            correct,
            precision: evidence.precision,
            ci95: evidence.ci95,
        }
    }
}

impl Policy {
    /// The column that only some policies need.
    fn column(&self) -> Option<&'static str> {
        self.max_disagreement.map(|_| DISAGREEMENT)
    }
}
