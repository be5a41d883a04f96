//! Exact places in text files: which line a record begins on, and which byte is not UTF-8.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use stage::Encoding;

use crate::DatasetError;
use crate::text::probable_encoding;

/// A reader that remembers where the lines end until a [`LineCounter`] has counted them.
pub(crate) struct LineReader<R> {
    inner: R,
    position: u64,
    ends: Rc<RefCell<VecDeque<u64>>>,
}

/// Counts the lines before a position that only ever grows.
pub(crate) struct LineCounter {
    ends: Rc<RefCell<VecDeque<u64>>>,
    counted: u64,
}

/// A reader and the counter of its lines.
pub(crate) fn count_lines<R: Read>(inner: R) -> (LineReader<R>, LineCounter) {
    let ends = Rc::new(RefCell::new(VecDeque::new()));
    (
        LineReader {
            inner,
            position: 0,
            ends: Rc::clone(&ends),
        },
        LineCounter { ends, counted: 0 },
    )
}

impl<R: Read> Read for LineReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut ends = self.ends.borrow_mut();
        for (offset, byte) in buffer[..count].iter().enumerate() {
            if *byte == b'\n' {
                ends.push_back(self.position + offset as u64);
            }
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl LineCounter {
    /// Number of line ends at positions below `position`.
    pub(crate) fn ends_before(&mut self, position: u64) -> u64 {
        let mut ends = self.ends.borrow_mut();
        while ends.front().is_some_and(|end| *end < position) {
            ends.pop_front();
            self.counted += 1;
        }
        self.counted
    }
}

/// The error for a file that is known to have bytes that are not UTF-8.
pub(crate) fn not_utf8(path: &Path, name: &str) -> DatasetError {
    match first_invalid(path) {
        Ok((line, byte, probably)) => DatasetError::NotUtf8 {
            name: name.to_owned(),
            line,
            byte,
            probably,
        },
        Err(error) => DatasetError::io(name, error),
    }
}

/// Line and byte of the first invalid byte, and the encoding that the file probably has.
fn first_invalid(path: &Path) -> io::Result<(u64, u64, Option<Encoding>)> {
    const SAMPLE: u64 = 1 << 16;
    let mut reader = BufReader::new(File::open(path)?);
    let mut bytes = Vec::new();
    let mut line = 0;
    let beginning = reader.fill_buf()?.iter().copied().take(2).collect::<Vec<u8>>();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        line += 1;
        if let Err(error) = std::str::from_utf8(&bytes) {
            reader.take(SAMPLE).read_to_end(&mut bytes)?;
            let probably = probable_encoding(&beginning, &bytes);
            return Ok((line, error.valid_up_to() as u64 + 1, probably));
        }
        bytes.clear();
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "the file changed while it was read",
    ))
}
