//! What a prepare stage made of a row.

use dag::Version;
use serde::Serialize;
use serde_json::Value;

use super::origin::{self, Origin};
use super::scene::Scene;
use crate::error::CliError;
use crate::review::rows::Record;

/// A row in a version of a prepare stage.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Prepared {
    pub(super) version: String,
    #[serde(skip)]
    pub(super) id: String,
    /// `golden`, `validation`, `train` or `raw`: where it stands, or stood before it was dropped.
    pub(super) table: String,
    /// As other stages see it; null where it was dropped and its text was not kept.
    pub(super) text: Option<String>,
    /// In the pipeline's words.
    pub(super) labels: Option<Vec<String>>,
    /// Null: it is in the table.
    pub(super) dropped: Option<String>,
    pub(super) origin: Option<Origin>,
    /// Why the origin is not known.
    pub(super) origin_problem: Option<String>,
    /// Rows of other tables that it repeats or resembles; for the first of them it was dropped.
    pub(super) leaks: Vec<Leak>,
    /// Rows that were dropped because they repeat it.
    pub(super) twins: Vec<Leak>,
}

/// Another row with the same or a similar text.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Leak {
    pub(super) table: String,
    pub(super) id: String,
    pub(super) text: String,
    pub(super) similarity: f64,
    #[serde(rename = "match")]
    pub(super) matched: String,
}

const TABLES: [&str; 4] = ["golden", "validation", "train", "raw"];

pub(super) fn of_row(scene: &Scene, id: &str) -> Result<Vec<Prepared>, CliError> {
    let mut all = Vec::new();
    for version in scene.of_kind("prepare") {
        let mut found = Vec::new();
        for table in TABLES {
            let columns = ["id", "text", "label", "labels"];
            for row in scene
                .row(version, &format!("{table}.parquet"), id, &columns)?
                .iter()
            {
                found.push(Prepared {
                    labels: row.names("label").or_else(|| row.names("labels")),
                    text: row.text("text"),
                    ..Prepared::new(version, row.text("id").unwrap_or_default(), table)
                });
            }
        }
        let report = scene.document(version, "report.json")?;
        if found.is_empty() {
            found.extend(dropped(version, &report, id));
        }
        for prepared in &mut found {
            prepared.look_around(scene, version, &report)?;
        }
        if found.is_empty() {
            found.extend(left_out(scene, version, id));
        }
        all.extend(found);
    }
    Ok(all)
}

impl Prepared {
    fn new(version: &Version, id: String, table: &str) -> Self {
        Self {
            version: version.reference(),
            id,
            table: table.to_owned(),
            text: None,
            labels: None,
            dropped: None,
            origin: None,
            origin_problem: None,
            leaks: Vec::new(),
            twins: Vec::new(),
        }
    }

    /// Adds where it comes from and what repeats it.
    fn look_around(&mut self, scene: &Scene, version: &Version, report: &Value) -> Result<(), CliError> {
        match origin::find(scene, version, &self.table, &self.id) {
            Ok(origin) => self.origin = origin,
            Err(problem) => self.origin_problem = Some(problem),
        }
        let path = version.path.join("leaks.parquet");
        if path.is_file() {
            let leaks = crate::review::rows::open(&path, &format!("{}.leaks", version.reference()))?;
            let columns = [
                "split",
                "id",
                "text",
                "kept_split",
                "kept_id",
                "kept_text",
                "similarity",
                "match",
            ];
            let having = |column: &str| {
                let condition = format!("{column} = {}", crate::review::rows::quoted(&self.id));
                let rows = leaks.filter(&condition).map_err(crate::review::rows::failed)?;
                crate::review::rows::select(&rows, &columns)
            };
            let own: Vec<Leak> = having("id")?.iter().map(|row| Leak::read(row, "kept_")).collect();
            let of_it = having("kept_id")?;
            self.twins = of_it.iter().map(|row| Leak::read(row, "")).collect();
            self.leaks = own;
        }
        for example in examples(report) {
            let twin = &example["twin"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let leak = |table: &Value, id: &Value, text_of: String| Leak {
                table: text(table),
                id: text(id),
                text: text_of,
                similarity: 1.0,
                matched: "exact".to_owned(),
            };
            if example["id"] == self.id.as_str() && self.dropped.is_some() {
                self.text = self
                    .text
                    .take()
                    .or_else(|| example["text"].as_str().map(str::to_owned));
                if !twin.is_null() && self.leaks.is_empty() {
                    self.leaks.push(leak(&twin["split"], &twin["id"], String::new()));
                }
            }
            let known = self.twins.iter().any(|other| example["id"] == other.id.as_str());
            if twin["id"] == self.id.as_str() && twin["split"] == self.table.as_str() && !known {
                self.twins
                    .push(leak(&example["split"], &example["id"], text(&example["text"])));
            }
        }
        Ok(())
    }
}

impl Leak {
    fn read(row: Record<'_>, prefix: &str) -> Self {
        let text = |column: &str| row.text(column).unwrap_or_default();
        Self {
            table: text(&format!("{prefix}split")),
            id: text(&format!("{prefix}id")),
            text: text(&format!("{prefix}text")),
            similarity: row.number("similarity").unwrap_or_default(),
            matched: text("match"),
        }
    }
}

/// A row that the report says was dropped.
fn dropped(version: &Version, report: &Value, id: &str) -> Vec<Prepared> {
    let tables = report["dropped"].as_object().into_iter().flatten();
    let reasons = tables.flat_map(|(table, reasons)| {
        let reasons = reasons.as_object().into_iter().flatten();
        reasons.map(move |(reason, ids)| (table, reason, ids))
    });
    reasons
        .filter(|(_, _, ids)| {
            ids.as_array()
                .is_some_and(|ids| ids.iter().any(|other| *other == id))
        })
        .map(|(table, reason, _)| Prepared {
            dropped: Some(reason.clone()),
            ..Prepared::new(version, id.to_owned(), table)
        })
        .collect()
}

fn examples(report: &Value) -> impl Iterator<Item = &Value> {
    report["dropped_examples"].as_array().into_iter().flatten()
}

/// A row of the user's files that is in no table and was not dropped: `limit` left it out.
fn left_out(scene: &Scene, version: &Version, id: &str) -> Option<Prepared> {
    let origin = origin::find(scene, version, "raw", id).ok()??;
    // A file that has changed may well have rows that the stage never saw.
    let reason = if origin.changed_since {
        "not_read"
    } else {
        "not_sampled"
    };
    Some(Prepared {
        dropped: Some(reason.to_owned()),
        text: Some(origin.text.clone()),
        origin: Some(origin.clone()),
        ..Prepared::new(version, id.to_owned(), &origin.input)
    })
}
