//! Comma- and tab-separated files with a header.

use std::io::Read;

use csv::ByteRecord;

use crate::lines::{LineCounter, LineReader, count_lines};
use crate::row::{Visit, Wanted};
use crate::text::TextFile;
use crate::{DatasetError, Place, RowProblem};

/// Visits every row that follows the header, which is the first record on line `header_row` or below.
pub(crate) fn read(
    file: &TextFile<'_>,
    delimiter: u8,
    header_row: u64,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<(), DatasetError> {
    let mut records = Records::open(file, delimiter, header_row)?;
    let columns = wanted.find(file.name, &records.header)?;
    let mut row = 0;
    while let Some(line) = records.next()? {
        let cells = || columns.row(|at| records.field(at));
        visit(Place::in_text(row, line), records.complete().map(|()| cells()));
        row += 1;
    }
    Ok(())
}

/// The records of a file one after the other, checked to be UTF-8.
pub(crate) struct Records<'f> {
    file: &'f TextFile<'f>,
    reader: csv::Reader<LineReader<Box<dyn Read>>>,
    lines: LineCounter,
    record: ByteRecord,
    /// Titles without surrounding spaces.
    pub(crate) header: Vec<String>,
}

impl<'f> Records<'f> {
    pub(crate) fn open(file: &'f TextFile<'f>, delimiter: u8, header_row: u64) -> Result<Self, DatasetError> {
        let (reader, lines) = count_lines(file.open()?);
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_reader(reader);
        let mut records = Self {
            file,
            reader,
            lines,
            record: ByteRecord::new(),
            header: Vec::new(),
        };
        let mut first = true;
        while records
            .next()?
            .ok_or_else(|| no_header(file.name, header_row, first))?
            < header_row
        {
            first = false;
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
            return Err(self.file.not_utf8());
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
        let message = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(error) => self.file.failed(error),
            _ => self.file.failed(std::io::Error::other(message)),
        }
    }
}

fn no_header(name: &str, row: u64, empty: bool) -> DatasetError {
    let (name, sheet) = (name.to_owned(), None);
    match empty {
        true => DatasetError::Empty { name },
        false => DatasetError::NoHeader { name, sheet, row },
    }
}
