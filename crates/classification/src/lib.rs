//! The task, pure: labels, predictions, metrics, calibration, intervals, significance. No I/O.

mod bootstrap;
mod calibration;
mod confusion;
mod decision;
mod gate;
mod gate_parser;
mod label;
mod label_counts;
mod label_ids;
mod metrics;
mod prediction;
mod significance;
mod tally;
mod threshold;
mod weight;

pub use bootstrap::{Bootstrap, Interval, MetricIntervals, MultiLabelIntervals};
pub use calibration::{Calibration, ReliabilityBin};
pub use confusion::ConfusionMatrix;
pub use decision::{DEFAULT_THRESHOLD, Decision, DecisionRule, sigmoid};
pub use gate::{ClassFigure, Figure, Gate, GateOutcome, Operator, Term};
pub use gate_parser::GateError;
pub use label::{Label, LabelSet, LabelSetError, Task};
pub use label_counts::LabelCounts;
pub use label_ids::LabelIds;
pub use metrics::{ClassMetrics, Metrics, MultiLabelMetrics};
pub use prediction::{Prediction, softmax};
pub use significance::McNemar;
pub use tally::Tally;
pub use threshold::tuned_thresholds;
pub use weight::{class_weights_balanced, positive_weights_balanced};
