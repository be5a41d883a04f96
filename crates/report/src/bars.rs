//! Bars per class: what of a class came through a selection, and how large a part of each table a class is.

use serde::Serialize;

use crate::ReportError;
use crate::golden::{ClassShares, Funnel};
use crate::layout::{Entry, Tick, left_of, legend, round};
use crate::template::{Place, chart, thousands};

/// Of the longest bar.
const WIDTH: f64 = 360.0;
/// Shades for what was dropped; further reasons share the last one.
const SHADES: usize = 5;

/// A bar per class, as long as its candidates are many: what was kept, then what was dropped, by reason.
pub(crate) fn funnel(funnel: &Funnel) -> Result<String, ReportError> {
    let left = left_of(funnel.classes.iter().map(|class| class.label.as_str()));
    let reasons = funnel.drops.iter().enumerate().map(|(position, (reason, _))| {
        let shade = position.min(SHADES - 1);
        (reason.replace('_', " "), format!("n{shade}"))
    });
    let entries: Vec<(String, String)> = [("kept".to_owned(), "d0".to_owned())]
        .into_iter()
        .chain(reasons)
        .collect();
    let (legend, top) = legend(&entries, left, WIDTH);
    let most = funnel.classes.iter().map(|class| class.candidates).max();
    let scale = WIDTH / most.unwrap_or(0).max(1) as f64;
    let row = |(position, class): (usize, &crate::golden::FunnelClass)| {
        let mut x = left;
        let counts = std::iter::once(class.kept).chain(funnel.drops.iter().map(|(reason, _)| {
            let own = class.drops.iter().find(|(own, _)| own == reason);
            own.map_or(0, |(_, rows)| *rows)
        }));
        let part = |((name, shade), rows): (&(String, String), u64)| {
            let width = rows as f64 * scale;
            let part = Part {
                name: name.clone(),
                class: shade.clone(),
                x: round(x),
                width: round(width),
                rows,
            };
            x += width;
            part
        };
        let parts: Vec<Part> = entries.iter().zip(counts).map(part).collect();
        FunnelRow {
            name: class.label.clone(),
            y: round(top + position as f64 * 28.0),
            parts: parts.into_iter().filter(|part| part.rows > 0).collect(),
            end: round(left + class.candidates as f64 * scale),
            words: format!("{} of {}", thousands(class.kept), thousands(class.candidates)),
        }
    };
    let drawing = FunnelDrawing {
        width: left + WIDTH + 120.0,
        height: top + funnel.classes.len() as f64 * 28.0,
        left,
        legend,
        rows: funnel.classes.iter().enumerate().map(row).collect(),
    };
    chart("funnel.svg", Place::Page, drawing)
}

#[derive(Serialize)]
struct FunnelDrawing {
    width: f64,
    height: f64,
    left: f64,
    legend: Vec<Entry>,
    rows: Vec<FunnelRow>,
}

#[derive(Serialize)]
struct FunnelRow {
    name: String,
    y: f64,
    parts: Vec<Part>,
    end: f64,
    words: String,
}

#[derive(Serialize)]
struct Part {
    name: String,
    class: String,
    x: f64,
    width: f64,
    rows: u64,
}

/// A group of bars per class, one for each table.
pub(crate) fn shares(labels: &[String], shares: &ClassShares) -> Result<String, ReportError> {
    const BAR: f64 = 9.0;
    let left = left_of(labels.iter().map(String::as_str));
    let entries: Vec<(String, String)> = shares
        .tables
        .iter()
        .enumerate()
        .map(|(position, table)| (table.name.clone(), format!("d{}", position % 8)))
        .collect();
    let (legend, top) = legend(&entries, left, WIDTH);
    let highest = shares
        .tables
        .iter()
        .flat_map(|table| (0..labels.len()).map(|class| table.share(class)))
        .fold(0.0, f64::max);
    let tenths = ((highest * 10.0).ceil() as u32).clamp(1, 10);
    let scale = WIDTH / (f64::from(tenths) / 10.0);
    let height = entries.len() as f64 * BAR + 14.0;
    let row = |(class, label): (usize, &String)| {
        let start = top + class as f64 * height + 5.0;
        let bar = |(position, (name, shade)): (usize, &(String, String))| {
            let share = shares.tables[position].share(class);
            ShareBar {
                table: name.clone(),
                class: shade.clone(),
                y: round(start + position as f64 * BAR),
                width: round(share * scale),
                share,
            }
        };
        ShareRow {
            name: label.clone(),
            middle: round(start + entries.len() as f64 * BAR / 2.0),
            bars: entries.iter().enumerate().map(bar).collect(),
        }
    };
    let bottom = top + labels.len() as f64 * height;
    let step = if tenths > 5 { 2 } else { 1 };
    let drawing = ShareDrawing {
        width: left + WIDTH + 24.0,
        height: bottom + 22.0,
        left,
        top,
        bottom,
        bar_height: BAR - 1.0,
        legend,
        ticks: (0..=tenths)
            .step_by(step)
            .map(|tenth| Tick {
                at: round(left + scale * f64::from(tenth) / 10.0),
                text: format!("{} %", tenth * 10),
            })
            .collect(),
        rows: labels.iter().enumerate().map(row).collect(),
    };
    chart("shares.svg", Place::Page, drawing)
}

#[derive(Serialize)]
struct ShareDrawing {
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    bottom: f64,
    bar_height: f64,
    legend: Vec<Entry>,
    ticks: Vec<Tick>,
    rows: Vec<ShareRow>,
}

#[derive(Serialize)]
struct ShareRow {
    name: String,
    middle: f64,
    bars: Vec<ShareBar>,
}

#[derive(Serialize)]
struct ShareBar {
    table: String,
    class: String,
    y: f64,
    width: f64,
    share: f64,
}
