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
    output::print_line(&format!(
        "{}: ok, {} stages: {}",
        args.file.display(),
        stages.len(),
        stages.join(", ")
    ))
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
