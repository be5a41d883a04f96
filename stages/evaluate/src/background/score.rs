//! Stages that score: what calibration did.

use classification::ReliabilityBin;
use report::{CalibrationFigures, Recalibration};
use serde::Deserialize;
use stage::Ancestor;

/// What of `report.json` is used.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Scored {
    calibration: Option<Calibration>,
}

#[derive(Deserialize)]
struct Calibration {
    method: String,
    #[serde(default)]
    temperature: Option<f64>,
    rows: u64,
    before: Trust,
    /// None without a calibration.
    #[serde(default)]
    after: Option<Trust>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Trust {
    ece: Option<f64>,
    ece_adaptive: Option<f64>,
    nll: Option<f64>,
    brier: Option<f64>,
    reliability: Vec<ReliabilityBin>,
}

/// None where confidences are as the model gives them.
pub(super) fn recalibration(stage: &Ancestor, scored: Scored) -> Option<Recalibration> {
    let calibration = scored.calibration?;
    Some(Recalibration {
        stage: stage.stage.clone(),
        method: calibration.method,
        temperature: calibration.temperature,
        rows: calibration.rows,
        before: calibration.before.into(),
        after: calibration.after?.into(),
    })
}

impl From<Trust> for CalibrationFigures {
    fn from(trust: Trust) -> Self {
        Self {
            ece: trust.ece,
            ece_adaptive: trust.ece_adaptive,
            nll: trust.nll,
            brier: trust.brier,
            reliability: trust.reliability,
        }
    }
}
