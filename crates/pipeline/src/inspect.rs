//! `pipeline inspect`: a look into an artifact or any table.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dataset::inspect::Inspector;
use dataset::{DatasetError, Table, inspect};
use serde_json::{Value, json};
use stage::Format;

use crate::args::InspectArgs;
use crate::error::{CliError, Exit};
use crate::table::View;
use crate::{output, table, words};

/// Rows that are shown unless something else is asked for.
const HEAD: usize = 10;
/// Rows of an answer that are shown as text unless more are asked for.
const ANSWER: usize = 100;

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
    let mut opened = inspect::open_with(path, &args.target, &args.source.options())
        .map_err(|error| CliError::from(stage::Failure::from(error)))?;
    if let Some(condition) = &args.condition {
        opened = opened.filter(condition).map_err(failed)?;
    }
    let labels = labels_of(path);
    let view = View {
        labels: &labels,
        nulls: !args.stats,
        width: table::terminal_width(),
    };
    let show = Show { args, path, view };
    if let Some(query) = &args.sql {
        return show.answer(&opened.sql(query).map_err(failed)?);
    }
    if let Some(column) = &args.by {
        return show.answer(&opened.by(column).map_err(failed)?);
    }
    if args.stats {
        return show.table(None, &opened.stats().map_err(failed)?);
    }
    let rows = opened.rows().map_err(failed)?;
    if let Some(count) = args.sample {
        return show.table(Some(rows), &opened.sample(count, args.seed).map_err(failed)?);
    }
    let count = args.head.unwrap_or(HEAD);
    if args.csv || args.json {
        return show.all(Some(rows), &opened, Some(count));
    }
    show.table(Some(rows), &opened.head(count).map_err(failed)?)
}

/// What is wrong with a query is wrong with the command line.
fn failed(error: DatasetError) -> CliError {
    let usage = matches!(error, DatasetError::Query { .. });
    let mut failure = CliError::from(stage::Failure::from(error));
    if usage {
        failure.exit = Exit::Usage;
    }
    failure
}

/// How results are shown.
struct Show<'a> {
    args: &'a InspectArgs,
    path: &'a Path,
    view: View<'a>,
}

