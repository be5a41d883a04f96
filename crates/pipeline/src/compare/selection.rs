//! Two selections: which rows both keep, and which only one of them.

use std::path::Path;

use dataset::inspect::{self, Inspector};
use report::{Cell, Rows, Section};

use super::Findings;
use super::figures::numbers;
use super::subject::{REPORT, Subject};
use crate::error::CliError;

const KEPT: &str = "kept.parquet";
const DECIDED: &str = "decided.parquet";

pub(super) fn compare(a: &Subject, b: &Subject, limit: usize) -> Result<Findings, CliError> {
    let (first, second) = (table(&a.path().join(KEPT))?, table(&b.path().join(KEPT))?);
    let (label_a, label_b) = (label(&first)?, label(&second)?);
    let joined = format!(
        "FROM (SELECT id, {label_a} AS a, text AS text_a FROM one) AS x FULL JOIN \
         (SELECT id, {label_b} AS b, text AS text_b FROM other) AS y USING (id)"
    );
    let tables = [("one", &first), ("other", &second)];
    let ask = |query: &str| -> Result<dataset::Table, CliError> {
        let answer = inspect::sql(&tables, query).and_then(|answer| answer.all());
        Ok(answer.map_err(stage::Failure::from)?)
    };
    let other_text = ask(&format!("SELECT COUNT(*) AS n {joined} WHERE text_a <> text_b"))?;
    let mut warnings = Vec::new();
    if let Some(rows @ 1..) = count(&other_text) {
        warnings.push(format!(
            "{} ids stand for another text in B than in A: the raw rows differ, and rows are compared by id",
            stage::grouped(rows)
        ));
    }
    let pairs = ask(&format!(
        "SELECT a, b, COUNT(*) AS n {joined} GROUP BY a, b ORDER BY a, b"
    ))?;
    let kept = Section {
        title: "kept rows".to_owned(),
        tables: vec![
            by_class(&pairs, &labels(a, b)),
            only(
                (&first, &label_a),
                &second,
                b,
                "only A keeps",
                "dropped by B",
                limit,
            )?,
            only(
                (&second, &label_b),
                &first,
                a,
                "only B keeps",
                "dropped by A",
                limit,
            )?,
            moved(&tables, (&label_a, &label_b), limit)?,
        ],
        ..Section::default()
    };
    let report = Section {
        title: "report".to_owned(),
        figures: numbers(&a.document(REPORT)?, &b.document(REPORT)?),
        ..Section::default()
    };
    Ok(Findings {
        warnings,
        sections: vec![kept, report],
    })
}

/// A parquet file of a version.
pub(super) fn table(path: &Path) -> Result<Inspector, CliError> {
    let name = path.display().to_string();
    Ok(inspect::open(path, &name, None).map_err(stage::Failure::from)?)
}

/// The SQL for a row's label: a name, or those of a list.
pub(super) fn label(table: &Inspector) -> Result<String, CliError> {
    let columns = table.schema().map_err(stage::Failure::from)?;
    let found = ["label", "labels", "pred_emotion"]
        .iter()
        .find_map(|name| columns.iter().find(|column| column.name == *name));
    Ok(match found {
        Some(column) if column.dtype.starts_with("list") => {
            format!("ARRAY_TO_STRING({}, ', ')", column.name)
        }
        Some(column) => column.name.clone(),
        None => "'kept'".to_owned(),
    })
}

