//! `pipeline status` and `explain`.

use crate::args::{ExplainArgs, StatusArgs};
use crate::error::CliError;
use crate::output;
use crate::run::plan_lines;

pub(crate) fn status(args: &StatusArgs) -> Result<(), CliError> {
    let dag = args.project.load()?;
    let plan = dag::status(&dag, &args.project.store()?)?;
    if args.json {
        output::print_json(&plan.document())
    } else {
        output::print(&plan_lines(&plan))
    }
}

pub(crate) fn explain(args: &ExplainArgs) -> Result<(), CliError> {
    let dag = args.project.load()?;
    let explanation = dag::explain(&dag, &args.project.store()?, &args.stage)?;
    if args.json {
        return output::print_json(&explanation.document());
    }
    let report = &explanation.stage.report;
    let mut text = match (&report.version, explanation.is_current()) {
        (Some(version), true) => format!("{}: current, {version}\n", args.stage),
        _ => format!("{}: stale\n", args.stage),
    };
    for reason in explanation.reasons() {
        text.push_str(&format!("  {reason}\n"));
    }
    for note in &report.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
    output::print(&text)
}
