//! `report.json`.

use classification::LabelSet;
use dataset::{
    ClassEvidence, ClassThreshold, Funnel, Learning, Reviewed, Selection, Sweep, ValidationFunnel,
};
use serde::{Serialize, Serializer};

use crate::params::Params;

/// What is written about a selection.
#[derive(Serialize)]
pub(crate) struct Report<'s> {
    schema_version: u32,
    #[serde(flatten)]
    funnel: &'s Funnel,
    /// `fixed`, `target_precision`, `flexmatch` or `top_k_per_class`.
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_precision: Option<f64>,
    thresholds: ByLabel<'s, ClassThreshold>,
    /// Classes without a threshold.
    abstained: &'s [&'s str],
    /// With validation rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<ByLabel<'s, ClassEvidence>>,
    /// With `flexmatch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    learning: Option<ByLabel<'s, Learning>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<&'s ValidationFunnel>,
    /// With the input `overrides`.
    #[serde(skip_serializing_if = "Option::is_none")]
    overrides: Option<&'s Reviewed>,
    sweep: &'s Sweep,
    warnings: Vec<String>,
}

/// One value per label, in id order, as a map.
struct ByLabel<'s, T> {
    labels: &'s LabelSet,
    values: &'s [T],
}

impl<T: Serialize> Serialize for ByLabel<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.labels.names().zip(self.values))
    }
}

impl<'s> Report<'s> {
    pub(crate) fn new(
        selection: &'s Selection<'_>,
        params: &Params,
        labels: &'s LabelSet,
        abstained: &'s [&'s str],
        warnings: Vec<String>,
    ) -> Self {
        Self {
            schema_version: 1,
            funnel: &selection.funnel,
            method: params.method(),
            target_precision: params.target_precision,
            thresholds: by_label(labels, &selection.thresholds),
            abstained,
            evidence: selection.evidence.as_ref().map(|values| by_label(labels, values)),
            learning: selection.learning.as_ref().map(|values| by_label(labels, values)),
            validation: selection.validation.as_ref(),
            overrides: selection.reviewed.as_ref(),
            sweep: &selection.sweep,
            warnings,
        }
    }
}

fn by_label<'s, T>(labels: &'s LabelSet, values: &'s [T]) -> ByLabel<'s, T> {
    ByLabel { labels, values }
}

/// The classes without a threshold, in id order.
pub(crate) fn abstained<'l>(selection: &Selection<'_>, labels: &'l LabelSet) -> Vec<&'l str> {
    let classes = labels.names().zip(&selection.thresholds);
    let abstaining = classes.filter(|(_, threshold)| threshold.min_confidence.is_none());
    abstaining.map(|(label, _)| label).collect()
}
