//! What the charts with a row per class share: names to the left, a legend above.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

/// Width of a terminal column in the charts' 13 pixel type.
pub(crate) const COLUMN: usize = 7;

/// The same in their 11 pixel type.
const SMALL_COLUMN: f64 = 6.0;

/// Space for names left of a chart.
pub(crate) fn left_of<'n>(names: impl Iterator<Item = &'n str>) -> f64 {
    let longest = names.map(UnicodeWidthStr::width).max().unwrap_or(0);
    (longest * COLUMN) as f64 + 20.0
}

/// An entry of a legend.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    name: String,
    /// Class of its colour.
    class: String,
    /// Number of its colour among the series.
    colour: usize,
    x: f64,
    y: f64,
}

/// Entries in lines no longer than `width`, from `left`, and how high they are. An entry has a name and its class.
pub(crate) fn legend(entries: &[(String, String)], left: f64, width: f64) -> (Vec<Entry>, f64) {
    const LINE: f64 = 18.0;
    let (mut x, mut y) = (left, 14.0);
    let place = |(colour, (name, class)): (usize, &(String, String))| {
        let long = name.width() as f64 * SMALL_COLUMN + 34.0;
        if x > left && x + long > left + width {
            (x, y) = (left, y + LINE);
        }
        let entry = Entry {
            name: name.clone(),
            class: class.clone(),
            colour,
            x,
            y,
        };
        x += long;
        entry
    };
    let entries = entries.iter().enumerate().map(place).collect();
    (entries, y + 10.0)
}

/// A line of the grid.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) text: String,
}

/// One digit after the point is enough for a pixel.
pub(crate) fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
