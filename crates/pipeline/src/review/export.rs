//! `pipeline review export`: the file that people fill.

use std::path::Path;

use dag::Version;
use dataset::SpreadsheetWriter;
use stage::{Format, grouped};

use super::args::ExportArgs;
use super::choice::{Candidate, Wish, choose};
use super::history;
use super::label_studio;
use super::subject::{Kind, Subject};
use crate::error::{CliError, Exit};
use crate::output;

pub(super) fn export(args: &ExportArgs) -> Result<(), CliError> {
    let format = Format::from_path(&args.to).filter(|format| matches!(format, Format::Csv | Format::Json));
    let Some(format) = format else {
        return Err(CliError::new(
            Exit::Usage,
            format!(
                "`{}`: rows go out as csv, or as json for Label Studio",
                args.to.display()
            ),
        )
        .hint("end the name with `.csv` or `.json`"));
    };
    if args.to.exists() && !args.force {
        return Err(history::exists(&args.to));
    }
    let subject = Subject::find(&args.project, &args.stage)?;
    let wish = Wish::of(args, &subject)?;
    let version = subject.whole_version()?;
    let candidates = choose(&subject, &version, &wish)?;
    if candidates.is_empty() {
        return Err(CliError::new(
            Exit::StageFailed,
            format!("no row of `{}` is what was asked for", version.reference()),
        ));
    }
    let content = match format {
        Format::Json => label_studio::tasks(&candidates, &version.reference())?,
        _ => csv(&candidates, subject.kind),
    };
    history::write_new(&args.to, &content, args.force)?;
    say(args, &subject, &version, &candidates, format)
}

fn csv(candidates: &[Candidate], kind: Kind) -> Vec<u8> {
    let columns: &[&str] = match kind {
        Kind::Select => &[
            "id",
            "text",
            "pred_emotion",
            "pred_conf",
            "pred_margin",
            "pred_second",
            "why",
            "decision",
            "label",
            "note",
        ],
        Kind::Prepare => &["id", "text", "given_label", "why", "decision", "label", "note"],
    };
    let mut writer = SpreadsheetWriter::new(columns);
    for row in candidates {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let labels = row.labels.join(",");
        let (confidence, margin) = (number(row.confidence), number(row.margin));
        let predicted = [&confidence, &margin, row.second.as_deref().unwrap_or_default()];
        let predicted: &[&str] = if kind == Kind::Select { &predicted } else { &[] };
        let before = [row.id.as_str(), &row.text, &labels];
        let after = [row.why.as_str(), "", "", ""];
        writer.row(before.iter().chain(predicted).chain(&after).copied());
    }
    writer.finish()
}

fn say(
    args: &ExportArgs,
    subject: &Subject,
    version: &Version,
    candidates: &[Candidate],
    format: Format,
) -> Result<(), CliError> {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for candidate in candidates {
        for why in candidate.why.split("; ") {
            let why = if why.contains("sample of ") {
                "samples of classes"
            } else {
                why
            };
            match counts.iter_mut().find(|(other, _)| *other == why) {
                Some((_, count)) => *count += 1,
                None => counts.push((why, 1)),
            }
        }
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(why, count)| format!("{} {why}", grouped(*count)))
        .collect();
    output::print_line(&format!(
        "{}: {} rows of {} ({})",
        args.to.display(),
        grouped(candidates.len() as u64),
        version.reference(),
        counts.join(", ")
    ))?;
    if format == Format::Json {
        output::print_line("labelling interface for Label Studio:")?;
        output::print(&label_studio::interface(&subject.dag.labels, subject.dag.task))?;
    } else {
        output::print_line(
            "fill `decision` with keep, drop or label (then `label`); rows left empty are not decided",
        )?;
    }
    output::print_line(&format!(
        "then: pipeline review import {} {}",
        subject.name(),
        shown(&args.to)
    ))
}

/// The path as it can be typed.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains([' ', '\'', '"', '$']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        text
    }
}
