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

use dag::{Dag, Selection};

use crate::args::{SweepArgs, Verbosity};
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
    let target = Target::choose(args, &grid, &args.project.load_with(points[0].overrides())?)?;
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
    let measured = bench.measure(&grid, &points, &trials);
    let document = measured.map(|points| Document::new(&target, args.folds, points));
    latest.restore(&engine, document.as_ref().ok().and_then(Document::best_versions))?;
    let mut document = document?;
    pictures::keep(&store, &grid, &points, &mut document)?;
    drop(engine);

    if args.json {
        output::print_json(&document)?;
    } else {
        output::print(&document.text(&grid, &points, verbosity.verbose > 0))?;
    }
    document.failed(&grid, &points).map_or(Ok(()), Err)
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
