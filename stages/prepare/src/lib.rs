//! Reads the user's tables, cleans them, keeps them apart and divides them.

mod enough;
mod params;
mod report;

use std::collections::BTreeSet;

use dataset::{Normalize, ReadOptions, Split, Splits};
use serde_json::Value;
use stage::{
    ArtifactType, CheckContext, Completion, Context, Failure, InputSpec, OutputSpec, Problem, Resolved,
    StageKind, Uses,
};

use enough::{check_enough, warnings};
pub use params::{LeakGuard, Params};
use report::Report;

/// The kind `prepare`.
pub struct Prepare;

/// The kind `prepare`, for a list of kinds.
pub static PREPARE: Prepare = Prepare;

const LABELLED: &[ArtifactType] = &[
    ArtifactType::File,
    ArtifactType::Labelled,
    ArtifactType::Kept,
    ArtifactType::LabelledScored,
];

const UNLABELLED: &[ArtifactType] = &[
    ArtifactType::File,
    ArtifactType::Raw,
    ArtifactType::Labelled,
    ArtifactType::Scored,
    ArtifactType::LabelledScored,
    ArtifactType::Kept,
];

const fn input(name: &'static str, accepts: &'static [ArtifactType], description: &'static str) -> InputSpec {
    InputSpec {
        name,
        accepts,
        required: false,
        many: true,
        description,
    }
}

static INPUTS: [InputSpec; 4] = [
    input("train", LABELLED, "labelled texts to train on"),
    input(
        "validation",
        LABELLED,
        "labelled texts that choose the best model",
    ),
    input(
        "golden",
        LABELLED,
        "texts with human-verified labels, only evaluated on",
    ),
    input("raw", UNLABELLED, "texts without labels"),
];

impl StageKind for Prepare {
    fn name(&self) -> &'static str {
        "prepare"
    }

    fn version(&self) -> u32 {
        2
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: true,
            labels: true,
            precision: false,
        }
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &INPUTS
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(Params).to_value()
    }

    fn check(&self, params: &Value, ctx: &CheckContext<'_>) -> Result<Resolved, Vec<Problem>> {
        let params: Params = stage::resolve(params, ctx)?;
        let params =
            serde_json::to_value(params).map_err(|error| vec![Problem::new("", error.to_string())])?;
        Ok(Resolved {
            params,
            inputs: Vec::new(),
        })
    }

    fn outputs(&self, params: &Value, inputs: &BTreeSet<String>) -> Vec<OutputSpec> {
        let given = |table: &str| inputs.contains(table);
        let taken = |table: &str| {
            given("train")
                && params
                    .get(format!("{table}_fraction"))
                    .is_some_and(Value::is_number)
        };
        let mut outputs = Vec::new();
        for table in params::TABLES
            .into_iter()
            .filter(|table| given(table) || taken(table))
        {
            let kind = if table == "raw" {
                ArtifactType::Raw
            } else {
                ArtifactType::Labelled
            };
            outputs.push(OutputSpec::new(format!("{table}.parquet"), kind));
        }
        outputs.push(OutputSpec::new("report.json", ArtifactType::Document));
        outputs
    }

    fn run(&self, ctx: &Context) -> Result<Completion, Failure> {
        run(ctx, &ctx.params()?)
    }
}

fn run(ctx: &Context, params: &Params) -> Result<Completion, Failure> {
    let labels = ctx.labels();
    let mut splits = read(ctx, params.normalize)?;
    let mut report = Report::new(&splits, labels);
    report.leaks = dataset::drop_duplicates(&mut splits, params.leak_guard != LeakGuard::Off).leaks;
    take_missing(ctx, params, &mut splits, &mut report);
    sample(ctx, params, &mut splits, &mut report);
    report.finish(&splits, labels);
    check_enough(&splits, labels, ctx.task())?;
    for warning in warnings(&splits, params, &report, labels) {
        ctx.warn(&warning);
        report.warnings.push(warning);
    }
    for (split, rows) in splits.labelled() {
        dataset::write_labelled(&ctx.output(&file(split))?, rows, labels, ctx.task())?;
    }
    if let Some(rows) = &splits.raw {
        dataset::write_raw(&ctx.output(&file(Split::Raw))?, rows)?;
    }
    ctx.write_json("report.json", &report)?;
    Ok(Completion {
        headline: Some(report.headline()),
        ..Completion::default()
    })
}

fn read(ctx: &Context, normalize: Normalize) -> Result<Splits, Failure> {
    let options = |split: Split| ReadOptions {
        task: ctx.task(),
        labels: ctx.labels(),
        normalize,
        input_name: split.as_str(),
    };
    let labelled = |split: Split| {
        let items = ctx.inputs(split.as_str());
        ctx.progress(&format!("reading {}", split.as_str()), 0, None, "rows");
        (!items.is_empty())
            .then(|| dataset::read_labelled(items, &options(split)))
            .transpose()
    };
    let (golden, validation) = (labelled(Split::Golden)?, labelled(Split::Validation)?);
    let train = labelled(Split::Train)?;
    let items = ctx.inputs(Split::Raw.as_str());
    let raw = (!items.is_empty())
        .then(|| dataset::read_raw(items, &options(Split::Raw)))
        .transpose()?;
    Ok(Splits {
        golden,
        validation,
        train,
        raw,
    })
}

/// Takes the tables that are no inputs out of train: golden first, as it is worth most.
fn take_missing(ctx: &Context, params: &Params, splits: &mut Splits, report: &mut Report) {
    let Splits {
        golden,
        validation,
        train: Some(train),
        ..
    } = splits
    else {
        return;
    };
    // Both fractions are of train as it was.
    let whole = train.len() as f64;
    for (split, fraction, table) in [
        (Split::Golden, params.golden_fraction, golden),
        (Split::Validation, params.validation_fraction, validation),
    ] {
        if let (Some(fraction), None) = (fraction, &table) {
            let fraction = (fraction * whole / train.len() as f64).min(1.0);
            let part = dataset::take_stratified(train, ctx.labels().len(), fraction, ctx.seed(), split);
            report.split(Split::Train).moved += part.len() as u64;
            report.split(split).taken_from = Some(Split::Train);
            *table = Some(part);
        }
    }
}

fn sample(ctx: &Context, params: &Params, splits: &mut Splits, report: &mut Report) {
    let limit = |split: Split| {
        params
            .limit
            .get(split.as_str())
            .map(|limit| usize::try_from(*limit).unwrap_or(usize::MAX))
    };
    for (split, rows) in splits.labelled_mut() {
        if let Some(limit) = limit(split) {
            report.split(split).not_sampled = dataset::sample(rows, limit, ctx.seed(), split);
        }
    }
    if let (Some(rows), Some(limit)) = (&mut splits.raw, limit(Split::Raw)) {
        report.split(Split::Raw).not_sampled = dataset::sample(rows, limit, ctx.seed(), Split::Raw);
    }
}

fn file(split: Split) -> String {
    format!("{}.parquet", split.as_str())
}
