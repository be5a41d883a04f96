//! Rows by a part of their text, and what to say when there is none.

use dag::Version;
use dataset::Normalize;
use dataset::inspect::Inspector;
use serde_json::json;

use super::scene::Scene;
use crate::error::{CliError, Exit};
use crate::review::rows;
use crate::{output, table};

/// How many rows a list shows.
const SHOWN: usize = 20;

/// Rows whose text has a part.
pub(super) enum Matches {
    One(String),
    Several(Several),
}

/// Too many to tell about.
pub(super) struct Several {
    /// Id, table, text.
    rows: Vec<[String; 3]>,
}

impl Several {
    pub(super) fn print(&self, json: bool) -> Result<(), CliError> {
        if json {
            let matches = self
                .rows
                .iter()
                .map(|[id, table, text]| json!({"id": id, "table": table, "text": text}));
            return output::print_json(&json!({"schema_version": 1, "matches": matches.collect::<Vec<_>>()}));
        }
        let shown = self.rows.iter().take(SHOWN).map(|row| row.to_vec());
        let header = ["id", "table", "text"].map(str::to_owned);
        output::print(&table::aligned(
            &header,
            shown.collect(),
            &[false; 3],
            table::terminal_width(),
        ))?;
        let more = self.rows.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!("… {} more; ", stage::grouped(more as u64))
        } else {
            String::new()
        };
        output::print_line(&format!("{more}give one of the ids: pipeline why ID"))
    }
}

/// Finds rows in the tables of the newest versions.
pub(super) fn by_text(scene: &Scene, part: &str) -> Result<Matches, CliError> {
    let part = Normalize::Nfc.apply(part.trim());
    if part.is_empty() {
        return Err(CliError::new(Exit::Usage, "`--text` is empty"));
    }
    let mut found: Vec<[String; 3]> = Vec::new();
    for (name, rows) in tables(scene)? {
        let condition = format!("STRPOS(text, {}) > 0", rows::quoted(&part));
        let matching = rows.filter(&condition).map_err(rows::failed)?;
        for row in rows::select(&matching, &["id", "text"])?.iter() {
            let text = |column: &str| row.text(column).unwrap_or_default();
            // The tables of score have the rows of prepare again.
            if !found.iter().any(|other| other[0] == text("id")) {
                found.push([text("id"), name.clone(), text("text")]);
            }
        }
    }
    match found.len() {
        0 => Err(CliError::new(Exit::Missing, format!("no row has “{part}” in its text"))
            .hint("rows that were dropped are found by their id; spaces and letters count as they stand after normalisation")),
        1 => Ok(Matches::One(found.swap_remove(0)[0].clone())),
        _ => Ok(Matches::Several(Several { rows: found })),
    }
}

/// The error for an id that no row has.
pub(super) fn not_found(scene: &Scene, id: &str) -> CliError {
    let error = CliError::new(Exit::Missing, format!("no row `{id}` in the newest versions"));
    let ids: Result<Vec<Vec<String>>, CliError> =
        tables(scene).and_then(|tables| tables.iter().map(|(_, rows)| rows::ids(rows)).collect());
    let ids = match ids {
        Ok(ids) => ids.concat(),
        Err(other) => return other,
    };
    let error = match rows::close_id(id, ids.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    };
    error.hint("`pipeline why --text \"…\"` finds a row by a part of its text")
}

/// Every table whose rows can be told about, with its name.
fn tables(scene: &Scene) -> Result<Vec<(String, Inspector)>, CliError> {
    let prepared = scene
        .of_kind("prepare")
        .map(|version| (version, &["golden", "validation", "train", "raw"][..]));
    let scored = scene
        .of_kind("score")
        .map(|version| (version, &["scored", "validation_scored"][..]));
    let mut tables = Vec::new();
    for (version, names) in prepared.chain(scored) {
        for name in names {
            tables.extend(table_of(version, name)?);
        }
    }
    Ok(tables)
}

fn table_of(version: &Version, name: &str) -> Result<Option<(String, Inspector)>, CliError> {
    let path = version.path.join(format!("{name}.parquet"));
    if !path.is_file() {
        return Ok(None);
    }
    let reference = format!("{}.{name}", version.reference());
    let rows = rows::open(&path, &reference)?;
    Ok(Some((reference, rows)))
}
