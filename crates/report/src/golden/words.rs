//! The result in sentences, for those who read no further.

use classification::{ClassMetrics, GateOutcome, Interval};
use serde::Serialize;

use super::{Comparison, GoldenReport, ModelSection};
use crate::template::{signed, thousands};

/// How a sentence is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    Good,
    Bad,
    Neutral,
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Sentence {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// The verdict, and what qualifies it.
pub(super) fn headline(report: &GoldenReport) -> Vec<Sentence> {
    let subject = match &report.comparison {
        Some(comparison) => report
            .models
            .iter()
            .find(|model| model.name == comparison.candidate),
        None => report.models.last(),
    };
    let mut sentences = vec![match (&report.comparison, subject) {
        (Some(comparison), _) => verdict(comparison, report),
        (None, Some(model)) => result(model, report.rows),
        (None, None) => neutral(format!("{} golden rows, and no model.", thousands(report.rows))),
    }];
    sentences.extend(gates(&report.gates));
    if let Some(model) = subject {
        sentences.extend(weakest(model, &report.labels));
        sentences.push(trust(model));
    }
    sentences
}

fn verdict(comparison: &Comparison, report: &GoldenReport) -> Sentence {
    let Comparison {
        candidate,
        baseline,
        difference,
        interval,
        ..
    } = comparison;
    let (tone, finding) = match interval {
        Some(Interval { low, .. }) if *low > 0.0 => {
            (Tone::Good, format!("{candidate} is better than {baseline}"))
        }
        Some(Interval { high, .. }) if *high < 0.0 => {
            (Tone::Bad, format!("{candidate} is worse than {baseline}"))
        }
        Some(_) => (
            Tone::Neutral,
            format!(
                "These {} golden rows do not tell {candidate} and {baseline} apart",
                thousands(report.rows)
            ),
        ),
        None => (Tone::Neutral, format!("{candidate} against {baseline}")),
    };
    let macro_f1 = |name: &str| {
        let model = report.models.iter().find(|model| model.name == name);
        model.map_or(f64::NAN, |model| model.metrics.macro_f1)
    };
    let interval = interval
        .map(|Interval { low, high }| format!(" (95 % interval {} to {})", signed(low, 4), signed(high, 4)));
    let text = format!(
        "{finding}: macro-F1 {:.4} against {:.4}, a difference of {}{}.",
        macro_f1(candidate),
        macro_f1(baseline),
        signed(*difference, 4),
        interval.unwrap_or_default(),
    );
    Sentence { tone, text }
}

fn result(model: &ModelSection, rows: u64) -> Sentence {
    let interval = model.intervals.as_ref().map(|intervals| {
        let Interval { low, high } = intervals.macro_f1;
        format!(" (95 % interval {low:.4} to {high:.4})")
    });
    neutral(format!(
        "{} reaches macro-F1 {:.4}{} and has {:.1} % of {} golden rows right.",
        model.name,
        model.metrics.macro_f1,
        interval.unwrap_or_default(),
        model.metrics.accuracy * 100.0,
        thousands(rows),
    ))
}

fn gates(gates: &[GateOutcome]) -> Option<Sentence> {
    let failed: Vec<&str> = gates
        .iter()
        .filter(|gate| !gate.passed)
        .map(|gate| gate.gate.as_str())
        .collect();
    let (tone, text) = match (gates.len(), failed.as_slice()) {
        (0, _) => return None,
        (1, []) => (Tone::Good, "The gate is met.".to_owned()),
        (all, []) => (Tone::Good, format!("All {all} gates are met.")),
        (1, [gate]) => (Tone::Bad, format!("The gate is not met: `{gate}`.")),
        (all, failed) => (
            Tone::Bad,
            format!(
                "{} of {all} gates are not met: `{}`.",
                failed.len(),
                failed.join("`; `")
            ),
        ),
    };
    Some(Sentence { tone, text })
}

/// The classes of which no row is found, else the one with the lowest F1; of those with rows.
fn weakest(model: &ModelSection, labels: &[String]) -> Option<Sentence> {
    let classes = labels.iter().zip(&model.metrics.per_class);
    let classes: Vec<(&String, &ClassMetrics)> = classes.filter(|(_, class)| class.support > 0).collect();
    let unfound = classes.iter().filter(|(_, class)| class.recall == 0.0);
    let unfound: Vec<&str> = unfound.map(|(label, _)| label.as_str()).collect();
    if !unfound.is_empty() {
        let text = format!("{} finds no row of {}.", model.name, unfound.join(", "));
        return Some(Sentence {
            tone: Tone::Bad,
            text,
        });
    }
    let (label, class) = classes.into_iter().min_by(|a, b| a.1.f1.total_cmp(&b.1.f1))?;
    Some(neutral(format!(
        "The weakest class of {} is {label}: F1 {:.2}; {:.0} % of its {} rows are found.",
        model.name,
        class.f1,
        class.recall * 100.0,
        thousands(class.support),
    )))
}

fn trust(model: &ModelSection) -> Sentence {
    neutral(format!(
        "Its confidence is off by {:.1} percentage points on average (ECE {:.4}).",
        model.calibration.expected_error * 100.0,
        model.calibration.expected_error,
    ))
}

fn neutral(text: String) -> Sentence {
    Sentence {
        tone: Tone::Neutral,
        text,
    }
}
