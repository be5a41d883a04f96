//! Reliability diagram: accuracy over confidence.

use classification::ReliabilityBin;
use serde::Serialize;

use crate::ReportError;
use crate::template::render;

/// A bar per bin, as high as its share of right predictions; the diagonal is where it should be.
pub(crate) fn reliability_svg(bins: &[ReliabilityBin]) -> Result<String, ReportError> {
    let bar = |bin: &ReliabilityBin| Bar {
        x: LEFT + SIDE * bin.low,
        width: SIDE * (bin.high - bin.low) - 1.0,
        y: TOP + SIDE * (1.0 - bin.accuracy),
        height: SIDE * bin.accuracy,
        count: bin.count,
        confidence: bin.confidence,
        accuracy: bin.accuracy,
    };
    let bars = bins.iter().filter(|bin| bin.count > 0).map(bar).collect();
    let ticks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|value| Tick {
        value,
        x: LEFT + SIDE * value,
        y: TOP + SIDE * (1.0 - value),
    });
    render(
        "reliability.svg",
        Drawing {
            left: LEFT,
            top: TOP,
            side: SIDE,
            bars,
            ticks: ticks.to_vec(),
        },
    )
}

const LEFT: f64 = 44.0;
const TOP: f64 = 10.0;
const SIDE: f64 = 240.0;

#[derive(Serialize)]
struct Drawing {
    left: f64,
    top: f64,
    side: f64,
    bars: Vec<Bar>,
    ticks: Vec<Tick>,
}

#[derive(Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    count: u64,
    confidence: f64,
    accuracy: f64,
}

#[derive(Clone, Serialize)]
struct Tick {
    value: f64,
    x: f64,
    y: f64,
}
