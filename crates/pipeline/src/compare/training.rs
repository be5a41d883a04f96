//! Two trainings: validation figures, the way there, and, on the same validation rows, a paired test.

use std::collections::BTreeMap;
use std::path::Path;

use report::{Cell, Curve, CurvePoint, Rows, Section, overlaid_curves_svg};

use super::figures::numbers;
use super::paired::Predictions;
use super::selection::labels;
use super::subject::Subject;
use super::{Findings, unwritable};
use crate::error::CliError;

const METRICS: &str = "metrics.json";
const HISTORY: &str = "metrics.jsonl";
const PREDICTIONS: &str = "validation_predictions.parquet";
/// What people look at first.
const FIRST: [&str; 4] = ["macro_f1", "accuracy", "weighted_f1", "loss"];
/// What is followed over the epochs.
const FOLLOWED: [&str; 2] = ["macro_f1", "loss"];

pub(super) fn compare(a: &Subject, b: &Subject, limit: usize) -> Result<Findings, CliError> {
    let mut section = Section {
        title: "validation".to_owned(),
        figures: numbers(&a.document(METRICS)?, &b.document(METRICS)?),
        ..Section::default()
    };
    let place = |figure: &report::Figure| {
        let place = FIRST.iter().position(|name| *name == figure.name);
        place.unwrap_or(FIRST.len())
    };
    section.figures.sort_by_key(place);
    let read = |subject: &Subject| Predictions::read(&subject.path().join(PREDICTIONS));
    if let (Some(first), Some(second)) = (read(a)?, read(b)?) {
        let paired = if first.same_rows(&second) && first.texts == second.texts {
            first.against(&second, &labels(a, b), &first.texts, limit)
        } else {
            section
                .notes
                .push("the validation rows differ: the figures are of different rows".to_owned());
            for figure in &mut section.figures {
                figure.better = report::Better::Neither;
            }
            None
        };
        if let Some(paired) = paired {
            paired.complete(&mut section.figures);
            section.test = Some(paired.test);
            section.tables = paired.tables;
        }
    }
    let (first, second) = (history(a.path())?, history(b.path())?);
    let curves = Section {
        title: "learning curves".to_owned(),
        picture: picture((a, &first), (b, &second))?,
        tables: vec![by_epoch(&first, &second)],
        ..Section::default()
    };
    Ok(Findings {
        warnings: Vec::new(),
        sections: vec![section, curves],
    })
}

/// What was measured while it trained. A value that is not finite is null in the file, and left out.
fn history(folder: &Path) -> Result<Vec<CurvePoint>, CliError> {
    let path = folder.join(HISTORY);
    let text = std::fs::read_to_string(&path).map_err(|error| CliError::io(&path, &error))?;
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

/// Figures of the validation rows after each epoch.
fn by_epoch(first: &[CurvePoint], second: &[CurvePoint]) -> Rows {
    let mut epochs: BTreeMap<u64, [[Option<f64>; 2]; FOLLOWED.len()]> = BTreeMap::new();
    for (side, history) in [first, second].into_iter().enumerate() {
        let validation = history.iter().filter(|point| point.split == "validation");
        for point in validation {
            if let Some(figure) = FOLLOWED.iter().position(|name| *name == point.name) {
                // Evaluations within an epoch count to its end; the last one stands.
                let epoch = point.epoch.ceil() as u64;
                epochs.entry(epoch).or_default()[figure][side] = Some(point.value);
            }
        }
    }
    let row = |(epoch, figures): (&u64, &[[Option<f64>; 2]; FOLLOWED.len()])| {
        let values = figures.iter().flatten();
        std::iter::once(Cell::Count(*epoch))
            .chain(values.map(|value| value.map_or(Cell::Empty, Cell::Number)))
            .collect()
    };
    let figures = FOLLOWED
        .iter()
        .flat_map(|name| ["A", "B"].map(|side| format!("{name} {side}")));
    Rows {
        title: "by epoch".to_owned(),
        of: epochs.len() as u64,
        columns: std::iter::once("epoch".to_owned()).chain(figures).collect(),
        rows: epochs.iter().map(row).collect(),
    }
}

fn picture(
    (a, first): (&Subject, &[CurvePoint]),
    (b, second): (&Subject, &[CurvePoint]),
) -> Result<Option<String>, CliError> {
    let curve = |side: &str, subject: &Subject, history: &[CurvePoint]| Curve {
        name: format!("{side} {}", subject.name()),
        points: history
            .iter()
            .filter(|point| FOLLOWED.contains(&point.name.as_str()))
            .cloned()
            .collect(),
    };
    let curves = [curve("A", a, first), curve("B", b, second)];
    if curves.iter().all(|curve| curve.points.is_empty()) {
        return Ok(None);
    }
    Ok(Some(overlaid_curves_svg(&curves).map_err(unwritable)?))
}
