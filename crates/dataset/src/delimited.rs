//! Comma- and tab-separated files with a header.

use std::fs::File;
use std::path::Path;

use csv::ByteRecord;

use crate::lines::{LineCounter, LineReader, count_lines, not_utf8};
use crate::row::{Row, Visit, Wanted};
use crate::{DatasetError, Place, RowProblem};

/// Visits every row that follows the header.
pub(crate) fn read(
    path: &Path,
    name: &str,
    delimiter: u8,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<(), DatasetError> {
    let mut records = Records::open(path, name, delimiter)?;
    let columns = wanted.find(name, &records.header)?;
    let mut row = 0;
    while let Some(line) = records.next()? {
        let place = Place {
            row,
            line: Some(line),
        };
        row += 1;
        let field = |at: Option<usize>| at.and_then(|at| records.field(at));
        visit(
            place,
            records.complete().map(|()| Row {
                id: field(columns.id),
                text: field(Some(columns.text)),
                label: field(columns.label),
                source: field(columns.source),
            }),
        );
    }
    Ok(())
}

/// The records of a file one after the other, checked to be UTF-8.
pub(crate) struct Records<'p> {
    path: &'p Path,
    name: &'p str,
    reader: csv::Reader<LineReader<File>>,
    lines: LineCounter,
    record: ByteRecord,
    /// Titles without surrounding spaces.
    pub(crate) header: Vec<String>,
}

impl<'p> Records<'p> {
    pub(crate) fn open(path: &'p Path, name: &'p str, delimiter: u8) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(|error| DatasetError::io(name, error))?;
        let (reader, lines) = count_lines(file);
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_reader(reader);
        let mut records = Self {
            path,
            name,
            reader,
            lines,
            record: ByteRecord::new(),
            header: Vec::new(),
        };
        if records.next()?.is_none() {
            return Err(DatasetError::Empty {
                name: name.to_owned(),
            });
        }
        let titles = (0..records.record.len()).filter_map(|at| records.field(at));
        records.header = titles.map(|title| title.trim().to_owned()).collect();
        Ok(records)
    }

    /// Goes to the next record; the line on which it begins, or none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<u64>, DatasetError> {
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| self.failed(error))?;
        if !more {
            return Ok(None);
        }
        if self
            .record
            .iter()
            .any(|field| std::str::from_utf8(field).is_err())
        {
            return Err(not_utf8(self.path, self.name));
        }
        // The reader stands behind the line's end, which the last byte that it took is part of.
        let end = self.reader.position().byte().saturating_sub(1);
        let inside = self
            .record
            .as_slice()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count() as u64;
        Ok(Some((1 + self.lines.ends_before(end)).saturating_sub(inside)))
    }

    /// The field at `at` of the current record.
    pub(crate) fn field(&self, at: usize) -> Option<&str> {
        self.record
            .get(at)
            .and_then(|field| std::str::from_utf8(field).ok())
    }

    /// Whether the current record has as many fields as the header.
    pub(crate) fn complete(&self) -> Result<(), RowProblem> {
        let (found, expected) = (self.record.len(), self.header.len());
        if found == expected {
            Ok(())
        } else {
            Err(RowProblem::FieldCount { found, expected })
        }
    }

    fn failed(&self, error: csv::Error) -> DatasetError {
        DatasetError::io(self.name, std::io::Error::from(error))
    }
}
