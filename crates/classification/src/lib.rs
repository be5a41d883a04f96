//! The task, pure: labels, predictions, metrics, calibration, intervals, significance. No I/O.

mod bootstrap;
mod calibration;
mod confusion;
mod gate;
mod gate_parser;
mod label;
mod metrics;
mod prediction;
mod significance;
mod weight;

pub use bootstrap::{Bootstrap, Interval, MetricIntervals};
pub use calibration::{
    CALIBRATION_BINS, ReliabilityBin, brier_score, expected_calibration_error, negative_log_likelihood, reliability,
};
pub use confusion::ConfusionMatrix;
pub use gate::{ClassFigure, Figure, Gate, GateOutcome, Operator, Term};
pub use gate_parser::GateError;
pub use label::{Label, LabelSet, LabelSetError, Task};
pub use metrics::{ClassMetrics, Metrics};
pub use prediction::{Prediction, softmax};
pub use significance::McNemar;
pub use weight::class_weights_balanced;
