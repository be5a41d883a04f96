//! Tables for the terminal, aligned by display width (Hangul takes two columns), and as csv or JSON.

use std::io::IsTerminal;

use comfy_table::{CellAlignment, ContentArrangement, Table as Drawing, presets};
use dataset::{Cell, ColumnInfo, Table};
use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::{CliError, Exit};

/// Widest cell where no terminal sets a limit, in columns.
const WIDEST: usize = 60;
/// Columns of text are cut down to this before whole columns are left out.
const NARROWEST: usize = 12;
/// Between two columns.
const GAP: usize = 2;
/// A probability below this is not shown beside others.
const SHOWN_PROBABILITY: f64 = 0.005;
/// How many labels of a list of probabilities are shown.
const SHOWN_LABELS: usize = 3;

/// How cells are shown.
#[derive(Clone, Copy, Default)]
pub(crate) struct View<'l> {
    /// Names of the classes: a list of so many probabilities is shown with them.
    pub(crate) labels: &'l [String],
    /// Whether a cell without value says `null`; else it is empty.
    pub(crate) nulls: bool,
    /// Columns of the terminal.
    pub(crate) width: Option<usize>,
}

/// Columns of the terminal: `COLUMNS`, else what standard output is, if it is a terminal.
pub(crate) fn terminal_width() -> Option<usize> {
    let stated = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let measured = || {
        let out = std::io::stdout();
        let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(out).ok());
        size.flatten().map(|size| usize::from(size.ws_col))
    };
    stated.or_else(measured).filter(|columns: &usize| *columns > 0)
}

/// Header and rows with aligned columns; numbers to the right.
pub(crate) fn text(table: &Table, view: View<'_>) -> String {
    let header: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let rows = table
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| show(cell, view)).collect())
        .collect();
    let number = |cell: &Cell| matches!(cell, Cell::Int(_) | Cell::UInt(_) | Cell::Float(_));
    let right: Vec<bool> = (0..header.len())
        .map(|at| table.rows.iter().any(|row| number(&row[at])))
        .collect();
    aligned(&header, rows, &right, view.width)
}

/// Header and rows of plain strings.
pub(crate) fn strings(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    finish(&draw(&header, rows))
}

