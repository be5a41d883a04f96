//! "Tests" that are programs for the other tests: they do nothing unless their variable is set.

use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::script::KINDS;

/// Set: this process is a stage; the last argument is its invocation.
pub(crate) const STAGE: &str = "DAG_TEST_STAGE";
/// Set: this process is a runner for the project in this folder.
pub(crate) const RUNNER: &str = "DAG_TEST_RUNNER";
/// Set: how long the runner's first stage takes, in milliseconds.
pub(crate) const SLEEP: &str = "DAG_TEST_SLEEP";
/// Set: the runner's first stage marks its work folder.
pub(crate) const WORK: &str = "DAG_TEST_WORK";

#[test]
fn stage_process() {
    if std::env::var_os(STAGE).is_none() {
        return;
    }
    println!(); // The test harness may have left a line open.
    let invocation = std::env::args_os().next_back().unwrap();
    let result = stage::run_child(Path::new(&invocation), &KINDS);
    std::process::exit(i32::from(result.is_err()));
}

#[test]
fn runner_process() {
    let Some(folder) = std::env::var_os(RUNNER) else {
        return;
    };
    let mut project = Project::chain_in(PathBuf::from(folder));
    if let Ok(milliseconds) = std::env::var(SLEEP) {
        project.set("first", "sleep_ms", milliseconds.parse::<u64>().unwrap());
    }
    if std::env::var_os(WORK).is_some() {
        project.set("first", "work", true);
    }
    let outcome = project.run();
    std::process::exit(i32::from(outcome.outcome != dag::Outcome::Done));
}
