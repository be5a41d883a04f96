//! Tables for the terminal, aligned by display width (Hangul takes two columns), and as csv or JSON.

use comfy_table::{CellAlignment, ContentArrangement, Table as Drawing, presets};
use dataset::{Cell, Table};
use serde_json::{Map, Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::{CliError, Exit};

/// Widest cell on a terminal, in columns.
const WIDEST: usize = 60;

/// Header and rows with aligned columns; numbers to the right.
pub(crate) fn text(table: &Table) -> String {
    let header = table.columns.iter().map(|column| column.name.clone());
    let rows = table
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| shorten(&cell.display())).collect());
    let mut drawing = draw(header.collect(), rows.collect());
    for (position, _) in table.columns.iter().enumerate() {
        let number = |row: &Vec<Cell>| matches!(row[position], Cell::Int(_) | Cell::UInt(_) | Cell::Float(_));
        if table.rows.iter().any(number)
            && let Some(column) = drawing.column_mut(position)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    finish(&drawing)
}

/// Header and rows of plain strings.
pub(crate) fn strings(header: &[&str], rows: Vec<Vec<String>>) -> String {
    finish(&draw(
        header.iter().map(|name| (*name).to_owned()).collect(),
        rows,
    ))
}

/// One object per row, keys as the columns.
pub(crate) fn json_rows(table: &Table) -> Value {
    let row = |cells: &Vec<Cell>| {
        let fields = table.columns.iter().zip(cells);
        Value::Object(
            fields
                .map(|(column, cell)| (column.name.clone(), cell.to_json()))
                .collect::<Map<_, _>>(),
        )
    };
    table.rows.iter().map(row).collect()
}

/// `[{name, dtype}]`.
pub(crate) fn json_columns(table: &Table) -> Value {
    table
        .columns
        .iter()
        .map(|column| json!({"name": column.name, "dtype": column.dtype}))
        .collect()
}

/// Comma-separated values with a header, full precision.
pub(crate) fn csv(table: &Table) -> Result<String, CliError> {
    let failed = |error: &dyn std::fmt::Display| {
        CliError::new(Exit::StageFailed, format!("cannot be written as csv: {error}"))
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(table.columns.iter().map(|column| &column.name))
        .map_err(|error| failed(&error))?;
    for row in &table.rows {
        writer
            .write_record(row.iter().map(Cell::to_csv))
            .map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn draw(header: Vec<String>, rows: Vec<Vec<String>>) -> Drawing {
    let mut drawing = Drawing::new();
    drawing
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    drawing.set_header(header);
    for row in rows {
        drawing.add_row(row);
    }
    for column in drawing.column_iter_mut() {
        column.set_padding((0, 2));
    }
    drawing
}

fn finish(drawing: &Drawing) -> String {
    drawing
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// One line of at most [`WIDEST`] columns.
fn shorten(text: &str) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.width() <= WIDEST {
        return text;
    }
    let mut width = 0;
    let fits = |character: &char| {
        width += character.width().unwrap_or(0);
        width < WIDEST
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_is_aligned_by_display_width() {
        let rows = vec![vec!["기쁨".into(), "1".into()], vec!["joy".into(), "2".into()]];
        assert_eq!(strings(&["label", "n"], rows), "label  n\n기쁨   1\njoy    2\n");
    }

    #[test]
    fn a_long_text_is_cut_to_the_widest_cell() {
        let short = shorten(&"가".repeat(100));
        assert!(short.width() <= WIDEST && short.ends_with('…'), "{short}");
    }
}
