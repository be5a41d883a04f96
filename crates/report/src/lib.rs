//! Documents for people: text, svg and html. Takes figures, computes none, and reads and writes no file.

mod curves;
mod error;
mod golden;
mod matrix;
mod model_card;
mod reliability;
mod template;
mod text;

pub use curves::{Curve, CurvePoint, curves_svg, overlaid_curves_svg};
pub use error::ReportError;
pub use golden::{Comparison, Facts, Flip, GoldenReport, Mistake, ModelSection, golden_report_html};
pub use matrix::{confusion_matrix_csv, confusion_matrix_svg};
pub use model_card::{
    CardBase, CardFigure, CardTraining, CardValidation, ModelCard, PseudoLabelled, model_card,
};
pub use text::{classification_report, eval_results};
