//! Documents for people: text, svg and html. Takes figures, computes none, and reads and writes no file.

mod bars;
mod compare;
mod curves;
mod error;
mod golden;
mod intervals;
mod layout;
mod matrix;
mod model_card;
mod reliability;
mod template;
mod text;

pub use compare::{Better, Cell, Figure, PairedTest, Rows, Section, Side, SideBySide, Unit, compare_html};
pub use curves::{Curve, CurvePoint, curves_svg, overlaid_curves_svg};
pub use error::ReportError;
pub use golden::{
    Background, CalibrationFigures, ClassShares, ClassTable, Comparison, Flip, Funnel, FunnelClass,
    GoldenReport, GuardNote, KeptPrecision, LeakCount, LeakExample, Leaks, LineageStage, Mistake,
    ModelSection, Recalibration, Slice, SliceFigures, SliceTable, Suspect, Suspects, SweepClass, SweepPoint,
    TrainingRun, golden_report_html,
};
pub use matrix::{confusion_matrix_csv, confusion_matrix_svg};
pub use model_card::{
    CardBase, CardFigure, CardTraining, CardValidation, ModelCard, PseudoLabelled, model_card,
};
pub use text::{classification_report, eval_results};
