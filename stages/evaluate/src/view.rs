//! The figures and rows as `report.html` shows them.

use classification::{LabelIds, Suspect};
use report::{
    Background, Comparison, Flip, GoldenReport, GuardNote, Mistake, ModelSection, Slice, SliceFigures,
    SliceTable, Suspects,
};
use stage::{Context, Guard};

use crate::evaluation::{self, Evaluation, ModelFigures};
use crate::golden::Golden;
use crate::params::Params;
use crate::slices;

/// Rows that a list shows.
const SHOWN: usize = 50;

/// Figures and rows with their names.
pub(crate) struct View<'a> {
    pub(crate) labels: &'a [&'a str],
    pub(crate) golden: &'a Golden,
    pub(crate) evaluation: &'a Evaluation,
}

impl View<'_> {
    pub(crate) fn report(&self, ctx: &Context, params: &Params, background: Background) -> GoldenReport {
        let models = &self.evaluation.models;
        let comparison = self.evaluation.comparison.as_ref();
        GoldenReport {
            title: ctx.invocation().stage.clone(),
            guard: match &ctx.invocation().guard {
                Guard::Guarded => GuardNote::Guarded,
                Guard::Unguarded { reasons } => GuardNote::Unguarded(reasons.clone()),
                Guard::Unknown => GuardNote::Unknown,
            },
            labels: self.labels.iter().map(|&label| label.to_owned()).collect(),
            rows: self.golden.rows.len() as u64,
            digest: self.golden.digest.clone(),
            supports: self.golden.supports.clone(),
            bootstrap: params.bootstrap,
            models: models.iter().map(|model| self.section(model)).collect(),
            comparison: comparison.map(|comparison| self.comparison(comparison)),
            gates: self.evaluation.gates.clone(),
            slices: self.evaluation.slices.iter().map(slice_table).collect(),
            suspects: Some(self.suspects()),
            background,
            settings: self.settings(ctx, params),
        }
    }

    fn settings(&self, ctx: &Context, params: &Params) -> Vec<(String, String)> {
        let models = self.evaluation.models.iter();
        let models = models.map(|model| (model.name.clone(), model.settings.clone()));
        let bootstrap = format!("{} resamples, seed {}", params.bootstrap, ctx.seed());
        [
            ("Bootstrap".to_owned(), bootstrap),
            ("Precision".to_owned(), ctx.invocation().precision.clone()),
        ]
        .into_iter()
        .chain(models)
        .collect()
    }

    fn section(&self, model: &ModelFigures) -> ModelSection {
        let mistakes = model.mistakes.iter().take(SHOWN);
        ModelSection {
            name: model.name.clone(),
            settings: model.settings.clone(),
            metrics: model.metrics.clone(),
            intervals: model.intervals.clone(),
            confusion: model.confusion.clone(),
            calibration: model.calibration.clone(),
            mistakes: mistakes.map(|&row| self.mistake(model, row)).collect(),
        }
    }

    fn mistake(&self, model: &ModelFigures, row: usize) -> Mistake {
        let decision = &model.decisions[row];
        Mistake {
            id: self.golden.rows.ids[row].clone(),
            text: self.golden.rows.texts[row].clone(),
            label: self.truth(row),
            predicted: self.names(&decision.labels),
            confidence: decision.confidence,
            second: decision.second.map(|class| self.labels[class].to_owned()),
        }
    }

    fn comparison(&self, comparison: &evaluation::Comparison) -> Comparison {
        let models = &self.evaluation.models;
        let (baseline, candidate) = (&models[comparison.baseline], &models[comparison.candidate]);
        let flip = |&row: &usize| Flip {
            id: self.golden.rows.ids[row].clone(),
            text: self.golden.rows.texts[row].clone(),
            label: self.truth(row),
            baseline: self.names(&baseline.decisions[row].labels),
            baseline_confidence: baseline.decisions[row].confidence,
            candidate: self.names(&candidate.decisions[row].labels),
            confidence: candidate.decisions[row].confidence,
        };
        Comparison {
            baseline: baseline.name.clone(),
            candidate: candidate.name.clone(),
            difference: comparison.macro_f1_difference,
            interval: comparison.interval,
            mcnemar: comparison.mcnemar,
            both_right: comparison.both_right,
            both_wrong: comparison.both_wrong,
            fixed: comparison.fixed.iter().take(SHOWN).map(flip).collect(),
            broken: comparison.broken.iter().take(SHOWN).map(flip).collect(),
        }
    }

    fn suspects(&self) -> Suspects {
        let noise = &self.evaluation.noise;
        let suspect = |suspect: &Suspect| report::Suspect {
            id: self.golden.rows.ids[suspect.row].clone(),
            text: self.golden.rows.texts[suspect.row].clone(),
            label: self.truth(suspect.row),
            suggested: self.names(&suspect.suggested),
            self_confidence: suspect.self_confidence,
        };
        let models = self.evaluation.models.iter().zip(&noise.macro_f1_without);
        Suspects {
            count: noise.noise.suspects.len() as u64,
            agreed: noise.noise.agreed,
            rows: noise.noise.suspects.iter().take(SHOWN).map(suspect).collect(),
            macro_f1: models
                .map(|(model, without)| (model.metrics.macro_f1, *without))
                .collect(),
        }
    }

    fn truth(&self, row: usize) -> String {
        self.names(&self.golden.rows.labels[row])
    }

    /// `기쁨, 당황`
    fn names(&self, labels: &LabelIds) -> String {
        let names = labels.ids().iter().map(|class| self.labels[*class]);
        names.collect::<Vec<_>>().join(", ")
    }
}

fn slice_table(table: &slices::SliceTable) -> SliceTable {
    let figures = |figures: &slices::SliceFigures| SliceFigures {
        accuracy: figures.accuracy,
        interval: figures.ci95,
        macro_f1: figures.macro_f1,
    };
    let slice = |slice: &slices::Slice| Slice {
        name: slice.name.clone(),
        rows: slice.rows.len() as u64,
        models: slice.models.iter().map(figures).collect(),
    };
    SliceTable {
        by: table.by.to_owned(),
        description: match table.by {
            "length" => "By length in characters".to_owned(),
            by => format!("By {by}"),
        },
        slices: table.slices.iter().map(slice).collect(),
    }
}
