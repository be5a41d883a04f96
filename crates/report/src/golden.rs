//! The golden report: models side by side on human-verified rows, as one html file that needs no network.

use classification::{GateOutcome, Interval, McNemar, MetricIntervals, Metrics, ReliabilityBin, Tally};
use serde::Serialize;

use crate::ReportError;
use crate::matrix::confusion_matrix_svg;
use crate::reliability::reliability_svg;
use crate::template::render;

/// All that the report shows.
#[derive(Clone, Debug)]
pub struct GoldenReport {
    /// The stage's name.
    pub title: String,
    /// Class names in id order.
    pub labels: Vec<String>,
    /// Number of golden rows.
    pub rows: u64,
    /// Digest of the golden rows, in hex.
    pub digest: String,
    /// Golden rows per class, in id order.
    pub supports: Vec<u64>,
    /// Number of resamples behind the intervals.
    pub bootstrap: usize,
    /// In the order of the pipeline file.
    pub models: Vec<ModelSection>,
    /// The candidate against the baseline, where there are two models.
    pub comparison: Option<Comparison>,
    /// Conditions and what came of them.
    pub gates: Vec<GateOutcome>,
    /// Further sections, such as settings or the funnel of the pseudo-labels.
    pub facts: Vec<Facts>,
}

/// One model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelSection {
    /// Its name in the pipeline file.
    pub name: String,
    /// Its figures.
    pub metrics: Metrics,
    /// Their 95 % intervals.
    pub intervals: Option<MetricIntervals>,
    /// What was taken for what.
    #[serde(skip)]
    pub confusion: Tally,
    /// Expected calibration error.
    pub ece: f64,
    /// Mean negative log likelihood.
    pub negative_log_likelihood: f64,
    /// Brier score.
    pub brier: f64,
    /// Accuracy by confidence.
    #[serde(skip)]
    pub reliability: Vec<ReliabilityBin>,
    /// The most confident mistakes, worst first.
    pub mistakes: Vec<Mistake>,
}

/// A row that a model has wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Mistake {
    /// The row's id.
    pub id: String,
    /// The text; long ones are cut.
    pub text: String,
    /// The true class, or classes.
    pub label: String,
    /// The predicted class, or classes.
    pub predicted: String,
    /// How sure the model was.
    pub confidence: f32,
    /// The model's second choice, where it has one.
    pub second: Option<String>,
}

/// Two models on the same rows.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The model that is to be beaten.
    pub baseline: String,
    /// The model that is to beat it.
    pub candidate: String,
    /// Macro-F1 of the candidate minus that of the baseline.
    pub difference: f64,
    /// Its 95 % interval by the paired bootstrap.
    pub interval: Option<Interval>,
    /// Whether the number of right rows differs by more than chance.
    pub mcnemar: McNemar,
    /// The first rows that only the candidate has right.
    pub fixed: Vec<Flip>,
    /// The first rows that only the baseline has right.
    pub broken: Vec<Flip>,
}

/// A row that exactly one of two models has right.
#[derive(Clone, Debug, Serialize)]
pub struct Flip {
    /// The row's id.
    pub id: String,
    /// The text; long ones are cut.
    pub text: String,
    /// The true class.
    pub label: String,
    /// What the baseline says.
    pub baseline: String,
    /// What the candidate says.
    pub candidate: String,
    /// The candidate's confidence.
    pub confidence: f32,
}

/// A titled list of names and values.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// Heading.
    pub title: String,
    /// Name and value.
    pub rows: Vec<(String, String)>,
}

/// The report as one html file.
///
/// # Panics
/// If a model's matrix has not one class per label.
pub fn golden_report_html(report: &GoldenReport) -> Result<String, ReportError> {
    let mut report = report.clone();
    report
        .models
        .iter_mut()
        .flat_map(|model| &mut model.mistakes)
        .for_each(|mistake| cut(&mut mistake.text));
    if let Some(comparison) = &mut report.comparison {
        comparison
            .fixed
            .iter_mut()
            .chain(&mut comparison.broken)
            .for_each(|flip| cut(&mut flip.text));
    }
    let drawn = |model: &ModelSection| {
        Ok(Drawn {
            confusion_matrix: confusion_matrix_svg(&report.labels, &model.confusion)?,
            reliability: reliability_svg(&model.reliability)?,
            mistakes: model.metrics.rows - model.confusion.correct(),
        })
    };
    let drawn = report
        .models
        .iter()
        .map(drawn)
        .collect::<Result<Vec<_>, ReportError>>()?;
    let GoldenReport {
        title,
        labels,
        rows,
        digest,
        supports,
        bootstrap,
        models,
        comparison,
        gates,
        facts,
    } = &report;
    let several = models.iter().any(|model| model.metrics.multi_label.is_some());
    let classes: Vec<(&String, &u64)> = labels.iter().zip(supports).collect();
    let page = Page {
        title,
        labels,
        rows: *rows,
        digest,
        classes,
        bootstrap: *bootstrap,
        models,
        several,
        drawn,
        comparison,
        gates,
        facts,
    };
    render("golden.html", page)
}

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    labels: &'a [String],
    rows: u64,
    digest: &'a str,
    classes: Vec<(&'a String, &'a u64)>,
    bootstrap: usize,
    models: &'a [ModelSection],
    /// Rows have any number of labels.
    several: bool,
    /// In the models' order.
    drawn: Vec<Drawn>,
    comparison: &'a Option<Comparison>,
    gates: &'a [GateOutcome],
    facts: &'a [Facts],
}

#[derive(Serialize)]
struct Drawn {
    confusion_matrix: String,
    reliability: String,
    /// How many rows are wrong in all.
    mistakes: u64,
}

/// Longest text that is shown whole, in characters.
const LONGEST: usize = 400;

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
}
