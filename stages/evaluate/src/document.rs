//! `report.json`: the figures for other programs. Models stand in the file's order, classes in id order.

use classification::{ClassMetrics, GateOutcome, Interval, MultiLabelMetrics, Tally};
use serde::{Serialize, Serializer};
use stage::Guard;

use crate::evaluation::{Comparison, Evaluation, ModelFigures};
use crate::golden::Golden;
use crate::noise::NoiseEntry;
use crate::slices::{Slice, SliceFigures, SliceTable};

/// The document.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    schema_version: u32,
    guard: GuardEntry<'a>,
    labels: &'a [&'a str],
    golden: GoldenEntry<'a>,
    models: Ordered<ModelEntry<'a>>,
    comparison: Option<ComparisonEntry<'a>>,
    gates: &'a [GateOutcome],
    /// `length`, and with several sources `source`.
    slices: Ordered<Vec<SliceEntry<'a>>>,
    golden_noise: NoiseEntry,
}

/// Whether golden rows were kept apart from what the models learnt from.
#[derive(Serialize)]
struct GuardEntry<'a> {
    /// Null where nothing is known of it.
    guarded: Option<bool>,
    /// Why not.
    reasons: &'a [String],
}

/// Golden rows that have something in common.
#[derive(Serialize)]
struct SliceEntry<'a> {
    slice: &'a str,
    rows: usize,
    models: Ordered<&'a SliceFigures>,
}

#[derive(Serialize)]
struct GoldenEntry<'a> {
    rows: usize,
    digest: &'a str,
}

#[derive(Serialize)]
struct ModelEntry<'a> {
    accuracy: f64,
    macro_f1: f64,
    weighted_f1: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    micro_f1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples_f1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hamming_loss: Option<f64>,
    per_class: Ordered<ClassMetrics>,
    /// Multi-label: one 2×2 matrix per label.
    confusion_matrix: &'a Tally,
    ece: f64,
    ece_adaptive: f64,
    nll: f64,
    brier: f64,
    ci95: Ordered<Interval>,
}

#[derive(Serialize)]
struct ComparisonEntry<'a> {
    baseline: &'a str,
    candidate: &'a str,
    macro_f1_difference: f64,
    ci95: Option<Interval>,
    mcnemar_p: f64,
    fixed: u64,
    broken: u64,
    both_right: u64,
    both_wrong: u64,
}

impl<'a> Document<'a> {
    pub(crate) fn new(
        labels: &'a [&'a str],
        golden: &'a Golden,
        evaluation: &'a Evaluation,
        guard: &'a Guard,
    ) -> Self {
        let model = |figures: &'a ModelFigures| (figures.name.clone(), ModelEntry::new(labels, figures));
        let name = |position: usize| evaluation.models[position].name.as_str();
        let comparison = |comparison: &Comparison| ComparisonEntry {
            baseline: name(comparison.baseline),
            candidate: name(comparison.candidate),
            macro_f1_difference: comparison.macro_f1_difference,
            ci95: comparison.interval,
            mcnemar_p: comparison.mcnemar.p_value,
            fixed: comparison.mcnemar.fixed,
            broken: comparison.mcnemar.broken,
            both_right: comparison.both_right,
            both_wrong: comparison.both_wrong,
        };
        let slice = |slice: &'a Slice| SliceEntry {
            slice: &slice.name,
            rows: slice.rows.len(),
            models: Ordered(
                evaluation
                    .models
                    .iter()
                    .zip(&slice.models)
                    .map(|(model, figures)| (model.name.clone(), figures))
                    .collect(),
            ),
        };
        let slices = |table: &'a SliceTable| (table.by.to_owned(), table.slices.iter().map(slice).collect());
        Self {
            schema_version: 1,
            guard: guard.into(),
            labels,
            golden: GoldenEntry {
                rows: golden.rows.len(),
                digest: &golden.digest,
            },
            models: Ordered(evaluation.models.iter().map(model).collect()),
            comparison: evaluation.comparison.as_ref().map(comparison),
            gates: &evaluation.gates,
            slices: Ordered(evaluation.slices.iter().map(slices).collect()),
            golden_noise: evaluation.noise.entry(labels, golden, &evaluation.models),
        }
    }
}

impl<'a> From<&'a Guard> for GuardEntry<'a> {
    fn from(guard: &'a Guard) -> Self {
        let (guarded, reasons): (_, &[String]) = match guard {
            Guard::Guarded => (Some(true), &[]),
            Guard::Unguarded { reasons } => (Some(false), reasons),
            Guard::Unknown => (None, &[]),
        };
        Self { guarded, reasons }
    }
}

impl<'a> ModelEntry<'a> {
    fn new(labels: &[&str], figures: &'a ModelFigures) -> Self {
        let metrics = &figures.metrics;
        let several = |value: fn(MultiLabelMetrics) -> f64| metrics.multi_label.map(value);
        let class = |(label, class): (&&str, &ClassMetrics)| ((*label).to_owned(), *class);
        Self {
            accuracy: metrics.accuracy,
            macro_f1: metrics.macro_f1,
            weighted_f1: metrics.weighted_f1,
            micro_f1: several(|figures| figures.micro_f1),
            samples_f1: several(|figures| figures.samples_f1),
            hamming_loss: several(|figures| figures.hamming_loss),
            per_class: Ordered(labels.iter().zip(&metrics.per_class).map(class).collect()),
            confusion_matrix: &figures.confusion,
            ece: figures.calibration.expected_error,
            ece_adaptive: figures.calibration.adaptive_error,
            nll: figures.calibration.negative_log_likelihood,
            brier: figures.calibration.brier,
            ci95: intervals(labels, figures),
        }
    }
}

/// Metrics are named as in gates: `macro_f1`, `per_class.기쁨.f1`.
fn intervals(labels: &[&str], figures: &ModelFigures) -> Ordered<Interval> {
    let Some(intervals) = &figures.intervals else {
        return Ordered(Vec::new());
    };
    let mut whole = vec![
        ("accuracy", intervals.accuracy),
        ("macro_f1", intervals.macro_f1),
        ("weighted_f1", intervals.weighted_f1),
    ];
    if let Some(several) = intervals.multi_label {
        whole.extend([
            ("micro_f1", several.micro_f1),
            ("samples_f1", several.samples_f1),
            ("hamming_loss", several.hamming_loss),
        ]);
    }
    let whole = whole
        .into_iter()
        .map(|(name, interval)| (name.to_owned(), interval));
    let class = |(label, interval): (&&str, &Option<Interval>)| {
        interval.map(|interval| (format!("per_class.{label}.f1"), interval))
    };
    Ordered(
        whole
            .chain(labels.iter().zip(&intervals.class_f1).filter_map(class))
            .collect(),
    )
}

/// A mapping that keeps its order.
pub(crate) struct Ordered<V>(pub(crate) Vec<(String, V)>);

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
