//! The param `thresholds`: from which probability a label is given, where texts have any number of labels.

use std::borrow::Cow;
use std::collections::BTreeMap;

use classification::{DEFAULT_THRESHOLD, LabelSet, Task};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use stage::{CheckContext, Problem, nearest};

/// From which probability a label is given.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thresholds {
    /// Where the validation texts give each label its highest F1.
    Tuned,
    /// The same for all labels.
    #[serde(untagged)]
    All(f64),
    /// As given; 0.5 for a label that is not named.
    #[serde(untagged)]
    Given(BTreeMap<String, f64>),
}

impl Thresholds {
    /// What training is to do.
    pub(crate) fn resolve(given: Option<&Self>, labels: &LabelSet) -> training::Thresholds {
        let mut thresholds = vec![DEFAULT_THRESHOLD; labels.len()];
        match given {
            None => {}
            Some(Self::Tuned) => return training::Thresholds::Tuned,
            Some(Self::All(threshold)) => thresholds.fill(*threshold as f32),
            Some(Self::Given(given)) => {
                for (label, threshold) in given {
                    if let Some(class) = labels.resolve(label) {
                        thresholds[class] = *threshold as f32;
                    }
                }
            }
        }
        training::Thresholds::Fixed(thresholds)
    }

    /// Says what is wrong. `validated`: there are texts to tune on.
    pub(crate) fn check(&self, ctx: &CheckContext<'_>, validated: bool) -> Vec<Problem> {
        if ctx.task == Task::SingleLabel {
            let problem = Problem::new("thresholds", "matters only where `task` is `multi_label`");
            return vec![problem.hint("leave it out: a text gets the label with the highest probability")];
        }
        match self {
            Self::Tuned if !validated => {
                let problem = Problem::new("thresholds", "`tuned` needs texts to tune on");
                vec![problem.hint("give the input `validation`")]
            }
            Self::Tuned => Vec::new(),
            Self::All(threshold) => out_of_range(*threshold).into_iter().collect(),
            Self::Given(given) => given
                .iter()
                .flat_map(|(label, threshold)| [unknown(label, ctx.labels), out_of_range(*threshold)])
                .flatten()
                .collect(),
        }
    }
}

fn out_of_range(threshold: f64) -> Option<Problem> {
    let inside = threshold > 0.0 && threshold < 1.0;
    (!inside).then(|| Problem::new("thresholds", format!("must be between 0 and 1, not {threshold}")))
}

fn unknown(label: &str, labels: &LabelSet) -> Option<Problem> {
    if labels.resolve(label).is_some() {
        return None;
    }
    let problem = Problem::new("thresholds", format!("unknown label `{label}`"));
    let names: Vec<&str> = labels.names().collect();
    Some(problem.hint(match nearest(label, labels.all_names()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("labels are: {}", names.join(", ")),
    }))
}

impl<'de> Deserialize<'de> for Thresholds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "tuned" => Ok(Self::Tuned),
            Value::Number(number) => Ok(Self::All(number.as_f64().unwrap_or(f64::NAN))),
            map @ Value::Object(_) => serde_json::from_value(map)
                .map(Self::Given)
                .map_err(D::Error::custom),
            _ => Err(D::Error::custom(
                "must be `tuned`, a number, or a map from label to number",
            )),
        }
    }
}

impl JsonSchema for Thresholds {
    fn schema_name() -> Cow<'static, str> {
        "Thresholds".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let number = || serde_json::json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1});
        let (all, each) = (number(), number());
        json_schema!({"anyOf": [
            {"const": "tuned"},
            all,
            {"type": "object", "additionalProperties": each}
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_not_named_keep_one_half() {
        let labels = LabelSet::from_names(["기쁨", "불안"]).unwrap();
        let given = Thresholds::Given(BTreeMap::from([("불안".to_owned(), 0.25)]));
        let fixed = |thresholds: [f32; 2]| training::Thresholds::Fixed(thresholds.to_vec());
        assert_eq!(Thresholds::resolve(Some(&given), &labels), fixed([0.5, 0.25]));
        assert_eq!(Thresholds::resolve(None, &labels), fixed([0.5, 0.5]));
    }

    #[test]
    fn each_form_survives_the_way_through_json() {
        for text in ["\"tuned\"", "0.25", "{\"a\":0.75}"] {
            let thresholds: Thresholds = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&thresholds).unwrap(), text);
        }
    }
}
