//! `pipeline run`: the plan, its execution, and what is said about both.

mod engine;
mod show;

use dag::{Dag, Outcome, Plan, RunOutcome, Selection, Store};

use crate::args::RunArgs;
use crate::error::{CliError, Exit};
use crate::hub_models;
use crate::output;
use crate::terminal::Terminal;

pub(crate) use engine::{Engine, signal_exit};
pub(crate) use show::{Shown, plan_lines};

pub(crate) fn run(args: &RunArgs, quiet: bool) -> Result<(), CliError> {
    let mut dag = args.project.load()?;
    crate::check::warn(&dag);
    let store = args.project.store()?;
    let plan = plan(args, &dag, &store)?;
    if args.dry_run {
        return print_plan(args, &plan);
    }
    let mut terminal = Terminal::new(quiet);
    let engine = Engine::start(&store, args.jobs, args.wait, &terminal)?;
    hub_models::prepare(
        &engine,
        &mut dag,
        &selection(args),
        args.update_hub,
        &mut terminal,
    )?;
    // Another run may have changed the store while this one waited.
    let plan = self::plan(args, &dag, &store)?;
    let mut shown = show::Shown::new(terminal);
    shown.plan(&plan);
    let outcome = engine.execute(&plan, &dag, &mut shown)?;
    drop(engine);
    if args.json {
        output::print_json(&outcome.document())?;
    } else {
        output::print(&show::summary(&outcome, &dag))?;
    }
    ended(&outcome)
}

fn plan(args: &RunArgs, dag: &Dag, store: &Store) -> Result<Plan, CliError> {
    Plan::new(dag, store, &selection(args)).map_err(CliError::from)
}

fn selection(args: &RunArgs) -> Selection {
    Selection {
        targets: args.stages.clone(),
        force: args.force,
        from: args.from.clone(),
        only: args.only.clone(),
        keep_going: args.keep_going,
    }
}

fn print_plan(args: &RunArgs, plan: &Plan) -> Result<(), CliError> {
    if args.json {
        output::print_json(&plan.document())
    } else {
        output::print(&plan_lines(plan))
    }
}

/// The exit code of a run that was executed; what failed has been said already.
pub(crate) fn ended(outcome: &RunOutcome) -> Result<(), CliError> {
    match outcome.outcome {
        Outcome::Done => Ok(()),
        Outcome::Gate => {
            let gates: Vec<&str> = outcome.gates_failed().map(|(_, gate)| gate).collect();
            Err(CliError::new(
                Exit::GateNotMet,
                format!("gate not met: {}", gates.join("; ")),
            ))
        }
        Outcome::Interrupted => Err(CliError::silent(signal_exit(outcome.signal.unwrap_or_default()))),
        Outcome::Failed => {
            let exit = match outcome.failures().next().map(|(_, failure)| failure.kind) {
                Some(stage::FailureKind::Storage) => Exit::Storage,
                Some(stage::FailureKind::Missing) => Exit::Missing,
                Some(stage::FailureKind::Stage) | None => Exit::StageFailed,
            };
            Err(CliError::silent(exit))
        }
    }
}

impl From<dag::PlanError> for CliError {
    fn from(error: dag::PlanError) -> Self {
        let dag::PlanError::UnknownStage { hint, .. } = &error;
        Self::new(Exit::Usage, &error).hint(hint)
    }
}
