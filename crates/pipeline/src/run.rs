//! `pipeline run`: the plan, its execution, and what is said about both.

mod show;

use std::ffi::OsString;
use std::time::Duration;

use dag::{Dag, Interrupt, LockError, Options, Outcome, Plan, RunOutcome, Selection, Store, Wait};

use crate::args::RunArgs;
use crate::error::{CliError, Exit};
use crate::output;
use crate::terminal::Terminal;

pub(crate) use show::plan_lines;

pub(crate) fn run(args: &RunArgs, quiet: bool) -> Result<(), CliError> {
    let dag = args.project.load()?;
    let store = args.project.store()?;
    let plan = plan(args, &dag, &store)?;
    if args.dry_run {
        return print_plan(args, &plan);
    }
    let interrupt = Interrupt::install()
        .map_err(|error| CliError::new(Exit::Storage, format!("cannot listen for signals: {error}")))?;
    let terminal = Terminal::new(quiet);
    let command_line: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let lock = store
        .lock(&command_line.join(" "), wait(args), &interrupt, &mut |holder| {
            terminal.line(&format!("waiting for another run: {holder}"));
        })
        .map_err(not_locked)?;
    // Another run may have changed the store while this one waited.
    let plan = self::plan(args, &dag, &store)?;
    let mut options = Options::new(stage_command()?);
    options.jobs = usize::from(args.jobs);
    options.interrupt = interrupt;
    options.command_line = command_line;
    let mut shown = show::Shown::new(terminal);
    shown.plan(&plan);
    let outcome = dag::execute(&plan, &dag, &store, &lock, &options, &mut shown)?;
    drop(lock);
    if args.json {
        output::print_json(&outcome.document())?;
    } else {
        output::print(&show::summary(&outcome, &dag))?;
    }
    ended(&outcome)
}

fn plan(args: &RunArgs, dag: &Dag, store: &Store) -> Result<Plan, CliError> {
    let selection = Selection {
        targets: args.stages.clone(),
        force: args.force,
        from: args.from.clone(),
        only: args.only.clone(),
        keep_going: args.keep_going,
    };
    Plan::new(dag, store, &selection).map_err(CliError::from)
}

fn print_plan(args: &RunArgs, plan: &Plan) -> Result<(), CliError> {
    if args.json { output::print_json(&plan.document()) } else { output::print(&plan_lines(plan)) }
}

fn wait(args: &RunArgs) -> Wait {
    match args.wait {
        Some(Some(seconds)) => Wait::AtMost(Duration::from_secs(seconds)),
        Some(None) | None => Wait::Forever,
    }
}

/// This program with the hidden subcommand.
fn stage_command() -> Result<Vec<OsString>, CliError> {
    let program = std::env::current_exe()
        .map_err(|error| CliError::new(Exit::Missing, format!("cannot find this program's file: {error}")))?;
    Ok(vec![program.into_os_string(), "__stage".into()])
}

fn not_locked(error: LockError) -> CliError {
    match error {
        LockError::Interrupted { signal } => CliError::silent(signal_exit(signal)),
        LockError::Store(failure) => failure.into(),
        busy @ LockError::Busy { .. } => CliError::new(Exit::Storage, format!("another run has the store: {busy}"))
            .hint("without --wait=0 this run waits; --artifacts DIR names another store"),
    }
}

fn signal_exit(signal: i32) -> Exit {
    if signal == signal_hook::consts::SIGTERM { Exit::Terminated } else { Exit::Interrupted }
}

/// The exit code of a run that was executed; what failed has been said already.
fn ended(outcome: &RunOutcome) -> Result<(), CliError> {
    match outcome.outcome {
        Outcome::Done => Ok(()),
        Outcome::Gate => {
            let gates: Vec<&str> = outcome.gates_failed().map(|(_, gate)| gate).collect();
            Err(CliError::new(Exit::GateNotMet, format!("gate not met: {}", gates.join("; "))))
        }
        Outcome::Interrupted => Err(CliError::silent(signal_exit(outcome.signal.unwrap_or_default()))),
        Outcome::Failed => {
            let exit = match outcome.failures().next() {
                Some((_, failure)) if failure.kind == stage::FailureKind::Storage => Exit::Storage,
                _ => Exit::StageFailed,
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
