//! `report.json`: counts, and how far confidences can be trusted before and after they were calibrated.

use std::collections::BTreeMap;

use classification::{Calibration, LabelSet, ReliabilityBin};
use serde::Serialize;

use crate::params::{Calibrate, Combine};

/// `report.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Raw rows, all of which are in `scored.parquet`.
    pub(crate) rows: u64,
    /// Their tokens, those of every model.
    pub(crate) tokens: u64,
    /// Their tokens with the padding of their batches.
    pub(crate) padded_tokens: u64,
    /// Of the only model; null without a calibration, and with several models.
    pub(crate) temperature: Option<f64>,
    pub(crate) ece_before: Option<f64>,
    pub(crate) ece_after: Option<f64>,
    /// On the input `validation`; null without it.
    pub(crate) calibration: Option<CalibrationReport>,
    /// As in the pipeline file.
    pub(crate) models: Vec<String>,
    /// With several models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) combine: Option<Combine>,
}

/// The confidences of the table `validation_scored.parquet` against its labels.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CalibrationReport {
    pub(crate) method: Calibrate,
    pub(crate) temperature: Option<f64>,
    /// Of `validation`.
    pub(crate) rows: usize,
    pub(crate) before: Trust,
    /// Null without a calibration.
    pub(crate) after: Option<Trust>,
    /// Multi-label: the probability from which a label is given, on the scale of the column `probs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thresholds: Option<BTreeMap<String, f32>>,
    /// Each on its own.
    pub(crate) models: Vec<ModelReport>,
}

/// How far confidences can be trusted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trust {
    pub(crate) ece: f64,
    pub(crate) ece_adaptive: f64,
    pub(crate) nll: f64,
    pub(crate) brier: f64,
    pub(crate) reliability: Vec<ReliabilityBin>,
}

/// One model on its own.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ModelReport {
    pub(crate) name: String,
    /// Null without a calibration.
    pub(crate) temperature: Option<f64>,
    /// Out of the logits.
    pub(crate) nll_before: f64,
    /// At the temperature.
    pub(crate) nll_after: Option<f64>,
}

impl From<Calibration> for Trust {
    fn from(calibration: Calibration) -> Self {
        Self {
            ece: calibration.expected_error,
            ece_adaptive: calibration.adaptive_error,
            nll: calibration.negative_log_likelihood,
            brier: calibration.brier,
            reliability: calibration.reliability,
        }
    }
}

/// Label → threshold; none where there is none.
pub(crate) fn thresholds(labels: &LabelSet, thresholds: Vec<f32>) -> Option<BTreeMap<String, f32>> {
    let names = labels.names().map(str::to_owned);
    (!thresholds.is_empty()).then(|| names.zip(thresholds).collect())
}
