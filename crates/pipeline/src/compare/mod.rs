//! `pipeline compare`: two versions, runs or reports side by side.

pub(crate) mod args;
mod evaluation;
mod figures;
mod lineage;
mod paired;
mod runs;
mod scores;
mod selection;
mod subject;
mod text;
mod training;

use report::{Section, SideBySide};
use serde::Serialize;

use self::args::CompareArgs;
use self::lineage::StageDifference;
use self::subject::Subject;
use crate::error::{CliError, Exit};
use crate::output;

/// Rows of each sort that people are shown on a terminal.
const SHOWN: usize = 10;
/// Rows of each sort in documents.
const WRITTEN: usize = 1000;

pub(crate) fn compare(args: &CompareArgs) -> Result<(), CliError> {
    let store = args.project.store()?;
    let a = Subject::find(&store, &args.a)?;
    let b = Subject::find(&store, &args.b)?;
    let limit = match (args.all, args.limit) {
        (true, _) => usize::MAX,
        (_, Some(limit)) => limit,
        _ if args.json || args.html.is_some() => WRITTEN,
        _ => SHOWN,
    };
    let compared = compared(&store, &a, &b, limit)?;
    if let Some(path) = &args.html {
        let html = report::compare_html(&compared.side_by_side).map_err(unwritable)?;
        std::fs::write(path, html).map_err(|error| CliError::io(path, &error))?;
    }
    if args.json {
        return output::print_json(&compared);
    }
    let shown = args.limit.unwrap_or(SHOWN);
    output::print(&text::show(
        &compared.side_by_side,
        if args.all { usize::MAX } else { shown },
        args.all,
    ))?;
    match &args.html {
        Some(path) => output::print_line(&format!("\n{}", path.display())),
        None => Ok(()),
    }
}

/// The answer of `--json`.
#[derive(Serialize)]
struct Compared {
    schema_version: u32,
    #[serde(flatten)]
    side_by_side: SideBySide,
    differences: Vec<StageDifference>,
}

/// What a kind of subject has to show.
#[derive(Default)]
struct Findings {
    warnings: Vec<String>,
    sections: Vec<Section>,
}

fn compared(store: &dag::Store, a: &Subject, b: &Subject, limit: usize) -> Result<Compared, CliError> {
    let kind = common_kind(a, b)?;
    let differences = lineage::differences(store, a, b);
    let mut warnings = Vec::new();
    if a.path() == b.path() {
        warnings.push(format!("A and B are the same: `{}`", a.name()));
    }
    let found = match (a, b) {
        (Subject::Run(a), Subject::Run(b)) => runs::compare(store, a, b, limit)?,
        _ => of_kind(kind, a, b, limit)?,
    };
    warnings.extend(found.warnings);
    let words = |difference: &StageDifference| {
        let reasons = difference.reasons.iter().map(ToString::to_string);
        (difference.title(), reasons.collect())
    };
    Ok(Compared {
        schema_version: 1,
        side_by_side: SideBySide {
            kind: kind.to_owned(),
            a: a.side(store),
            b: b.side(store),
            warnings,
            differences: differences.iter().map(words).collect(),
            sections: found.sections,
        },
        differences,
    })
}

fn of_kind(kind: &str, a: &Subject, b: &Subject, limit: usize) -> Result<Findings, CliError> {
    match kind {
        "evaluate" => evaluation::compare(a, b, limit),
        "fine_tune" => training::compare(a, b, limit),
        "select" => selection::compare(a, b, limit),
        "score" => scores::compare(a, b, limit),
        _ => figures::of_reports(a, b),
    }
}

/// Only what is alike can stand side by side.
fn common_kind<'a>(a: &'a Subject, b: &Subject) -> Result<&'a str, CliError> {
    let (kind, other) = (a.kind(), b.kind());
    if kind == other {
        return Ok(kind);
    }
    let words = |subject: &Subject| match subject {
        Subject::Run(_) => format!("`{}` is a run", subject.name()),
        Subject::Report { .. } => format!("`{}` is a report of `evaluate`", subject.name()),
        Subject::Version(_) => format!("`{}` is of kind `{}`", subject.name(), subject.kind()),
    };
    let message = format!("{} and {}", words(a), words(b));
    Err(CliError::new(Exit::Usage, message)
        .hint("compare two versions of one kind, two runs, or two reports"))
}

fn unwritable(error: report::ReportError) -> stage::Failure {
    let cause = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    stage::Failure::stage(format!("{error}: {cause}"))
}
