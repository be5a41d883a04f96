//! The work itself.

use std::collections::BTreeMap;
use std::time::Instant;

use classification::{Prediction, expected_calibration_error};
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
    let raw = dataset::read_raw(ctx.inputs("raw"), &scorer.read_options("raw"))?;
    if raw.texts.is_empty() {
        return Err(Failure::stage("input `raw` has no row to score"));
    }
    let dropped = raw.notes.dropped.len();
    if dropped > 0 {
        ctx.warn(format!(
            "{dropped} of {} rows of input `raw` have no text and are left out",
            raw.notes.rows
        ));
    }
    let (predictions, inference) = scorer.predict("scoring", &raw.texts, &raw.ids)?;
    let scored = ScoredWriter {
        rows: &raw,
        predictions: &predictions,
        labels: ctx.labels(),
        truth: None,
    };
    write_scored(&ctx.output(SCORED)?, &scored)?;
    let report = Report {
        rows: predictions.len(),
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
        Ok(Self {
            ctx,
            params,
            predictor,
            normalize,
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
    ) -> Result<(Vec<Prediction>, Inference), Failure> {
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
        let predictions = inference
            .logits
            .iter()
            .map(|logits| Prediction::from_logits(logits))
            .collect();
        Ok((predictions, inference))
    }

    /// Scores the validation rows, if there are any, and gives the expected calibration error of their confidences.
    fn score_validation(&self) -> Result<Option<f64>, Failure> {
        let items = self.ctx.inputs("validation");
        if items.is_empty() {
            return Ok(None);
        }
        let rows = dataset::read_labelled(items, &self.read_options("validation"))?;
        let (predictions, _) = self.predict("scoring validation", &rows.texts, &rows.ids)?;
        let (labels, truth) = (self.ctx.labels(), Some(rows.labels.as_slice()));
        let scored = ScoredWriter {
            rows: &rows,
            predictions: &predictions,
            labels,
            truth,
        };
        write_scored(&self.ctx.output(VALIDATION_SCORED)?, &scored)?;
        Ok(Some(expected_calibration_error(&predictions, &rows.labels)))
    }
}
