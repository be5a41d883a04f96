//! Learning curves: one panel per figure; of one run a line per split, of several a line per run.

use serde::{Deserialize, Serialize};

use crate::ReportError;
use crate::template::{Place, chart};

/// One measured value during training, as a line of `metrics.jsonl` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Optimizer updates so far.
    pub step: u64,
    /// Passes over the training data so far.
    pub epoch: f64,
    /// `train`, `validation`.
    pub split: String,
    /// `loss`, `macro_f1`.
    pub name: String,
    /// What was measured; values that are not finite are left out.
    pub value: f64,
}

/// A training run among several that are drawn into one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What the legend calls it; curves of one name share a colour.
    pub name: String,
    /// What was measured. Pass only what shall be drawn.
    pub points: Vec<CurvePoint>,
}

/// A panel for each name in the order of its first point, over the steps. Pass only what shall be drawn.
pub fn curves_svg(points: &[CurvePoint]) -> Result<String, ReportError> {
    draw(points, None, &COLUMN, Place::File)
}

/// As [`curves_svg`], with small panels side by side, and a line where the kept model stands.
pub(crate) fn small_curves(points: &[CurvePoint], kept: Option<u64>) -> Result<String, ReportError> {
    draw(points, kept, &ROWS, Place::Page)
}

fn draw(points: &[CurvePoint], kept: Option<u64>, grid: &Grid, place: Place) -> Result<String, ReportError> {
    let finite: Vec<&CurvePoint> = points.iter().filter(|point| point.value.is_finite()).collect();
    let last_step = finite.iter().map(|point| point.step).max().unwrap_or(0).max(1);
    let names = unique(finite.iter().map(|point| point.name.as_str()));
    let splits = unique(finite.iter().map(|point| point.split.as_str()));
    let axis = Axis {
        label: "step",
        last: last_step as f64,
        ticks: step_ticks(last_step),
    };
    let panel = |(position, name): (usize, &&str)| {
        let traces = splits.iter().enumerate().map(|(series, split)| {
            let own = finite
                .iter()
                .filter(|point| point.name == *name && point.split == *split);
            Trace::new(
                split,
                series,
                own.map(|point| (point.step as f64, point.value)).collect(),
            )
        });
        let traces: Vec<Trace<'_>> = traces.collect();
        let mut panel = panel(name, &traces, &axis, grid.corner(position, 0));
        panel.place_legend();
        panel.mark = kept
            .filter(|step| *step <= last_step)
            .map(|step| panel.x(step as f64, &axis));
        panel
    };
    let panels = names.iter().enumerate().map(panel).collect();
    chart("curves.svg", place, Drawing::new(panels, Vec::new(), &axis, grid))
}

/// A panel for each split and name in the order of their first point, over the epochs: runs of different batch sizes
/// have different steps.
pub fn overlaid_curves_svg(curves: &[Curve]) -> Result<String, ReportError> {
    let finite = |curve: &'_ Curve| -> Vec<CurvePoint> {
        curve
            .points
            .iter()
            .filter(|point| point.value.is_finite())
            .cloned()
            .collect()
    };
    let points: Vec<Vec<CurvePoint>> = curves.iter().map(finite).collect();
    let names = unique(curves.iter().map(|curve| curve.name.as_str()));
    let series = |curve: &Curve| {
        names
            .iter()
            .position(|name| *name == curve.name)
            .unwrap_or_default()
    };
    let last_epoch = points
        .iter()
        .flatten()
        .map(|point| point.epoch)
        .fold(0.0, f64::max)
        .ceil()
        .max(1.0);
    let axis = Axis {
        label: "epoch",
        last: last_epoch,
        ticks: step_ticks(last_epoch as u64),
    };
    let titles: Vec<String> = points.iter().flatten().map(title).collect();
    let panel = |(position, name): (usize, &&str)| {
        let traces = curves.iter().zip(&points).map(|(curve, points)| {
            let own = points.iter().filter(|point| title(point) == *name);
            Trace::new(
                &curve.name,
                series(curve),
                own.map(|point| (point.epoch, point.value)).collect(),
            )
        });
        let traces: Vec<Trace<'_>> = traces.collect();
        panel(name, &traces, &axis, COLUMN.corner(position, names.len()))
    };
    let panels = unique(titles.iter().map(String::as_str))
        .iter()
        .enumerate()
        .map(panel)
        .collect();
    let legend = names
        .iter()
        .enumerate()
        .map(|(series, name)| Entry::new(name, series))
        .collect();
    let drawing = Drawing::new(panels, legend, &axis, &COLUMN);
    chart("curves.svg", Place::File, drawing)
}