/// Header and rows of strings, those of `right` columns to the right, none wider than `width` columns: texts are cut, and
/// if that is not enough, the last columns are left out and named below.
pub(crate) fn aligned(
    header: &[String],
    rows: Vec<Vec<String>>,
    right: &[bool],
    width: Option<usize>,
) -> String {
    let widest = width.unwrap_or(WIDEST);
    let mut rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| row.iter().map(|cell| shorten(cell, widest)).collect())
        .collect();
    let mut shown = header.len();
    if let Some(width) = width {
        let widths: Vec<usize> = (0..header.len())
            .map(|at| {
                let cells = rows.iter().map(|row| row[at].width());
                cells.chain([header[at].width()]).max().unwrap_or(0)
            })
            .collect();
        let (fitting, limit) = fit(&widths, right, width);
        shown = fitting;
        for row in &mut rows {
            row.truncate(shown);
            for (at, cell) in row.iter_mut().enumerate().filter(|(at, _)| !right[*at]) {
                *cell = shorten(cell, limit.max(header[at].width()));
            }
        }
    }
    let mut drawing = draw(&header[..shown], rows);
    for (position, _) in right[..shown].iter().enumerate().filter(|(_, right)| **right) {
        if let Some(column) = drawing.column_mut(position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = finish(&drawing);
    if shown < header.len() {
        let noun = if header.len() - shown == 1 {
            "column"
        } else {
            "columns"
        };
        text.push_str(&format!(
            "… {} more {noun}: {}\n",
            header.len() - shown,
            header[shown..].join(", ")
        ));
    }
    text
}

/// How many columns fit, and how wide those of text may be.
fn fit(widths: &[usize], right: &[bool], width: usize) -> (usize, usize) {
    let needed = |shown: usize, limit: usize| {
        let cells = widths.iter().zip(right).take(shown);
        let cells = cells.map(|(cell, right)| if *right { *cell } else { (*cell).min(limit) });
        cells.sum::<usize>() + GAP * shown.saturating_sub(1)
    };
    let widest = widths.iter().copied().max().unwrap_or(0);
    let fitting = (1..=widths.len())
        .rev()
        .find(|shown| needed(*shown, NARROWEST) <= width)
        .unwrap_or(1);
    let limit = (NARROWEST..=widest)
        .rev()
        .find(|limit| needed(fitting, *limit) <= width)
        .unwrap_or(NARROWEST);
    (fitting, limit)
}

fn show(cell: &Cell, view: View<'_>) -> String {
    match cell {
        Cell::Null if view.nulls => "null".to_owned(),
        Cell::List(values) => match probabilities(values, view.labels) {
            Some(text) => text,
            None => {
                let values: Vec<String> = values.iter().map(|value| show(value, view)).collect();
                format!("[{}]", values.join(", "))
            }
        },
        other => other.display(),
    }
}

/// `기쁨 0.91 · 불안 0.05`, if there is a number for each label.
fn probabilities(values: &[Cell], labels: &[String]) -> Option<String> {
    if labels.is_empty() || values.len() != labels.len() {
        return None;
    }
    let number = |cell: &Cell| match cell {
        Cell::Float(value) if (0.0..=1.0).contains(value) => Some(*value),
        _ => None,
    };
    let values: Vec<f64> = values.iter().map(number).collect::<Option<_>>()?;
    let mut named: Vec<(f64, &String)> = values.into_iter().zip(labels).collect();
    named.sort_by(|a, b| b.0.total_cmp(&a.0));
    let shown = named.iter().take(SHOWN_LABELS).enumerate();
    let shown: Vec<String> = shown
        .filter(|(at, (value, _))| *at == 0 || *value >= SHOWN_PROBABILITY)
        .map(|(_, (value, label))| format!("{label} {value:.2}"))
        .collect();
    Some(shown.join(" · "))
}

/// A row as a JSON object, keys in the order of the columns.
pub(crate) fn json_row(columns: &[ColumnInfo], row: &[Cell]) -> String {
    let field = |(column, cell): (&ColumnInfo, &Cell)| {
        format!("{}: {}", Value::from(column.name.as_str()), cell.to_json())
    };
    let fields: Vec<String> = columns.iter().zip(row).map(field).collect();
    format!("{{{}}}", fields.join(", "))
}

/// `[{name, dtype}]`.
pub(crate) fn json_columns(table: &Table) -> Value {
    table
        .columns
        .iter()
        .map(|column| json!({"name": column.name, "dtype": column.dtype}))
        .collect()
}

/// Comma-separated values, full precision, with a header if asked for.
pub(crate) fn csv(table: &Table, header: bool) -> Result<String, CliError> {
    let failed = |error: &dyn std::fmt::Display| {
        CliError::new(Exit::StageFailed, format!("cannot be written as csv: {error}"))
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    if header {
        writer
            .write_record(table.columns.iter().map(|column| &column.name))
            .map_err(|error| failed(&error))?;
    }
    for row in &table.rows {
        writer
            .write_record(row.iter().map(Cell::to_csv))
            .map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn draw(header: &[String], rows: Vec<Vec<String>>) -> Drawing {
    let mut drawing = Drawing::new();
    drawing
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    drawing.set_header(header);
    for row in rows {
        drawing.add_row(row);
    }
    for column in drawing.column_iter_mut() {
        column.set_padding((0, GAP as u16));
    }
    drawing
}

fn finish(drawing: &Drawing) -> String {
    drawing
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// One line of at most `widest` columns.
pub(crate) fn shorten(text: &str, widest: usize) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.width() <= widest {
        return text;
    }
    let mut width = 0;
    let fits = |character: &char| {
        width += character.width().unwrap_or(0);
        width < widest
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(header: &[&str], rows: &[&[&str]], right: &[bool], width: usize) -> Vec<String> {
        let header: Vec<String> = header.iter().map(ToString::to_string).collect();
        let rows = rows
            .iter()
            .map(|row| row.iter().map(ToString::to_string).collect());
        let text = aligned(&header, rows.collect(), right, Some(width));
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn hangul_is_aligned_by_display_width() {
        let rows = vec![vec!["기쁨".into(), "1".into()], vec!["joy".into(), "2".into()]];
        assert_eq!(strings(&["label", "n"], rows), "label  n\n기쁨   1\njoy    2\n");
    }

    #[test]
    fn a_long_text_is_cut_to_the_widest_cell() {
        let short = shorten(&"가".repeat(100), WIDEST);
        assert!(short.width() <= WIDEST && short.ends_with('…'), "{short}");
    }

    #[test]
    fn texts_are_cut_so_that_all_columns_fit_a_terminal() {
        let long = "가나다라마바사아자차카타파하".repeat(4);
        let lines = lines(
            &["id", "text", "conf"],
            &[&["a-1", &long, "0.9812"]],
            &[false, false, true],
            40,
        );
        assert_eq!(
            lines[1],
            "a-1  가나다라마바사아자차카타파…   0.9812".replace("   0", "  0")
        );
        assert!(lines.iter().all(|line| line.width() <= 40), "{lines:#?}");
    }

    #[test]
    fn columns_that_do_not_fit_are_named() {
        let lines = lines(
            &["first", "second", "third"],
            &[&["123456789", "123456789", "123456789"]],
            &[true, true, true],
            22,
        );
        assert_eq!(lines[2], "… 1 more column: third");
        assert_eq!(lines[1], "123456789  123456789");
    }

    #[test]
    fn probabilities_carry_their_labels() {
        let labels = ["분노", "불안", "기쁨"].map(str::to_owned);
        let view = View {
            labels: &labels,
            ..View::default()
        };
        let cell = Cell::List([0.02, 0.001, 0.979].map(Cell::Float).into());
        assert_eq!(show(&cell, view), "기쁨 0.98 · 분노 0.02");
        assert_eq!(show(&cell, View::default()), "[0.0200, 0.0010, 0.9790]");
    }

    #[test]
    fn what_has_no_value_says_so_where_that_means_something() {
        let view = View {
            nulls: true,
            ..View::default()
        };
        let cell = Cell::List(vec![Cell::Null, Cell::Float(f64::NAN)]);
        assert_eq!(show(&cell, view), "[null, NaN]");
        assert_eq!(show(&Cell::Null, View::default()), "");
    }
}
