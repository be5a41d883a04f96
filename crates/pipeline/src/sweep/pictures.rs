//! `sweeps/ID/`: the learning curves of all points in one picture, and the document beside it.

use std::path::Path;

use dag::Store;
use report::{Curve, CurvePoint, overlaid_curves_svg};
use stage::Failure;

use super::document::Document;
use super::grid::{Grid, Point};
use crate::error::CliError;

/// Writes both into a new folder and notes in the document where they are.
pub(super) fn keep(
    store: &Store,
    grid: &Grid,
    points: &[Point],
    document: &mut Document,
) -> Result<(), CliError> {
    let curves = curves(grid, points, document)?;
    document.sweep = format!("{}-{}", dag::compact_timestamp(), std::process::id());
    let folder = store.root().join("sweeps").join(&document.sweep);
    std::fs::create_dir_all(&folder).map_err(|error| CliError::io(&folder, &error))?;
    if !curves.is_empty() {
        let svg = overlaid_curves_svg(&curves).map_err(Failure::stage)?;
        let path = folder.join("curves.svg");
        write(&path, svg.as_bytes())?;
        document.curves = Some(path);
    }
    let text = serde_json::to_vec_pretty(document).map_err(Failure::stage)?;
    write(&folder.join("sweep.json"), &text)
}

/// One per execution; the folds of a point share its name.
fn curves(grid: &Grid, points: &[Point], document: &Document) -> Result<Vec<Curve>, CliError> {
    let mut curves = Vec::new();
    for (point, record) in points.iter().zip(&document.points) {
        for run in &record.runs {
            let measured = history(&run.path.join("metrics.jsonl"))?;
            let of = |split: &str, name: &str| -> Vec<CurvePoint> {
                measured
                    .iter()
                    .filter(|point| point.split == split && point.name == name)
                    .cloned()
                    .collect()
            };
            let mut drawn = of("validation", &document.metric);
            if document.metric != "loss" {
                drawn.extend(of("validation", "loss"));
            }
            drawn.extend(of("train", "loss"));
            curves.push(Curve {
                name: grid.label(point),
                points: drawn,
            });
        }
    }
    Ok(curves)
}

/// What was measured. A value that is not finite is null in the file, and not drawn.
fn history(path: &Path) -> Result<Vec<CurvePoint>, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io(path, &error))?;
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

fn write(path: &Path, content: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, content).map_err(|error| CliError::io(path, &error))
}
