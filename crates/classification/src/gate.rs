//! Conditions that models must meet: `student.macro_f1 - teacher.macro_f1 >= 0 at 95%`.
//!
//! A gate is `SIDE OPERATOR SIDE`, optionally followed by `at LEVEL%`. A side is a sum or difference of numbers and
//! figures; the left one names a figure. A figure is `MODEL.METRIC`, or `MODEL.METRIC@TAG`: what the model of that
//! name had in the version that is tagged so. METRIC is `accuracy`, `macro_f1`, `weighted_f1` or `per_class.LABEL.f1`
//! (`precision`, `recall`); where the task is multi-label also `micro_f1`, `samples_f1` and `hamming_loss`.
//!
//! With a level, not the left side itself is compared but the end of its bootstrap interval that is the harder one; if
//! the right side has figures, too, it is the interval of the difference, paired row by row.

use std::collections::BTreeMap;

use crate::gate_parser::Parser;
use crate::gate_side::{Operator, Reference, Side, Source};
use crate::gate_syntax::tags;
use crate::{Bootstrap, GateError, GateOutcome, Interval, LabelSet, Metrics, Task};

/// A checked gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    pub(crate) text: String,
    pub(crate) left: Side,
    pub(crate) operator: Operator,
    pub(crate) right: Side,
    /// In (0, 1).
    pub(crate) level: Option<f64>,
}

/// What is known of a model of an earlier version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Its metrics stand at this position among those that the gate is measured by.
    At(usize),
    /// No version has the tag yet: there is nothing to fall behind.
    NotYet,
    /// Why it cannot be compared with, in words.
    Unusable(String),
}

impl Gate {
    /// Reads a gate about the given models and classes.
    pub fn parse(text: &str, models: &[String], labels: &LabelSet, task: Task) -> Result<Self, GateError> {
        Parser {
            text,
            models,
            labels,
            task,
        }
        .gate()
    }

    /// The tags that a gate's text names, in their order, whether it is a valid gate or not.
    pub fn tags(text: &str) -> Vec<String> {
        tags(text)
    }

