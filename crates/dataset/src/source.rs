//! From an input's item to the reader of its format.

use std::path::Path;

use stage::{Encoding, Format, InputItem, SourceOptions};

use crate::row::{Visit, Wanted};
use crate::sheet::SheetTable;
use crate::text::TextFile;
use crate::{DatasetError, delimited, jsonl, parquet, sheet};

/// A table's file, and how it is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'p> {
    /// Fields between delimiters; the header stands on the line of this number.
    Delimited(TextFile<'p>, u8, u64),
    /// One object per line, or a list of objects.
    Objects(TextFile<'p>, jsonl::Layout),
    /// By path and name.
    Parquet(&'p Path, &'p str),
    Sheet(SheetTable<'p>),
}

/// Visits every row of a file.
pub(crate) fn read(item: &InputItem, wanted: &Wanted, visit: &mut Visit<'_>) -> Result<(), DatasetError> {
    match source(&item.path, &item.name, &item.options)? {
        Source::Delimited(file, delimiter, header_row) => {
            delimited::read(&file, delimiter, header_row, wanted, visit)
        }
        Source::Objects(file, layout) => jsonl::read(&file, layout, wanted, visit),
        Source::Parquet(path, name) => parquet::read(path, name, wanted, visit),
        Source::Sheet(table) => sheet::read(&table, wanted, visit),
    }
}

/// How a file is read: as the options say, else as its ending says.
pub(crate) fn source<'p>(
    path: &'p Path,
    name: &'p str,
    options: &'p SourceOptions,
) -> Result<Source<'p>, DatasetError> {
    let format = options
        .format
        .or_else(|| Format::from_path(path))
        .ok_or_else(|| DatasetError::UnknownFormat {
            name: name.to_owned(),
        })?;
    let encoding = encoding(name, options.encoding.as_deref())?;
    let text = TextFile { path, name, encoding };
    let header_row = options.header_row.unwrap_or(1);
    Ok(match format {
        Format::Csv => Source::Delimited(text, b',', header_row),
        Format::Tsv => Source::Delimited(text, b'\t', header_row),
        Format::Jsonl => Source::Objects(text, jsonl::Layout::Lines),
        Format::Json => Source::Objects(text, jsonl::Layout::List),
        Format::Parquet => Source::Parquet(path, name),
        Format::Xlsx | Format::Xls => Source::Sheet(SheetTable {
            path,
            name,
            format,
            sheet: options.sheet.as_ref(),
            header_row,
        }),
    })
}

fn encoding(name: &str, given: Option<&str>) -> Result<Encoding, DatasetError> {
    let Some(given) = given else {
        return Ok(Encoding::Utf8);
    };
    Encoding::from_name(given).ok_or_else(|| DatasetError::Encoding {
        name: name.to_owned(),
        encoding: given.to_owned(),
    })
}
