//! The templates, and the filters that they use. All text is escaped.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, HtmlEscape};
use serde::Serialize;

use crate::ReportError;

/// Where a chart stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file of its own, which carries its style.
    File,
    /// In a page, which has the charts' style once.
    Page,
}

/// Renders a chart.
pub(crate) fn chart(
    name: &'static str,
    place: Place,
    drawing: impl Serialize,
) -> Result<String, ReportError> {
    #[derive(Serialize)]
    struct Chart<D> {
        own_style: bool,
        #[serde(flatten)]
        drawing: D,
    }
    let own_style = place == Place::File;
    render(name, Chart { own_style, drawing })
}

/// Renders a template of this crate.
pub(crate) fn render(name: &'static str, context: impl Serialize) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_syntax(syntax().map_err(|error| ReportError::new(name, error))?);
    environment.set_auto_escape_callback(|name| match name.ends_with(".md") {
        true => AutoEscape::None,
        false => AutoEscape::Html,
    });
    environment.add_filter("fixed", fixed);
    environment.add_filter("signed", signed);
    environment.add_filter("percent", percent);
    environment.add_filter("share", share);
    environment.add_filter("thousands", thousands);
    environment.add_filter("code", code);
    environment.add_filter("yaml", yaml);
    environment.add_filter("cell", cell);
    for (name, source) in SOURCES {
        environment
            .add_template(name, source)
            .map_err(|error| ReportError::new(name, error))?;
    }
    let template = environment
        .get_template(name)
        .map_err(|error| ReportError::new(name, error))?;
    template
        .render(Serde(context))
        .map_err(|error| ReportError::new(name, error))
}

const SOURCES: [(&str, &str); 22] = [
    ("chart.css", include_str!("../templates/chart.css")),
    ("label_counts.svg", include_str!("../templates/label_counts.svg")),
    (
        "confusion_matrix.svg",
        include_str!("../templates/confusion_matrix.svg"),
    ),
    ("curves.svg", include_str!("../templates/curves.svg")),
    ("funnel.svg", include_str!("../templates/funnel.svg")),
    ("intervals.svg", include_str!("../templates/intervals.svg")),
    ("reliability.svg", include_str!("../templates/reliability.svg")),
    ("shares.svg", include_str!("../templates/shares.svg")),
    ("golden.css", include_str!("../templates/golden/golden.css")),
    ("golden.html", include_str!("../templates/golden/golden.html")),
    ("macros.html", include_str!("../templates/golden/macros.html")),
    ("headline.html", include_str!("../templates/golden/headline.html")),
    (
        "comparison.html",
        include_str!("../templates/golden/comparison.html"),
    ),
    ("model.html", include_str!("../templates/golden/model.html")),
    ("slices.html", include_str!("../templates/golden/slices.html")),
    (
        "pseudo_labels.html",
        include_str!("../templates/golden/pseudo_labels.html"),
    ),
    ("training.html", include_str!("../templates/golden/training.html")),
    (
        "golden_rows.html",
        include_str!("../templates/golden/golden_rows.html"),
    ),
    ("lineage.html", include_str!("../templates/golden/lineage.html")),
    ("methods.html", include_str!("../templates/golden/methods.html")),
    ("compare.html", include_str!("../templates/compare.html")),
    ("model_card.md", include_str!("../templates/model_card.md")),
];

/// A line that holds only a block tag leaves no line behind.
fn syntax() -> Result<SyntaxConfig, minijinja::Error> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
}

fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// With a sign, and a real minus.
pub(crate) fn signed(value: f64, digits: usize) -> String {
    format!("{value:+.digits$}").replace('-', "\u{2212}")
}

fn percent(value: f64) -> String {
    format!("{:.0}%", value * 100.0)
}

/// With one digit, for shares that may be small.
fn share(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

pub(crate) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

/// Html of a text in which `names` stand between backticks.
fn code(value: &str) -> Value {
    let parts = value.split('`').map(|part| HtmlEscape(part).to_string());
    let mut parts: Vec<String> = parts.collect();
    // An odd backtick stands for itself.
    if parts.len().is_multiple_of(2) {
        let last = parts.pop().unwrap_or_default();
        let before = parts.pop().unwrap_or_default();
        parts.push(format!("{before}`{last}"));
    }
    let marked = parts.iter().enumerate().map(|(position, part)| {
        if position % 2 == 0 {
            part.clone()
        } else {
            format!("<code>{part}</code>")
        }
    });
    Value::from_safe_string(marked.collect())
}

/// A double-quoted scalar of YAML, and a string of Python.
fn yaml(value: &str) -> String {
    let escaped = value.chars().map(|character| match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        character if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        character => character.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Text that does not end the cell of a Markdown table.
fn cell(value: &str) -> String {
    value.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_of_yaml_are_quoted() {
        assert_eq!(yaml("a \"b\": \\ #기쁨\n"), r##""a \"b\": \\ #기쁨\n""##);
    }

    #[test]
    fn a_cell_stays_in_its_column() {
        assert_eq!(cell("a|b\nc"), "a\\|b c");
    }

    #[test]
    fn names_between_backticks_are_code() {
        let html = |text| code(text).to_string();
        assert_eq!(html("`a<b` is `c`"), "<code>a&lt;b</code> is <code>c</code>");
        assert_eq!(html("5` and <"), "5` and &lt;");
    }

    #[test]
    fn thousands_are_grouped() {
        let grouped: Vec<String> = [0, 999, 1000, 1_234_567].into_iter().map(thousands).collect();
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn differences_carry_their_sign() {
        assert_eq!(
            (signed(0.0123, 4), signed(-0.5, 2)),
            ("+0.0123".into(), "\u{2212}0.50".into())
        );
    }
}
