//! Csv for spreadsheet programs: they find UTF-8 by its byte order mark, and take cells that begin like a formula for one.

use std::borrow::Cow;

/// Writes a csv file that a spreadsheet program opens as it is meant.
///
/// A cell that begins like a formula gets an apostrophe in front, the way such programs write text themselves; so does
/// one that begins with apostrophes before that, so that what is read is what was written.
pub struct SpreadsheetWriter {
    out: Vec<u8>,
}

const MARK: &[u8] = "\u{feff}".as_bytes();

impl SpreadsheetWriter {
    /// A file with this header.
    pub fn new<'c>(columns: impl IntoIterator<Item = &'c &'c str>) -> Self {
        let mut writer = Self { out: MARK.to_vec() };
        writer.row(columns.into_iter().copied());
        writer
    }

    /// Adds a row.
    pub fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.cell(&guard(cell));
        }
        self.out.push(b'\n');
    }

    /// The file's content.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn cell(&mut self, cell: &str) {
        // Outer spaces are quoted, too: some programs cut them off otherwise.
        let plain = !cell.contains(['"', ',', '\n', '\r']) && cell.trim() == cell;
        if plain {
            self.out.extend_from_slice(cell.as_bytes());
        } else {
            self.out.push(b'"');
            self.out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            self.out.push(b'"');
        }
    }
}

fn begins_as_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

fn guard(cell: &str) -> Cow<'_, str> {
    match begins_as_formula(cell) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

/// The cell as it was before [`SpreadsheetWriter`] wrote it.
pub(super) fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if begins_as_formula(rest) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_comes_back_and_none_begins_like_a_formula() {
        for cell in [
            "",
            "'",
            "=1+1",
            "'=1",
            "''-x",
            "-_- 아",
            "@친구",
            "'왜'",
            "\t=a",
            "＝합계",
            "a=b",
        ] {
            let guarded = guard(cell);
            assert!(
                !guarded.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']),
                "{cell}"
            );
            assert_eq!(unguard(&guarded), cell);
        }
        assert_eq!(guard("=1+1"), "'=1+1");
        assert_eq!(guard("'왜'"), "'왜'");
    }
}
