//! From predictions to figures. Reads no file and runs no model.

use classification::{
    Bootstrap, ConfusionMatrix, Gate, GateOutcome, Interval, McNemar, MetricIntervals, Metrics, Prediction,
    ReliabilityBin, brier_score, expected_calibration_error, negative_log_likelihood, reliability,
};

use crate::golden::Golden;
use crate::inference::Answer;

/// The level of all intervals but those that a gate asks for.
pub(crate) const LEVEL: f64 = 0.95;

/// What is to be measured.
pub(crate) struct Plan {
    pub(crate) classes: usize,
    /// Positions of baseline and candidate, if two models are to be compared.
    pub(crate) pair: Option<(usize, usize)>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
}

/// All figures.
pub(crate) struct Evaluation {
    /// In the order of the pipeline file.
    pub(crate) models: Vec<ModelFigures>,
    pub(crate) comparison: Option<Comparison>,
    pub(crate) gates: Vec<GateOutcome>,
}

/// One model's figures.
pub(crate) struct ModelFigures {
    pub(crate) name: String,
    pub(crate) settings: String,
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) confusion: ConfusionMatrix,
    pub(crate) metrics: Metrics,
    pub(crate) intervals: Option<MetricIntervals>,
    pub(crate) ece: f64,
    pub(crate) negative_log_likelihood: f64,
    pub(crate) brier: f64,
    pub(crate) reliability: Vec<ReliabilityBin>,
    /// Rows that it has wrong, the most confident first.
    pub(crate) mistakes: Vec<usize>,
}

/// Two models on the same rows.
pub(crate) struct Comparison {
    /// Positions among the models.
    pub(crate) baseline: usize,
    pub(crate) candidate: usize,
    pub(crate) macro_f1_difference: f64,
    pub(crate) interval: Option<Interval>,
    pub(crate) mcnemar: McNemar,
    /// Rows that only the candidate has right, in the table's order.
    pub(crate) fixed: Vec<usize>,
    /// Rows that only the baseline has right, in the table's order.
    pub(crate) broken: Vec<usize>,
}

impl Evaluation {
    /// Measures the answers.
    pub(crate) fn new(golden: &Golden, answers: Vec<Answer>, plan: &Plan) -> Self {
        let truth = &golden.rows.labels;
        let predicted: Vec<Vec<usize>> = answers
            .iter()
            .map(|answer| labels_of(&answer.predictions))
            .collect();
        let slices: Vec<&[usize]> = predicted.iter().map(Vec::as_slice).collect();
        let bootstrap = Bootstrap::new(truth, &slices, plan.classes, plan.resamples, plan.seed);
        let figures =
            |(position, answer)| ModelFigures::new(answer, truth, plan.classes, &bootstrap, position);
        let models: Vec<ModelFigures> = answers.into_iter().enumerate().map(figures).collect();
        let metrics: Vec<Metrics> = models.iter().map(|model| model.metrics.clone()).collect();
        let compare = |(baseline, candidate): (usize, usize)| {
            let difference = |metrics: &[Metrics]| metrics[candidate].macro_f1 - metrics[baseline].macro_f1;
            let right = |model: usize, row: usize| predicted[model][row] == truth[row];
            let only = |one: usize, other: usize| -> Vec<usize> {
                (0..truth.len())
                    .filter(|&row| right(one, row) && !right(other, row))
                    .collect()
            };
            Comparison {
                baseline,
                candidate,
                macro_f1_difference: difference(&metrics),
                interval: bootstrap.interval(LEVEL, difference),
                mcnemar: McNemar::from_predictions(truth, slices[baseline], slices[candidate]),
                fixed: only(candidate, baseline),
                broken: only(baseline, candidate),
            }
        };
        let gates = plan
            .gates
            .iter()
            .map(|gate| gate.evaluate(&metrics, &bootstrap))
            .collect();
        Self {
            comparison: plan.pair.map(compare),
            gates,
            models,
        }
    }

    /// `teacher macro-F1 0.4123, student 0.4310 on 471 golden rows`
    pub(crate) fn headline(&self, rows: usize) -> String {
        let figure = |(position, model): (usize, &ModelFigures)| {
            let what = if position == 0 { "macro-F1 " } else { "" };
            format!("{} {what}{:.4}", model.name, model.metrics.macro_f1)
        };
        let figures: Vec<String> = self.models.iter().enumerate().map(figure).collect();
        format!("{} on {rows} golden rows", figures.join(", "))
    }

    /// The gates that were not met, in words.
    pub(crate) fn failed_gates(&self) -> Vec<String> {
        self.gates
            .iter()
            .filter(|gate| !gate.passed)
            .map(GateOutcome::describe)
            .collect()
    }
}

