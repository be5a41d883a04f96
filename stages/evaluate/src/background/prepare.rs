//! Stages that prepare tables: rows in and out, and what was kept away from golden rows.

use std::collections::BTreeMap;

use dataset::{Cell, DatasetError, inspect};
use report::{LeakCount, LeakExample, Leaks};
use serde::Deserialize;
use stage::Ancestor;

use super::Upstream;

/// What of `report.json` is used.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Prepared {
    splits: BTreeMap<String, Split>,
    leak_guard: Option<String>,
    near_threshold: Option<f64>,
}

/// A table.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Split {
    pub(super) rows_in: u64,
    pub(super) rows_out: u64,
    classes: BTreeMap<String, Class>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Class {
    rows_out: u64,
}

impl Prepared {
    pub(super) fn raw(&self) -> Option<&Split> {
        self.splits.get("raw")
    }

    /// Rows of train per label.
    pub(super) fn train(&self, labels: &[&str]) -> Option<Vec<u64>> {
        let classes = &self.splits.get("train")?.classes;
        let rows = |label: &&str| classes.get(*label).map_or(0, |class| class.rows_out);
        Some(labels.iter().map(rows).collect())
    }
}

/// With both texts and the similarity of each row.
const LEAKS: &str = "leaks.parquet";

/// Examples that are shown: near ones first, which say more.
const SHOWN: usize = 20;

/// What was kept away from more protected tables.
pub(super) fn leaks(upstream: &Upstream<'_>, stage: &Ancestor, prepared: &Prepared) -> Option<Leaks> {
    let (counts, examples) = upstream.or_warn(stage, LEAKS, read(stage))?;
    Some(Leaks {
        stage: stage.stage.clone(),
        guard: in_words(prepared),
        counts,
        examples,
    })
}

fn in_words(prepared: &Prepared) -> String {
    const PROTECTION: &str =
        "golden is protected from validation, train and raw, validation from train and raw, train from raw";
    match (prepared.leak_guard.as_deref(), prepared.near_threshold) {
        (Some("off"), _) => {
            "Leaks were only counted (leak_guard: off): these rows are still there.".to_owned()
        }
        (Some("near"), Some(threshold)) => format!(
            "Rows were dropped where a more protected table has the same text, or one of a similarity from {threshold}: {PROTECTION}."
        ),
        _ => format!("Rows were dropped where a more protected table has the same text: {PROTECTION}."),
    }
}

fn read(stage: &Ancestor) -> Result<(Vec<LeakCount>, Vec<LeakExample>), DatasetError> {
    let name = format!("{}.leaks", stage.stage);
    let table = inspect::open(&stage.path.join(LEAKS), &name, None)?;
    let counts = table.sql(
        "SELECT split, kept_split, \
         SUM(CASE WHEN \"match\" = 'exact' THEN 1 ELSE 0 END) AS exact, \
         SUM(CASE WHEN \"match\" = 'near' THEN 1 ELSE 0 END) AS near \
         FROM t GROUP BY split, kept_split ORDER BY split, kept_split",
    )?;
    let counts = counts.all()?.rows.iter().map(|row| count(row)).collect();
    let columns = "SELECT split, kept_split, text, kept_text, similarity FROM t WHERE \"match\" =";
    let mut examples = table.sql(&format!("{columns} 'near'"))?.head(SHOWN)?.rows;
    let exact = table.sql(&format!("{columns} 'exact'"))?;
    examples.extend(exact.head(SHOWN - examples.len().min(SHOWN / 2))?.rows);
    examples.truncate(SHOWN);
    Ok((counts, examples.iter().map(|row| example(row)).collect()))
}

fn count(row: &[Cell]) -> LeakCount {
    LeakCount {
        split: row[0].display(),
        kept_split: row[1].display(),
        exact: whole(&row[2]),
        near: whole(&row[3]),
    }
}

fn example(row: &[Cell]) -> LeakExample {
    LeakExample {
        split: row[0].display(),
        kept_split: row[1].display(),
        text: row[2].display(),
        kept_text: row[3].display(),
        similarity: match row[4] {
            Cell::Float(similarity) => similarity,
            _ => 1.0,
        },
    }
}

fn whole(cell: &Cell) -> u64 {
    match cell {
        Cell::UInt(value) => *value,
        Cell::Int(value) => u64::try_from(*value).unwrap_or(0),
        _ => 0,
    }
}
