//! The params of `select`.

use std::collections::BTreeMap;

use classification::{LabelSet, Task};
use dataset::{Cap, Policy, Rule, Threshold};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use stage::{CheckContext, Problem};

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Lowest accepted confidence, between 0 and 1, inclusive; 0.75, or with `target_precision` or `top_k_per_class` no
    /// limit. Where the task is multi-label, the confidence is that of the label that is least sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<f64>,
    /// Lowest accepted margin, between 0 and 1, inclusive; 0.2, or with `target_precision` or `top_k_per_class` no
    /// limit. Where the task is multi-label, every label must be so far from its threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_margin: Option<f64>,
    /// Label → thresholds of its own; not where the task is multi-label.
    pub per_class: BTreeMap<String, ClassThreshold>,
    /// The share of right labels to be had, above 0 and below 1: for each class the lowest threshold of confidence at
    /// which the 95 % Wilson interval of its precision on the rows of the input `validation` does not reach below it.
    /// Classes without such a threshold abstain: none of their rows is kept. `min_confidence` is a lower limit then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_precision: Option<f64>,
    /// `flexmatch`: thresholds that are lower for classes that the model is less often confident of: `min_confidence`
    /// times `b / (2 - b)`, where `b` is the number of a class's predictions that reach `min_confidence`, divided by
    /// that of the class with most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<Adaptive>,
    /// The most confident rows of each class, so many at most, whatever their confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k_per_class: Option<u64>,
    /// At most so many rows of a class, the most confident first. A row with several labels counts to each, and is
    /// kept if all of them have room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_class: Option<u64>,
    /// No class has more than so many times the rows of the rarest that keeps any, at least 1; `true` is 1. The least
    /// confident go. Not where the task is multi-label.
    #[serde(deserialize_with = "balance", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BalanceSchema>")]
    pub balance: Option<f64>,
    /// Highest accepted share of the models that say something else, between 0 and 1; for rows that several models
    /// scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_disagreement: Option<f64>,
    /// What a student is taught: `hard`, the predicted label, or `soft`, the probabilities of all labels.
    pub labels: Teaching,
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

/// Thresholds that follow from how confident the model is of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Adaptive {
    /// Zhang et al. 2021, with the convex mapping and without warm-up.
    Flexmatch,
}

/// What a student is taught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Teaching {
    /// The predicted label.
    #[default]
    Hard,
    /// The probabilities of all labels.
    Soft,
}

/// `true`, `false` or a ratio.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum BalanceSchema {
    Flag(bool),
    Ratio(f64),
}

fn balance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(1.0)),
        Value::Number(ratio) => Ok(ratio.as_f64()),
        _ => Err(serde::de::Error::custom(
            "must be `true`, `false` or a number from 1",
        )),
    }
}

/// Of `min_confidence`, unless the rows are chosen otherwise.
const MIN_CONFIDENCE: f64 = 0.75;
/// Of `min_margin`, unless the rows are chosen otherwise.
const MIN_MARGIN: f64 = 0.20;

impl stage::Params for Params {
    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(out_of_range(&["min_confidence"], self.min_confidence));
        problems.extend(out_of_range(&["min_margin"], self.min_margin));
        problems.extend(out_of_range(&["max_disagreement"], self.max_disagreement));
        problems.extend(self.check_classes(ctx));
        problems.extend(self.check_numbers());
        problems.extend(self.check_combinations());
        problems.extend(self.check_task(ctx.task));
        if self.target_precision.is_some() && !ctx.inputs.contains("validation") {
            let problem = Problem::new(
                "target_precision",
                "needs the input `validation`: rows whose labels are known, scored by the same model",
            );
            problems.push(problem.hint(
                "add `validation: SCORE.validation_scored`, where SCORE is the stage that `scored` comes from, with an input `validation` of its own",
            ));
        }
        problems
    }
}

impl Params {
    /// The same with the defaults that depend on other params.
    #[must_use]
    pub(crate) fn filled(mut self) -> Self {
        if self.target_precision.is_none() && self.top_k_per_class.is_none() {
            self.min_confidence.get_or_insert(MIN_CONFIDENCE);
            self.min_margin.get_or_insert(MIN_MARGIN);
        }
        self
    }

