//! Figures of two documents side by side.

use std::collections::BTreeSet;

use report::{Better, Figure, Section, Unit};
use serde_json::Value;

use super::Findings;
use super::subject::{REPORT, Subject};
use crate::error::CliError;

/// A figure of both with its difference; the name says which direction is good.
pub(super) fn figure(name: &str, a: Option<f64>, b: Option<f64>, unit: Unit) -> Figure {
    Figure {
        name: name.to_owned(),
        a,
        a_ci95: None,
        b,
        b_ci95: None,
        difference: a.zip(b).map(|(a, b)| b - a),
        difference_ci95: None,
        unit,
        better: better(name),
    }
}

/// All numbers of two documents under their paths, `splits.train.rows_out`. Lists are left out.
pub(super) fn numbers(a: &Value, b: &Value) -> Vec<Figure> {
    let mut figures = Vec::new();
    collect("", Some(a), Some(b), &mut figures);
    figures
}

/// The numbers of both reports.
pub(super) fn of_reports(a: &Subject, b: &Subject) -> Result<Findings, CliError> {
    Ok(Findings {
        sections: vec![Section {
            title: "report".to_owned(),
            figures: numbers(&a.document(REPORT)?, &b.document(REPORT)?),
            ..Section::default()
        }],
        ..Findings::default()
    })
}

fn collect(path: &str, a: Option<&Value>, b: Option<&Value>, figures: &mut Vec<Figure>) {
    let map = |value: Option<&'_ Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let (first, second) = (map(a), map(b));
    let mut seen = BTreeSet::new();
    for name in first.keys().chain(second.keys()) {
        if name == "schema_version" || !seen.insert(name) {
            continue;
        }
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        let (a, b) = (first.get(name), second.get(name));
        if is(a, Value::is_object) || is(b, Value::is_object) {
            collect(&path, a, b, figures);
        } else if is(a, Value::is_number) || is(b, Value::is_number) {
            let whole = [a, b]
                .into_iter()
                .flatten()
                .all(|value| value.is_u64() || value.is_null());
            let unit = if whole { Unit::Count } else { Unit::Number };
            let number = |value: Option<&Value>| value.and_then(Value::as_f64);
            figures.push(figure(&path, number(a), number(b), unit));
        }
    }
}

fn is(value: Option<&Value>, test: fn(&Value) -> bool) -> bool {
    value.is_some_and(test)
}

fn better(name: &str) -> Better {
    let last = name.rsplit('.').next().unwrap_or(name);
    match last {
        "accuracy" | "precision" | "recall" | "f1" => Better::Higher,
        name if name.ends_with("_f1") => Better::Higher,
        "loss" | "hamming_loss" | "nll" | "brier" | "leaks" => Better::Lower,
        name if name == "ece" || name.starts_with("ece_") => Better::Lower,
        _ => Better::Neither,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_of_nested_documents_meet_under_their_paths() {
        let a = json!({"schema_version": 1, "rows": 5, "classes": {"기쁨": {"kept": 3}}, "ids": [1, 2], "ece": 0.5});
        let b = json!({"rows": 7, "classes": {"기쁨": {"kept": 3}, "분노": {"kept": 1}}, "ece": null});
        let figures = numbers(&a, &b);
        let row = |figure: &Figure| (figure.name.clone(), figure.a, figure.b, figure.difference);
        let rows: Vec<_> = figures.iter().map(row).collect();
        assert_eq!(
            rows,
            [
                ("classes.기쁨.kept".to_owned(), Some(3.0), Some(3.0), Some(0.0)),
                ("classes.분노.kept".to_owned(), None, Some(1.0), None),
                ("ece".to_owned(), Some(0.5), None, None),
                ("rows".to_owned(), Some(5.0), Some(7.0), Some(2.0)),
            ]
        );
        assert_eq!((figures[3].unit, figures[2].unit), (Unit::Count, Unit::Number));
    }

    #[test]
    fn direction_follows_from_the_name() {
        assert_eq!(better("per_class.기쁨.f1"), Better::Higher);
        assert_eq!(better("calibration.after.ece_adaptive"), Better::Lower);
        assert_eq!(better("rows"), Better::Neither);
    }
}
