//! The comparison on a terminal.

use report::{Figure, Rows, Section, Side, SideBySide, Unit};

use crate::table;
use crate::words;

/// `limit` rows of a table that lists texts; figures that are the same only with `same`.
pub(super) fn show(compared: &SideBySide, limit: usize, same: bool) -> String {
    let width = table::terminal_width();
    let sides = [("A", &compared.a), ("B", &compared.b)];
    let rows = sides.map(|(letter, side)| side_row(letter, side)).to_vec();
    let mut text = String::new();
    // No header: the lines speak for themselves.
    text.push_str(table::strings(&["", "", "", "", ""], rows).trim_start_matches('\n'));
    for warning in &compared.warnings {
        text.push_str(&format!("\nwarning: {warning}\n"));
    }
    text.push_str(&heading("what differs"));
    if compared.differences.is_empty() {
        text.push_str("nothing that is known to have gone in\n");
    }
    for (stage, reasons) in &compared.differences {
        text.push_str(&format!("{stage}\n"));
        for reason in reasons {
            text.push_str(&format!("  {reason}\n"));
        }
    }
    for section in &compared.sections {
        text.push_str(&show_section(section, limit, same, width));
    }
    text
}

fn side_row(letter: &str, side: &Side) -> Vec<String> {
    let took = side
        .seconds
        .map(|seconds| format!("took {}", words::seconds(seconds)));
    vec![
        letter.to_owned(),
        side.name.clone(),
        side.tags.join(", "),
        side.created.clone().unwrap_or_default(),
        took.unwrap_or_else(|| {
            if side.version.is_none() {
                side.path.clone()
            } else {
                String::new()
            }
        }),
    ]
}

fn heading(title: &str) -> String {
    format!(
        "\n{title}\n{}\n",
        "─".repeat(unicode_width::UnicodeWidthStr::width(title))
    )
}

fn show_section(section: &Section, limit: usize, same: bool, width: Option<usize>) -> String {
    let mut text = heading(&section.title);
    for note in &section.notes {
        text.push_str(&format!("{note}\n"));
    }
    if let Some(test) = &section.test {
        text.push_str(&format!("{}\n{}\n", test.words(), test.flips()));
    }
    // Figures of a model are all of interest; a report's others are many.
    let intervals = section
        .figures
        .iter()
        .any(|figure| figure.a_ci95.is_some() || figure.b_ci95.is_some());
    let shown: Vec<&Figure> = section
        .figures
        .iter()
        .filter(|figure| same || intervals || !figure.is_same())
        .collect();
    if !shown.is_empty() {
        if !section.notes.is_empty() || section.test.is_some() {
            text.push('\n');
        }
        text.push_str(&show_figures(&shown, width));
    }
    let hidden = section.figures.len() - shown.len();
    if hidden > 0 {
        text.push_str(&format!(
            "{hidden} {} the same in both (--all shows them)\n",
            if hidden == 1 { "figure is" } else { "figures are" }
        ));
    }
    for rows in &section.tables {
        // That there are none has been said with the test.
        if rows.rows.is_empty() && section.test.is_some() {
            continue;
        }
        if !text.ends_with("─\n") {
            text.push('\n');
        }
        text.push_str(&show_rows(rows, limit, width));
    }
    text
}

fn show_figures(figures: &[&Figure], width: Option<usize>) -> String {
    let range = |interval: Option<classification::Interval>| {
        interval.map_or_else(String::new, |interval| {
            format!("{:.3} – {:.3}", interval.low, interval.high)
        })
    };
    let signed_range = |interval: Option<classification::Interval>| {
        interval.map_or_else(String::new, |interval| {
            let ends = [interval.low, interval.high].map(|end| Unit::Number.show_difference(end));
            format!("{} … {}", ends[0], ends[1])
        })
    };
    let value =
        |figure: &Figure, value: Option<f64>| value.map_or_else(String::new, |value| figure.unit.show(value));
    // Name, cell, whether the column may be left out when it is empty.
    let columns: [(&str, Vec<String>); 7] = [
        ("", figures.iter().map(|figure| figure.name.clone()).collect()),
        (
            "A",
            figures.iter().map(|figure| value(figure, figure.a)).collect(),
        ),
        (
            "95 %",
            figures.iter().map(|figure| range(figure.a_ci95)).collect(),
        ),
        (
            "B",
            figures.iter().map(|figure| value(figure, figure.b)).collect(),
        ),
        (
            "95 %",
            figures.iter().map(|figure| range(figure.b_ci95)).collect(),
        ),
        (
            "B − A",
            figures
                .iter()
                .map(|figure| {
                    let difference = figure.difference;
                    difference.map_or_else(String::new, |value| figure.unit.show_difference(value))
                })
                .collect(),
        ),
        (
            "95 %",
            figures
                .iter()
                .map(|figure| signed_range(figure.difference_ci95))
                .collect(),
        ),
    ];
    let kept: Vec<&(&str, Vec<String>)> = columns
        .iter()
        .filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()))
        .collect();
    let header: Vec<String> = kept.iter().map(|(name, _)| (*name).to_owned()).collect();
    let right: Vec<bool> = (0..kept.len()).map(|at| at > 0).collect();
    let rows = (0..figures.len())
        .map(|row| kept.iter().map(|(_, cells)| cells[row].clone()).collect())
        .collect();
    table::aligned(&header, rows, &right, width)
}

fn show_rows(rows: &Rows, limit: usize, width: Option<usize>) -> String {
    // Only lists of sentences are long.
    let sentences = rows.columns.iter().any(|name| name == "text");
    let shown = &rows.rows[..rows.rows.len().min(if sentences { limit } else { usize::MAX })];
    let mut text = match shown.len() as u64 {
        0 => return format!("{}: none\n", rows.title),
        _ if !sentences => format!("{}\n", rows.title),
        shown if shown < rows.of => format!(
            "{} ({} of {})\n",
            rows.title,
            stage::grouped(shown),
            stage::grouped(rows.of)
        ),
        _ => format!("{} ({})\n", rows.title, stage::grouped(rows.of)),
    };
    let right: Vec<bool> = (0..rows.columns.len())
        .map(|at| shown.iter().any(|row| row[at].is_number()))
        .collect();
    let cells = shown
        .iter()
        .map(|row| row.iter().map(report::Cell::show).collect())
        .collect();
    text.push_str(&table::aligned(&rows.columns, cells, &right, width));
    text
}
