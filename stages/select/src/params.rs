//! The params of `select`.

use std::collections::BTreeMap;

use classification::{LabelSet, Task};
use dataset::{Threshold, Thresholds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stage::{CheckContext, Problem};

/// What a prediction must reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Lowest accepted confidence, between 0 and 1, inclusive. Where the task is multi-label, the confidence is that
    /// of the label that is least sure.
    pub min_confidence: f64,
    /// Lowest accepted margin, between 0 and 1, inclusive. Where the task is multi-label, every label must be so far
    /// from its threshold.
    pub min_margin: f64,
    /// Label → thresholds of its own; not where the task is multi-label.
    pub per_class: BTreeMap<String, ClassThreshold>,
    /// At most so many rows of a class, the most confident first. A row with several labels counts to each, and is
    /// kept if all of them have room.
    pub max_per_class: Option<u64>,
}

/// Thresholds of one class; what is not given is as for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClassThreshold {
    /// Lowest accepted confidence, between 0 and 1, inclusive.
    pub min_confidence: Option<f64>,
    /// Lowest accepted margin, between 0 and 1, inclusive.
    pub min_margin: Option<f64>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            min_confidence: 0.75,
            min_margin: 0.20,
            per_class: BTreeMap::new(),
            max_per_class: None,
        }
    }
}

impl stage::Params for Params {
    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(out_of_range(&["min_confidence"], Some(self.min_confidence)));
        problems.extend(out_of_range(&["min_margin"], Some(self.min_margin)));
        let mut classes = BTreeMap::new();
        for (label, threshold) in &self.per_class {
            problems.extend(out_of_range(
                &["per_class", label, "min_confidence"],
                threshold.min_confidence,
            ));
            problems.extend(out_of_range(
                &["per_class", label, "min_margin"],
                threshold.min_margin,
            ));
            let path = || vec!["per_class".to_owned(), label.clone()];
            match ctx.labels.resolve(label) {
                None => {
                    let hint = match dataset::nearest_label(label, ctx.labels) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!(
                            "labels are: {}",
                            ctx.labels.names().collect::<Vec<_>>().join(", ")
                        ),
                    };
                    problems.push(Problem {
                        path: path(),
                        ..Problem::new("", format!("unknown label `{label}`")).hint(hint)
                    });
                }
                Some(class) => {
                    if let Some(other) = classes.insert(class, label) {
                        let message = format!("`{other}` and `{label}` are the same label; give one");
                        problems.push(Problem {
                            path: path(),
                            ..Problem::new("", message)
                        });
                    }
                }
            }
        }
        if self.max_per_class == Some(0) {
            problems
                .push(Problem::new("max_per_class", "must be at least 1").hint("leave it out for no cap"));
        }
        if ctx.task == Task::MultiLabel && !self.per_class.is_empty() {
            let problem = Problem::new(
                "per_class",
                "does not go with `task: multi_label`: confidence and margin are the least over all labels of a row, \
                 and belong to none of them",
            );
            problems.push(problem.hint("use `min_confidence` and `min_margin`"));
        }
        problems
    }
}

impl Params {
    /// Per class, as 32-bit floats: what scores are stored and compared in.
    pub(crate) fn thresholds(&self, labels: &LabelSet) -> Thresholds {
        let common = Threshold {
            min_confidence: self.min_confidence as f32,
            min_margin: self.min_margin as f32,
        };
        let mut classes = vec![common; labels.len()];
        for (label, own) in &self.per_class {
            if let Some(class) = labels.resolve(label) {
                let or = |own: Option<f64>, common| own.map_or(common, |own| own as f32);
                classes[class] = Threshold {
                    min_confidence: or(own.min_confidence, common.min_confidence),
                    min_margin: or(own.min_margin, common.min_margin),
                };
            }
        }
        Thresholds {
            classes,
            max_per_class: self.max_per_class,
        }
    }
}

fn out_of_range(path: &[&str], value: Option<f64>) -> Option<Problem> {
    let value = value.filter(|value| !(0.0..=1.0).contains(value))?;
    let path = path.iter().map(ToString::to_string).collect();
    Some(Problem {
        path,
        ..Problem::new("", format!("must be between 0 and 1, not {value}"))
    })
}
