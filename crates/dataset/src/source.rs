//! From an input's item to the reader of its format.

use std::path::Path;

use stage::{Format, InputItem};

use crate::row::{Visit, Wanted};
use crate::{DatasetError, delimited, jsonl, parquet};

/// Visits every row of a file.
pub(crate) fn read(item: &InputItem, wanted: &Wanted, visit: &mut Visit<'_>) -> Result<(), DatasetError> {
    let (path, name) = (item.path.as_path(), item.name.as_str());
    check_encoding(name, item.options.encoding.as_deref())?;
    match format(path, name, item.options.format)? {
        Format::Csv => delimited::read(path, name, b',', wanted, visit),
        Format::Tsv => delimited::read(path, name, b'\t', wanted, visit),
        Format::Jsonl => jsonl::read(path, name, wanted, visit),
        Format::Parquet => parquet::read(path, name, wanted, visit),
    }
}

/// The format that was given, else the one that the file's ending stands for.
pub(crate) fn format(path: &Path, name: &str, given: Option<Format>) -> Result<Format, DatasetError> {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    match (given, ending.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, Some("csv")) => Ok(Format::Csv),
        (None, Some("tsv" | "tab")) => Ok(Format::Tsv),
        (None, Some("jsonl" | "ndjson")) => Ok(Format::Jsonl),
        (None, Some("parquet" | "pq")) => Ok(Format::Parquet),
        _ => Err(DatasetError::UnknownFormat {
            name: name.to_owned(),
        }),
    }
}

fn check_encoding(name: &str, encoding: Option<&str>) -> Result<(), DatasetError> {
    match encoding {
        None => Ok(()),
        Some(encoding) if matches!(encoding.to_lowercase().as_str(), "utf-8" | "utf8" | "utf-8-sig") => {
            Ok(())
        }
        Some(encoding) => Err(DatasetError::Encoding {
            name: name.to_owned(),
            encoding: encoding.to_owned(),
        }),
    }
}