    /// In 32-bit floats: what scores are stored and compared in.
    pub(crate) fn policy(&self, labels: &LabelSet) -> Policy {
        let least = |value: Option<f64>| value.unwrap_or_default() as f32;
        let common = Threshold {
            min_confidence: least(self.min_confidence),
            min_margin: least(self.min_margin),
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
        Policy {
            rule: match (self.target_precision, self.adaptive) {
                (Some(target), _) => Rule::TargetPrecision(target),
                (None, Some(Adaptive::Flexmatch)) => Rule::FlexMatch,
                (None, None) => Rule::Fixed,
            },
            classes,
            max_disagreement: self.max_disagreement.map(|most| most as f32),
            cap: match (self.top_k_per_class, self.max_per_class) {
                (Some(most), _) => Some(Cap::TopK(most)),
                (None, Some(most)) => Some(Cap::MaxPerClass(most)),
                (None, None) => None,
            },
            balance: self.balance,
            teaching: match self.labels {
                Teaching::Hard => dataset::Teaching::Hard,
                Teaching::Soft => dataset::Teaching::Soft,
            },
        }
    }

    /// How the thresholds come about, in the words of the report.
    pub(crate) fn method(&self) -> &'static str {
        match (self.target_precision, self.adaptive, self.top_k_per_class) {
            (Some(_), ..) => "target_precision",
            (None, Some(Adaptive::Flexmatch), _) => "flexmatch",
            (None, None, Some(_)) => "top_k_per_class",
            (None, None, None) => "fixed",
        }
    }

    fn check_classes(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
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
        problems
    }

    fn check_numbers(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (param, most) in [
            ("max_per_class", self.max_per_class),
            ("top_k_per_class", self.top_k_per_class),
        ] {
            if most == Some(0) {
                problems.push(Problem::new(param, "must be at least 1").hint("leave it out for no cap"));
            }
        }
        if let Some(target) = self.target_precision
            && !(target > 0.0 && target < 1.0)
        {
            let message = format!("must be above 0 and below 1, not {target}");
            problems
                .push(Problem::new("target_precision", message).hint("0.9: nine of ten labels are right"));
        }
        if let Some(ratio) = self.balance
            && !(ratio >= 1.0 && ratio.is_finite())
        {
            let message = format!("must be at least 1, not {ratio}");
            problems
                .push(Problem::new("balance", message).hint("2: no class has more than twice the rarest"));
        }
        problems
    }

    /// Ways to choose rows that contradict each other.
    fn check_combinations(&self) -> Vec<Problem> {
        let (target, adaptive) = (self.target_precision.is_some(), self.adaptive.is_some());
        let (top_k, cap) = (self.top_k_per_class.is_some(), self.max_per_class.is_some());
        let own = |threshold: &ClassThreshold| threshold.min_confidence.is_some();
        let rules = [
            (
                target && adaptive,
                "adaptive",
                "does not go with `target_precision`: both say what the classes' thresholds are",
                "give one of them",
            ),
            (
                target && top_k,
                "top_k_per_class",
                "does not go with `target_precision`: it keeps rows whatever their confidence",
                "`max_per_class` caps what reaches the thresholds",
            ),
            (
                adaptive && top_k,
                "top_k_per_class",
                "does not go with `adaptive`: it keeps rows whatever their confidence",
                "`max_per_class` caps what reaches the thresholds",
            ),
            (
                top_k && cap,
                "max_per_class",
                "does not go with `top_k_per_class`: both say how many rows of a class there may be",
                "give one of them",
            ),
            (
                adaptive && self.per_class.values().any(own),
                "per_class",
                "`min_confidence` of a class does not go with `adaptive`, which sets the classes' thresholds",
                "give `min_confidence` for all; `min_margin` may differ by class",
            ),
        ];
        let broken = rules.into_iter().filter(|(broken, ..)| *broken);
        broken
            .map(|(_, param, message, hint)| Problem::new(param, message).hint(hint))
            .collect()
    }

    fn check_task(&self, task: Task) -> Vec<Problem> {
        let of_none =
            "confidence and margin are the least over all labels of a row, and belong to none of them";
        let by_class = "use `min_confidence` and `min_margin`";
        let rules = [
            (!self.per_class.is_empty(), "per_class", of_none, by_class),
            (
                self.target_precision.is_some(),
                "target_precision",
                of_none,
                by_class,
            ),
            (self.adaptive.is_some(), "adaptive", of_none, by_class),
            (
                self.balance.is_some(),
                "balance",
                "a row counts to all of its labels, so that to cut one is to cut others",
                "use `max_per_class`",
            ),
        ];
        let broken = rules
            .into_iter()
            .filter(|(given, ..)| *given && task == Task::MultiLabel);
        broken
            .map(|(_, param, reason, hint)| {
                let message = format!("does not go with `task: multi_label`: {reason}");
                Problem::new(param, message).hint(hint)
            })
            .collect()
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
