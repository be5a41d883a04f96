//! The work itself, as a list of calls.

use std::collections::BTreeMap;

use burn::tensor::Device;
use classification::{LabelIds, Task};
use dataset::{Labelled, Normalize, OptionalColumns, Rows, ScoredWriter, Target, write_scored};
use model::{Choice, ModelSettings};
use serde_json::{Value, json};
use stage::{ArtifactType, Completion, Context, Failure, grouped};
use training::{Data, Summary, Trained, TrainingError, TrainingOptions, Warmup};

use crate::base_model::BaseModel;
use crate::data::{
    absent_classes, class_weights, count_classes, encode, encode_train, normalization, read_labelled,
    read_texts, read_train,
};
use crate::encoder::{Encoder, from_scratch, pretrained};
use crate::fold::Fold;
use crate::monitor::Monitor;
use crate::params::Params;
use crate::thresholds::Thresholds;
use crate::{MODEL, PREDICTIONS, card, documents};

pub(crate) fn run(ctx: &Context, params: &Params) -> Result<Completion, Failure> {
    let choice = choose(ctx)?;
    let device = choice.open()?.autodiff();
    let base = pretrained_base(ctx, params, &device)?;
    let of_base = base.as_ref().and_then(|base| base.normalize);
    let normalize = normalization(ctx, params.normalize, of_base)?;
    let train = read_train(ctx, normalize)?;
    let (train, validation) = match params.fold {
        Some(fold) => take_fold(ctx, train, fold)?,
        None => (train, read_validation(ctx, normalize)?),
    };
    let counts = check_classes(ctx, params, &train)?;
    let encoder = match base {
        Some(encoder) => encoder,
        None => new_encoder(ctx, params, &train, normalize, &device)?,
    };
    let max_length = max_length(ctx, params, &encoder);

    ctx.progress("encoding", 0, None, "rows");
    let train_examples = encode_train(&train, &encoder.tokenizer, max_length, ctx.labels().len());
    say_soft_labels(ctx, &train);
    let validation_examples = validation
        .as_ref()
        .map(|rows| encode(rows, &encoder.tokenizer, max_length));
    let thresholds = Thresholds::resolve(params.thresholds.as_ref(), ctx.labels());
    let data = Data {
        train: &train_examples,
        validation: validation_examples.as_ref(),
        task: ctx.task(),
        thresholds: &thresholds,
        classes: ctx.labels().len(),
        pad_id: encoder.tokenizer.pad_id(),
    };
    let options = training_options(ctx, params, &counts, train.ids.len());
    let mut monitor = Monitor::new(ctx, params.checkpoint_every)?;
    let checkpoint = monitor.checkpoint(&encoder.classifier, &data, &options);
    let resumed = checkpoint
        .as_ref()
        .map_or(0, |checkpoint| checkpoint.progress.summary.steps);
    let trained = training::train(
        encoder.classifier.in_precision(choice.precision),
        &data,
        &options,
        &device,
        checkpoint,
        &mut monitor,
    )
    .map_err(failure)?;
    let checkpoint_seconds = monitor.end();

    let settings = ModelSettings {
        thresholds: kept_thresholds(ctx.task(), &thresholds, &trained),
        ..ModelSettings::new(
            ctx.task(),
            ctx.labels(),
            normalize.as_str(),
            max_length,
            &ctx.invocation().fingerprint,
        )
    };
    model::save(
        &ctx.output(MODEL)?,
        &trained.model,
        &encoder.config,
        ctx.labels(),
        &encoder.tokenizer,
        &settings,
    )?;
    let metrics = trained.validation.as_ref().map(|evaluation| &evaluation.metrics);
    card::write(
        ctx,
        params,
        &encoder.config,
        &settings,
        &counts,
        train.ids.len(),
        metrics,
    )?;
    write_predictions(ctx, validation.as_ref(), &trained)?;
    documents::write(ctx, &trained, &settings, train.ids.len())?;
    Ok(Completion {
        timings: timings(&choice, &trained.summary, resumed, checkpoint_seconds),
        headline: Some(documents::headline(&trained, params.epochs)),
        gates_failed: Vec::new(),
    })
}

