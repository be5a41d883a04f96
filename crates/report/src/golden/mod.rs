//! The golden report: models side by side on human-verified rows, as one html file that needs no network.

mod background;
mod models;
mod words;

use classification::{GateOutcome, Interval};
use serde::Serialize;

pub use background::{
    Background, CalibrationFigures, ClassShares, ClassTable, Funnel, FunnelClass, KeptPrecision, LeakCount,
    LeakExample, Leaks, LineageStage, Recalibration, SweepClass, SweepPoint, TrainingRun,
};
pub use models::{
    Comparison, Flip, Mistake, ModelSection, Slice, SliceFigures, SliceTable, Suspect, Suspects,
};

use crate::intervals::FigureRow;
use crate::reliability::{Axes, reliability};
use crate::template::{Place, render};
use crate::{ReportError, bars, curves, intervals, matrix};
use words::Sentence;

/// All that the report shows.
#[derive(Clone, Debug)]
pub struct GoldenReport {
    /// The stage's name.
    pub title: String,
    /// Whether golden rows were kept apart from what the models learnt from.
    pub guard: GuardNote,
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
    /// The models on parts of the golden rows.
    pub slices: Vec<SliceTable>,
    /// Golden rows whose label may be wrong.
    pub suspects: Option<Suspects>,
    /// How the models came about.
    pub background: Background,
    /// How the figures were made: name and value.
    pub settings: Vec<(String, String)>,
}

/// Whether golden rows were kept apart from what the models learnt from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reasons", rename_all = "snake_case")]
pub enum GuardNote {
    /// They were.
    Guarded,
    /// They may not have been, and why.
    Unguarded(Vec<String>),
    /// Nothing is known of it.
    Unknown,
}

/// The report as one html file.
///
/// # Panics
/// If a model's matrix, a table of classes or the supports have not one entry per label.
pub fn golden_report_html(report: &GoldenReport) -> Result<String, ReportError> {
    let mut report = report.clone();
    report.texts().for_each(cut);
    let several = report
        .models
        .iter()
        .any(|model| model.metrics.multi_label.is_some());
    let drawings = Drawings::new(&report, several)?;
    let headline = words::headline(&report);
    let GoldenReport {
        title,
        guard,
        labels,
        rows,
        digest,
        supports,
        bootstrap,
        models,
        comparison,
        gates,
        slices,
        suspects,
        background,
        settings,
    } = &report;
    let page = Page {
        title,
        guard,
        headline: &headline,
        labels,
        rows: *rows,
        digest,
        supports,
        bootstrap: *bootstrap,
        models,
        several,
        drawings: &drawings,
        comparison: comparison.as_ref(),
        gates,
        slices,
        suspects: suspects.as_ref(),
        leaks: &background.leaks,
        shares: background.shares.as_ref(),
        funnels: &background.funnels,
        recalibrations: &background.recalibrations,
        training: &background.training,
        lineage: &background.lineage,
        settings,
    };
    render("golden.html", page)
}

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    guard: &'a GuardNote,
    headline: &'a [Sentence],
    labels: &'a [String],
    rows: u64,
    digest: &'a str,
    supports: &'a [u64],
    bootstrap: usize,
    models: &'a [ModelSection],
    /// Rows have any number of labels.
    several: bool,
    drawings: &'a Drawings,
    comparison: Option<&'a Comparison>,
    gates: &'a [GateOutcome],
    slices: &'a [SliceTable],
    suspects: Option<&'a Suspects>,
    leaks: &'a [Leaks],
    shares: Option<&'a ClassShares>,
    funnels: &'a [Funnel],
    recalibrations: &'a [Recalibration],
    training: &'a [TrainingRun],
    lineage: &'a [LineageStage],
    settings: &'a [(String, String)],
}

/// The pictures, each list in the order of what it shows.
#[derive(Serialize)]
struct Drawings {
    headline: String,
    classes: String,
    matrices: Vec<String>,
    reliabilities: Vec<String>,
    /// Rows that a model has wrong in all.
    mistakes: Vec<u64>,
    funnels: Vec<String>,
    shares: Option<String>,
    /// Before and after.
    recalibrations: Vec<Option<(String, String)>>,
    curves: Vec<Option<String>>,
}