    /// The models of earlier versions that it names.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let terms = self.left.terms.iter().chain(&self.right.terms);
        terms.filter_map(|(_, term)| match &term.source {
            Source::Tagged(reference) => Some(reference),
            Source::Model(_) => None,
        })
    }

    /// Measures the gate. `metrics` are the models' on the whole table, `bootstrap` on its resamples, both in the
    /// order of the names that the gate was parsed with; models of earlier versions, at the positions that `earlier`
    /// gives, were measured on the same rows.
    ///
    /// A gate that names a version which is not there yet is met; one that names an unusable version is not.
    pub fn evaluate(
        &self,
        metrics: &[Metrics],
        bootstrap: &Bootstrap,
        earlier: &dyn Fn(&Reference) -> Earlier,
    ) -> GateOutcome {
        let (mut positions, mut unusable) = (BTreeMap::new(), None);
        for reference in self.references() {
            match earlier(reference) {
                Earlier::At(position) => {
                    positions.insert(reference, position);
                }
                Earlier::NotYet => {
                    let reason = format!("nothing is promoted as `{}` yet", reference.tag);
                    return self.unmeasured(true, reason);
                }
                Earlier::Unusable(reason) => unusable = unusable.or(Some(reason)),
            }
        }
        match unusable {
            Some(reason) => self.unmeasured(false, reason),
            None => self.measure(metrics, bootstrap, &positions),
        }
    }

    fn unmeasured(&self, passed: bool, reason: String) -> GateOutcome {
        GateOutcome {
            gate: self.text.clone(),
            value: None,
            threshold: None,
            bound: None,
            passed,
            reason,
        }
    }

    fn measure(
        &self,
        metrics: &[Metrics],
        bootstrap: &Bootstrap,
        positions: &BTreeMap<&Reference, usize>,
    ) -> GateOutcome {
        let left = |metrics: &[Metrics]| self.left.figures(metrics, positions) + self.left.number;
        let right = |metrics: &[Metrics]| self.right.figures(metrics, positions);
        let (value, against) = (left(metrics), right(metrics));
        let threshold = against + self.right.number;
        let interval = self
            .level
            .and_then(|level| bootstrap.interval(level, |metrics| left(metrics) - right(metrics)));
        let harder = |interval: Interval| {
            if self.operator.wants_more() {
                interval.low
            } else {
                interval.high
            }
        };
        let bound = interval.map(|interval| against + harder(interval));
        // A gate with a level but without resamples to judge it by is not met.
        let judged = if self.level.is_some() { bound } else { Some(value) };
        let passed = judged.is_some_and(|judged| self.operator.holds(judged - threshold));
        GateOutcome {
            gate: self.text.clone(),
            value: Some(value),
            threshold: Some(threshold),
            bound,
            passed,
            reason: self.reason(value, threshold, bound, passed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Gate, GateError> {
        let models = ["teacher".to_owned(), "student".to_owned()];
        let labels = LabelSet::from_names(["분노", "기쁨"]).unwrap();
        Gate::parse(text, &models, &labels, Task::SingleLabel)
    }

    fn measured(text: &str, earlier: Earlier) -> GateOutcome {
        let truth: Vec<usize> = (0..100).map(|row| row % 2).collect();
        let flawed = |wrong: usize| -> Vec<usize> {
            (0..100)
                .map(|row| if row < wrong { 0 } else { row % 2 })
                .collect()
        };
        // Right in 80, 90 and 85 rows of 100.
        let models = [flawed(40), flawed(20), flawed(30)];
        let metrics: Vec<Metrics> = models
            .iter()
            .map(|predicted| Metrics::from_predictions(&truth, predicted, 2))
            .collect();
        let slices: Vec<&[usize]> = models.iter().map(Vec::as_slice).collect();
        let bootstrap = Bootstrap::new(&truth, &slices, 2, 500, 1);
        parse(text)
            .unwrap()
            .evaluate(&metrics, &bootstrap, &|_| earlier.clone())
    }

    fn outcome(text: &str) -> GateOutcome {
        measured(text, Earlier::At(2))
    }

    #[test]
    fn a_metric_is_compared_with_a_number() {
        assert!(outcome("student.accuracy >= 0.9").passed);
        assert!(!outcome("student.accuracy > 0.9").passed);
        assert!(outcome("teacher.accuracy <= 0.8").passed);
        assert!(!outcome("teacher.accuracy<0.8").passed);
    }

    #[test]
    fn metrics_are_compared_with_each_other() {
        assert!(outcome("student.accuracy >= teacher.accuracy + 0.1").passed);
        assert!(!outcome("student.accuracy > teacher.accuracy + 0.1").passed);
        let outcome = outcome("teacher.accuracy >= student.accuracy - 0.05");
        assert_eq!((outcome.value, outcome.passed), (Some(0.8), false));
        assert!((outcome.threshold.unwrap() - 0.85).abs() < 1e-12);
    }

    #[test]
    fn rounding_does_not_decide() {
        // 0.85 - 0.9 is below -0.05 in floating point.
        assert!(outcome("pupil.accuracy@before - student.accuracy >= -0.05").passed);
        assert!(!outcome("pupil.accuracy@before - student.accuracy < -0.05").passed);
    }

    #[test]
    fn a_class_can_be_named() {
        let outcome = outcome("student.per_class.기쁨.recall >= 0.8");
        assert_eq!((outcome.value, outcome.passed), (Some(0.8), true));
    }

    #[test]
    fn a_level_compares_the_harder_end_of_the_interval() {
        let outcome = outcome("student.accuracy >= 0.9 at 95%");
        assert_eq!((outcome.value, outcome.passed), (Some(0.9), false));
        assert!(outcome.bound.is_some_and(|bound| (0.8..0.9).contains(&bound)));
    }

    #[test]
    fn a_difference_is_paired() {
        // Ten rows better, none worse: unpaired intervals of the two would overlap.
        let difference = outcome("student.accuracy - teacher.accuracy > 0.02 at 95 %");
        assert!(difference.passed, "{difference:?}");
        let sides = outcome("student.accuracy > teacher.accuracy + 0.02 at 95 %");
        assert!(sides.passed, "{sides:?}");
        let (one, other) = (difference.bound.unwrap(), sides.bound.unwrap());
        assert!((one + 0.8 - other).abs() < 1e-12, "{one} {other}");
    }

    #[test]
    fn an_earlier_version_is_compared_with() {
        assert!(outcome("student.accuracy >= student.accuracy@production + 0.05").passed);
        assert!(outcome("student.accuracy > student.accuracy@production at 95%").passed);
        let worse = outcome("teacher.accuracy >= student.accuracy@production");
        assert_eq!(worse.reason, "0.8000 against 0.8500, short by 0.0500");
    }

    #[test]
    fn nothing_falls_behind_what_is_not_there_yet() {
        let outcome = measured("teacher.accuracy >= teacher.accuracy@production", Earlier::NotYet);
        assert_eq!((outcome.value, outcome.passed), (None, true));
        assert_eq!(outcome.reason, "nothing is promoted as `production` yet");
    }

    #[test]
    fn what_cannot_be_compared_with_is_not_met() {
        let unusable = Earlier::Unusable("the golden sets differ".to_owned());
        let outcome = measured("teacher.accuracy >= teacher.accuracy@production", unusable);
        assert!(!outcome.passed && outcome.reason == "the golden sets differ");
    }

    #[test]
    fn reasons_say_by_how_much() {
        let reason = |text| outcome(text).reason;
        assert_eq!(reason("student.accuracy >= 0.92"), "0.9000, short by 0.0200");
        assert_eq!(reason("student.accuracy >= 0.9"), "0.9000, exactly on the bound");
        assert_eq!(reason("student.accuracy >= 0.89999"), "0.9000, 1.0e-5 to spare");
        assert_eq!(reason("student.accuracy < 0.85"), "0.9000, over by 0.0500");
        assert_eq!(
            reason("student.accuracy >= 0.1 at 97.5%").split(" is ").next(),
            Some("0.9000, the lower end of the 97.5% interval")
        );
    }

    #[test]
    fn a_level_without_resamples_is_not_met() {
        let metrics = [
            Metrics {
                accuracy: 1.0,
                ..Metrics::default()
            },
            Metrics::default(),
        ];
        let none = Bootstrap::new(&[0], &[&[0], &[0]], 2, 0, 1);
        let gate = parse("teacher.accuracy > 0 at 95%").unwrap();
        assert!(!gate.evaluate(&metrics, &none, &|_| Earlier::NotYet).passed);
    }
}
