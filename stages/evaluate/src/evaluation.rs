//! From predictions to figures. Reads no file and runs no model.

use classification::{
    Bootstrap, Calibration, Decision, Gate, GateOutcome, Interval, LabelIds, McNemar, MetricIntervals,
    Metrics, Tally, Task,
};

use crate::golden::Golden;
use crate::inference::Answer;
use crate::noise::GoldenNoise;
use crate::promoted::Promoted;
use crate::slices::{SliceTable, slices};

/// The level of all intervals but those that a gate asks for.
pub(crate) const LEVEL: f64 = 0.95;

/// What is to be measured.
pub(crate) struct Plan {
    pub(crate) task: Task,
    pub(crate) classes: usize,
    /// Positions of baseline and candidate, if two models are to be compared.
    pub(crate) pair: Option<(usize, usize)>,
    pub(crate) gates: Vec<Gate>,
    /// What the gates compare with.
    pub(crate) promoted: Promoted,
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
}

/// All figures.
pub(crate) struct Evaluation {
    /// In the order of the pipeline file.
    pub(crate) models: Vec<ModelFigures>,
    pub(crate) comparison: Option<Comparison>,
    pub(crate) gates: Vec<GateOutcome>,
    pub(crate) noise: GoldenNoise,
    pub(crate) slices: Vec<SliceTable>,
}

/// One model's figures.
pub(crate) struct ModelFigures {
    pub(crate) name: String,
    pub(crate) settings: String,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) confusion: Tally,
    pub(crate) metrics: Metrics,
    pub(crate) intervals: Option<MetricIntervals>,
    pub(crate) calibration: Calibration,
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
    /// Rows that both have wrong, each in its own way, in the table's order.
    pub(crate) changed: Vec<usize>,
    pub(crate) both_right: u64,
    pub(crate) both_wrong: u64,
}

