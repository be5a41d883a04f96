//! Confusion matrices as csv and svg. Rows are true classes, columns predicted ones.

use classification::{ConfusionMatrix, LabelCounts, Tally};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::ReportError;
use crate::layout::COLUMN;
use crate::template::{Place, chart};

/// The counts. Single-label: a header of predicted classes and a first column of true ones. Multi-label: a line per
/// label with its true negatives, false positives, false negatives and true positives.
///
/// # Panics
/// If there is not one label per class.
pub fn confusion_matrix_csv(labels: &[impl AsRef<str>], tally: &Tally) -> String {
    let names: Vec<String> = labels.iter().map(|label| quoted(label.as_ref())).collect();
    let line = |name: &String, counts: &[u64]| {
        let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
        format!("{name},{}\n", counts.join(","))
    };
    match tally {
        Tally::Classes(matrix) => {
            assert_eq!(labels.len(), matrix.classes(), "one label per class");
            let rows = names.iter().zip(matrix.rows()).map(|(name, row)| line(name, row));
            format!(
                "true \\ predicted,{}\n{}",
                names.join(","),
                rows.collect::<String>()
            )
        }
        Tally::Labels(counts) => {
            assert_eq!(labels.len(), counts.classes(), "one label per class");
            let rows = names.iter().zip(counts.matrices());
            let rows = rows.map(|(name, matrix)| line(name, matrix.as_flattened()));
            format!("label,tn,fp,fn,tp\n{}", rows.collect::<String>())
        }
    }
}

fn quoted(name: &str) -> String {
    if name.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

/// The counts as a picture: counts, shares, and a colour by the share. Shares are of the true class, where the task
/// is multi-label of the rows that have the label, or have it not.
///
/// # Panics
/// If there is not one label per class.
pub fn confusion_matrix_svg(labels: &[impl AsRef<str>], tally: &Tally) -> Result<String, ReportError> {
    draw(labels, tally, Place::File)
}

/// As [`confusion_matrix_svg`], wherever it stands.
pub(crate) fn draw(labels: &[impl AsRef<str>], tally: &Tally, place: Place) -> Result<String, ReportError> {
    let labels: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    match tally {
        Tally::Classes(matrix) => {
            assert_eq!(labels.len(), matrix.classes(), "one label per class");
            chart("confusion_matrix.svg", place, drawing(&labels, matrix))
        }
        Tally::Labels(counts) => {
            assert_eq!(labels.len(), counts.classes(), "one label per class");
            chart("label_counts.svg", place, label_drawing(&labels, counts))
        }
    }
}

#[derive(Serialize)]
struct Drawing {
    width: usize,
    height: usize,
    cell_width: usize,
    cell_height: usize,
    /// Names of columns stand on end.
    upright: bool,
    /// Shares are written into the cells.
    shares: bool,
    names: Vec<Name>,
    cells: Vec<Cell>,
    left: usize,
    top: usize,
    middle_x: usize,
    middle_y: usize,
}

#[derive(Serialize)]
struct Name {
    text: String,
    /// Middle of its column.
    x: usize,
    /// Middle of its row.
    y: usize,
}

#[derive(Serialize)]
struct Cell {
    x: usize,
    y: usize,
    middle_x: usize,
    middle_y: usize,
    count: u64,
    /// Of the true class, in [0, 1].
    share: f64,
    truth: String,
    predicted: String,
}

fn drawing(labels: &[&str], matrix: &ConfusionMatrix) -> Drawing {
    let shares = labels.len() <= 14;
    let (cell_width, cell_height) = if shares { (54, 44) } else { (40, 30) };
    let longest = labels.iter().map(|label| label.width()).max().unwrap_or(0) * COLUMN;
    let upright = longest + 8 > cell_width;
    let left = 24 + longest + 12;
    let top = 24 + if upright { longest + 12 } else { 24 };
    let (width, height) = (labels.len() * cell_width, labels.len() * cell_height);
    let column = |class: usize| left + class * cell_width;
    let row = |class: usize| top + class * cell_height;

    let name = |(class, text): (usize, &&str)| Name {
        text: (*text).to_owned(),
        x: column(class) + cell_width / 2,
        y: row(class) + cell_height / 2,
    };
    let cell = |(truth, predicted): (usize, usize)| {
        let (count, support) = (matrix.count(truth, predicted), matrix.support(truth));
        Cell {
            x: column(predicted),
            y: row(truth),
            middle_x: column(predicted) + cell_width / 2,
            middle_y: row(truth) + cell_height / 2,
            count,
            share: if support == 0 {
                0.0
            } else {
                count as f64 / support as f64
            },
            truth: labels[truth].to_owned(),
            predicted: labels[predicted].to_owned(),
        }
    };
    let classes = 0..labels.len();
    Drawing {
        width: left + width + 8,
        height: top + height + 8,
        cell_width,
        cell_height,
        upright,
        shares,
        names: labels.iter().enumerate().map(name).collect(),
        cells: classes
            .clone()
            .flat_map(|truth| classes.clone().map(move |predicted| (truth, predicted)))
            .map(cell)
            .collect(),
        left,
        top,
        middle_x: left + width / 2,
        middle_y: top + height / 2,
    }
}

#[derive(Serialize)]
struct LabelDrawing {
    width: usize,
    height: usize,
    cell_width: usize,
    cell_height: usize,
    /// Of the columns.
    titles: Vec<Name>,
    /// Of the rows.
    names: Vec<Name>,
    cells: Vec<Cell>,
    left: usize,
}

/// What the four counts of a label are called, in the order of its matrix: (true, predicted).
const OUTCOMES: [(&str, &str); 4] = [
    ("not so", "not so"),
    ("not so", "given"),
    ("so", "not given"),
    ("so", "given"),
];
const OUTCOME_TITLES: [&str; 4] = ["true neg.", "false pos.", "false neg.", "true pos."];

fn label_drawing(labels: &[&str], counts: &LabelCounts) -> LabelDrawing {
    let (cell_width, cell_height) = (84, 40);
    let longest = labels.iter().map(|label| label.width()).max().unwrap_or(0) * COLUMN;
    let (left, top) = (longest + 20, 28);
    let name = |text: &str, column: usize, row: usize| Name {
        text: text.to_owned(),
        x: left + column * cell_width + cell_width / 2,
        y: top + row * cell_height + cell_height / 2,
    };
    let cells = counts.matrices().enumerate().flat_map(|(row, matrix)| {
        let counts = matrix.as_flattened().to_vec();
        (0..4).map(move |column| {
            let of_truth = counts[column / 2 * 2] + counts[column / 2 * 2 + 1];
            let (x, y) = (left + column * cell_width, top + row * cell_height);
            Cell {
                x,
                y,
                middle_x: x + cell_width / 2,
                middle_y: y + cell_height / 2,
                count: counts[column],
                share: if of_truth == 0 {
                    0.0
                } else {
                    counts[column] as f64 / of_truth as f64
                },
                truth: OUTCOMES[column].0.to_owned(),
                predicted: OUTCOMES[column].1.to_owned(),
            }
        })
    });
    LabelDrawing {
        width: left + 4 * cell_width + 8,
        height: top + labels.len() * cell_height + 8,
        cell_width,
        cell_height,
        titles: OUTCOME_TITLES
            .iter()
            .enumerate()
            .map(|(column, title)| name(title, column, 0))
            .collect(),
        names: labels
            .iter()
            .enumerate()
            .map(|(row, label)| name(label, 0, row))
            .collect(),
        cells: cells.collect(),
        left,
    }
}
