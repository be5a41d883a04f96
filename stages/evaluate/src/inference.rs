//! Asks a model for its predictions on the golden rows.

use std::collections::BTreeMap;

use classification::{Decision, DecisionRule};
use dataset::Normalize;
use model::{Choice, ModelSettings, Predictor};
use serde_json::Value;
use stage::{Context, Failure};

use crate::golden::Golden;

/// What a model says.
pub(crate) struct Answer {
    /// The model's name in the pipeline file.
    pub(crate) name: String,
    /// In the order of the rows.
    pub(crate) decisions: Vec<Decision>,
    /// How the model treats texts and logits, for the report.
    pub(crate) settings: String,
    /// Measured; goes to `timings.json` alone.
    pub(crate) timings: BTreeMap<String, Value>,
}

/// Loads the model of the input `name`, predicts, and lets it go again.
pub(crate) fn ask(
    ctx: &Context,
    name: &str,
    golden: &Golden,
    batch_tokens: Option<usize>,
) -> Result<Answer, Failure> {
    let directory = &ctx.input(name)?.path;
    let (runtime, precision) = (ctx.runtime(), &ctx.invocation().precision);
    let choice = Choice::of(&runtime.device, &runtime.backend, precision)?;
    let predictor = Predictor::load_in(directory, Some(ctx.labels()), &choice.open()?, precision)?;
    let settings = predictor.settings();
    if settings.task != ctx.task() {
        let (model, pipeline) = (settings.task.name(), ctx.task().name());
        return Err(Failure::stage(format!(
            "model `{name}` is for `task: {model}`, the pipeline's task is `{pipeline}`"
        )));
    }
    let normalize = normalization(&settings.normalize, name)?;
    let texts: Vec<String> = golden
        .rows
        .texts
        .iter()
        .map(|text| normalize.apply(text).into_owned())
        .collect();

    let activity = format!("evaluating {name}");
    let mut progress =
        |done: usize, total: usize| ctx.progress(&activity, done as u64, Some(total as u64), "rows");
    let inference = predictor.predict(&texts, None, batch_tokens, &mut progress)?;
    let temperature = settings.temperature.unwrap_or(1.0);
    let rule = DecisionRule::new(ctx.task(), ctx.labels().len(), settings.thresholds.as_deref());
    let decide = |logits: &Vec<f32>| {
        let logits: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
        rule.decide(&logits)
    };
    let rate = texts.len() as f64 / inference.seconds.max(f64::MIN_POSITIVE);
    let timings = [
        ("load_seconds", predictor.load_seconds()),
        ("infer_seconds", inference.seconds),
        ("sentences_per_second", rate),
    ];
    Ok(Answer {
        name: name.to_owned(),
        decisions: inference.logits.iter().map(decide).collect(),
        settings: describe(settings),
        timings: timings
            .into_iter()
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .collect(),
    })
}

fn normalization(name: &str, model: &str) -> Result<Normalize, Failure> {
    serde_json::from_value(Value::from(name)).map_err(|_| {
        Failure::stage(format!(
            "model `{model}` asks for the unknown normalisation `{name}`"
        ))
    })
}

fn describe(settings: &ModelSettings) -> String {
    let mut words = format!(
        "normalisation {}, at most {} tokens",
        settings.normalize, settings.max_length
    );
    if let Some(temperature) = settings.temperature {
        words += &format!(", temperature {temperature}");
    }
    if let Some(thresholds) = &settings.thresholds {
        let thresholds: Vec<String> = thresholds
            .iter()
            .map(|threshold| format!("{threshold:.3}"))
            .collect();
        words += &format!(", thresholds {}", thresholds.join(" "));
    }
    words
}