impl Evaluation {
    /// Measures the answers.
    pub(crate) fn new(golden: &Golden, answers: Vec<Answer>, plan: &Plan) -> Self {
        let truth = &golden.rows.labels;
        let given: Vec<Vec<&LabelIds>> = answers
            .iter()
            .map(|answer| labels_of(&answer.decisions))
            .collect();
        // Promoted models are resampled with the others: gates that compare with them are paired.
        let promoted: Vec<Vec<&LabelIds>> = plan.promoted.labels().map(|l| l.iter().collect()).collect();
        let predictions: Vec<&[&LabelIds]> = given.iter().chain(&promoted).map(Vec::as_slice).collect();
        let (task, classes) = (plan.task, plan.classes);
        let bootstrap = Bootstrap::of_task(task, truth, &predictions, classes, plan.resamples, plan.seed);
        let right: Vec<Vec<bool>> = given.iter().map(|given| right(truth, given)).collect();
        drop(given);
        let figures = |(position, answer): (usize, Answer)| {
            ModelFigures::new(answer, truth, plan, &right[position], &bootstrap, position)
        };
        let models: Vec<ModelFigures> = answers.into_iter().enumerate().map(figures).collect();
        let mut metrics: Vec<Metrics> = models.iter().map(|model| model.metrics.clone()).collect();
        metrics.extend(promoted.iter().map(|given| {
            let given = given.iter().copied();
            Tally::count(task, classes, truth.iter(), given).metrics()
        }));
        let compare = |(baseline, candidate): (usize, usize)| {
            let difference = |metrics: &[Metrics]| metrics[candidate].macro_f1 - metrics[baseline].macro_f1;
            let rows = |is: &dyn Fn(usize) -> bool| -> Vec<usize> {
                (0..truth.len()).filter(|&row| is(row)).collect()
            };
            let only = |one: usize, other: usize| rows(&|row| right[one][row] && !right[other][row]);
            let differ = |row: usize| {
                let given = [baseline, candidate].map(|model| &models[model].decisions[row].labels);
                given[0] != given[1]
            };
            Comparison {
                baseline,
                candidate,
                macro_f1_difference: difference(&metrics),
                interval: bootstrap.interval(LEVEL, difference),
                mcnemar: McNemar::from_right(&right[baseline], &right[candidate]),
                fixed: only(candidate, baseline),
                broken: only(baseline, candidate),
                changed: rows(&|row| !right[baseline][row] && !right[candidate][row] && differ(row)),
                both_right: rows(&|row| right[baseline][row] && right[candidate][row]).len() as u64,
                both_wrong: rows(&|row| !right[baseline][row] && !right[candidate][row]).len() as u64,
            }
        };
        let gates = plan
            .gates
            .iter()
            .map(|gate| {
                let earlier = |reference: &_| plan.promoted.earlier(reference, models.len());
                gate.evaluate(&metrics, &bootstrap, &earlier)
            })
            .collect();
        Self {
            comparison: plan.pair.map(compare),
            gates,
            noise: GoldenNoise::find(task, classes, golden, &models),
            slices: slices(task, classes, golden, &models),
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
    fn new(
        answer: Answer,
        truth: &[LabelIds],
        plan: &Plan,
        right: &[bool],
        bootstrap: &Bootstrap,
        position: usize,
    ) -> Self {
        let Answer {
            name,
            decisions,
            settings,
            ..
        } = answer;
        let given = decisions.iter().map(|decision| &decision.labels);
        let confusion = Tally::count(plan.task, plan.classes, truth.iter(), given);
        let mut mistakes: Vec<usize> = (0..truth.len()).filter(|&row| !right[row]).collect();
        mistakes.sort_by(|&a, &b| decisions[b].confidence.total_cmp(&decisions[a].confidence));
        Self {
            metrics: confusion.metrics(),
            intervals: bootstrap.intervals(position, LEVEL),
            calibration: Calibration::measure(plan.task, &decisions, truth),
            name,
            settings,
            decisions,
            confusion,
            mistakes,
        }
    }
}

fn labels_of(decisions: &[Decision]) -> Vec<&LabelIds> {
    decisions.iter().map(|decision| &decision.labels).collect()
}

/// Whether each row has exactly the labels that it should have.
fn right(truth: &[LabelIds], given: &[&LabelIds]) -> Vec<bool> {
    let rows = truth.iter().zip(given);
    rows.map(|(truth, given)| truth == *given).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use classification::{LabelSet, Prediction};
    use dataset::Labelled;
    use stage::Guard;

    use super::*;
    use crate::document::Document;

    const NAMES: [&str; 2] = ["분노", "기쁨"];

    fn golden() -> Golden {
        let rows = Labelled {
            ids: (0..4).map(|row| format!("golden-{row}")).collect(),
            texts: ["하나", "둘", "셋", "넷"].map(str::to_owned).to_vec(),
            labels: [0, 0, 1, 1].map(LabelIds::from).to_vec(),
            sources: vec![Arc::from("golden.csv"); 4],
            notes: Default::default(),
        };
        Golden::new(rows, &NAMES, Task::SingleLabel)
    }

    fn answer(name: &str, probabilities_of_joy: [f32; 4]) -> Answer {
        let decision = |joy: f32| Prediction::from_probabilities(vec![1.0 - joy, joy]).into();
        Answer {
            name: name.to_owned(),
            decisions: probabilities_of_joy.map(decision).to_vec(),
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
        let gate = Gate::parse("student.accuracy >= 0.8", &models, &labels, Task::SingleLabel).unwrap();
        let plan = Plan {
            task: Task::SingleLabel,
            classes: 2,
            pair: Some((0, 1)),
            gates: vec![gate],
            promoted: Promoted::default(),
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
        assert_eq!(
            evaluation.failed_gates(),
            ["student.accuracy >= 0.8: 0.7500, short by 0.0500"]
        );
    }

    #[test]
    fn digest_depends_on_the_rows_alone() {
        let (mut other, same) = (golden().rows, golden().rows);
        other.labels[3] = 0.into();
        assert_eq!(
            Golden::new(same, &NAMES, Task::SingleLabel).digest,
            golden().digest
        );
        assert_ne!(
            Golden::new(other, &NAMES, Task::SingleLabel).digest,
            golden().digest
        );
    }

    #[test]
    fn a_row_with_several_labels_is_right_if_all_are() {
        let mut golden = golden();
        golden.rows.labels = [vec![0], vec![0, 1], vec![1], vec![]]
            .map(LabelIds::from)
            .to_vec();
        let decision = |yes: [f32; 2]| Decision::from_probabilities(yes.to_vec(), &[0.5; 2]);
        let answer = |name: &str, rows: [[f32; 2]; 4]| Answer {
            decisions: rows.map(decision).to_vec(),
            ..answer(name, [0.0; 4])
        };
        let answers = vec![
            answer(
                "teacher",
                [[0.75, 0.25], [0.75, 0.25], [0.25, 0.75], [0.25, 0.75]],
            ),
            answer(
                "student",
                [[0.75, 0.25], [0.75, 0.75], [0.25, 0.75], [0.25, 0.25]],
            ),
        ];
        let plan = Plan {
            task: Task::MultiLabel,
            classes: 2,
            pair: Some((0, 1)),
            gates: Vec::new(),
            promoted: Promoted::default(),
            resamples: 20,
            seed: 42,
        };
        let evaluation = Evaluation::new(&golden, answers, &plan);
        assert_eq!(evaluation.models[0].metrics.accuracy, 0.5);
        assert_eq!(evaluation.models[1].metrics.accuracy, 1.0);
        let comparison = evaluation.comparison.as_ref().unwrap();
        assert_eq!((comparison.mcnemar.fixed, comparison.mcnemar.broken), (2, 0));
        let document =
            serde_json::to_value(Document::new(&NAMES, &golden, &evaluation, &Guard::Unknown)).unwrap();
        let teacher = &document["models"]["teacher"];
        assert_eq!(
            teacher["confusion_matrix"],
            serde_json::json!([[[2, 0], [0, 2]], [[1, 1], [1, 1]]])
        );
        assert_eq!(teacher["hamming_loss"], serde_json::json!(0.25));
        assert!(teacher["ci95"]["micro_f1"].is_array());
    }

    /// Another document for the same predictions needs another stage version.
    #[test]
    fn document_is_the_recorded_one() {
        let golden = golden();
        let document = serde_json::to_string(&Document::new(
            &NAMES,
            &golden,
            &evaluation(&golden),
            &Guard::Guarded,
        ))
        .unwrap();
        assert_eq!(document, include_str!("../tests/report.json").trim_end());
    }
}
