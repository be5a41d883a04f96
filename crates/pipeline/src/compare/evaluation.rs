//! Two golden reports: every model by name, and the rows that came out differently.

use std::collections::BTreeMap;

use classification::Interval;
use report::{Cell, Figure, Rows, Section, Unit};
use serde_json::Value;

use super::Findings;
use super::figures::figure;
use super::paired::Predictions;
use super::subject::{REPORT, Subject};
use crate::error::{CliError, Exit};

/// In the order in which people read them.
const FIGURES: [&str; 9] = [
    "macro_f1",
    "accuracy",
    "weighted_f1",
    "micro_f1",
    "samples_f1",
    "hamming_loss",
    "ece",
    "nll",
    "brier",
];

pub(super) fn compare(a: &Subject, b: &Subject, limit: usize) -> Result<Findings, CliError> {
    let (first, second) = (Golden::read(a)?, Golden::read(b)?);
    let mut warnings = Vec::new();
    let same = first.digest == second.digest;
    if !same {
        let words = |golden: &Golden| format!("{} rows ({:.8})", stage::grouped(golden.rows), golden.digest);
        warnings.push(format!(
            "the golden sets differ: A was measured on {}, B on {}. Figures of different rows tell nothing about \
             which model is better, so that no difference is given",
            words(&first),
            words(&second)
        ));
    }
    let mut sections = Vec::new();
    for (title, one, other) in pairs(&first, &second) {
        let mut section = section(&first, &second, one, other, same);
        section.title = title;
        if let (true, Some(one), Some(other)) = (same, one, other) {
            pair(&mut section, (&first, one), (&second, other), limit)?;
        }
        sections.push(section);
    }
    Ok(Findings { warnings, sections })
}

/// A report and where its files lie.
struct Golden<'s> {
    subject: &'s Subject,
    report: Value,
    digest: String,
    rows: u64,
    labels: Vec<String>,
    models: Vec<String>,
}

impl<'s> Golden<'s> {
    fn read(subject: &'s Subject) -> Result<Self, CliError> {
        let report = subject.document(REPORT)?;
        let no_report = || {
            CliError::new(
                Exit::StageFailed,
                format!(
                    "`{}` is no report of `evaluate`: it has no models or no golden rows",
                    subject.name()
                ),
            )
            .hint("compare takes the report.json of `evaluate` and of `pipeline evaluate --out`")
        };
        let digest = report["golden"]["digest"]
            .as_str()
            .ok_or_else(no_report)?
            .to_owned();
        let models = report["models"].as_object().ok_or_else(no_report)?;
        let labels = report["labels"].as_array().into_iter().flatten();
        let place = |name: &String| match subject {
            Subject::Version(version) => version.manifest.key.order.iter().position(|model| model == name),
            _ => None,
        };
        // The order of the pipeline file, where it is known.
        let mut models: Vec<String> = models.keys().cloned().collect();
        models.sort_by_key(place);
        Ok(Self {
            subject,
            digest,
            rows: report["golden"]["rows"].as_u64().unwrap_or_default(),
            labels: labels.filter_map(Value::as_str).map(str::to_owned).collect(),
            models,
            report,
        })
    }

    fn number(&self, model: Option<&str>, path: &[&str]) -> Option<f64> {
        let mut value = &self.report["models"][model?];
        for key in path {
            value = &value[*key];
        }
        value.as_f64()
    }

    fn interval(&self, model: Option<&str>, figure: &str) -> Option<Interval> {
        let ends = &self.report["models"][model?]["ci95"][figure];
        Some(Interval {
            low: ends[0].as_f64()?,
            high: ends[1].as_f64()?,
        })
    }

    fn predictions(&self, model: &str) -> Result<Option<Predictions>, CliError> {
        let folder = self.subject.path().join("models").join(model);
        let Some(mut predictions) = Predictions::read(&folder.join("predictions.parquet"))? else {
            return Ok(None);
        };
        // A row that came out differently is wrong in one of the two, and the wrong ones are kept with their texts.
        if predictions.texts.is_empty()
            && let Some(errors) = Predictions::read(&folder.join("errors.parquet"))?
        {
            predictions.texts = errors.texts;
        }
        Ok(Some(predictions))
    }
}

