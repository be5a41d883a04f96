//! Confusion matrices as csv and svg. Rows are true classes, columns predicted ones.

use classification::ConfusionMatrix;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::ReportError;
use crate::template::render;

/// The counts, with a header of predicted classes and a first column of true ones.
///
/// # Panics
/// If there is not one label per class.
pub fn confusion_matrix_csv(labels: &[impl AsRef<str>], matrix: &ConfusionMatrix) -> String {
    assert_eq!(labels.len(), matrix.classes(), "one label per class");
    let names: Vec<String> = labels.iter().map(|label| quoted(label.as_ref())).collect();
    let mut text = format!("true \\ predicted,{}\n", names.join(","));
    for (name, row) in names.iter().zip(matrix.rows()) {
        let counts: Vec<String> = row.iter().map(u64::to_string).collect();
        text += &format!("{name},{}\n", counts.join(","));
    }
    text
}

fn quoted(name: &str) -> String {
    if name.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

/// The matrix as a picture: counts, shares of the true class, and a colour by the share.
///
/// # Panics
/// If there is not one label per class.
pub fn confusion_matrix_svg(
    labels: &[impl AsRef<str>],
    matrix: &ConfusionMatrix,
) -> Result<String, ReportError> {
    assert_eq!(labels.len(), matrix.classes(), "one label per class");
    let labels: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    render("confusion_matrix.svg", drawing(&labels, matrix))
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

/// Width of a terminal column in the charts' 13 pixel type.
const COLUMN: usize = 7;

fn drawing(labels: &[&str], matrix: &ConfusionMatrix) -> Drawing {
    let shares = labels.len() <= 14;
    let (cell_width, cell_height) = if shares { (68, 46) } else { (40, 30) };
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
