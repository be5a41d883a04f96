//! A text file as UTF-8, whatever it is stored in.
//!
//! Decoding is strict: a byte that the encoding has no character for is an error, never a replacement character.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use encoding_rs::{DecoderResult, EUC_KR, UTF_16BE, UTF_16LE};
use stage::Encoding;

use crate::DatasetError;
use crate::lines::not_utf8;

/// A text file that has not been opened yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextFile<'p> {
    pub(crate) path: &'p Path,
    /// For messages.
    pub(crate) name: &'p str,
    pub(crate) encoding: Encoding,
}

/// The input has bytes that its encoding does not know.
#[derive(Debug, thiserror::Error)]
#[error("not {} at line {line}", .encoding.name())]
struct Undecodable {
    encoding: Encoding,
    line: u64,
}

impl TextFile<'_> {
    /// The content as UTF-8. The bytes of a file that is said to be UTF-8 are as they are: its reader checks them.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>, DatasetError> {
        let failed = |error| DatasetError::io(self.name, error);
        let mut file = File::open(self.path).map_err(failed)?;
        if self.encoding == Encoding::Utf8 {
            return Ok(Box::new(file));
        }
        let mut mark = Vec::new();
        file.by_ref().take(3).read_to_end(&mut mark).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let encoding = match (self.encoding, mark.as_slice()) {
            (_, [0xef, 0xbb, 0xbf]) => return Err(self.undecodable(1)),
            (Encoding::Cp949, _) => EUC_KR,
            (Encoding::Utf16Le, _) | (Encoding::Utf16, [0xff, 0xfe, ..] | []) => UTF_16LE,
            (Encoding::Utf16Be, _) | (Encoding::Utf16, [0xfe, 0xff, ..]) => UTF_16BE,
            _ => {
                return Err(DatasetError::NoByteOrderMark {
                    name: self.name.to_owned(),
                });
            }
        };
        Ok(Box::new(Decoding {
            file,
            encoding: self.encoding,
            decoder: encoding.new_decoder_with_bom_removal(),
            input: vec![0; CHUNK],
            taken: 0,
            filled: 0,
            output: Vec::new(),
            given: 0,
            line: 1,
            done: false,
        }))
    }

    /// The error for what a reader of this file said.
    pub(crate) fn failed(&self, error: io::Error) -> DatasetError {
        match error.get_ref().and_then(|cause| cause.downcast_ref()) {
            Some(Undecodable { line, .. }) => self.undecodable(*line),
            None => DatasetError::io(self.name, error),
        }
    }

    /// The error for content that turned out not to be UTF-8.
    pub(crate) fn not_utf8(&self) -> DatasetError {
        not_utf8(self.path, self.name)
    }

    fn undecodable(&self, line: u64) -> DatasetError {
        DatasetError::Undecodable {
            name: self.name.to_owned(),
            encoding: self.encoding,
            line,
            utf8: begins_as_utf8(self.path),
        }
    }
}

const CHUNK: usize = 1 << 16;

struct Decoding {
    file: File,
    encoding: Encoding,
    decoder: encoding_rs::Decoder,
    input: Vec<u8>,
    taken: usize,
    filled: usize,
    output: Vec<u8>,
    given: usize,
    line: u64,
    done: bool,
}

impl Read for Decoding {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.len() {
            if self.done {
                return Ok(0);
            }
            self.decode()?;
        }
        let count = buffer.len().min(self.output.len() - self.given);
        buffer[..count].copy_from_slice(&self.output[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

impl Decoding {
    fn decode(&mut self) -> io::Result<()> {
        if self.taken == self.filled {
            (self.taken, self.filled) = (0, self.file.read(&mut self.input)?);
        }
        let last = self.filled == 0;
        self.output.resize(CHUNK, 0);
        let (result, taken, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.input[self.taken..self.filled],
            &mut self.output,
            last,
        );
        self.taken += taken;
        (self.given, self.done) = (0, last && result == DecoderResult::InputEmpty);
        self.output.truncate(written);
        self.line += self.output.iter().filter(|byte| **byte == b'\n').count() as u64;
        match result {
            DecoderResult::Malformed(..) => {
                let (encoding, line) = (self.encoding, self.line);
                Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    Undecodable { encoding, line },
                ))
            }
            DecoderResult::InputEmpty | DecoderResult::OutputFull => Ok(()),
        }
    }
}

/// The encoding that a file that is not UTF-8 probably has, by its beginning and by the bytes from a line with an
/// invalid byte on. Only for a hint.
pub(crate) fn probable_encoding(beginning: &[u8], bytes: &[u8]) -> Option<Encoding> {
    if matches!(beginning, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Some(Encoding::Utf16);
    }
    let mut decoder = EUC_KR.new_decoder_without_bom_handling();
    let mut text = vec![0; decoder.max_utf8_buffer_length_without_replacement(bytes.len())?];
    let (result, _, written) = decoder.decode_to_utf8_without_replacement(bytes, &mut text, false);
    if let DecoderResult::Malformed(..) = result {
        return None;
    }
    let text = std::str::from_utf8(&text[..written]).ok()?;
    let (mut korean, mut other) = (0, 0);
    for letter in text.chars().filter(|letter| !letter.is_ascii()) {
        match letter {
            '가'..='힣' | 'ㄱ'..='ㆎ' => korean += 1,
            _ => other += 1,
        }
    }
    (korean > other).then_some(Encoding::Cp949)
}

fn begins_as_utf8(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(CHUNK as u64).read_to_end(&mut bytes));
    // The chunk may end within a character.
    read.is_ok()
        && std::str::from_utf8(&bytes)
            .err()
            .is_none_or(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `가장 슬프다` in CP949.
    const SAD: &[u8] = b"\xb0\xa1\xc0\xe5 \xbd\xbd\xc7\xc1\xb4\xd9";

    #[test]
    fn hangul_in_cp949_is_recognised_even_if_cut_within_a_syllable() {
        assert_eq!(probable_encoding(SAD, SAD), Some(Encoding::Cp949));
        assert_eq!(
            probable_encoding(SAD, &SAD[..SAD.len() - 1]),
            Some(Encoding::Cp949)
        );
    }

    #[test]
    fn a_byte_order_mark_tells_utf16() {
        assert_eq!(
            probable_encoding(b"\xff\xfea\0", b"\xff\xfea\0"),
            Some(Encoding::Utf16)
        );
    }

    #[test]
    fn latin_1_is_not_taken_for_korean() {
        assert_eq!(probable_encoding(b"caf\xe9s", b"caf\xe9s"), None);
    }

    #[test]
    fn utf8_with_one_broken_letter_is_not_taken_for_korean() {
        let broken = [&"아주 슬프다 정말".as_bytes()[..20], b"\n"].concat();
        assert_eq!(probable_encoding(&broken, &broken), None);
    }
}
