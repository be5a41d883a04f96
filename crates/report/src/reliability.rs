//! Reliability diagram: how often a model is right, over how sure it is.

use classification::ReliabilityBin;
use serde::Serialize;

use crate::ReportError;
use crate::template::{Place, chart};

/// A bar per bin, as high as its share of right predictions; the diagonal is where it should be, the outlined box is
/// what it lacks to it, or has beyond it. Below, the share of rows in the bin.
pub(crate) fn reliability(bins: &[ReliabilityBin], axes: Axes) -> Result<String, ReportError> {
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0).max(1) as f64;
    let y = |value: f64| TOP + SIDE * (1.0 - value);
    let bar = |bin: &ReliabilityBin| {
        let (higher, lower) = (bin.accuracy.max(bin.confidence), bin.accuracy.min(bin.confidence));
        Bar {
            x: LEFT + SIDE * bin.low,
            width: SIDE * (bin.high - bin.low) - 1.0,
            y: y(bin.accuracy),
            height: SIDE * bin.accuracy,
            gap_y: y(higher),
            gap_height: SIDE * (higher - lower),
            count: bin.count,
            count_height: (COUNTS * bin.count as f64 / most).max(1.0),
            confidence: bin.confidence,
            accuracy: bin.accuracy,
        }
    };
    let bars = bins.iter().filter(|bin| bin.count > 0).map(bar).collect();
    let ticks = ["0", "0.25", "0.5", "0.75", "1"].into_iter().enumerate();
    let tick = |(position, text)| Tick {
        text,
        x: LEFT + SIDE * position as f64 / 4.0,
        y: y(position as f64 / 4.0),
    };
    let (x_label, y_label) = match axes {
        Axes::Confidence => ("confidence", "share right"),
        Axes::Probability => ("probability of a label", "share true"),
    };
    let foot_of_counts = TOP + SIDE + COUNTS + 4.0;
    let drawing = Drawing {
        width: LEFT + SIDE + 16.0,
        height: foot_of_counts + 44.0,
        left: LEFT,
        top: TOP,
        side: SIDE,
        foot: foot_of_counts,
        foot_of_counts,
        x_label,
        y_label,
        bars,
        ticks: ticks.map(tick).collect(),
    };
    chart("reliability.svg", Place::Page, drawing)
}

/// What the bins are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axes {
    /// Rows, by the confidence of their prediction.
    Confidence,
    /// Labels of rows, by their probability.
    Probability,
}

const LEFT: f64 = 52.0;
const TOP: f64 = 10.0;
const SIDE: f64 = 240.0;
/// Height of the tallest bar of counts.
const COUNTS: f64 = 34.0;

#[derive(Serialize)]
struct Drawing {
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    side: f64,
    foot: f64,
    foot_of_counts: f64,
    x_label: &'static str,
    y_label: &'static str,
    bars: Vec<Bar>,
    ticks: Vec<Tick>,
}

#[derive(Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    gap_y: f64,
    gap_height: f64,
    count: u64,
    count_height: f64,
    confidence: f64,
    accuracy: f64,
}

#[derive(Serialize)]
struct Tick {
    text: &'static str,
    x: f64,
    y: f64,
}
