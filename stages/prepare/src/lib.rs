//! Reads the user's tables, cleans them, keeps them apart and divides them.

mod enough;
mod params;
mod report;
mod review;
mod separate;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use dataset::{Normalize, Overrides, ReadOptions, Split, Splits};
use serde_json::Value;
use stage::{
    ArtifactType, CheckContext, Completion, Context, Duty, Failure, InputSpec, OutputSpec, Problem, Resolved,
    Role, StageKind, Uses,
};

use enough::{check_enough, warnings};
pub use params::Params;
use report::Report;
use review::Review;
use separate::separate;

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

static INPUTS: [InputSpec; 5] = [
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
    InputSpec {
        many: false,
        ..input(
            OVERRIDES,
            &[ArtifactType::File],
            "decisions of a review: rows to be dropped or labelled anew",
        )
    },
];

const OVERRIDES: &str = "overrides";

impl StageKind for Prepare {
    fn name(&self) -> &'static str {
        "prepare"
    }

    fn version(&self) -> u32 {
        3
    }

    fn uses(&self) -> Uses {
        Uses {
            seed: true,
            labels: true,
            precision: false,
            lineage: false,
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

    fn duty(&self, params: &Value) -> Duty {
        Duty::Separates {
            golden: "golden",
            off: (params.get("leak_guard").and_then(Value::as_str) == Some("off"))
                .then_some("leak_guard: off"),
        }
    }

    fn role(&self, name: &str) -> Role {
        match name {
            "overrides" => Role::Decisions,
            _ => Role::Learnt,
        }
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
        outputs.push(OutputSpec::new("leaks.parquet", ArtifactType::Table));
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
    let mut report = Report::new(&splits, labels, params);
    review(ctx, &mut splits, &mut report)?;
    let started = Instant::now();
    let leaks = separate(ctx, params, &mut splits, &mut report)?;
    let compare_seconds = started.elapsed().as_secs_f64();
    report.count(&leaks);
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
    dataset::write_leaks(&ctx.output("leaks.parquet")?, &leaks)?;
    ctx.write_json("report.json", &report)?;
    Ok(Completion {
        headline: Some(report.headline()),
        timings: BTreeMap::from([("compare_seconds".to_owned(), compare_seconds.into())]),
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

fn review(ctx: &Context, splits: &mut Splits, report: &mut Report) -> Result<(), Failure> {
    for item in ctx.inputs(OVERRIDES) {
        let overrides = Overrides::read(item, ctx.labels(), ctx.task())?;
        let review = Review::apply(&overrides, splits, ctx.labels());
        for warning in review.warnings(&item.name) {
            ctx.warn(&warning);
            report.warnings.push(warning);
        }
        report.overrides = Some(review);
    }
    Ok(())
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
