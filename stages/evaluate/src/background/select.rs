//! Stages that select: the funnel from raw rows to kept ones.

use std::collections::BTreeMap;

use classification::Interval;
use report::{Funnel, FunnelClass, KeptPrecision, SweepClass, SweepPoint};
use serde::Deserialize;
use serde_json::Value;
use stage::{Ancestor, grouped};

use super::Upstream;
use super::prepare::Prepared;

/// What of `report.json` is used.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Selected {
    rows: u64,
    kept: u64,
    drops: BTreeMap<String, u64>,
    classes: BTreeMap<String, Class>,
    method: Option<String>,
    target_precision: Option<f64>,
    thresholds: BTreeMap<String, Threshold>,
    abstained: Vec<String>,
    evidence: Option<BTreeMap<String, Evidence>>,
    validation: Option<Validation>,
    overrides: Option<Reviewed>,
    sweep: Option<Sweep>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Class {
    candidates: u64,
    kept: u64,
    drops: BTreeMap<String, u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Threshold {
    min_confidence: Option<f64>,
}

/// Labelled rows from a class's threshold on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Evidence {
    predicted: u64,
    rows: u64,
    precision: Option<f64>,
    ci95: Option<Interval>,
}

/// Labelled rows that reach the thresholds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Validation {
    rows: u64,
    kept: u64,
    precision: Option<f64>,
    ci95: Option<Interval>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reviewed {
    kept: u64,
    dropped: u64,
    relabelled: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sweep {
    basis: String,
    overall: Vec<Point>,
    classes: BTreeMap<String, Vec<Point>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Point {
    threshold: f64,
    kept: u64,
    precision: Option<f64>,
    ci95: Option<Interval>,
    validation_rows: Option<u64>,
}

/// Reasons in the order in which they are looked at; others follow by name.
const REASONS: [&str; 8] = [
    "abstained",
    "confidence",
    "margin",
    "disagreement",
    "class_cap",
    "top_k",
    "balance",
    "review",
];

impl Selected {
    /// Rows predicted as each label.
    pub(super) fn candidates(&self, labels: &[&str]) -> Vec<u64> {
        self.each(labels, |class| class.candidates)
    }

    /// Kept rows of each label.
    pub(super) fn kept(&self, labels: &[&str]) -> Vec<u64> {
        self.each(labels, |class| class.kept)
    }

    fn each(&self, labels: &[&str], value: fn(&Class) -> u64) -> Vec<u64> {
        let value = |label: &&str| self.classes.get(*label).map_or(0, value);
        labels.iter().map(value).collect()
    }
}

/// What came through a selection.
pub(super) fn funnel(
    upstream: &Upstream<'_>,
    stage: &Ancestor,
    selected: &Selected,
    prepared: &[(&Ancestor, Prepared)],
) -> Funnel {
    let class = |label: &str| {
        let empty = Class::default();
        let class = selected.classes.get(label).unwrap_or(&empty);
        let evidence = selected
            .evidence
            .as_ref()
            .and_then(|evidence| evidence.get(label));
        FunnelClass {
            label: label.to_owned(),
            candidates: class.candidates,
            kept: class.kept,
            drops: in_order(&class.drops),
            threshold: selected
                .thresholds
                .get(label)
                .and_then(|class| class.min_confidence),
            evidence: evidence.map(|evidence| KeptPrecision {
                rows: evidence.predicted,
                kept: evidence.rows,
                precision: evidence.precision,
                interval: evidence.ci95,
            }),
        }
    };
    let validation = selected.validation.as_ref().map(|validation| KeptPrecision {
        rows: validation.rows,
        kept: validation.kept,
        precision: validation.precision,
        interval: validation.ci95,
    });
    let labels = upstream.ctx.labels();
    Funnel {
        stage: stage.stage.clone(),
        steps: steps(upstream, stage, selected, prepared),
        drops: in_order(&selected.drops),
        classes: labels.names().map(class).collect(),
        rules: rules(stage, selected),
        validation,
        sweep: sweep(selected, labels.names()),
        basis: basis(selected),
    }
}

/// From the raw file, if one stage prepared it, to what was kept.
fn steps(
    upstream: &Upstream<'_>,
    stage: &Ancestor,
    selected: &Selected,
    prepared: &[(&Ancestor, Prepared)],
) -> Vec<(String, u64)> {
    let scored = upstream.source(stage, "scored");
    let source = scored.and_then(|scored| upstream.source(scored, "raw"));
    let raw = source.and_then(|source| {
        let (_, prepared) = prepared.iter().find(|(stage, _)| stage.stage == source.stage)?;
        Some((source, prepared.raw()?))
    });
    let before = raw.map(|(source, raw)| {
        [
            ("raw rows read".to_owned(), raw.rows_in),
            (format!("after {}", source.stage), raw.rows_out),
        ]
    });
    let own = [
        ("scored".to_owned(), selected.rows),
        ("kept".to_owned(), selected.kept),
    ];
    before.into_iter().flatten().chain(own).collect()
}

/// Reasons that dropped nothing are left out.
fn in_order(drops: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let known = REASONS.iter().filter_map(|reason| drops.get_key_value(*reason));
    let others = drops
        .iter()
        .filter(|(reason, _)| !REASONS.contains(&reason.as_str()));
    known
        .chain(others)
        .filter(|(_, rows)| **rows > 0)
        .map(|(reason, rows)| (reason.clone(), *rows))
        .collect()
}

/// What was asked of a row, in words.
fn rules(stage: &Ancestor, selected: &Selected) -> Vec<String> {
    let param = |name: &str| stage.params.get(name).filter(|value| !value.is_null());
    let number = |name: &str| param(name).and_then(Value::as_f64);
    let limits = || {
        let limits = [("confidence", "min_confidence"), ("margin", "min_margin")];
        let limits = limits.map(|(what, name)| Some(format!("{what} from {}", number(name)?)));
        limits.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    };
    let mut rules = Vec::new();
    rules.push(match (selected.method.as_deref(), selected.target_precision) {
        (Some("target_precision"), Some(target)) => format!(
            "Of each predicted class, rows from the lowest confidence on at which the 95 % interval of its precision on \
             labelled rows does not reach below {target}."
        ),
        (Some("flexmatch"), _) => format!(
            "FlexMatch: {} on, the confidence lower for classes that the model is less often confident of.",
            limits()
        ),
        (Some("top_k_per_class"), _) => {
            let count = param("top_k_per_class").map(Value::to_string).unwrap_or_default();
            format!("The {count} most confident rows of each predicted class.")
        }
        _ => format!("Rows with {} on.", limits()),
    });
    if !selected.abstained.is_empty() {
        rules.push(format!(
            "Nothing is kept of {}: no threshold promises that precision.",
            selected.abstained.join(", ")
        ));
    }
    if let Some(cap) = param("max_per_class").and_then(Value::as_u64) {
        rules.push(format!(
            "At most {} rows of a class, the most confident first.",
            grouped(cap)
        ));
    }
    if let Some(balance) = number("balance") {
        rules.push(format!(
            "No class has more than {balance} times the rows of the rarest that keeps any."
        ));
    }
    if let Some(Reviewed {
        kept,
        dropped,
        relabelled,
    }) = &selected.overrides
    {
        rules.push(format!(
            "Of a review: {} rows kept, {} dropped, {} relabelled.",
            grouped(*kept),
            grouped(*dropped),
            grouped(*relabelled)
        ));
    }
    rules
}

fn basis(selected: &Selected) -> String {
    let basis = selected.sweep.as_ref().map(|sweep| sweep.basis.as_str());
    let source = match basis {
        Some("validation") => "the share of labelled rows at or above the threshold that are right",
        Some("calibrated_confidence") => {
            "the mean confidence of the rows that would be kept, which was calibrated"
        }
        _ => "the mean confidence of the rows that would be kept, as the model gives it: mostly too high",
    };
    format!("Each threshold as if it were that of all classes; expected precision is {source}.")
}

/// All classes together, then each: every fifth threshold and the last ones, which change most.
fn sweep<'l>(selected: &Selected, labels: impl Iterator<Item = &'l str>) -> Vec<SweepClass> {
    let Some(sweep) = &selected.sweep else {
        return Vec::new();
    };
    let shown = |point: &&Point| {
        let percent = (point.threshold * 100.0).round() as u64;
        percent.is_multiple_of(5) || percent > 96
    };
    let table = |label: &str, points: &[Point]| SweepClass {
        label: label.to_owned(),
        points: points.iter().filter(shown).map(SweepPoint::from).collect(),
    };
    let classes = labels.filter_map(|label| Some(table(label, sweep.classes.get(label)?)));
    let overall = (!sweep.overall.is_empty()).then(|| table("", &sweep.overall));
    overall.into_iter().chain(classes).collect()
}

impl From<&Point> for SweepPoint {
    fn from(point: &Point) -> Self {
        Self {
            threshold: point.threshold,
            rows: point.kept,
            precision: point.precision,
            interval: point.ci95,
            evidence: point.validation_rows,
        }
    }
}
