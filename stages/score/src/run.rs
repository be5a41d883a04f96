//! The work itself.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::time::Instant;

use dataset::{Raw, ScoredWriter, write_scored};
use serde_json::json;
use stage::{Completion, Context, Failure, grouped};

use crate::calibration::calibrate;
use crate::models::{Logits, Models};
use crate::params::Params;
use crate::report::Report;
use crate::shards::{Counts, SHARD_ROWS, Shards};
use crate::{REPORT, SCORED};

pub(crate) fn run(ctx: &Context, params: &Params) -> Result<Completion, Failure> {
    let start = Instant::now();
    let mut models = Models::load(ctx, params)?;
    let total = dataset::count_rows(ctx.inputs("raw"), &models.read_options("raw"))?;
    let calibration = calibrate(ctx, &mut models)?;
    let mut shards = Shards::open(ctx, total, models.temperatures())?;
    let resumed = shards.counts().rows;
    if resumed > 0 {
        ctx.info(format!(
            "resumes at row {} of {}",
            grouped(resumed),
            grouped(total)
        ));
    }
    let infer_seconds = score_raw(ctx, &models, &mut shards, total)?;
    shards.assemble(&ctx.output(SCORED)?)?;
    let counts = shards.counts();
    if counts.empty > 0 {
        ctx.warn(format!(
            "{} of {} rows of input `raw` have no text; what the model makes of nothing is scored all the same",
            counts.empty, counts.rows
        ));
    }
    let report = Report {
        rows: counts.rows,
        tokens: counts.tokens,
        padded_tokens: counts.padded_tokens,
        temperature: models.temperature(),
        ece_before: calibration.as_ref().map(|report| report.before.ece),
        ece_after: calibration
            .as_ref()
            .and_then(|report| Some(report.after.as_ref()?.ece)),
        calibration,
        models: models
            .members()
            .iter()
            .map(|member| member.name.clone())
            .collect(),
        combine: models.are_several().then_some(params.combine),
    };
    ctx.write_json(REPORT, &report)?;
    let rate = (report.rows - resumed) as f64 / infer_seconds.max(f64::MIN_POSITIVE);
    Ok(Completion {
        timings: BTreeMap::from([
            ("seconds".to_owned(), json!(start.elapsed().as_secs_f64())),
            ("infer_seconds".to_owned(), json!(infer_seconds)),
            ("sentences_per_second".to_owned(), json!(rate)),
            ("resumed_rows".to_owned(), json!(resumed)),
            ("device".to_owned(), json!(models.choice().place.name())),
            ("backend".to_owned(), json!(models.choice().backend.name())),
            ("precision".to_owned(), json!(ctx.invocation().precision)),
        ]),
        headline: Some(headline(&report, rate)),
        gates_failed: Vec::new(),
    })
}

/// Scores the rows that are not in a shard yet; the seconds that the models took. Meanwhile the next rows are read and
/// the last ones written.
fn score_raw(ctx: &Context, models: &Models<'_>, shards: &mut Shards, total: u64) -> Result<f64, Failure> {
    let mut seconds = 0.0;
    let first = shards.counts().rows;
    let (items, options) = (ctx.inputs("raw"), models.read_options("raw"));
    std::thread::scope(|scope| {
        let (read, to_score) = mpsc::sync_channel::<Raw>(1);
        let (scored, to_write) = mpsc::sync_channel::<(Raw, Logits)>(1);
        let reading = scope.spawn(move || {
            dataset::read_in_chunks(
                items,
                &options,
                first,
                SHARD_ROWS,
                &mut |rows| match read.send(rows) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                },
            )
        });
        let scoring = scope.spawn(move || {
            let mut before = first;
            for rows in to_score {
                let mut progress =
                    |done: usize| ctx.progress("scoring", before + done as u64, Some(total), "rows");
                let logits = models.logits(&rows.texts, &rows.ids, &mut progress)?;
                before += rows.len() as u64;
                if scored.send((rows, logits)).is_err() {
                    break;
                }
            }
            Ok::<_, Failure>(())
        });
        let written = to_write.into_iter().try_for_each(|(rows, logits)| {
            seconds += logits.seconds;
            write_shard(ctx, models, shards, &rows, &logits)
        });
        // What cannot be written ends both threads; what went wrong first is what is told.
        let scored = scoring.join().unwrap_or_else(|panic| resume_unwind(panic));
        let read = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
        written?;
        scored?;
        read?;
        Ok(seconds)
    })
}

fn write_shard(
    ctx: &Context,
    models: &Models<'_>,
    shards: &mut Shards,
    rows: &Raw,
    logits: &Logits,
) -> Result<(), Failure> {
    let scores = models.decide(logits);
    let scored = ScoredWriter {
        rows,
        decisions: &scores.decisions,
        labels: ctx.labels(),
        task: ctx.task(),
        truth: None,
        optional: scores.optional(),
    };
    let counts = Counts {
        rows: rows.len() as u64,
        tokens: logits.tokens,
        padded_tokens: logits.padded_tokens,
        empty: rows.texts.iter().filter(|text| text.trim().is_empty()).count() as u64,
    };
    shards.add(counts, |path| write_scored(path, &scored))
}

fn headline(report: &Report, rate: f64) -> String {
    let mut words = format!(
        "scored {} rows, {} a second",
        grouped(report.rows),
        grouped(rate.round() as u64)
    );
    if let Some(after) = report.ece_after {
        if let Some(temperature) = report.temperature {
            words.push_str(&format!(", temperature {temperature:.2}"));
        }
        let before = report.ece_before.unwrap_or_default();
        words.push_str(&format!(", calibration error {before:.3} → {after:.3}"));
    }
    words
}
