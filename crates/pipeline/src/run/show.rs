//! A plan and a run in words.

use std::path::Path;

use dag::{Action, Dag, News, Observer, Plan, RunOutcome, StageReport};
use stage::Failure;
use unicode_width::UnicodeWidthStr;

use crate::terminal::{Terminal, print_error};
use crate::words;

/// Shows a run on standard error while it goes on.
pub(crate) struct Shown {
    terminal: Terminal,
}

impl Shown {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self { terminal }
    }

    /// A line about what is done next; `--quiet` suppresses it.
    pub(crate) fn note(&self, text: &str) {
        self.terminal.note(text);
    }

    /// One line: how many stages run, and how long that will take.
    pub(super) fn plan(&self, plan: &Plan) {
        let runs = plan
            .stages
            .iter()
            .filter(|planned| planned.report.action == Action::Run);
        let (mut names, mut known) = (Vec::new(), true);
        for planned in runs {
            names.push(planned.report.stage.as_str());
            known &= planned.report.estimated_seconds.is_some();
        }
        if names.is_empty() {
            return;
        }
        let mut line = format!("to run: {}", names.join(", "));
        if known {
            line.push_str(&format!(
                " (about {} by their last runs)",
                words::seconds(plan.estimated_seconds())
            ));
        }
        self.terminal.note(&line);
    }
}

impl Observer for Shown {
    fn observe(&mut self, news: &News<'_>) {
        match news {
            News::RunStarted { run } => tracing::debug!(run, "run started"),
            News::StageStarted {
                stage,
                position,
                of,
                reasons,
                estimated_seconds,
            } => {
                let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                let estimate = estimated_seconds
                    .map(|s| format!(", about {}", words::seconds(s)))
                    .unwrap_or_default();
                self.terminal.note(&format!(
                    "[{position}/{of}] {stage}: {}{estimate}",
                    why.join("; ")
                ));
            }
            News::StageEvent { stage, event } => self.terminal.event(stage, event),
            News::StageDone { report, position, of } => {
                self.terminal.clear(&report.stage);
                if report.action == Action::Run {
                    let line = stage_line(report, report.stage.width());
                    self.terminal.note(&format!("[{position}/{of}] {line}"));
                }
            }
            News::StageFailed { stage, failure, log } => {
                self.terminal.clear(stage);
                self.terminal.line(&failure_text(stage, failure, *log));
            }
            News::StageBlocked { report } => {
                let why: Vec<String> = report.reasons.iter().map(ToString::to_string).collect();
                self.terminal
                    .note(&format!("{}: blocked: {}", report.stage, why.join("; ")));
            }
            News::Warning { stage, text } => self.terminal.line(&format!("warning: {stage}: {text}")),
            News::Interrupted { .. } => print_error("interrupted: ending the running stage\n"),
        }
    }
}

fn failure_text(stage: &str, failure: &Failure, log: Option<&Path>) -> String {
    let mut text = format!("error: stage `{stage}`: {}", failure.message);
    for hint in &failure.hints {
        text.push_str(&format!("\nhint: {hint}"));
    }
    if let Some(log) = log {
        text.push_str(&format!("\n  log: {}", log.display()));
    }
    text
}

/// A line per stage of a plan with the reasons.
pub(crate) fn plan_lines(plan: &Plan) -> String {
    let width = widest(plan.stages.iter().map(|planned| &planned.report));
    let mut text = String::new();
    for planned in &plan.stages {
        let report = &planned.report;
        let mut line = match report.action {
            Action::Reuse => stage_line(report, width),
            Action::Run | Action::Blocked => {
                let reasons: Vec<String> = report.reasons.iter().map(ToString::to_string).collect();
                format!(
                    "{:7} {}  {}",
                    action_word(report.action),
                    pad(&report.stage, width),
                    reasons.join("; ")
                )
            }
        };
        if let (Action::Run, Some(seconds)) = (report.action, report.estimated_seconds) {
            line.push_str(&format!(" (about {})", words::seconds(seconds)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
        for note in &report.notes {
            text.push_str(&format!("        note: {note}\n"));
        }
    }
    text
}

/// What `run` prints at its end: a line per stage, then the path of the report.
pub(super) fn summary(outcome: &RunOutcome, dag: &Dag) -> String {
    let width = widest(&outcome.stages);
    let mut text = String::new();
    for report in &outcome.stages {
        text.push_str(stage_line(report, width).trim_end());
        text.push('\n');
        for note in &report.notes {
            text.push_str(&format!("        note: {note}\n"));
        }
    }
    if let Some(path) = last_report(outcome, dag) {
        text.push_str(&format!("{path}\n"));
    }
    text
}

/// The html report of the last stage that makes one.
fn last_report(outcome: &RunOutcome, dag: &Dag) -> Option<String> {
    outcome.stages.iter().rev().find_map(|report| {
        let spec = &dag.stages[dag.index_of(&report.stage)?];
        let html = spec
            .outputs
            .iter()
            .find(|output| output.file.ends_with(".html"))?;
        let file = report.path.as_ref()?.join(&html.file);
        Some(crate::output::relative(&file).display().to_string())
    })
}

fn stage_line(report: &StageReport, width: usize) -> String {
    let version = report.version.as_deref().unwrap_or("-");
    let seconds = report.seconds.map(words::seconds).unwrap_or_default();
    let headline = report.headline.as_deref().unwrap_or_default();
    format!(
        "{:7} {}  {version:13}  {seconds:>10}  {headline}",
        action_word(report.action),
        pad(&report.stage, width)
    )
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Run => "run",
        Action::Reuse => "reuse",
        Action::Blocked => "blocked",
    }
}

fn widest<'a>(reports: impl IntoIterator<Item = &'a StageReport>) -> usize {
    reports
        .into_iter()
        .map(|report| report.stage.width())
        .max()
        .unwrap_or(0)
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
