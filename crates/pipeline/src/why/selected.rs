//! The rule of a selection that kept or dropped a row, and by how much.

use dag::Version;
use dataset::Cell;
use serde::Serialize;
use serde_json::Value;

use super::scene::{Scene, row_of};
use crate::error::CliError;
use crate::review::rows::{Record, item_path};

/// A row in a version of a select stage.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Selected {
    pub(super) version: String,
    pub(super) kept: bool,
    /// Null: it was kept.
    pub(super) drop_reason: Option<String>,
    /// What the model says.
    pub(super) predicted: Vec<String>,
    /// What a student is taught; null where it was dropped.
    pub(super) labels: Option<Vec<String>>,
    pub(super) checks: Vec<Check>,
    /// Place within its class by confidence, from 1, of a row that reached the thresholds.
    pub(super) rank: Option<u64>,
    /// What a person decided: `keep`, `drop` or `label`.
    pub(super) review: Option<String>,
    /// What the decision follows from besides `checks`, in words.
    pub(super) rule: Option<String>,
}

/// A figure of the row and what it had to reach.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) value: f64,
    pub(super) threshold: f64,
    pub(super) passed: bool,
}

pub(super) fn of_row(scene: &Scene, id: &str) -> Result<Vec<Selected>, CliError> {
    let mut all = Vec::new();
    for version in scene.of_kind("select") {
        let columns = [
            "id",
            "kept",
            "drop_reason",
            "threshold",
            "min_margin",
            "rank",
            "review",
        ];
        let decided = scene.row(version, "decided.parquet", id, &columns)?;
        let Some(decided) = decided.first() else { continue };
        let kept = scene.row(version, "kept.parquet", id, &["id", "label", "labels"])?;
        let kept = kept.first();
        let mut selected = Selected {
            version: version.reference(),
            kept: *decided.cell("kept") == Cell::Bool(true),
            drop_reason: decided.text("drop_reason"),
            predicted: Vec::new(),
            labels: kept.and_then(|row| row.names("label").or_else(|| row.names("labels"))),
            checks: Vec::new(),
            rank: decided.number("rank").map(|rank| rank as u64),
            review: decided.text("review"),
            rule: None,
        };
        selected.add_checks(scene, version, decided, id)?;
        selected.rule = rule(&selected, version, &scene.document(version, "report.json")?);
        all.push(selected);
    }
    Ok(all)
}

impl Selected {
    /// Holds the figures of the table that the version chose from against the thresholds.
    fn add_checks(
        &mut self,
        scene: &Scene,
        version: &Version,
        decided: Record<'_>,
        id: &str,
    ) -> Result<(), CliError> {
        let inputs = version.manifest.inputs.iter();
        let scored = inputs
            .filter(|input| input.name == "scored")
            .flat_map(|input| &input.items)
            .next();
        // An old version's table may be gone; the decision stands all the same.
        let path = scored.and_then(|item| item_path(&scene.store, &scene.dag.base_dir, item).ok());
        let Some(path) = path else { return Ok(()) };
        let columns = ["id", "pred_emotion", "pred_conf", "pred_margin", "disagreement"];
        let records = row_of(&path, "scored.parquet", id, &columns)?;
        let Some(row) = records.first() else { return Ok(()) };
        self.predicted = row.names("pred_emotion").unwrap_or_default();
        let least = [
            ("confidence", row.number("pred_conf"), decided.number("threshold")),
            ("margin", row.number("pred_margin"), decided.number("min_margin")),
        ];
        for (name, value, threshold) in least {
            if let (Some(value), Some(threshold)) = (value, threshold) {
                self.checks.push(Check {
                    name,
                    value,
                    threshold,
                    passed: value as f32 >= threshold as f32,
                });
            }
        }
        let most = param(version, "max_disagreement").and_then(Value::as_f64);
        if let (Some(value), Some(threshold)) = (row.number("disagreement"), most) {
            self.checks.push(Check {
                name: "disagreement",
                value,
                threshold,
                passed: value as f32 <= threshold as f32,
            });
        }
        Ok(())
    }
}

fn param<'v>(version: &'v Version, name: &str) -> Option<&'v Value> {
    let value = &version.manifest.params.get(name)?.value;
    (!value.is_null()).then_some(value)
}

/// What no threshold of the row's own says.
fn rule(selected: &Selected, version: &Version, report: &Value) -> Option<String> {
    let classes = selected.predicted.join(", ");
    let place = |limit: &str| {
        let limit = match param(version, limit) {
            Some(value) => format!("`{limit}` is {value}"),
            None => format!("`{limit}`"),
        };
        match selected.rank {
            Some(rank) => {
                let rank = stage::grouped(rank);
                format!("it is number {rank} of {classes} by confidence, and {limit}")
            }
            None => format!("its class {classes} has enough rows that are more confident: {limit}"),
        }
    };
    match selected.drop_reason.as_deref()? {
        "abstained" => {
            let target = report["target_precision"].as_f64();
            let target = target.map_or_else(String::new, |target| format!(" of {target}"));
            Some(format!(
                "{classes} abstains: on the validation rows no threshold promises the target precision{target}"
            ))
        }
        "class_cap" => Some(place("max_per_class")),
        "top_k" => Some(place("top_k_per_class")),
        "balance" => Some(place("balance")),
        "review" => Some("a person decided to drop it".to_owned()),
        _ => None,
    }
}