/// Names of the classes in the order of the pipeline file, of both.
pub(super) fn labels(a: &Subject, b: &Subject) -> Vec<String> {
    let mut names = Vec::new();
    for subject in [a, b] {
        if let Subject::Version(version) = subject {
            let labels = version
                .manifest
                .key
                .labels
                .iter()
                .flat_map(|labels| labels.names());
            for name in labels {
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
    }
    names
}

/// The number that a query counted.
pub(super) fn count(table: &dataset::Table) -> Option<u64> {
    match table.rows.first()?.first()? {
        dataset::Cell::UInt(count) => Some(*count),
        _ => None,
    }
}

/// A cell of an answer for the comparison.
pub(super) fn cell(cell: &dataset::Cell) -> Cell {
    match cell {
        dataset::Cell::Null => Cell::Empty,
        dataset::Cell::UInt(count) => Cell::Count(*count),
        dataset::Cell::Int(count) => u64::try_from(*count).map_or(Cell::Number(*count as f64), Cell::Count),
        dataset::Cell::Float(value) => Cell::Number(*value),
        other => Cell::Text(other.display()),
    }
}

/// Per class: rows of each, of both alike, of one alone, and rows that stand in another class of B.
fn by_class(pairs: &dataset::Table, labels: &[String]) -> Rows {
    #[derive(Default, Clone, Copy)]
    struct Counts {
        a: u64,
        b: u64,
        both: u64,
        only_a: u64,
        only_b: u64,
        moved: u64,
    }
    let mut classes: Vec<(String, Counts)> = labels
        .iter()
        .map(|label| (label.clone(), Counts::default()))
        .collect();
    let mut of = |name: &str, add: &dyn Fn(&mut Counts)| {
        if !classes.iter().any(|(label, _)| label == name) {
            classes.push((name.to_owned(), Counts::default()));
        }
        if let Some((_, counts)) = classes.iter_mut().find(|(label, _)| label == name) {
            add(counts);
        }
    };
    for row in &pairs.rows {
        let [a, b, dataset::Cell::UInt(rows)] = row.as_slice() else {
            continue;
        };
        let name = |cell: &dataset::Cell| match cell {
            dataset::Cell::Text(name) => Some(name.clone()),
            _ => None,
        };
        let (a, b) = (name(a), name(b));
        if let Some(a) = &a {
            of(a, &|counts| {
                counts.a += rows;
                match &b {
                    None => counts.only_a += rows,
                    Some(b) if a == b => counts.both += rows,
                    Some(_) => counts.moved += rows,
                }
            });
        }
        if let Some(b) = &b {
            of(b, &|counts| {
                counts.b += rows;
                if a.is_none() {
                    counts.only_b += rows;
                }
            });
        }
    }
    let mut total = Counts::default();
    for (_, counts) in &classes {
        total.a += counts.a;
        total.b += counts.b;
        total.both += counts.both;
        total.only_a += counts.only_a;
        total.only_b += counts.only_b;
        total.moved += counts.moved;
    }
    classes.push(("all".to_owned(), total));
    let row = |(name, counts): &(String, Counts)| {
        let counts = [
            counts.a,
            counts.b,
            counts.both,
            counts.only_a,
            counts.only_b,
            counts.moved,
        ];
        std::iter::once(Cell::Text(name.clone()))
            .chain(counts.map(Cell::Count))
            .collect()
    };
    let columns = [
        "class",
        "A",
        "B",
        "both",
        "only A",
        "only B",
        "another class in B",
    ];
    Rows {
        title: "by class".to_owned(),
        of: classes.len() as u64,
        columns: columns.map(str::to_owned).to_vec(),
        rows: classes.iter().map(row).collect(),
    }
}

/// Rows that the first alone keeps, the surest first, and why the other dropped them.
fn only(
    (first, label): (&Inspector, &str),
    second: &Inspector,
    other: &Subject,
    title: &str,
    reason: &str,
    limit: usize,
) -> Result<Rows, CliError> {
    let failed = |error: dataset::DatasetError| stage::Failure::from(error);
    let mut tables = vec![("one", first), ("other", second)];
    let decided = other.path().join(DECIDED);
    let decided = decided.is_file().then(|| table(&decided)).transpose()?;
    if let Some(decided) = &decided {
        tables.push(("decided", decided));
    }
    let alone = "one WHERE id NOT IN (SELECT id FROM other)";
    let total = inspect::sql(&tables, &format!("SELECT COUNT(*) AS n FROM {alone}")).map_err(failed)?;
    let total = total.all().map_err(failed)?;
    let why = match &decided {
        Some(_) => "LEFT JOIN (SELECT id, drop_reason AS why FROM decided) AS d USING (id)",
        None => "",
    };
    let named = if decided.is_some() { "why" } else { "NULL AS why" };
    let query = format!(
        "SELECT id, label, conf, {named}, text FROM \
         (SELECT id, {label} AS label, pred_conf AS conf, text FROM {alone} ORDER BY pred_conf DESC, id LIMIT {}) AS k \
         {why} ORDER BY conf DESC, id",
        limit.min(u32::MAX as usize)
    );
    let answer = inspect::sql(&tables, &query).map_err(failed)?;
    let rows = answer.all().map_err(failed)?.rows;
    Ok(Rows {
        title: title.to_owned(),
        of: count(&total).unwrap_or_default(),
        columns: ["id", "label", "conf", reason, "text"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    })
}

/// Rows that both keep, in different classes.
pub(super) fn moved(
    tables: &[(&str, &Inspector); 2],
    (label_a, label_b): (&str, &str),
    limit: usize,
) -> Result<Rows, CliError> {
    let failed = |error: dataset::DatasetError| stage::Failure::from(error);
    let joined = format!(
        "FROM (SELECT id, {label_a} AS a, pred_conf AS conf_a, text FROM one) AS x INNER JOIN \
         (SELECT id, {label_b} AS b, pred_conf AS conf_b FROM other) AS y USING (id) WHERE a <> b"
    );
    let total = inspect::sql(tables, &format!("SELECT COUNT(*) AS n {joined}")).map_err(failed)?;
    let total = total.all().map_err(failed)?;
    let query = format!(
        "SELECT id, a, conf_a, b, conf_b, text {joined} ORDER BY conf_b DESC, id LIMIT {}",
        limit.min(u32::MAX as usize)
    );
    let rows = inspect::sql(tables, &query).map_err(failed)?;
    let rows = rows.all().map_err(failed)?.rows;
    Ok(Rows {
        title: "another class in B".to_owned(),
        of: count(&total).unwrap_or_default(),
        columns: ["id", "A", "conf A", "B", "conf B", "text"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    })
}