fn title(point: &CurvePoint) -> String {
    format!("{} {}", point.split, point.name)
}

/// How panels are laid out.
struct Grid {
    /// Panels in a row.
    columns: usize,
    width: f64,
    height: f64,
}

/// One panel below the other.
const COLUMN: Grid = Grid {
    columns: 1,
    width: 620.0,
    height: 190.0,
};
/// Small panels side by side.
const ROWS: Grid = Grid {
    columns: 2,
    width: 380.0,
    height: 150.0,
};

/// Space for the values left of a panel.
const LEFT: f64 = 56.0;
const TOP: f64 = 28.0;
const GAP: f64 = 62.0;
/// Lines of more points are drawn as the means of this many stretches.
const MOST_POINTS: usize = 240;
/// Lines of at most this many points show each as a dot.
const MOST_DOTS: usize = 40;

/// Lines of further series are dashed.
const COLOURS: usize = 8;
const LEGEND_ROW: f64 = 18.0;

/// Where a panel stands.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Grid {
    /// Panel number `position`, below a legend of so many rows.
    fn corner(&self, position: usize, legend_rows: usize) -> Frame {
        let (row, column) = (position / self.columns, position % self.columns);
        let left = LEFT + column as f64 * (self.width + LEFT);
        let top = self.top(row, legend_rows);
        Frame {
            left,
            right: left + self.width,
            top,
            bottom: top + self.height,
        }
    }

    fn top(&self, row: usize, legend_rows: usize) -> f64 {
        let legend = if legend_rows == 0 {
            0.0
        } else {
            8.0 + legend_rows as f64 * LEGEND_ROW
        };
        TOP + legend + row as f64 * (self.height + GAP)
    }
}

#[derive(Serialize)]
struct Drawing {
    width: f64,
    height: f64,
    left: f64,
    legend: Vec<Entry>,
    panels: Vec<Panel>,
}

impl Drawing {
    fn new(mut panels: Vec<Panel>, legend: Vec<Entry>, axis: &Axis, grid: &Grid) -> Self {
        if let Some(last) = panels.last_mut() {
            last.x_label = Some(axis.label);
        }
        let columns = grid.columns.min(panels.len().max(1));
        Self {
            width: columns as f64 * (LEFT + grid.width) + 16.0,
            height: grid.top(panels.len().max(1).div_ceil(grid.columns), legend.len()),
            left: LEFT,
            legend,
            panels,
        }
    }
}

/// A line of the legend above all panels.
#[derive(Serialize)]
struct Entry {
    name: String,
    colour: usize,
    dashed: bool,
    x: f64,
    y: f64,
}

impl Entry {
    fn new(name: &str, series: usize) -> Self {
        let y = 20.0 + series as f64 * LEGEND_ROW;
        Self {
            name: name.to_owned(),
            colour: series % COLOURS,
            dashed: series >= COLOURS,
            x: LEFT,
            y,
        }
    }
}

/// From 0 to `last`.
struct Axis {
    label: &'static str,
    last: f64,
    ticks: Vec<u64>,
}

/// A line in the units of what was measured.
struct Trace<'a> {
    name: &'a str,
    /// Decides the colour.
    series: usize,
    values: Vec<(f64, f64)>,
}

impl<'a> Trace<'a> {
    fn new(name: &'a str, series: usize, values: Vec<(f64, f64)>) -> Self {
        Self { name, series, values }
    }
}

#[derive(Serialize)]
struct Panel {
    title: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_label: Option<&'static str>,
    /// Where an upright line stands.
    mark: Option<f64>,
    y_ticks: Vec<Tick>,
    x_ticks: Vec<Tick>,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Tick {
    at: f64,
    text: String,
}

#[derive(Serialize)]
struct Line {
    name: String,
    colour: usize,
    dashed: bool,
    /// Left end of its entry in the panel's own legend, if it has one.
    legend_x: Option<f64>,
    path: String,
    dots: Vec<(f64, f64)>,
}

impl Panel {
    fn x(&self, at: f64, axis: &Axis) -> f64 {
        round(self.left + (self.right - self.left) * at / axis.last)
    }

