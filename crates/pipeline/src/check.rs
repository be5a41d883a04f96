//! `pipeline check`, `graph`, `schema`: nothing is run.

use crate::args::{GraphArgs, GraphFormat, ProjectArgs};
use crate::error::CliError;
use crate::kinds::KINDS;
use crate::output;

pub(crate) fn check(args: &ProjectArgs) -> Result<(), CliError> {
    let dag = args.load()?;
    let stages: Vec<&str> = dag
        .order
        .iter()
        .map(|&index| dag.stages[index].name.as_str())
        .collect();
    warn(&dag);
    let warnings = match dag.warnings.len() {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        several => format!(", {several} warnings"),
    };
    output::print_line(&format!(
        "{}: ok, {} stages: {}{warnings}",
        args.file.display(),
        stages.len(),
        stages.join(", ")
    ))
}

/// What the user should look at in the pipeline file, on standard error.
pub(crate) fn warn(dag: &dag::Dag) {
    for warning in &dag.warnings {
        crate::terminal::print_error(&format!("{warning}\n\n"));
    }
}

pub(crate) fn graph(args: &GraphArgs) -> Result<(), CliError> {
    let dag = args.project.load()?;
    let drawing = match args.format {
        GraphFormat::Ascii => dag::graph::ascii(&dag),
        GraphFormat::Mermaid => dag::graph::mermaid(&dag),
        GraphFormat::Dot => dag::graph::dot(&dag),
    };
    output::print(&drawing)
}

pub(crate) fn schema() -> Result<(), CliError> {
    output::print_json(&dag::schema(KINDS))
}
