//! Whether two files hold the same rows, as far as that can be seen without reading tables.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use unicode_normalization::UnicodeNormalization;

/// Larger texts are not compared beyond their bytes: a stage that separates rows finds what is in them.
const LARGEST_TEXT: u64 = 16 << 20;
/// Decomposed Hangul takes up to three times the bytes of composed Hangul.
const LARGEST_GROWTH: u64 = 4;

/// Whether both are one file, have the same bytes, or are the same text but for its Unicode form, its byte order mark
/// and its ends of lines. A file that cannot be read is like no other.
pub(super) fn same_file(a: &Path, b: &Path) -> bool {
    compare(a, b).unwrap_or(false)
}

fn compare(a: &Path, b: &Path) -> std::io::Result<bool> {
    if a.canonicalize()? == b.canonicalize()? {
        return Ok(true);
    }
    let (size, other) = (a.metadata()?.len(), b.metadata()?.len());
    if size == other && size > 0 && same_bytes(a, b)? {
        return Ok(true);
    }
    let (smaller, larger) = (size.min(other), size.max(other));
    if smaller == 0 || larger > LARGEST_TEXT || larger / smaller > LARGEST_GROWTH {
        return Ok(false);
    }
    let (a, b) = (text(a)?, text(b)?);
    Ok(a.is_some() && a == b)
}

fn same_bytes(a: &Path, b: &Path) -> std::io::Result<bool> {
    const PIECE: usize = 1 << 18;
    let mut a = BufReader::with_capacity(PIECE, File::open(a)?);
    let mut b = BufReader::with_capacity(PIECE, File::open(b)?);
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 || left[..length] != right[..length] {
            return Ok(left.is_empty() && right.is_empty());
        }
        a.consume(length);
        b.consume(length);
    }
}

/// None for what is not UTF-8.
fn text(path: &Path) -> std::io::Result<Option<String>> {
    let text = String::from_utf8(std::fs::read(path)?).ok();
    Ok(text.map(|text| {
        let text = text
            .strip_prefix('\u{feff}')
            .unwrap_or(&text)
            .replace("\r\n", "\n");
        text.trim_end().nfc().collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let (left, right) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        std::fs::write(&left, a).unwrap();
        std::fs::write(&right, b).unwrap();
        same_file(&left, &right)
    }

    #[test]
    fn a_copy_in_another_unicode_form_or_with_other_line_ends_is_the_same() {
        let table = "text,label\n오늘 합격해서 기쁘다,기쁨\n";
        assert!(same(table, table));
        assert!(same(table, table.nfd().collect::<String>()));
        assert!(same(table, format!("\u{feff}{}", table.replace('\n', "\r\n"))));
        assert!(!same(table, table.replace("기쁨", "슬픔")));
    }

    #[test]
    fn bytes_that_are_no_text_are_compared_to_the_end() {
        let long: Vec<u8> = (0..700_000_u32).map(|at| (at % 251) as u8).collect();
        let mut other = long.clone();
        assert!(same(&long, &other));
        other[699_999] ^= 1;
        assert!(!same(&long, &other));
    }

    #[test]
    fn empty_and_missing_files_are_like_no_other() {
        assert!(!same("", ""));
        assert!(!same_file(Path::new("no/such"), Path::new("no/such")));
    }

    #[test]
    fn a_link_is_the_file_that_it_links_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(same_file(&file, &link));
    }
}
