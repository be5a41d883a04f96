//! `pipeline review import`: decisions that come back are checked, merged with those before, and written down.

use dataset::{Override, Overrides};
use stage::{ArtifactType, Format, InputItem, SourceOptions, grouped};

use super::args::ImportArgs;
use super::decisions::Proposals;
use super::rows::failed;
use super::settle::{Counts, Rows, settle};
use super::subject::Subject;
use super::{edited, label_studio};
use crate::error::{CliError, Exit};
use crate::output;

pub(super) fn import(args: &ImportArgs) -> Result<(), CliError> {
    let subject = Subject::find(&args.project, &args.stage)?;
    let history = subject.history()?;
    subject.require_own_history(&history)?;
    if !args.reviewed.is_file() {
        return Err(CliError::new(
            Exit::Missing,
            format!("no file `{}`", args.reviewed.display()),
        ));
    }
    let before = history.decisions(&subject.dag)?;
    let (proposals, version) = match Format::from_path(&args.reviewed) {
        Some(Format::Parquet) => edited::read(&subject, args, &before)?,
        Some(Format::Json) => {
            let proposals = label_studio::read(&args.reviewed, &subject.dag.labels, subject.dag.task)?;
            (proposals, subject.version()?)
        }
        _ => (csv(args, &subject)?, subject.version()?),
    };
    let tables = subject.tables(&version)?;
    let known = Rows::find(&subject, &tables, &proposals.decisions)?;
    let settled = settle(
        &subject,
        proposals,
        &known,
        &before,
        &args.reviewed.display().to_string(),
    )?;
    let merged = Merged::new(before, settled.decisions);
    say_counts(&settled.counts, &merged, settled.undecided, &settled.notes)?;
    if merged.added + merged.replaced == 0 {
        return match history.newest() {
            Some(newest) if merged.same > 0 => output::print_line(&format!(
                "nothing new: {} holds all of them",
                history.name_of(&newest.path)
            )),
            _ => output::print_line("nothing to write"),
        };
    }
    if args.dry_run {
        return output::print_line("nothing was written (--dry-run)");
    }
    let path = history.add(&merged.all.to_csv(&subject.dag.labels))?;
    output::print_line(&format!(
        "{}: {} in all; it is your work: put it under version control",
        history.name_of(&path),
        decisions(merged.all.len() as u64)
    ))?;
    say_next(args, &subject)
}

fn csv(args: &ImportArgs, subject: &Subject) -> Result<Proposals, CliError> {
    let item = InputItem {
        path: args.reviewed.clone(),
        name: args.reviewed.display().to_string(),
        artifact_type: ArtifactType::File,
        options: SourceOptions {
            encoding: args.encoding.clone(),
            ..SourceOptions::default()
        },
    };
    let file = dataset::read_review(&item, &subject.dag.labels, subject.dag.task).map_err(failed)?;
    Ok(file.into())
}

/// What is decided now, and what of it is new.
struct Merged {
    all: Overrides,
    added: u64,
    replaced: u64,
    same: u64,
}

impl Merged {
    fn new(before: Overrides, decisions: Vec<(String, Override)>) -> Self {
        let mut merged = Self {
            all: before,
            added: 0,
            replaced: 0,
            same: 0,
        };
        for (id, decision) in decisions {
            let count = match merged.all.by_id(&id) {
                None => &mut merged.added,
                Some(earlier) if *earlier == decision => &mut merged.same,
                Some(_) => &mut merged.replaced,
            };
            *count += 1;
            merged.all.insert(&id, decision);
        }
        merged
    }
}

/// `34 decisions: 12 keep, 15 drop, 7 labels; 3 replace earlier ones`.
fn say_counts(counts: &Counts, merged: &Merged, undecided: u64, notes: &[String]) -> Result<(), CliError> {
    let all = counts.keep + counts.drop + counts.label;
    let parts: Vec<String> = [
        (counts.keep, "keep"),
        (counts.drop, "drop"),
        (counts.label, if counts.label == 1 { "label" } else { "labels" }),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", grouped(count)))
    .collect();
    let mut text = decisions(all);
    if !parts.is_empty() {
        text.push_str(&format!(": {}", parts.join(", ")));
    }
    let are = |count: u64, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{} {many}", grouped(count)),
    };
    let mut more = Vec::new();
    if merged.replaced > 0 {
        more.push(are(
            merged.replaced,
            "replaces an earlier one",
            "replace earlier ones",
        ));
    }
    if merged.same > 0 {
        more.push(are(merged.same, "is known already", "are known already"));
    }
    if undecided > 0 {
        more.push(are(
            undecided,
            "row without a decision",
            "rows without a decision",
        ));
    }
    more.extend(notes.iter().cloned());
    for more in more {
        text.push_str(&format!("; {more}"));
    }
    output::print_line(&text)
}

/// What the next run does.
fn say_next(args: &ImportArgs, subject: &Subject) -> Result<(), CliError> {
    let dag = args.project.load()?;
    let plan = dag::status(&dag, &subject.store)?;
    let runs: Vec<&str> = plan
        .stages
        .iter()
        .filter(|planned| planned.report.action == dag::Action::Run)
        .map(|planned| planned.report.stage.as_str())
        .collect();
    if runs.is_empty() {
        return Ok(());
    }
    output::print_line(&format!("next: `pipeline run` runs {}", runs.join(", ")))
}

fn decisions(count: u64) -> String {
    match count {
        1 => "1 decision".to_owned(),
        count => format!("{} decisions", grouped(count)),
    }
}

#[cfg(test)]
mod tests {
    use dataset::Verdict;

    use super::*;

    fn drop(note: &str) -> Override {
        Override {
            verdict: Verdict::Drop,
            text: "글".to_owned(),
            note: note.to_owned(),
        }
    }

    #[test]
    fn the_newest_decision_about_a_row_wins() {
        let before: Overrides = [("a".to_owned(), drop("")), ("b".to_owned(), drop(""))]
            .into_iter()
            .collect();
        let keep = Override {
            verdict: Verdict::Keep,
            ..drop("")
        };
        let now = vec![
            ("a".to_owned(), keep.clone()),
            ("b".to_owned(), drop("")),
            ("c".to_owned(), drop("")),
        ];
        let merged = Merged::new(before, now);
        assert_eq!((merged.added, merged.replaced, merged.same), (1, 1, 1));
        assert_eq!(merged.all.by_id("a"), Some(&keep));
        assert_eq!(merged.all.len(), 3);
    }
}
