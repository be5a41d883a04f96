//! Learning curves: one panel per figure, one line per split.

use serde::{Deserialize, Serialize};

use crate::ReportError;
use crate::template::render;

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

/// A panel for each name in the order of its first point, over the steps. Pass only what shall be drawn.
pub fn curves_svg(points: &[CurvePoint]) -> Result<String, ReportError> {
    let finite: Vec<&CurvePoint> = points.iter().filter(|point| point.value.is_finite()).collect();
    let last_step = finite.iter().map(|point| point.step).max().unwrap_or(0).max(1);
    let names = unique(finite.iter().map(|point| point.name.as_str()));
    let splits = unique(finite.iter().map(|point| point.split.as_str()));
    let panel = |(position, name): (usize, &&str)| {
        let of_name: Vec<&CurvePoint> = finite
            .iter()
            .copied()
            .filter(|point| point.name == *name)
            .collect();
        panel(
            name,
            &of_name,
            &splits,
            last_step,
            TOP + position as f64 * (PANEL_HEIGHT + GAP),
        )
    };
    let panels: Vec<Panel> = names.iter().enumerate().map(panel).collect();
    let height = TOP + panels.len().max(1) as f64 * (PANEL_HEIGHT + GAP);
    render(
        "curves.svg",
        Drawing {
            width: LEFT + PANEL_WIDTH + 16.0,
            height,
            right: LEFT + PANEL_WIDTH,
            left: LEFT,
            panels,
        },
    )
}

const LEFT: f64 = 56.0;
const TOP: f64 = 28.0;
const PANEL_WIDTH: f64 = 620.0;
const PANEL_HEIGHT: f64 = 190.0;
const GAP: f64 = 62.0;
/// Lines of more points are drawn as the means of this many stretches.
const MOST_POINTS: usize = 240;
/// Lines of at most this many points show each as a dot.
const MOST_DOTS: usize = 40;

#[derive(Serialize)]
struct Drawing {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    panels: Vec<Panel>,
}

#[derive(Serialize)]
struct Panel {
    title: String,
    top: f64,
    bottom: f64,
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
    split: String,
    /// Position of the split, which decides the colour.
    series: usize,
    /// Left end of its entry in the legend.
    legend_x: f64,
    path: String,
    dots: Vec<(f64, f64)>,
}

fn panel(name: &str, points: &[&CurvePoint], splits: &[&str], last_step: u64, top: f64) -> Panel {
    let bottom = top + PANEL_HEIGHT;
    let lowest = points
        .iter()
        .map(|point| point.value)
        .fold(f64::INFINITY, f64::min);
    let highest = points
        .iter()
        .map(|point| point.value)
        .fold(f64::NEG_INFINITY, f64::max);
    let y_values = ticks(lowest, highest);
    let (floor, ceiling) = (
        y_values.first().map_or(0.0, |tick| tick.0),
        y_values.last().map_or(1.0, |tick| tick.0),
    );
    let x = |step: f64| round(LEFT + PANEL_WIDTH * step / last_step as f64);
    let y = |value: f64| round(bottom - PANEL_HEIGHT * (value - floor) / (ceiling - floor));

    let line = |(series, split): (usize, &&str)| {
        let own: Vec<(f64, f64)> = points
            .iter()
            .filter(|point| point.split == *split)
            .map(|point| (point.step as f64, point.value))
            .collect();
        let drawn: Vec<(f64, f64)> = thinned(&own)
            .into_iter()
            .map(|(step, value)| (x(step), y(value)))
            .collect();
        let path: Vec<String> = drawn.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let dots = if drawn.len() <= MOST_DOTS {
            drawn
        } else {
            Vec::new()
        };
        Line {
            split: (*split).to_owned(),
            series: series % 4,
            legend_x: 0.0,
            path: path.join(" "),
            dots,
        }
    };
    let mut lines: Vec<Line> = splits
        .iter()
        .enumerate()
        .map(line)
        .filter(|line| !line.path.is_empty())
        .collect();
    let mut legend_x = LEFT + PANEL_WIDTH;
    for line in lines.iter_mut().rev() {
        legend_x -= 34.0 + 7.0 * line.split.chars().count() as f64;
        line.legend_x = legend_x;
    }
    Panel {
        title: name.to_owned(),
        top,
        bottom,
        y_ticks: y_values
            .into_iter()
            .map(|(value, text)| Tick { at: y(value), text })
            .collect(),
        x_ticks: step_ticks(last_step)
            .into_iter()
            .map(|step| Tick {
                at: x(step as f64),
                text: step.to_string(),
            })
            .collect(),
        lines,
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
