//! The mistakes found so far.

use super::overrides::Override;
use super::source::{Place, Source};
use crate::diagnostic::{Diagnostic, Diagnostics, DiagnosticsKind, Location, Severity};

/// Collects mistakes, so that all are reported in one go.
pub(super) struct Report<'a> {
    source: &'a Source,
    overrides: &'a [&'a Override],
    found: Vec<(Place, Diagnostic)>,
    warnings: Vec<(Place, Diagnostic)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(source: &'a Source, overrides: &'a [&'a Override]) -> Self {
        Self {
            source,
            overrides,
            found: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds a mistake; the caller may add hints to it.
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        let diagnostic = self.diagnostic(Severity::Error, place, message.into());
        push(&mut self.found, place, diagnostic)
    }

    /// Adds something that the user should look at; the caller may add hints to it.
    pub(super) fn warning(&mut self, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        let diagnostic = self.diagnostic(Severity::Warning, place, message.into());
        push(&mut self.warnings, place, diagnostic)
    }

    /// Adds something about the file as a whole that the user should look at.
    pub(super) fn file_warning(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        let diagnostic = Diagnostic {
            severity: Severity::Warning,
            message: message.into(),
            location: Location::File {
                file: self.source.name.clone(),
            },
            hints: Vec::new(),
        };
        push(&mut self.warnings, Place::File(0, 0), diagnostic)
    }

    fn diagnostic(&self, severity: Severity, place: Place, message: String) -> Diagnostic {
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
        Diagnostic {
            severity,
            message,
            location,
            hints: Vec::new(),
        }
    }

    /// Adds a mistake of the file as a whole.
    pub(super) fn whole_file(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        let location = Location::File {
            file: self.source.name.clone(),
        };
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            location,
            hints: Vec::new(),
        };
        push(&mut self.found, Place::File(0, 0), diagnostic)
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
    pub(super) fn finish(self) -> Diagnostics {
        Diagnostics {
            kind: DiagnosticsKind::Invalid,
            items: in_order(self.found),
        }
    }

    /// All warnings in the file's order, each once, settings last.
    pub(super) fn take_warnings(&mut self) -> Vec<Diagnostic> {
        in_order(std::mem::take(&mut self.warnings))
    }
}

fn push(list: &mut Vec<(Place, Diagnostic)>, place: Place, diagnostic: Diagnostic) -> &mut Diagnostic {
    let at = list.len();
    list.push((place, diagnostic));
    &mut list[at].1
}

fn in_order(mut found: Vec<(Place, Diagnostic)>) -> Vec<Diagnostic> {
    found.sort_by_key(|(place, _)| match place {
        Place::File(start, _) => (0, *start),
        Place::Setting(index) => (1, *index),
    });
    let mut items: Vec<Diagnostic> = Vec::new();
    for (_, diagnostic) in found {
        if !items.contains(&diagnostic) {
            items.push(diagnostic);
        }
    }
    items
}
