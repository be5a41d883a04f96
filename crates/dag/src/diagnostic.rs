//! Mistakes in a pipeline file: what is wrong, where it stands, what to do; and how that looks on a terminal.
//!
//! It knows nothing of what a pipeline file means.

use std::fmt;

use serde::Serialize;
use unicode_width::UnicodeWidthChar;

/// One mistake, or something that may be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the file cannot be used.
    pub severity: Severity,
    /// What is wrong. Lower case, no final stop.
    pub message: String,
    /// Where.
    pub location: Location,
    /// What to do, one line each.
    pub hints: Vec<String>,
}

/// How serious it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The user should look at it.
    Warning,
}

/// Where a mistake stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Location {
    /// A part of one line of the file.
    Line {
        /// The file, as the user named it.
        file: String,
        /// 1-based.
        line: usize,
        /// First character, 1-based.
        column: usize,
        /// The character after the last one, 1-based.
        end_column: usize,
        /// The whole line.
        text: String,
    },
    /// The file as a whole: it cannot be read, or it is empty.
    File {
        /// The file, as the user named it.
        file: String,
    },
    /// A value that does not come from the file.
    Setting {
        /// `--set KEY`, or the name of the variable.
        setting: String,
    },
}

/// Why a pipeline file cannot be used, as far as the exit code may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosticsKind {
    /// The file, or a setting, is wrong.
    Invalid,
    /// There is no such file.
    Missing,
    /// The file is there but cannot be read.
    Unreadable,
}

/// Everything that is wrong with a pipeline file, in the file's order; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Diagnostics {
    /// Whether there was a file to look at.
    pub kind: DiagnosticsKind,
    /// The mistakes.
    pub items: Vec<Diagnostic>,
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, item) in self.items.iter().enumerate() {
            if position > 0 {
                f.write_str("\n\n")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// Adds what to do.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}", self.message)?;
        match &self.location {
            Location::Line {
                file,
                line,
                column,
                end_column,
                text,
            } => {
                let number = line.to_string();
                let gutter = number.len();
                let (snippet, indent, carets) = snippet(text, *column, *end_column);
                write!(f, "\n{:gutter$}--> {file}:{line}:{column}", "")?;
                write!(f, "\n{:gutter$} |", "")?;
                write!(f, "\n{number} | {snippet}")?;
                write!(f, "\n{:gutter$} | {:indent$}{}", "", "", "^".repeat(carets))?;
            }
            Location::File { file } => write!(f, "\n --> {file}")?,
            Location::Setting { setting } => write!(f, "\n --> {setting}")?,
        }
        for hint in &self.hints {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// Widest line that is shown whole; of a wider one, the part around the mistake.
const WIDEST: usize = 160;
/// Columns shown before the mistake in a line that is cut.
const BEFORE: usize = 60;

/// The line as shown, the columns before the first caret, and the number of carets. Columns are those of a
/// terminal: a Hangul syllable takes two.
fn snippet(text: &str, column: usize, end_column: usize) -> (String, usize, usize) {
    let cells: Vec<(String, usize)> = text.trim_end().chars().map(cell).collect();
    let width = |cells: &[(String, usize)]| cells.iter().map(|(_, width)| width).sum::<usize>();
    let start = column.saturating_sub(1).min(cells.len());
    let end = end_column.saturating_sub(1).clamp(start, cells.len());
    let (mut from, mut to) = (0, cells.len());
    if width(&cells) > WIDEST {
        let mut before = width(&cells[..start]);
        while before > BEFORE {
            before -= cells[from].1;
            from += 1;
        }
        let mut shown = 0;
        to = from;
        while to < cells.len() && shown + cells[to].1 <= WIDEST {
            shown += cells[to].1;
            to += 1;
        }
    }
    let end = end.min(to);
    let lead = if from > 0 { "…" } else { "" };
    let tail = if to < cells.len() { "…" } else { "" };
    let shown: String = cells[from..to].iter().map(|(shown, _)| shown.as_str()).collect();
    let indent = lead.chars().count() + width(&cells[from..start]);
    (
        format!("{lead}{shown}{tail}"),
        indent,
        width(&cells[start..end.max(start)]).max(1),
    )
}

fn cell(character: char) -> (String, usize) {
    match character {
        '\t' => ("    ".to_owned(), 4),
        _ => match character.width() {
            Some(width) => (character.to_string(), width),
            None => ("\u{fffd}".to_owned(), 1),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, column: usize, end_column: usize) -> String {
        let location = Location::Line {
            file: "p.yaml".into(),
            line: 31,
            column,
            end_column,
            text: text.into(),
        };
        Diagnostic {
            severity: Severity::Error,
            message: "x".into(),
            location,
            hints: vec!["y".into()],
        }
        .to_string()
    }

    #[test]
    fn carets_stand_below_the_mistake() {
        let expected = "error: x\n  --> p.yaml:31:4\n   |\n31 | a: bc\n   |    ^^\nhint: y";
        assert_eq!(at("a: bc", 4, 6), expected);
    }

    #[test]
    fn hangul_is_two_columns_wide() {
        assert!(
            at("[기쁨, 슬픔]", 6, 8).contains("31 | [기쁨, 슬픔]\n   |        ^^^^"),
            "{}",
            at("[기쁨, 슬픔]", 6, 8)
        );
    }

    #[test]
    fn a_decomposed_syllable_takes_the_columns_of_a_composed_one() {
        assert!(
            at("\u{1100}\u{1175}: x", 5, 6).contains("\n   |     ^\n"),
            "{}",
            at("\u{1100}\u{1175}: x", 5, 6)
        );
    }

    #[test]
    fn a_tab_is_shown_as_four_columns() {
        assert!(at("\tab", 2, 4).contains("31 |     ab\n   |     ^^"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_mistake() {
        let text = format!("{}bad{}", "x".repeat(5_000), "y".repeat(5_000));
        let shown = at(&text, 5_001, 5_004);
        assert!(shown.lines().all(|line| line.chars().count() < 180));
        assert!(shown.contains("xbady") && shown.contains("^^^\n"));
    }

    #[test]
    fn a_place_after_the_end_of_the_line_gets_one_caret() {
        assert!(at("ab", 3, 3).contains("31 | ab\n   |   ^"));
    }

    #[test]
    fn settings_are_named_instead_of_lines() {
        let location = Location::Setting {
            setting: "--set seed".into(),
        };
        let shown = Diagnostic {
            severity: Severity::Error,
            message: "x".into(),
            location,
            hints: Vec::new(),
        }
        .to_string();
        assert_eq!(shown, "error: x\n --> --set seed");
    }
}