/// What to train with.
fn choose(ctx: &Context) -> Result<Choice, Failure> {
    let (runtime, precision) = (ctx.runtime(), &ctx.invocation().precision);
    if precision == "int8" {
        return Err(Failure::stage("precision `int8` is not for training"));
    }
    Ok(Choice::of(&runtime.device, &runtime.backend, precision)?)
}

/// The model that the input `base` or the param `base_model` names, if one does.
fn pretrained_base(ctx: &Context, params: &Params, device: &Device) -> Result<Option<Encoder>, Failure> {
    let item = ctx
        .inputs("base")
        .first()
        .or_else(|| ctx.inputs("base_model").first());
    item.map(|item| pretrained(ctx, item, params, device)).transpose()
}

fn new_encoder(
    ctx: &Context,
    params: &Params,
    train: &Rows<Target>,
    normalize: Normalize,
    device: &Device,
) -> Result<Encoder, Failure> {
    let Some(BaseModel::Scratch(scratch)) = &params.base_model else {
        return Err(Failure::stage(format!(
            "stage `{}` has no encoder to start from",
            ctx.invocation().stage
        ))
        .hint("give the param `base_model` or the input `base`"));
    };
    if ctx.inputs("corpus").is_empty() {
        return from_scratch(ctx, scratch, &train.texts, params, device);
    }
    let texts = read_texts(ctx, "corpus", normalize)?;
    if texts.is_empty() {
        return Err(Failure::stage(
            "input `corpus` has no text to learn a vocabulary from",
        ));
    }
    from_scratch(ctx, scratch, &texts, params, device)
}

/// The rows of `train` but those of the fold, and those.
fn take_fold(
    ctx: &Context,
    rows: Rows<Target>,
    fold: Fold,
) -> Result<(Rows<Target>, Option<Labelled>), Failure> {
    if ctx
        .inputs("train")
        .iter()
        .any(|item| item.artifact_type == ArtifactType::Kept)
    {
        ctx.warn(format!(
            "fold {fold} validates pseudo-labelled rows of the input `train`, too"
        ));
    }
    let labels: Vec<LabelIds> = rows.labels.iter().map(|target| target.labels.clone()).collect();
    let classes = dataset::strata(&labels, ctx.labels().len());
    let (train, validation) = fold.split(rows, &classes, ctx.seed())?;
    Ok((train, Some(validation.into_labelled())))
}

fn read_validation(ctx: &Context, normalize: Normalize) -> Result<Option<Labelled>, Failure> {
    if ctx.inputs("validation").is_empty() {
        ctx.warn("there is no input `validation`: the model of the last epoch is kept, whether it is the best or not");
        return Ok(None);
    }
    read_labelled(ctx, "validation", normalize).map(Some)
}

/// Says how many rows teach probabilities, if some do.
fn say_soft_labels(ctx: &Context, train: &Rows<Target>) {
    let soft = train.labels.iter().filter(|target| target.soft.is_some()).count();
    if soft > 0 {
        let (soft, rows) = (grouped(soft as u64), grouped(train.len() as u64));
        ctx.info(format!("{soft} of {rows} rows are learnt by their soft labels"));
    }
}

/// Texts per class; a class without one is warned of.
fn check_classes(ctx: &Context, params: &Params, train: &Rows<Target>) -> Result<Vec<u64>, Failure> {
    let labels = train.labels.iter().map(|target| &target.labels);
    let counts = count_classes(labels, ctx.labels().len());
    let weighs_one = params.class_weights == crate::choices::ClassWeights::Balanced;
    for label in absent_classes(&counts, ctx.labels(), ctx.task())? {
        let weight = if weighs_one { "; its weight is 1" } else { "" };
        ctx.warn(format!(
            "input `train` has no example of `{label}`, so the model cannot learn it{weight}"
        ));
    }
    Ok(counts)
}

