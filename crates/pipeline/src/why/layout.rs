//! Lines under headings, and texts that fit on a line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Least columns of a text.
const NARROWEST: usize = 20;

/// Lines, each under a heading; an empty heading goes on under the one before.
#[derive(Default)]
pub(super) struct Lines(Vec<(String, String)>);

impl Lines {
    pub(super) fn add(&mut self, heading: &str, line: impl Into<String>) {
        self.0.push((heading.to_owned(), line.into()));
    }

    /// The first line gets the heading.
    pub(super) fn add_all(&mut self, heading: &str, lines: impl IntoIterator<Item = String>) {
        for (at, line) in lines.into_iter().enumerate() {
            self.add(if at == 0 { heading } else { "" }, line);
        }
    }

    /// What is about a row with this id and text, on lines of at most `width` columns as far as texts can be cut.
    pub(super) fn render(&self, id: &str, own: &str, width: usize) -> String {
        let widest = self
            .0
            .iter()
            .map(|(heading, _)| heading.width())
            .max()
            .unwrap_or(0);
        let room = width.saturating_sub(widest + 2).max(NARROWEST);
        let title = format!("{}  ", one_line(id));
        let mut text = format!(
            "{title}{}\n\n",
            cut(own, width.saturating_sub(title.width()).max(NARROWEST))
        );
        let mut last = "";
        for (heading, line) in &self.0 {
            let shown = if heading == last { "" } else { heading.as_str() };
            if !heading.is_empty() {
                last = heading;
            }
            let gap = " ".repeat(widest + 2 - shown.width());
            let line = format!("{shown}{gap}{}", cut(line, room));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("“{}”", one_line(text))
}

/// Letters that would break a line, or hide, are shown as such.
pub(super) fn one_line(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' => "⏎".to_owned(),
        '\r' => String::new(),
        '\t' => " ".to_owned(),
        other if other.is_control() => '\u{fffd}'.to_string(),
        other => other.to_string(),
    };
    text.chars().map(shown).collect()
}

/// One line of at most `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    let text = one_line(text);
    if text.width() <= width {
        return text;
    }
    let mut columns = 0;
    let fits = |character: &char| {
        columns += character.width().unwrap_or(0);
        columns < width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_of_several_lines_is_one_line_that_fits() {
        let shown = cut(&"가\n".repeat(100), 30);
        assert!(
            shown.width() <= 30 && shown.starts_with("가⏎가") && shown.ends_with('…'),
            "{shown}"
        );
    }
}
