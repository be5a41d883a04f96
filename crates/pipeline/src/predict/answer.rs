//! From a text's scores to what is said about it.

use classification::{Decision, LabelSet, Prediction, Task};
use serde::Serialize;

use super::ensemble::{Ensemble, Row};
use crate::error::{CliError, Exit};

/// One labelled text, as `--json` shows it.
#[derive(Serialize)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) label: Choice,
    pub(super) score: f32,
    pub(super) second: Option<String>,
    pub(super) margin: f32,
    pub(super) logits: Vec<f32>,
    pub(super) probabilities: Vec<f32>,
    /// The classes that people are shown, the most probable first.
    #[serde(skip)]
    pub(super) shown: Vec<usize>,
}

/// The label of a text, or its labels.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Choice {
    One(String),
    /// Multi-label, in label order.
    Several(Vec<String>),
}

impl Choice {
    /// As a cell of a labelled table.
    pub(super) fn cell(&self) -> String {
        match self {
            Self::One(label) => label.clone(),
            Self::Several(labels) => labels.join(", "),
        }
    }
}

/// Turns scores into answers.
pub(super) struct Labeller {
    labels: LabelSet,
    rule: Rule,
    second_min_logit: Option<f32>,
}

/// What gives a text its label.
enum Rule {
    /// The highest probability.
    Highest,
    /// Every probability from the label's threshold on.
    Thresholds(Vec<f32>),
}

impl Labeller {
    pub(super) fn new(ensemble: &Ensemble, second_min_logit: Option<f32>) -> Result<Self, CliError> {
        let rule = match ensemble.task() {
            Task::SingleLabel => Rule::Highest,
            Task::MultiLabel => Rule::Thresholds(ensemble.thresholds()),
        };
        let least = second_min_logit.filter(|least| *least >= 0.0);
        if let (Rule::Highest, true, Some(least)) = (&rule, ensemble.is_several(), least) {
            let message = format!("with several models no label can have a logit above {least}");
            return Err(CliError::new(Exit::Usage, message).hint(
                "their logits are the logarithm of the averaged probability; for 20 % give --second-min-logit=-1.61",
            ));
        }
        Ok(Self {
            labels: ensemble.labels().clone(),
            rule,
            second_min_logit,
        })
    }

    pub(super) fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// One answer per text, in the order of the texts.
    pub(super) fn answers(&self, texts: Vec<String>, rows: Vec<Row>) -> Vec<Answer> {
        texts
            .into_iter()
            .zip(rows)
            .map(|(text, row)| self.answer(text, row))
            .collect()
    }

    /// The classes by falling probability. Those after the first must have the logit that was asked for.
    pub(super) fn ranked(&self, answer: &Answer, k: usize) -> Vec<usize> {
        let mut classes = by_probability((0..self.labels.len()).collect(), &answer.probabilities);
        classes.truncate(k);
        let first = classes.first().copied();
        classes.retain(|&class| Some(class) == first || self.passes(answer.logits[class]));
        classes
    }

    fn answer(&self, text: String, row: Row) -> Answer {
        let Row {
            logits,
            probabilities,
        } = row;
        let name = |class: usize| self.labels.name(class).to_owned();
        let (decision, label, second, shown) = match &self.rule {
            Rule::Highest => {
                let prediction = Prediction::from_probabilities(probabilities);
                let label = prediction.label;
                let second = Some(prediction.second).filter(|&second| self.passes(logits[second]));
                let shown = std::iter::once(label).chain(second).collect();
                (
                    Decision::from(prediction),
                    Choice::One(name(label)),
                    second,
                    shown,
                )
            }
            Rule::Thresholds(thresholds) => {
                let decision = Decision::from_probabilities(probabilities, thresholds);
                let classes = decision.labels.ids().to_vec();
                let label = Choice::Several(classes.iter().map(|&class| name(class)).collect());
                let shown = by_probability(classes, &decision.probabilities);
                (decision, label, None, shown)
            }
        };
        Answer {
            text,
            label,
            score: decision.confidence,
            second: second.map(name),
            margin: decision.margin,
            logits,
            probabilities: decision.probabilities,
            shown,
        }
    }

    fn passes(&self, logit: f32) -> bool {
        self.second_min_logit.is_none_or(|least| logit > least)
    }
}

/// Among equals the lower id comes first.
fn by_probability(mut classes: Vec<usize>, probabilities: &[f32]) -> Vec<usize> {
    classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    classes
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn labeller(thresholds: Option<Vec<f32>>, second_min_logit: Option<f32>) -> Labeller {
        let labels = LabelSet::from_names(["분노", "평온", "기쁨"]).unwrap();
        let rule = thresholds.map_or(Rule::Highest, Rule::Thresholds);
        Labeller {
            labels,
            rule,
            second_min_logit,
        }
    }

    pub(crate) fn answer(labeller: &Labeller, logits: [f32; 3], probabilities: [f32; 3]) -> Answer {
        let row = Row {
            logits: logits.to_vec(),
            probabilities: probabilities.to_vec(),
        };
        labeller.answer("좋다".into(), row)
    }

    #[test]
    fn the_second_label_needs_a_logit_above_the_least() {
        for (least, second) in [(0.4, Some("평온")), (0.5, None)] {
            let labeller = labeller(None, Some(least));
            assert_eq!(
                answer(&labeller, [-1.0, 0.5, 2.0], [0.0625, 0.1875, 0.75])
                    .second
                    .as_deref(),
                second
            );
        }
    }

    #[test]
    fn a_label_at_its_threshold_is_given() {
        let labeller = labeller(Some(vec![0.5, 0.25, 0.75]), None);
        let answer = answer(&labeller, [0.0; 3], [0.25, 0.25, 0.875]);
        assert_eq!(answer.label.cell(), "평온, 기쁨");
        assert_eq!(
            (answer.shown, answer.margin, answer.score),
            (vec![2, 1], 0.0, 0.75)
        );
    }

    #[test]
    fn a_text_may_have_no_label_at_all() {
        let labeller = labeller(Some(vec![0.5; 3]), None);
        let answer = answer(&labeller, [-2.0; 3], [0.125; 3]);
        assert_eq!(
            serde_json::to_value(&answer).unwrap()["label"],
            serde_json::json!([])
        );
    }
}
