//! Figures in [0, 1] with their intervals, on one axis: a row per figure, in it a dot with whiskers per model.

use classification::Interval;
use serde::Serialize;

use crate::ReportError;
use crate::layout::{Entry, Tick, left_of, legend, round};
use crate::template::{Place, chart};

/// A figure of every model.
pub(crate) struct FigureRow {
    pub(crate) name: String,
    /// In the models' order.
    pub(crate) values: Vec<(f64, Option<Interval>)>,
}

/// Draws the figures of `models`. `title` is for those who do not see the picture.
pub(crate) fn intervals(title: &str, models: &[&str], rows: &[FigureRow]) -> Result<String, ReportError> {
    let left = left_of(rows.iter().map(|row| row.name.as_str()));
    let entries: Vec<(String, String)> = models
        .iter()
        .map(|model| ((*model).to_owned(), String::new()))
        .collect();
    let (legend, top) = legend(&entries, left, WIDTH);
    let highest = rows.iter().flat_map(|row| &row.values);
    let highest = highest
        .map(|(value, interval)| interval.map_or(*value, |interval| interval.high.max(*value)))
        .fold(0.0, f64::max);
    // A scale from 0, so that lengths mean what they seem to; up to 1 unless all is below a half.
    let tenths = if highest <= 0.5 { 5 } else { 10 };
    let last = f64::from(tenths) / 10.0;
    let x = |value: f64| round(left + WIDTH * value / last);
    let height = (models.len() as f64 * 13.0).max(14.0) + 12.0;
    let row = |(position, row): (usize, &FigureRow)| {
        let start = top + position as f64 * height;
        let point = |(model, (value, interval)): (usize, &(f64, Option<Interval>))| Point {
            title: point_title(models[model], &row.name, *value, *interval),
            colour: model % 8,
            x: x(*value),
            low: interval.map(|interval| x(interval.low)),
            high: interval.map(|interval| x(interval.high)),
            y: round(start + height / 2.0 + 13.0 * (model as f64 - (models.len() as f64 - 1.0) / 2.0)),
        };
        Row {
            name: row.name.clone(),
            y: round(start + height / 2.0),
            points: row.values.iter().enumerate().map(point).collect(),
        }
    };
    let bottom = top + rows.len() as f64 * height;
    let drawing = Drawing {
        title: title.to_owned(),
        width: left + WIDTH + 18.0,
        height: bottom + 24.0,
        left,
        right: left + WIDTH,
        top,
        bottom,
        legend,
        ticks: (0..=tenths)
            .filter(|tenth| tenths == 5 || tenth % 2 == 0)
            .map(|tenth| f64::from(tenth) / 10.0)
            .map(|value| Tick {
                at: x(value),
                text: format!("{value:.1}"),
            })
            .collect(),
        rows: rows.iter().enumerate().map(row).collect(),
    };
    chart("intervals.svg", Place::Page, drawing)
}

fn point_title(model: &str, name: &str, value: f64, interval: Option<Interval>) -> String {
    let interval =
        interval.map(|interval| format!(" (95 % from {:.4} to {:.4})", interval.low, interval.high));
    format!("{model}, {name}: {value:.4}{}", interval.unwrap_or_default())
}

/// Of the axis.
const WIDTH: f64 = 320.0;

#[derive(Serialize)]
struct Drawing {
    title: String,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    legend: Vec<Entry>,
    ticks: Vec<Tick>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    y: f64,
    points: Vec<Point>,
}

#[derive(Serialize)]
struct Point {
    title: String,
    colour: usize,
    x: f64,
    y: f64,
    low: Option<f64>,
    high: Option<f64>,
}