    /// A legend of its own, above to the right.
    fn place_legend(&mut self) {
        let mut legend_x = self.right;
        for line in self.lines.iter_mut().rev() {
            legend_x -= 34.0 + 7.0 * line.name.chars().count() as f64;
            line.legend_x = Some(legend_x);
        }
    }
}

fn panel(name: &str, traces: &[Trace<'_>], axis: &Axis, frame: Frame) -> Panel {
    let Frame {
        left,
        right,
        top,
        bottom,
    } = frame;
    let values = || {
        traces
            .iter()
            .flat_map(|trace| trace.values.iter().map(|(_, value)| *value))
    };
    let y_values = ticks(
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    let (floor, ceiling) = (
        y_values.first().map_or(0.0, |tick| tick.0),
        y_values.last().map_or(1.0, |tick| tick.0),
    );
    let x = |at: f64| round(left + (right - left) * at / axis.last);
    let y = |value: f64| round(bottom - (bottom - top) * (value - floor) / (ceiling - floor));

    let line = |trace: &Trace<'_>| {
        let thinned = thinned(&trace.values).into_iter();
        let drawn: Vec<(f64, f64)> = thinned.map(|(at, value)| (x(at), y(value))).collect();
        let path: Vec<String> = drawn.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let dots = if drawn.len() <= MOST_DOTS {
            drawn
        } else {
            Vec::new()
        };
        Line {
            name: trace.name.to_owned(),
            colour: trace.series % COLOURS,
            dashed: trace.series >= COLOURS,
            legend_x: None,
            path: path.join(" "),
            dots,
        }
    };
    Panel {
        title: name.to_owned(),
        left,
        right,
        top,
        bottom,
        x_label: None,
        mark: None,
        y_ticks: y_values
            .into_iter()
            .map(|(value, text)| Tick { at: y(value), text })
            .collect(),
        x_ticks: axis
            .ticks
            .iter()
            .map(|at| Tick {
                at: x(*at as f64),
                text: at.to_string(),
            })
            .collect(),
        lines: traces
            .iter()
            .map(line)
            .filter(|line| !line.path.is_empty())
            .collect(),
    }
}

/// Round values around `lowest..=highest`, at least two, with their texts.
fn ticks(lowest: f64, highest: f64) -> Vec<(f64, String)> {
    let span = if highest > lowest {
        highest - lowest
    } else {
        lowest.abs().max(1e-6)
    };
    let step = round_step(span / 4.0);
    let digits = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let first = (lowest / step).floor();
    let last = (highest / step).ceil().max(first + 1.0);
    (0..=(last - first) as usize)
        .map(|index| (first + index as f64) * step)
        .map(|value| (value, format!("{value:.digits$}")))
        .collect()
}

fn step_ticks(last_step: u64) -> Vec<u64> {
    let step = round_step(last_step as f64 / 6.0).max(1.0) as usize;
    (0..=last_step).step_by(step).collect()
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least);
    factor.unwrap_or(10.0) * power
}

fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let mean = |stretch: &[(f64, f64)]| {
        let (steps, values) = stretch
            .iter()
            .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (steps / stretch.len() as f64, values / stretch.len() as f64)
    };
    points
        .chunks(points.len().div_ceil(MOST_POINTS))
        .map(mean)
        .collect()
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.fold(Vec::new(), |mut seen, name| {
        if !seen.contains(&name) {
            seen.push(name);
        }
        seen
    })
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        let texts = |low, high| {
            ticks(low, high)
                .into_iter()
                .map(|tick| tick.1)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(texts(0.31, 0.44), "0.30 0.35 0.40 0.45");
        assert_eq!(texts(0.0, 1.0), "0.0 0.5 1.0");
        assert_eq!(texts(1.79, 1.79), "1.5 2.0");
        assert_eq!(texts(0.0, 0.0).split(' ').count(), 2);
    }

    #[test]
    fn step_ticks_are_whole_numbers() {
        assert_eq!(step_ticks(1), [0, 1]);
        assert_eq!(step_ticks(515), [0, 100, 200, 300, 400, 500]);
    }
}