impl Show<'_> {
    /// An answer: for people its beginning, for programs all of it.
    fn answer(&self, answer: &Inspector) -> Result<(), CliError> {
        if self.args.csv || self.args.json {
            return self.all(None, answer, self.args.head);
        }
        let count = self.args.head.unwrap_or(ANSWER);
        let mut shown = answer.head(count.saturating_add(1)).map_err(failed)?;
        let more = shown.rows.len() > count;
        shown.rows.truncate(count);
        output::print(&table::text(&shown, self.view))?;
        if more {
            output::print_line("… more rows; --head N shows more, --csv and --json show all")?;
        }
        Ok(())
    }

    /// A table that is there, of `rows` in all.
    fn table(&self, rows: Option<u64>, shown: &Table) -> Result<(), CliError> {
        if self.args.csv {
            return output::print(&table::csv(shown, true)?);
        }
        if self.args.json {
            output::print(&self.json_head(rows, shown)?)?;
            output::print(&json_part(shown, true))?;
            return output::print(JSON_END);
        }
        if let Some(rows) = rows {
            let columns: Vec<String> = shown
                .columns
                .iter()
                .map(|column| format!("{} {}", column.name, column.dtype))
                .collect();
            output::print_line(&format!(
                "{}\n{} rows · {}\n",
                output::relative(self.path).display(),
                stage::grouped(rows),
                columns.join(", ")
            ))?;
        }
        output::print(&table::text(shown, self.view))?;
        match rows {
            Some(rows) if rows > shown.rows.len() as u64 => output::print_line(&format!(
                "… {} more rows",
                stage::grouped(rows - shown.rows.len() as u64)
            )),
            _ => Ok(()),
        }
    }

    /// The first `limit` rows, or all, a part at a time.
    fn all(&self, rows: Option<u64>, opened: &Inspector, limit: Option<usize>) -> Result<(), CliError> {
        let mut first = true;
        let mut written = Ok(());
        let mut write = |part: Table| {
            written = self.part(rows, &part, std::mem::replace(&mut first, false));
            match written {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        opened.each(limit, &mut write).map_err(failed)?;
        written?;
        if self.args.json {
            output::print(JSON_END)?;
        }
        Ok(())
    }

    fn part(&self, rows: Option<u64>, part: &Table, first: bool) -> Result<(), CliError> {
        if self.args.csv {
            return output::print(&table::csv(part, first)?);
        }
        if first {
            output::print(&self.json_head(rows, part)?)?;
        }
        output::print(&json_part(part, first))
    }

    /// All of the document that precedes the rows.
    fn json_head(&self, rows: Option<u64>, shown: &Table) -> Result<String, CliError> {
        let path = self.path.to_str().ok_or_else(|| {
            let path = self.path.display();
            CliError::new(
                Exit::Usage,
                format!("`{path}`: JSON has no form for a name that is not UTF-8"),
            )
        })?;
        let fields = [
            ("schema_version", json!(1)),
            ("path", json!(path)),
            ("total_rows", json!(rows)),
            ("columns", table::json_columns(shown)),
        ];
        let fields = fields.map(|(name, value)| format!("  \"{name}\": {value},\n"));
        Ok(format!("{{\n{}  \"rows\": [", fields.concat()))
    }
}

const JSON_END: &str = "\n  ]\n}\n";

/// Rows of the document's list, one a line.
fn json_part(part: &Table, first: bool) -> String {
    let rows = part.rows.iter().enumerate();
    rows.map(|(at, row)| {
        let comma = if first && at == 0 { "" } else { "," };
        format!("{comma}\n    {}", table::json_row(&part.columns, row))
    })
    .collect()
}

/// A file if there is one of that name, else a reference into the store.
fn locate(args: &InspectArgs) -> Result<PathBuf, CliError> {
    let file = Path::new(&args.target);
    if file.exists() {
        return Ok(file.to_owned());
    }
    // `evaluate.models/student/errors.parquet` is a reference, `data/x.parquet` is not.
    let is_path = args.target.contains(['/', '\\']) && args.target.parse::<dag::Reference>().is_err();
    if is_path {
        return Err(CliError::new(Exit::Missing, format!("no file `{}`", args.target)));
    }
    args.project.resolve(&args.target).map_err(|error| {
        // `data.csv` reads like an artifact `csv` of a stage `data`.
        let stage = args
            .target
            .parse()
            .map(|reference: dag::Reference| reference.stage);
        let store = args.project.store();
        let is_stage = matches!((stage, store), (Ok(stage), Ok(store)) if !store.versions(&stage).is_empty());
        if is_stage || Format::from_path(file).is_none() {
            return error;
        }
        CliError::new(Exit::Missing, format!("no file `{}`", args.target))
    })
}

/// Names of the classes, from the manifest or the report that an artifact lies beside or below; none for other files.
fn labels_of(path: &Path) -> Vec<String> {
    /// `models/NAME/errors.parquet` lies two folders below.
    const DEPTH: usize = 3;
    let Ok(path) = path.canonicalize() else {
        return Vec::new();
    };
    let document = |folder: &Path, file: &str| -> Option<Value> {
        serde_json::from_str(&std::fs::read_to_string(folder.join(file)).ok()?).ok()
    };
    let name = |label: &Value| label["name"].as_str().or(label.as_str()).map(str::to_owned);
    let labels = |folder: &Path| -> Option<Vec<String>> {
        let list = match document(folder, dag::Manifest::FILE) {
            Some(manifest) => manifest["key"]["labels"].clone(),
            None => document(folder, "report.json")?["labels"].clone(),
        };
        list.as_array()?.iter().map(name).collect()
    };
    let found = path.ancestors().skip(1).take(DEPTH).find_map(labels);
    found.unwrap_or_default()
}

fn list(folder: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::io(folder, &error);
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        rows.push(match metadata.is_dir() {
            true => vec![format!("{name}/"), String::new()],
            false => vec![name, words::bytes(metadata.len())],
        });
    }
    rows.sort();
    output::print_line(&folder.display().to_string())?;
    output::print(&table::strings(&["file", "size"], rows))
}