impl Drawings {
    fn new(report: &GoldenReport, several: bool) -> Result<Self, ReportError> {
        let GoldenReport {
            labels,
            models,
            background,
            ..
        } = report;
        let axes = if several {
            Axes::Probability
        } else {
            Axes::Confidence
        };
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        let recalibration = |recalibration: &Recalibration| {
            let (before, after) = (
                &recalibration.before.reliability,
                &recalibration.after.reliability,
            );
            if before.is_empty() || after.is_empty() {
                return Ok(None);
            }
            Ok(Some((reliability(before, axes)?, reliability(after, axes)?)))
        };
        let curves = |run: &TrainingRun| {
            let drawn = (!run.points.is_empty()).then(|| curves::small_curves(&run.points, run.best_step));
            drawn.transpose()
        };
        let shares = background.shares.as_ref();
        Ok(Self {
            headline: intervals::intervals("Figures on golden", &names, &headline_rows(models))?,
            classes: intervals::intervals("F1 per class", &names, &class_rows(models, labels))?,
            matrices: each(models, |model| {
                matrix::draw(labels, &model.confusion, Place::Page)
            })?,
            reliabilities: each(models, |model| reliability(&model.calibration.reliability, axes))?,
            mistakes: models
                .iter()
                .map(|model| model.metrics.rows - model.confusion.correct())
                .collect(),
            funnels: each(&background.funnels, bars::funnel)?,
            shares: shares.map(|shares| bars::shares(labels, shares)).transpose()?,
            recalibrations: each(&background.recalibrations, recalibration)?,
            curves: each(&background.training, curves)?,
        })
    }
}

fn each<T, D>(items: &[T], draw: impl FnMut(&T) -> Result<D, ReportError>) -> Result<Vec<D>, ReportError> {
    items.iter().map(draw).collect()
}

fn headline_rows(models: &[ModelSection]) -> Vec<FigureRow> {
    type Figure = fn(&ModelSection) -> (f64, Option<Interval>);
    let figures: [(&str, Figure); 3] = [
        ("macro-F1", |model| {
            let interval = model.intervals.as_ref();
            (
                model.metrics.macro_f1,
                interval.map(|intervals| intervals.macro_f1),
            )
        }),
        ("accuracy", |model| {
            let interval = model.intervals.as_ref();
            (
                model.metrics.accuracy,
                interval.map(|intervals| intervals.accuracy),
            )
        }),
        ("weighted F1", |model| {
            let interval = model.intervals.as_ref();
            (
                model.metrics.weighted_f1,
                interval.map(|intervals| intervals.weighted_f1),
            )
        }),
    ];
    let row = |(name, figure): (&str, Figure)| FigureRow {
        name: name.to_owned(),
        values: models.iter().map(figure).collect(),
    };
    figures.into_iter().map(row).collect()
}

fn class_rows(models: &[ModelSection], labels: &[String]) -> Vec<FigureRow> {
    let row = |(class, label): (usize, &String)| FigureRow {
        name: label.clone(),
        values: models
            .iter()
            .map(|model| {
                let intervals = model.intervals.as_ref();
                let interval = intervals.and_then(|intervals| intervals.class_f1[class]);
                (model.metrics.per_class[class].f1, interval)
            })
            .collect(),
    };
    labels.iter().enumerate().map(row).collect()
}

impl GoldenReport {
    /// All texts of rows.
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let mistakes = self.models.iter_mut().flat_map(|model| &mut model.mistakes);
        let flips = self
            .comparison
            .iter_mut()
            .flat_map(|comparison| comparison.fixed.iter_mut().chain(&mut comparison.broken));
        let suspects = self.suspects.iter_mut().flat_map(|suspects| &mut suspects.rows);
        let leaks = self
            .background
            .leaks
            .iter_mut()
            .flat_map(|leaks| &mut leaks.examples);
        mistakes
            .map(|mistake| &mut mistake.text)
            .chain(flips.map(|flip| &mut flip.text))
            .chain(suspects.map(|suspect| &mut suspect.text))
            .chain(leaks.flat_map(|leak| [&mut leak.text, &mut leak.kept_text]))
    }
}

/// Longest text that is shown whole, in characters.
const LONGEST: usize = 400;

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
}
