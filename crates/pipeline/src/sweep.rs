//! `pipeline sweep`: a stage at every point of a grid, and which point is best.
//!
//! A point is the pipeline file with a few values replaced; it is planned and executed as `run` does it, so what was
//! made before is reused.

mod bench;
mod document;
mod grid;
mod latest;
mod pictures;
mod statistics;
mod target;

use std::path::PathBuf;

use dag::{Dag, Selection, Store};

use crate::args::{ProjectArgs, SweepArgs, Verbosity};
use crate::error::{CliError, Exit};
use crate::hub_models;
use crate::output;
use crate::run::{Engine, Shown};
use crate::terminal::Terminal;

use bench::Bench;
use document::Document;
use grid::{Grid, Point, setting};
use latest::Latest;
use target::Target;

/// A point, or one fold of it, as a checked pipeline.
struct Trial {
    /// `2/5`.
    fold: Option<String>,
    dag: Dag,
}

pub(crate) fn sweep(args: &SweepArgs, verbosity: Verbosity) -> Result<(), CliError> {
    let grid = Grid::parse(&args.grid).map_err(|error| CliError::new(Exit::Usage, error))?;
    if grid.axes.is_empty() && args.folds.is_none() {
        let hint = "write e.g. `--grid stages.teacher.params.batch_size=16,32`, or `--folds 5` to cross-validate the file as it is";
        return Err(CliError::new(Exit::Usage, "neither `--grid` nor `--folds` is given").hint(hint));
    }
    let points = grid.points();
    let document = measure(args, verbosity, &grid, &points, |store, document| {
        pictures::keep(store, &grid, &points, document)
    })?;
    if args.json {
        output::print_json(&document)?;
    } else {
        output::print(&document.text(&grid, &points, verbosity.verbose > 0))?;
    }
    document.failed(&grid, &points).map_or(Ok(()), Err)
}

/// A version of a stage that was trained without one part of its training rows.
pub(crate) struct FoldVersion {
    /// `0007-89abcdef`.
    pub(crate) version: String,
    pub(crate) path: PathBuf,
}

/// The versions of the stage for each of the `folds` parts of its training rows, made now or before.
pub(crate) fn fold_versions(
    project: &ProjectArgs,
    stage: &str,
    folds: u16,
    wait: Option<Option<u64>>,
    verbosity: Verbosity,
) -> Result<Vec<FoldVersion>, CliError> {
    let args = SweepArgs {
        project: project.clone(),
        grid: Vec::new(),
        folds: Some(folds),
        stage: Some(stage.to_owned()),
        metric: None,
        wait,
        json: false,
    };
    let grid = Grid::default();
    let points = grid.points();
    let document = measure(&args, verbosity, &grid, &points, |_, _| Ok(()))?;
    let mut versions = Vec::new();
    for point in document.points {
        if let Some(failure) = point.failure {
            return Err(CliError::new(Exit::StageFailed, failure));
        }
        versions.extend(point.runs.into_iter().map(|run| FoldVersion {
            version: run.version,
            path: run.path,
        }));
    }
    Ok(versions)
}

/// Executes all points; `keep` is called while the store is still locked.
fn measure(
    args: &SweepArgs,
    verbosity: Verbosity,
    grid: &Grid,
    points: &[Point],
    keep: impl FnOnce(&Store, &mut Document) -> Result<(), CliError>,
) -> Result<Document, CliError> {
    let target = Target::choose(args, grid, &args.project.load_with(points[0].overrides())?)?;
    let mut trials = points
        .iter()
        .map(|point| trials(args, point, &target))
        .collect::<Result<Vec<_>, _>>()?;

    let store = args.project.store()?;
    let mut terminal = Terminal::new(verbosity.quiet);
    let engine = Engine::start(&store, 1, args.wait, &terminal)?;
    for trial in trials.iter_mut().flatten() {
        // The trials before it may have found out what a branch stands for.
        hub_models::recall(&mut trial.dag, &store)?;
        hub_models::prepare(
            &engine,
            &mut trial.dag,
            &Selection::targets([&target.stage]),
            false,
            &mut terminal,
        )?;
    }
    let latest = Latest::remember(&store, trials.iter().flatten().map(|trial| &trial.dag));
    let mut bench = Bench::new(&engine, &target, Shown::new(terminal));
    let measured = bench.measure(grid, points, &trials);
    let document = measured.map(|points| Document::new(&target, args.folds, points));
    latest.restore(&engine, document.as_ref().ok().and_then(Document::best_versions))?;
    let mut document = document?;
    keep(&store, &mut document)?;
    Ok(document)
}

/// A point once, or once per fold.
fn trials(args: &SweepArgs, point: &Point, target: &Target) -> Result<Vec<Trial>, CliError> {
    let folds: Vec<Option<String>> = match args.folds {
        Some(count) => (1..=count).map(|fold| Some(format!("{fold}/{count}"))).collect(),
        None => vec![None],
    };
    let trial = |fold: Option<String>| {
        let mut overrides = point.overrides();
        let key = format!("stages.{}.params.fold", target.stage);
        overrides.extend(fold.iter().map(|fold| setting(&key, fold)));
        let dag = args.project.load_with(overrides)?;
        target.check(&dag)?;
        Ok(Trial { fold, dag })
    };
    folds.into_iter().map(trial).collect()
}
