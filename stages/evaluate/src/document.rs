//! `report.json`: the figures for other programs. Models stand in the file's order, classes in id order.

use classification::{ClassMetrics, GateOutcome, Interval, MultiLabelMetrics, Tally};
use serde::{Serialize, Serializer};

use crate::evaluation::{Comparison, Evaluation, ModelFigures};
use crate::golden::Golden;

/// The document.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    schema_version: u32,
    labels: &'a [&'a str],
    golden: GoldenEntry<'a>,
    models: Ordered<ModelEntry<'a>>,
    comparison: Option<ComparisonEntry<'a>>,
    gates: &'a [GateOutcome],
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
}

impl<'a> Document<'a> {
    pub(crate) fn new(labels: &'a [&'a str], golden: &'a Golden, evaluation: &'a Evaluation) -> Self {
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
        };
        Self {
            schema_version: 1,
            labels,
            golden: GoldenEntry {
                rows: golden.rows.len(),
                digest: &golden.digest,
            },
            models: Ordered(evaluation.models.iter().map(model).collect()),
            comparison: evaluation.comparison.as_ref().map(comparison),
            gates: &evaluation.gates,
        }
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
    let class = |(label, interval): (&&str, &Interval)| (format!("per_class.{label}.f1"), *interval);
    Ordered(
        whole
            .chain(labels.iter().zip(&intervals.class_f1).map(class))
            .collect(),
    )
}

/// A mapping that keeps its order.
struct Ordered<V>(Vec<(String, V)>);

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