impl ModelFigures {
    fn new(answer: Answer, truth: &[usize], classes: usize, bootstrap: &Bootstrap, position: usize) -> Self {
        let Answer {
            name,
            predictions,
            settings,
            ..
        } = answer;
        let confusion = ConfusionMatrix::from_predictions(truth, &labels_of(&predictions), classes);
        let mut mistakes: Vec<usize> = (0..truth.len())
            .filter(|&row| predictions[row].label != truth[row])
            .collect();
        mistakes.sort_by(|&a, &b| predictions[b].confidence.total_cmp(&predictions[a].confidence));
        Self {
            metrics: Metrics::from_confusion(&confusion),
            intervals: bootstrap.intervals(position, LEVEL),
            ece: expected_calibration_error(&predictions, truth),
            negative_log_likelihood: negative_log_likelihood(&predictions, truth),
            brier: brier_score(&predictions, truth),
            reliability: reliability(&predictions, truth, classification::CALIBRATION_BINS),
            name,
            settings,
            predictions,
            confusion,
            mistakes,
        }
    }
}

fn labels_of(predictions: &[Prediction]) -> Vec<usize> {
    predictions.iter().map(|prediction| prediction.label).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use classification::LabelSet;
    use dataset::Labelled;

    use super::*;
    use crate::document::Document;

    const NAMES: [&str; 2] = ["분노", "기쁨"];

    fn golden() -> Golden {
        let rows = Labelled {
            ids: (0..4).map(|row| format!("golden-{row}")).collect(),
            texts: ["하나", "둘", "셋", "넷"].map(str::to_owned).to_vec(),
            labels: vec![0, 0, 1, 1],
            sources: vec![Arc::from("golden.csv"); 4],
            notes: Default::default(),
        };
        Golden::new(rows, &NAMES)
    }

    fn answer(name: &str, probabilities_of_joy: [f32; 4]) -> Answer {
        let prediction = |joy: f32| Prediction::from_probabilities(vec![1.0 - joy, joy]);
        Answer {
            name: name.to_owned(),
            predictions: probabilities_of_joy.map(prediction).to_vec(),
            settings: String::new(),
            timings: BTreeMap::new(),
        }
    }

    fn evaluation(golden: &Golden) -> Evaluation {
        let answers = vec![
            answer("teacher", [0.25, 0.75, 0.75, 0.125]),
            answer("student", [0.25, 0.25, 0.75, 0.25]),
        ];
        let models = ["teacher".to_owned(), "student".to_owned()];
        let labels = LabelSet::from_names(NAMES).unwrap();
        let gate = Gate::parse("student.accuracy >= 0.8", &models, &labels).unwrap();
        let plan = Plan {
            classes: 2,
            pair: Some((0, 1)),
            gates: vec![gate],
            resamples: 20,
            seed: 42,
        };
        Evaluation::new(golden, answers, &plan)
    }

    #[test]
    fn mistakes_are_sorted_by_confidence() {
        let evaluation = evaluation(&golden());
        assert_eq!(evaluation.models[0].mistakes, [3, 1]);
        assert_eq!(evaluation.models[1].mistakes, [3]);
    }

    #[test]
    fn flips_are_the_rows_that_one_model_alone_has_right() {
        let comparison = evaluation(&golden()).comparison.unwrap();
        assert_eq!((comparison.fixed, comparison.broken), (vec![1], vec![]));
        assert_eq!((comparison.mcnemar.fixed, comparison.mcnemar.p_value), (1, 1.0));
    }

    #[test]
    fn headline_and_failed_gates_are_words() {
        let evaluation = evaluation(&golden());
        assert_eq!(
            evaluation.headline(4),
            "teacher macro-F1 0.5000, student 0.7333 on 4 golden rows"
        );
        assert_eq!(evaluation.failed_gates(), ["student.accuracy >= 0.8: 0.7500"]);
    }

    #[test]
    fn digest_depends_on_the_rows_alone() {
        let (mut other, same) = (golden().rows, golden().rows);
        other.labels[3] = 0;
        assert_eq!(Golden::new(same, &NAMES).digest, golden().digest);
        assert_ne!(Golden::new(other, &NAMES).digest, golden().digest);
    }

    /// Another document for the same predictions needs another stage version.
    #[test]
    fn document_is_the_recorded_one() {
        let golden = golden();
        let document = serde_json::to_string(&Document::new(&NAMES, &golden, &evaluation(&golden))).unwrap();
        assert_eq!(document, include_str!("../tests/report.json").trim_end());
    }
}
