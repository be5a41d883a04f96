//! The text of a pipeline file, and where in it a byte stands.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics, DiagnosticsKind, Location, Severity};

/// A pipeline file's text.
pub(super) struct Source {
    /// The file as the user named it.
    pub(super) name: String,
    /// Without a byte order mark.
    pub(super) text: String,
}

/// A range of bytes of the source, or one of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// From the first byte to before the second.
    File(usize, usize),
    /// Index into the list of overrides.
    Setting(usize),
}

impl Source {
    pub(super) fn read(path: &Path) -> Result<Self, Diagnostics> {
        let name = path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return Err(unreadable(name, path, &error)),
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return Err(not_utf8(name, &error)),
        };
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Self { name, text })
    }

    /// The location of the bytes from `start` to before `end`, as far as they stand on the first line.
    pub(super) fn locate(&self, start: usize, end: usize) -> Location {
        locate(&self.name, &self.text, start, end)
    }
}

fn locate(name: &str, text: &str, start: usize, end: usize) -> Location {
    let start = floor_boundary(text, start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = floor_boundary(text, end.clamp(start, line_end));
    let column = text[line_start..start].chars().count() + 1;
    Location::Line {
        file: name.to_owned(),
        line: text[..line_start].matches('\n').count() + 1,
        column,
        end_column: column + text[start..end].trim_end().chars().count(),
        text: text[line_start..line_end].trim_end_matches('\r').to_owned(),
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn unreadable(name: String, path: &Path, error: &std::io::Error) -> Diagnostics {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let (kind, message) = if missing {
        (
            DiagnosticsKind::Missing,
            format!("there is no pipeline file `{name}`"),
        )
    } else if path.is_dir() {
        (
            DiagnosticsKind::Unreadable,
            format!("`{name}` is a directory, not a pipeline file"),
        )
    } else {
        (
            DiagnosticsKind::Unreadable,
            format!("the pipeline file `{name}` cannot be read: {error}"),
        )
    };
    let hints = if missing {
        vec!["name the file with `-f FILE`".to_owned()]
    } else {
        Vec::new()
    };
    Diagnostics {
        kind,
        items: vec![Diagnostic {
            severity: Severity::Error,
            message,
            location: Location::File { file: name },
            hints,
        }],
    }
}

fn not_utf8(name: String, error: &std::string::FromUtf8Error) -> Diagnostics {
    let at = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let byte = bytes.get(at).copied().unwrap_or_default();
    let encoding = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        _ => "CP949 or Latin-1",
    };
    let text = String::from_utf8_lossy(bytes);
    let diagnostic = Diagnostic {
        severity: Severity::Error,
        message: format!("the file is not UTF-8: byte 0x{byte:02X} at offset {at}"),
        location: locate(&name, &text, at, at + '\u{fffd}'.len_utf8()),
        hints: vec![format!("it may be {encoding}; save it as UTF-8")],
    };
    Diagnostics {
        kind: DiagnosticsKind::Invalid,
        items: vec![diagnostic],
    }
}
