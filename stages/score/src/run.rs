//! The work itself.

use std::collections::BTreeMap;
use std::time::Instant;

use classification::{Calibration, Decision, DecisionRule};
use dataset::{Normalize, ReadOptions, ScoredWriter, write_scored};
use model::{Inference, Predictor};
use serde::Serialize;
use serde_json::json;
use stage::{Completion, Context, Failure};

use crate::params::Params;
use crate::{REPORT, SCORED, VALIDATION_SCORED};

/// `report.json`.
#[derive(Debug, Serialize)]
struct Report {
    /// Raw rows, all of which are in `scored.parquet`.
    rows: usize,
    /// Their tokens.
    tokens: u64,
    /// Their tokens with the padding of their batches.
    padded_tokens: u64,
    temperature: Option<f32>,
    ece_before: Option<f64>,
    ece_after: Option<f64>,
}

pub(crate) fn run(ctx: &Context, params: &Params) -> Result<Completion, Failure> {
    let start = Instant::now();
    let scorer = Scorer::new(ctx, params)?;
    let raw = dataset::read_every_row(ctx.inputs("raw"), &scorer.read_options("raw"))?;
    if raw.texts.is_empty() {
        return Err(Failure::stage("input `raw` has no row to score"));
    }
    let empty = raw.texts.iter().filter(|text| text.trim().is_empty()).count();
    if empty > 0 {
        ctx.warn(format!(
            "{empty} of {} rows of input `raw` have no text; what the model makes of nothing is scored all the same",
            raw.texts.len()
        ));
    }
    let (decisions, inference) = scorer.predict("scoring", &raw.texts, &raw.ids)?;
    let scored = ScoredWriter {
        rows: &raw,
        decisions: &decisions,
        labels: ctx.labels(),
        task: ctx.task(),
        truth: None,
    };
    write_scored(&ctx.output(SCORED)?, &scored)?;
    let report = Report {
        rows: decisions.len(),
        tokens: inference.tokens,
        padded_tokens: inference.padded_tokens,
        temperature: None,
        ece_before: scorer.score_validation()?,
        ece_after: None,
    };
    ctx.write_json(REPORT, &report)?;
    let rate = report.rows as f64 / inference.seconds.max(f64::MIN_POSITIVE);
    let device = match ctx.runtime().device.as_str() {
        "auto" => "cpu",
        device => device,
    };
    Ok(Completion {
        timings: BTreeMap::from([
            ("seconds".to_owned(), json!(start.elapsed().as_secs_f64())),
            ("infer_seconds".to_owned(), json!(inference.seconds)),
            ("sentences_per_second".to_owned(), json!(rate)),
            ("device".to_owned(), json!(device)),
            ("precision".to_owned(), json!(ctx.invocation().precision)),
        ]),
        headline: Some(format!("scored {} rows, {rate:.0} a second", report.rows)),
        gates_failed: Vec::new(),
    })
}

/// A model with the way in which its texts are treated.
struct Scorer<'a> {
    ctx: &'a Context,
    params: &'a Params,
    predictor: Predictor,
    normalize: Normalize,
    rule: DecisionRule,
}

impl<'a> Scorer<'a> {
    fn new(ctx: &'a Context, params: &'a Params) -> Result<Self, Failure> {
        let runtime = ctx.runtime();
        let precision = &ctx.invocation().precision;
        model::resolve_precision(&runtime.device, &runtime.backend, precision).map_err(Failure::missing)?;
        let device = model::open_device(&runtime.device, &runtime.backend)?;
        let item = ctx.input("model")?;
        let predictor = Predictor::load(&item.path, Some(ctx.labels()), &device)?;
        let name = predictor.settings().normalize.as_str();
        let normalize = serde_json::from_value(name.into()).map_err(|_| {
            Failure::stage(format!(
                "`{}`: unknown `normalize: {name}` in pipeline.json",
                item.name
            ))
        })?;
        let settings = predictor.settings();
        if settings.task != ctx.task() {
            let (model, pipeline) = (settings.task.name(), ctx.task().name());
            return Err(Failure::stage(format!(
                "`{}` is a model for `task: {model}`, the pipeline's task is `{pipeline}`",
                item.name
            )));
        }
        let rule = DecisionRule::new(ctx.task(), ctx.labels().len(), settings.thresholds.as_deref());
        Ok(Self {
            ctx,
            params,
            predictor,
            normalize,
            rule,
        })
    }

    fn read_options(&self, input_name: &'a str) -> ReadOptions<'a> {
        ReadOptions {
            task: self.ctx.task(),
            labels: self.ctx.labels(),
            normalize: self.normalize,
            input_name,
        }
    }

    fn predict(
        &self,
        activity: &str,
        texts: &[String],
        ids: &[String],
    ) -> Result<(Vec<Decision>, Inference), Failure> {
        let (max_length, batch_tokens) = (self.params.max_length, self.params.batch_tokens);
        let mut progress = |done: usize, total: usize| {
            self.ctx
                .progress(activity, done as u64, Some(total as u64), "rows")
        };
        let inference = self
            .predictor
            .predict(texts, max_length, batch_tokens, &mut progress);
        let inference = inference.map_err(|error| match error {
            model::ModelError::NotFinite { row } => Failure::stage(format!("row `{}`: {error}", ids[row])),
            error => error.into(),
        })?;
        let logits = inference.logits.iter();
        let decisions = logits.map(|logits| self.rule.decide(logits)).collect();
        Ok((decisions, inference))
    }

    /// Scores the validation rows, if there are any, and gives the expected calibration error of their confidences.
    fn score_validation(&self) -> Result<Option<f64>, Failure> {
        let items = self.ctx.inputs("validation");
        if items.is_empty() {
            return Ok(None);
        }
        let rows = dataset::read_labelled(items, &self.read_options("validation"))?;
        let (decisions, _) = self.predict("scoring validation", &rows.texts, &rows.ids)?;
        let scored = ScoredWriter {
            rows: &rows,
            decisions: &decisions,
            labels: self.ctx.labels(),
            task: self.ctx.task(),
            truth: Some(&rows.labels),
        };
        write_scored(&self.ctx.output(VALIDATION_SCORED)?, &scored)?;
        let calibration = Calibration::measure(self.ctx.task(), &decisions, &rows.labels);
        Ok(Some(calibration.expected_error))
    }
}
