//! The params of `prepare`.

use std::collections::BTreeMap;

use dataset::{LeakGuard, Normalize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stage::{CheckContext, Problem};

/// How tables are cleaned and divided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Part of train that becomes the validation table when that input is missing, between 0 and 1, class by class.
    pub validation_fraction: Option<f64>,
    /// Part of train that becomes the golden table when that input is missing, between 0 and 1, class by class.
    pub golden_fraction: Option<f64>,
    /// How texts are normalised.
    pub normalize: Normalize,
    /// Table (`train`, `validation`, `golden`, `raw`) → at most so many rows, drawn at random.
    pub limit: BTreeMap<String, u64>,
    /// What keeps texts of golden out of validation, train and raw, those of validation out of train and raw, and those
    /// of train out of raw.
    pub leak_guard: LeakGuard,
    /// Similarity from which on `leak_guard: near` takes two texts for one: Jaccard of their sets of character 3-grams, after
    /// NFKC, lower case, letters and digits only; above 0, at most 1. Texts with fewer than 10 of these must be equal.
    pub near_threshold: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            validation_fraction: None,
            golden_fraction: None,
            normalize: Normalize::default(),
            limit: BTreeMap::new(),
            leak_guard: LeakGuard::default(),
            near_threshold: 0.8,
        }
    }
}

/// The tables that there can be.
pub(crate) const TABLES: [&str; 4] = ["train", "validation", "golden", "raw"];

impl stage::Params for Params {
    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let fractions = [
            ("validation", self.validation_fraction),
            ("golden", self.golden_fraction),
        ];
        for (table, fraction) in fractions {
            let Some(fraction) = fraction else { continue };
            let param = format!("{table}_fraction");
            if !(fraction > 0.0 && fraction < 1.0) {
                problems.push(Problem::new(
                    &param,
                    format!("must be between 0 and 1, not {fraction}"),
                ));
            }
            if !ctx.inputs.contains("train") {
                let problem = Problem::new(&param, "there is no input `train` to take it from");
                problems.push(problem.hint(format!("give the input `train`, or remove `{param}`")));
            }
        }
        let sum: f64 = fractions.iter().filter_map(|(_, fraction)| *fraction).sum();
        if sum >= 1.0
            && fractions
                .iter()
                .all(|(_, fraction)| fraction.is_some_and(|fraction| fraction < 1.0))
        {
            problems.push(Problem::new(
                "golden_fraction",
                "with `validation_fraction` it leaves nothing for train",
            ));
        }
        for (table, limit) in &self.limit {
            let mut problem = None;
            if !TABLES.contains(&table.as_str()) {
                let hint = match stage::nearest(table, TABLES) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("tables are: {}", TABLES.join(", ")),
                };
                problem = Some(Problem::new("limit", format!("unknown table `{table}`")).hint(hint));
            } else if *limit == 0 {
                problem = Some(Problem::new("limit", "must be at least 1"));
            }
            problems.extend(problem.map(|problem| Problem {
                path: vec!["limit".into(), table.clone()],
                ..problem
            }));
        }
        if !(self.near_threshold > 0.0 && self.near_threshold <= 1.0) {
            let message = format!("must be above 0 and at most 1, not {}", self.near_threshold);
            problems.push(Problem::new("near_threshold", message));
        }
        if !TABLES.iter().any(|table| ctx.inputs.contains(*table)) {
            problems.push(Problem::new(
                "",
                format!("needs at least one of the inputs {}", TABLES.join(", ")),
            ));
        }
        problems
    }
}
