//! Two scorings of raw rows: how often they agree, and on which rows they do not.

use dataset::inspect;
use report::{Cell, Rows, Section, Unit};

use super::Findings;
use super::figures::{figure, numbers};
use super::selection::{cell, count, label, labels, moved, table};
use super::subject::{REPORT, Subject};
use crate::error::CliError;

const SCORED: &str = "scored.parquet";

pub(super) fn compare(a: &Subject, b: &Subject, limit: usize) -> Result<Findings, CliError> {
    let (first, second) = (table(&a.path().join(SCORED))?, table(&b.path().join(SCORED))?);
    let (label_a, label_b) = (label(&first)?, label(&second)?);
    let tables = [("one", &first), ("other", &second)];
    let ask = |query: &str| -> Result<dataset::Table, CliError> {
        let answer = inspect::sql(&tables, query).and_then(|answer| answer.all());
        Ok(answer.map_err(stage::Failure::from)?)
    };
    let joined = format!(
        "FROM (SELECT id, {label_a} AS a, text AS text_a FROM one) AS x INNER JOIN \
         (SELECT id, {label_b} AS b, text AS text_b FROM other) AS y USING (id)"
    );
    let common = count(&ask(&format!("SELECT COUNT(*) AS n {joined}"))?).unwrap_or_default();
    let other_text = count(&ask(&format!(
        "SELECT COUNT(*) AS n {joined} WHERE text_a <> text_b"
    ))?);
    let mut warnings = Vec::new();
    if let Some(rows @ 1..) = other_text {
        warnings.push(format!(
            "{} ids stand for another text in B than in A: the raw rows differ, and rows are compared by id",
            stage::grouped(rows)
        ));
    }
    let flips = moved(&tables, (&label_a, &label_b), limit)?;
    let agreeing = common - flips.of.min(common);
    let share = if common == 0 {
        0.0
    } else {
        agreeing as f64 / common as f64
    };
    let section = Section {
        title: "labels given".to_owned(),
        notes: vec![format!(
            "{} of {} common rows get the same label ({:.1} %)",
            stage::grouped(agreeing),
            stage::grouped(common),
            share * 100.0
        )],
        tables: vec![shares(&ask, (&label_a, &label_b), &labels(a, b))?, flips],
        ..Section::default()
    };
    let mean = |table: &str| -> Result<Option<f64>, CliError> {
        let answer = ask(&format!("SELECT AVG(pred_conf) AS mean FROM {table}"))?;
        Ok(answer.rows.first().and_then(|row| match row.first()? {
            dataset::Cell::Float(mean) => Some(*mean),
            _ => None,
        }))
    };
    let mut figures = vec![figure(
        "mean pred_conf",
        mean("one")?,
        mean("other")?,
        Unit::Number,
    )];
    figures.extend(numbers(&a.document(REPORT)?, &b.document(REPORT)?));
    let report = Section {
        title: "report".to_owned(),
        figures,
        ..Section::default()
    };
    Ok(Findings {
        warnings,
        sections: vec![section, report],
    })
}

/// Rows per class.
fn shares(
    ask: &dyn Fn(&str) -> Result<dataset::Table, CliError>,
    (label_a, label_b): (&str, &str),
    labels: &[String],
) -> Result<Rows, CliError> {
    let counts = |label: &str, table: &str| -> Result<Vec<(String, Cell)>, CliError> {
        let query =
            format!("SELECT {label} AS class, COUNT(*) AS n FROM {table} GROUP BY class ORDER BY class");
        let rows = ask(&query)?.rows;
        Ok(rows
            .iter()
            .filter_map(|row| Some((row.first()?.display(), cell(row.get(1)?))))
            .collect())
    };
    let (a, b) = (counts(label_a, "one")?, counts(label_b, "other")?);
    let mut names = labels.to_vec();
    for (name, _) in a.iter().chain(&b) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let of = |counts: &[(String, Cell)], name: &String| {
        let found = counts.iter().find(|(class, _)| class == name);
        found.map_or(Cell::Count(0), |(_, count)| count.clone())
    };
    Ok(Rows {
        title: "by class".to_owned(),
        of: names.len() as u64,
        columns: ["class", "A", "B"].map(str::to_owned).to_vec(),
        rows: names
            .iter()
            .map(|name| vec![Cell::Text(name.clone()), of(&a, name), of(&b, name)])
            .collect(),
    })
}
