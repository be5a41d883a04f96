//! `pipeline inspect`: a look into an artifact or any table.

use std::io::Read;
use std::path::{Path, PathBuf};

use dataset::{Table, inspect};
use serde_json::json;
use stage::Format;

use crate::args::InspectArgs;
use crate::error::{CliError, Exit};
use crate::{output, table, words};

pub(crate) fn inspect(args: &InspectArgs) -> Result<(), CliError> {
    let path = locate(args)?;
    if path.is_dir() {
        return list(&path);
    }
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    match Format::from_path(&path) {
        // A report is an object; a list may be a table.
        Some(Format::Json) if !begins_with_list(&path)? => text(&path),
        Some(_) => tabular(args, &path),
        None if matches!(ending, "html" | "svg") => output::print_line(&path.display().to_string()),
        None => text(&path),
    }
}

fn text(path: &Path) -> Result<(), CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io(path, &error))?;
    output::print(&text)
}

fn begins_with_list(path: &Path) -> Result<bool, CliError> {
    const SEEN: u64 = 1024;
    let failed = |error: std::io::Error| CliError::io(path, &error);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .map_err(failed)?
        .take(SEEN)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let text = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&bytes)
        .trim_ascii_start();
    Ok(text.starts_with(b"["))
}

fn tabular(args: &InspectArgs, path: &Path) -> Result<(), CliError> {
    let failed = |error: dataset::DatasetError| CliError::from(stage::Failure::from(error));
    let mut opened = inspect::open_with(path, &args.target, &args.source.options()).map_err(failed)?;
    if let Some(condition) = &args.condition {
        opened = opened.filter(condition).map_err(failed)?;
    }
    if let Some(query) = &args.sql {
        let answer = opened
            .sql(query)
            .and_then(|answer| answer.all())
            .map_err(failed)?;
        return show(args, path, None, &answer);
    }
    if let Some(column) = &args.by {
        return show(args, path, None, &opened.by(column).map_err(failed)?);
    }
    if args.stats {
        return show(args, path, None, &opened.stats().map_err(failed)?);
    }
    let rows = opened.rows().map_err(failed)?;
    show(args, path, Some(rows), &opened.head(args.head).map_err(failed)?)
}

fn show(args: &InspectArgs, path: &Path, rows: Option<u64>, shown: &Table) -> Result<(), CliError> {
    if args.csv {
        return output::print(&table::csv(shown)?);
    }
    if args.json {
        return output::print_json(&json!({
            "schema_version": 1,
            "path": path,
            "total_rows": rows,
            "columns": table::json_columns(shown),
            "rows": table::json_rows(shown),
        }));
    }
    if let Some(rows) = rows {
        let columns: Vec<String> = shown
            .columns
            .iter()
            .map(|column| format!("{} {}", column.name, column.dtype))
            .collect();
        output::print_line(&format!(
            "{}\n{} rows · {}\n",
            path.display(),
            stage::grouped(rows),
            columns.join(", ")
        ))?;
    }
    output::print(&table::text(shown))?;
    match rows {
        Some(rows) if rows > shown.rows.len() as u64 => output::print_line(&format!(
            "… {} more rows",
            stage::grouped(rows - shown.rows.len() as u64)
        )),
        _ => Ok(()),
    }
}

/// A file if there is one of that name, else a reference into the store.
fn locate(args: &InspectArgs) -> Result<PathBuf, CliError> {
    let file = Path::new(&args.target);
    if file.exists() {
        return Ok(file.to_owned());
    }
    if args.target.contains(['/', '\\']) {
        return Err(CliError::new(Exit::Missing, format!("no file `{}`", args.target)));
    }
    args.project.resolve(&args.target)
}

fn list(folder: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::io(folder, &error);
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let size = entry.metadata().map_err(failed)?.len();
        rows.push(vec![
            entry.file_name().to_string_lossy().into_owned(),
            words::bytes(size),
        ]);
    }
    rows.sort();
    output::print_line(&folder.display().to_string())?;
    output::print(&table::strings(&["file", "size"], rows))
}
