//! The mistakes found so far.

use super::overrides::Override;
use super::source::{Place, Source};
use crate::diagnostic::{Diagnostic, Diagnostics, DiagnosticsKind, Location};

/// Collects mistakes, so that all are reported in one go.
pub(super) struct Report<'a> {
    source: &'a Source,
    overrides: &'a [&'a Override],
    found: Vec<(Place, Diagnostic)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(source: &'a Source, overrides: &'a [&'a Override]) -> Self {
        Self {
            source,
            overrides,
            found: Vec::new(),
        }
    }

    /// Adds a mistake; the caller may add hints to it.
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        let location = match place {
            Place::File(start, end) => self.source.locate(start, end),
            Place::Setting(index) => match self.overrides.get(index) {
                Some(setting) => Location::Setting {
                    setting: setting.to_string(),
                },
                None => Location::File {
                    file: self.source.name.clone(),
                },
            },
        };
        self.push(
            place,
            Diagnostic {
                message: message.into(),
                location,
                hints: Vec::new(),
            },
        )
    }

    /// Adds a mistake of the file as a whole.
    pub(super) fn whole_file(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        let location = Location::File {
            file: self.source.name.clone(),
        };
        self.push(
            Place::File(0, 0),
            Diagnostic {
                message: message.into(),
                location,
                hints: Vec::new(),
            },
        )
    }

    pub(super) fn override_at(&self, index: usize) -> Option<&'a Override> {
        self.overrides.get(index).copied()
    }

    /// The line that `place` is on, in words; empty for a setting.
    pub(super) fn line_of(&self, place: Place) -> String {
        match place {
            Place::File(start, end) => match self.source.locate(start, end) {
                Location::Line { line, .. } => format!("line {line}"),
                Location::File { .. } | Location::Setting { .. } => String::new(),
            },
            Place::Setting(_) => String::new(),
        }
    }

    /// Number of mistakes so far.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// All mistakes in the file's order, each once, settings last.
    pub(super) fn finish(mut self) -> Diagnostics {
        self.found.sort_by_key(|(place, _)| match place {
            Place::File(start, _) => (0, *start),
            Place::Setting(index) => (1, *index),
        });
        let mut items: Vec<Diagnostic> = Vec::new();
        for (_, diagnostic) in self.found {
            if !items.contains(&diagnostic) {
                items.push(diagnostic);
            }
        }
        Diagnostics {
            kind: DiagnosticsKind::Invalid,
            items,
        }
    }

    fn push(&mut self, place: Place, diagnostic: Diagnostic) -> &mut Diagnostic {
        let at = self.found.len();
        self.found.push((place, diagnostic));
        &mut self.found[at].1
    }
}
