//! One JSON list of objects. The file is held in memory, its objects one at a time.

use serde_json::{Map, Value};

use crate::jsonl::as_object;
use crate::text::TextFile;
use crate::{DatasetError, Place, RowProblem};

/// Visits every item of the list as an object; their number.
pub(crate) fn for_each_object(
    file: &TextFile<'_>,
    visit: &mut dyn FnMut(Place, Result<Map<String, Value>, RowProblem>),
) -> Result<u64, DatasetError> {
    let mut bytes = Vec::new();
    file.open()?
        .read_to_end(&mut bytes)
        .map_err(|error| file.failed(error))?;
    let content = std::str::from_utf8(&bytes).map_err(|_| file.not_utf8())?;
    let mut list = List {
        file,
        content: content.strip_prefix('\u{feff}').unwrap_or(content),
        at: 0,
        line: 1,
    };
    list.begin()?;
    let mut row = 0;
    while let Some((line, value)) = list.next(row)? {
        visit(Place::in_text(row, line), as_object(value));
        row += 1;
    }
    Ok(row)
}

struct List<'f> {
    file: &'f TextFile<'f>,
    content: &'f str,
    /// What has been read of the content, in bytes.
    at: usize,
    /// On which `at` stands.
    line: u64,
}

impl List<'_> {
    fn begin(&mut self) -> Result<(), DatasetError> {
        match self.peek() {
            Some(b'[') => self.advance(1),
            None => {
                return Err(DatasetError::Empty {
                    name: self.file.name.to_owned(),
                });
            }
            Some(_) => {
                let is_object = |line: &str| serde_json::from_str::<Map<String, Value>>(line).is_ok();
                return Err(DatasetError::NotAList {
                    name: self.file.name.to_owned(),
                    lines: self.content.trim_start().lines().next().is_some_and(is_object),
                });
            }
        }
        Ok(())
    }

    /// The next item and its line, or none behind the last one.
    fn next(&mut self, row: u64) -> Result<Option<(u64, Value)>, DatasetError> {
        match (self.peek(), row) {
            (Some(b']'), _) => {
                self.advance(1);
                return match self.peek() {
                    None => Ok(None),
                    Some(_) => Err(self.broken(self.line, "there is more behind the list".to_owned())),
                };
            }
            (Some(b','), 1..) => self.advance(1),
            (Some(_), 1..) => return Err(self.broken(self.line, "expected `,` or `]`".to_owned())),
            _ => {}
        }
        if self.peek().is_none() {
            return Err(self.broken(self.line, "the list has no end".to_owned()));
        }
        let line = self.line;
        let mut values = serde_json::Deserializer::from_str(&self.content[self.at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                self.advance(values.byte_offset());
                Ok(Some((line, value)))
            }
            Some(Err(error)) => {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                Err(self.broken(line + error.line().saturating_sub(1) as u64, message.to_owned()))
            }
            None => Err(self.broken(line, "the list has no end".to_owned())),
        }
    }

    /// The next byte that is not a space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.content[self.at..];
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.advance(spaces);
        self.content.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, count: usize) {
        let passed = &self.content.as_bytes()[self.at..self.at + count];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at += count;
    }

    fn broken(&self, line: u64, message: String) -> DatasetError {
        DatasetError::Json {
            name: self.file.name.to_owned(),
            line,
            message,
        }
    }
}
