//! Two runs: what each did about every stage, and the golden reports that came of them.

use dag::{Action, StageReport, Store, VersionName};
use report::{Cell, Rows, Section};

use super::subject::{Run, Subject};
use super::{Findings, evaluation};
use crate::error::CliError;
use crate::words;

pub(super) fn compare(store: &Store, a: &Run, b: &Run, limit: usize) -> Result<Findings, CliError> {
    let (first, second) = (&a.record.stages, &b.record.stages);
    let mut names: Vec<&String> = first.iter().map(|report| &report.stage).collect();
    for report in second {
        if !names.contains(&&report.stage) {
            names.push(&report.stage);
        }
    }
    let of = |reports: &'_ [StageReport], name: &str| -> Option<StageReport> {
        reports.iter().find(|report| report.stage == name).cloned()
    };
    let row = |name: &&String| {
        let cells = [of(first, name), of(second, name)].map(|report| match report {
            Some(report) => cells(&report),
            None => [Cell::Empty, Cell::Empty, Cell::Empty],
        });
        std::iter::once(Cell::Text((*name).clone()))
            .chain(cells.into_iter().flatten())
            .collect()
    };
    let columns = [
        "stage",
        "version A",
        "action A",
        "took A",
        "version B",
        "action B",
        "took B",
    ];
    let mut findings = Findings {
        warnings: Vec::new(),
        sections: vec![Section {
            title: "stages".to_owned(),
            notes: vec![
                format!("A: pipeline {}", line(a)),
                format!("B: pipeline {}", line(b)),
            ],
            tables: vec![Rows {
                title: "what was done".to_owned(),
                of: names.len() as u64,
                columns: columns.map(str::to_owned).to_vec(),
                rows: names.iter().map(row).collect(),
            }],
            ..Section::default()
        }],
    };
    for name in names {
        let (Some(one), Some(other)) = (of(first, name), of(second, name)) else {
            continue;
        };
        if one.kind != "evaluate" || other.kind != "evaluate" {
            continue;
        }
        let (Some(one), Some(other)) = (version(store, &one), version(store, &other)) else {
            findings.warnings.push(format!(
                "the report of `{name}` is no longer in the store for both"
            ));
            continue;
        };
        if one.path() == other.path() {
            let mut section = Section {
                title: name.clone(),
                ..Section::default()
            };
            section.notes.push(format!("both runs end in `{}`", one.name()));
            findings.sections.push(section);
            continue;
        }
        let found = evaluation::compare(&one, &other, limit)?;
        findings.warnings.extend(
            found
                .warnings
                .into_iter()
                .map(|warning| format!("{name}: {warning}")),
        );
        findings
            .sections
            .extend(found.sections.into_iter().map(|section| Section {
                title: format!("{name}: {}", section.title),
                ..section
            }));
    }
    Ok(findings)
}

fn cells(report: &StageReport) -> [Cell; 3] {
    let action = match (report.action, &report.failure) {
        (_, Some(_)) => "failed",
        (Action::Run, None) => "run",
        (Action::Reuse, None) => "reuse",
        (Action::Blocked, None) => "blocked",
    };
    let text = |text: Option<String>| text.map_or(Cell::Empty, Cell::Text);
    [
        text(report.version.clone()),
        Cell::Text(action.to_owned()),
        text(report.seconds.map(words::seconds)),
    ]
}

/// What was typed, without the program.
fn line(run: &Run) -> String {
    let words = run.record.command_line.iter().skip(1).map(String::as_str);
    words.collect::<Vec<_>>().join(" ")
}

fn version(store: &Store, report: &StageReport) -> Option<Subject> {
    let name = VersionName::parse(report.version.as_deref()?)?;
    let version = store.load(&report.stage, &name).ok()?;
    Some(Subject::Version(Box::new(version)))
}