/// Models of the same name; if each has but one, these two whatever they are called.
fn pairs<'g>(
    first: &'g Golden<'_>,
    second: &'g Golden<'_>,
) -> Vec<(String, Option<&'g str>, Option<&'g str>)> {
    if let ([one], [other]) = (&first.models[..], &second.models[..]) {
        let title = if one == other {
            one.clone()
        } else {
            format!("{one} → {other}")
        };
        return vec![(title, Some(one.as_str()), Some(other.as_str()))];
    }
    let has = |golden: &'g Golden<'_>, name: &str| {
        golden
            .models
            .iter()
            .find(|model| *model == name)
            .map(String::as_str)
    };
    let only = second.models.iter().filter(|name| has(first, name).is_none());
    first
        .models
        .iter()
        .chain(only)
        .map(|name| {
            let (one, other) = (has(first, name), has(second, name));
            let title = match (one, other) {
                (Some(_), None) => format!("{name}, only in A"),
                (None, _) => format!("{name}, only in B"),
                _ => name.clone(),
            };
            (title, one, other)
        })
        .collect()
}

fn section(
    first: &Golden<'_>,
    second: &Golden<'_>,
    one: Option<&str>,
    other: Option<&str>,
    same: bool,
) -> Section {
    let with_intervals = |name: &str, path: &[&str]| -> Option<Figure> {
        let (a, b) = (first.number(one, path), second.number(other, path));
        let mut figure = figure(name, a, b, Unit::Number);
        figure.a_ci95 = first.interval(one, name);
        figure.b_ci95 = second.interval(other, name);
        if !same {
            figure.difference = None;
        }
        (a.is_some() || b.is_some()).then_some(figure)
    };
    let whole = FIGURES.iter().filter_map(|name| with_intervals(name, &[name]));
    let added = second.labels.iter().filter(|label| !first.labels.contains(label));
    let labels: Vec<&String> = first.labels.iter().chain(added).collect();
    let classes = labels
        .iter()
        .filter_map(|label| with_intervals(&format!("per_class.{label}.f1"), &["per_class", label, "f1"]));
    let row = |label: &&String| {
        let cell = |golden: &Golden<'_>, model: Option<&str>, figure: &str| {
            golden
                .number(model, &["per_class", label, figure])
                .map_or(Cell::Empty, Cell::Number)
        };
        let support = |golden: &Golden<'_>, model: Option<&str>| {
            let support = golden.number(model, &["per_class", label, "support"]);
            support.map_or(Cell::Empty, |support| Cell::Count(support as u64))
        };
        vec![
            Cell::Text((*label).clone()),
            cell(first, one, "precision"),
            cell(second, other, "precision"),
            cell(first, one, "recall"),
            cell(second, other, "recall"),
            support(first, one),
            support(second, other),
        ]
    };
    let columns = [
        "class",
        "precision A",
        "precision B",
        "recall A",
        "recall B",
        "rows A",
        "rows B",
    ];
    Section {
        figures: whole.chain(classes).collect(),
        tables: vec![Rows {
            title: "precision and recall".to_owned(),
            of: labels.len() as u64,
            columns: columns.map(str::to_owned).to_vec(),
            rows: labels.iter().map(row).collect(),
        }],
        ..Section::default()
    }
}

/// Adds the paired test and the flips, where both reports have each row's answer.
fn pair(
    section: &mut Section,
    (first, one): (&Golden<'_>, &str),
    (second, other): (&Golden<'_>, &str),
    limit: usize,
) -> Result<(), CliError> {
    let (Some(a), Some(b)) = (first.predictions(one)?, second.predictions(other)?) else {
        section.notes.push(
            "one of the two has no predictions.parquet: neither a paired test nor flipped rows can be given"
                .to_owned(),
        );
        return Ok(());
    };
    let texts: BTreeMap<String, String> = a.texts.clone().into_iter().chain(b.texts.clone()).collect();
    if !a.same_rows(&b) || first.labels != second.labels {
        section
            .notes
            .push("rows or labels of the predictions differ: no paired test is given".to_owned());
        return Ok(());
    }
    let Some(paired) = a.against(&b, &first.labels, &texts, limit) else {
        section.notes.push(
            "the predictions hold labels that the report does not know: no paired test is given".to_owned(),
        );
        return Ok(());
    };
    paired.complete(&mut section.figures);
    section.test = Some(paired.test);
    section.tables.extend(paired.tables);
    Ok(())
}