/// The length that was asked for, or what the encoder has room for.
fn max_length(ctx: &Context, params: &Params, encoder: &Encoder) -> usize {
    let room = encoder.config.max_length();
    if params.max_length > room {
        ctx.warn(format!(
            "`max_length` {} is more than the encoder's {room} positions; {room} is used",
            params.max_length
        ));
    }
    params.max_length.min(room)
}

fn training_options(ctx: &Context, params: &Params, counts: &[u64], rows: usize) -> TrainingOptions {
    TrainingOptions {
        epochs: params.epochs,
        batch_size: params.batch_size,
        gradient_accumulation_steps: params.gradient_accumulation_steps,
        learning_rate: params.learning_rate,
        decay: params.lr_scheduler.into(),
        warmup: params
            .warmup_steps
            .map_or(Warmup::Ratio(params.warmup_ratio), Warmup::Steps),
        rule: params.optimizer.into(),
        weight_decay: params.weight_decay,
        max_grad_norm: params.max_grad_norm,
        label_smoothing: params.label_smoothing,
        class_weights: class_weights(
            &params.class_weights,
            counts,
            rows as u64,
            ctx.labels(),
            ctx.task(),
        ),
        eval_every: params.eval_every.into(),
        early_stopping: params.early_stopping.map(Into::into),
        log_every: params.logging_steps,
        seed: ctx.seed(),
    }
}

fn failure(error: TrainingError) -> Failure {
    match error {
        TrainingError::Model(error) => error.into(),
        TrainingError::NotFinite { .. } => Failure::stage(error)
            .hint("a lower `learning_rate`, more warm-up or a lower `max_grad_norm` may help"),
        error => Failure::stage(error),
    }
}

/// The thresholds that the model is to be used with.
fn kept_thresholds(task: Task, asked: &training::Thresholds, trained: &Trained) -> Option<Vec<f32>> {
    match (task, &trained.validation, asked) {
        (Task::SingleLabel, ..) => None,
        (Task::MultiLabel, Some(evaluation), _) => evaluation.thresholds.clone(),
        (Task::MultiLabel, None, training::Thresholds::Fixed(thresholds)) => Some(thresholds.clone()),
        (Task::MultiLabel, None, training::Thresholds::Tuned) => None,
    }
}

fn write_predictions(ctx: &Context, rows: Option<&Labelled>, trained: &Trained) -> Result<(), Failure> {
    let (Some(rows), Some(evaluation)) = (rows, &trained.validation) else {
        return Ok(());
    };
    let scored = ScoredWriter {
        rows,
        decisions: &evaluation.decisions,
        labels: ctx.labels(),
        task: ctx.task(),
        truth: Some(&rows.labels),
        optional: OptionalColumns::default(),
    };
    Ok(write_scored(&ctx.output(PREDICTIONS)?, &scored)?)
}

/// Seconds and rates are of all steps, those of interrupted runs included as far as they count.
fn timings(
    choice: &Choice,
    summary: &Summary,
    resumed: usize,
    checkpoint_seconds: f64,
) -> BTreeMap<String, Value> {
    let rate = |count: u64| {
        if summary.seconds > 0.0 {
            count as f64 / summary.seconds
        } else {
            0.0
        }
    };
    BTreeMap::from([
        ("train_seconds".to_owned(), json!(summary.seconds)),
        (
            "train_samples_per_second".to_owned(),
            json!(rate(summary.examples)),
        ),
        ("train_tokens_per_second".to_owned(), json!(rate(summary.tokens))),
        ("resumed_steps".to_owned(), json!(resumed)),
        ("checkpoint_seconds".to_owned(), json!(checkpoint_seconds)),
        ("device".to_owned(), json!(choice.place.name())),
        ("backend".to_owned(), json!(choice.backend.name())),
        ("precision".to_owned(), json!(choice.precision.name())),
    ])
}
