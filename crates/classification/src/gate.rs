//! Conditions that models must meet: `student.macro_f1 - teacher.macro_f1 >= 0 at 95%`.
//!
//! A gate is `FIGURE OPERATOR NUMBER`, optionally followed by `at LEVEL%`. FIGURE is `MODEL.METRIC` or the
//! difference of two. METRIC is `accuracy`, `macro_f1`, `weighted_f1` or `per_class.LABEL.f1` (`precision`, `recall`);
//! where the task is multi-label also `micro_f1`, `samples_f1` and `hamming_loss`.
//! With a level, not the value itself is compared but the end of its bootstrap interval that is the harder one.

use serde::{Deserialize, Serialize};

use crate::gate_parser::Parser;
use crate::{Bootstrap, GateError, LabelSet, Metrics, Task};

/// A checked gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    pub(crate) text: String,
    pub(crate) minuend: Term,
    pub(crate) subtrahend: Option<Term>,
    pub(crate) operator: Operator,
    pub(crate) threshold: f64,
    /// In (0, 1).
    pub(crate) level: Option<f64>,
}

/// One model's metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Position of the model among the names that the gate was parsed with.
    pub model: usize,
    /// Which metric.
    pub figure: Figure,
}

/// A metric that a gate can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// `accuracy`
    Accuracy,
    /// `macro_f1`
    MacroF1,
    /// `weighted_f1`
    WeightedF1,
    /// `micro_f1`, where the task is multi-label.
    MicroF1,
    /// `samples_f1`, where the task is multi-label.
    SamplesF1,
    /// `hamming_loss`, where the task is multi-label.
    HammingLoss,
    /// `per_class.LABEL.…`, the class as its id.
    Class(usize, ClassFigure),
}

/// A metric of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassFigure {
    /// `precision`
    Precision,
    /// `recall`
    Recall,
    /// `f1`
    F1,
}

/// How the value is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
}

/// What came of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateOutcome {
    /// As written.
    pub gate: String,
    /// The measured value of its left side.
    pub value: f64,
    /// With `at LEVEL%`: the end of the interval that was compared with the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// Whether it was met.
    pub passed: bool,
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

    /// Measures the gate. `metrics` are the models' on the whole table, `bootstrap` on its resamples, both in the
    /// order of the names that the gate was parsed with.
    pub fn evaluate(&self, metrics: &[Metrics], bootstrap: &Bootstrap) -> GateOutcome {
        let value = self.value(metrics);
        let interval = self
            .level
            .and_then(|level| bootstrap.interval(level, |metrics| self.value(metrics)));
        let bound = interval.map(|interval| match self.operator {
            Operator::AtLeast | Operator::Above => interval.low,
            Operator::AtMost | Operator::Below => interval.high,
        });
        // A gate with a level but without resamples to judge it by is not met.
        let judged = if self.level.is_some() { bound } else { Some(value) };
        let passed = judged.is_some_and(|judged| self.operator.holds(judged, self.threshold));
        GateOutcome {
            gate: self.text.clone(),
            value,
            bound,
            passed,
        }
    }

    /// The positions of the models that it names.
    pub fn models(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.minuend.model).chain(self.subtrahend.map(|term| term.model))
    }

    fn value(&self, metrics: &[Metrics]) -> f64 {
        let subtrahend = self.subtrahend.map_or(0.0, |term| term.value(metrics));
        self.minuend.value(metrics) - subtrahend
    }
}

impl GateOutcome {
    /// The gate and what was measured, in words.
    pub fn describe(&self) -> String {
        match self.bound {
            None => format!("{}: {:.4}", self.gate, self.value),
            Some(bound) => format!(
                "{}: {:.4}, with the interval's end at {bound:.4}",
                self.gate, self.value
            ),
        }
    }
}

impl Term {
    fn value(self, metrics: &[Metrics]) -> f64 {
        let metrics = &metrics[self.model];
        let several = || metrics.multi_label.unwrap_or_default();
        match self.figure {
            Figure::MicroF1 => several().micro_f1,
            Figure::SamplesF1 => several().samples_f1,
            Figure::HammingLoss => several().hamming_loss,
            Figure::Accuracy => metrics.accuracy,
            Figure::MacroF1 => metrics.macro_f1,
            Figure::WeightedF1 => metrics.weighted_f1,
            Figure::Class(class, ClassFigure::Precision) => metrics.per_class[class].precision,
            Figure::Class(class, ClassFigure::Recall) => metrics.per_class[class].recall,
            Figure::Class(class, ClassFigure::F1) => metrics.per_class[class].f1,
        }
    }
}

impl Operator {
    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::AtMost => value <= threshold,
            Self::Below => value < threshold,
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

    fn outcome(text: &str) -> GateOutcome {
        let truth: Vec<usize> = (0..100).map(|row| row % 2).collect();
        let teacher: Vec<usize> = (0..100).map(|row| if row < 40 { 0 } else { row % 2 }).collect();
        let student: Vec<usize> = (0..100).map(|row| if row < 20 { 0 } else { row % 2 }).collect();
        let metrics = [&teacher, &student].map(|predicted| Metrics::from_predictions(&truth, predicted, 2));
        let bootstrap = Bootstrap::new(&truth, &[&teacher, &student], 2, 500, 1);
        parse(text).unwrap().evaluate(&metrics, &bootstrap)
    }

    #[test]
    fn a_metric_is_compared_with_a_number() {
        assert!(outcome("student.accuracy >= 0.9").passed);
        assert!(!outcome("student.accuracy > 0.9").passed);
        assert!(outcome("teacher.accuracy <= 0.8").passed);
        assert!(!outcome("teacher.accuracy<0.8").passed);
    }

    #[test]
    fn a_class_can_be_named() {
        let outcome = outcome("student.per_class.기쁨.recall >= 0.8");
        assert_eq!((outcome.value, outcome.passed), (0.8, true));
    }

    #[test]
    fn a_level_compares_the_harder_end_of_the_interval() {
        let outcome = outcome("student.accuracy >= 0.9 at 95%");
        assert_eq!((outcome.value, outcome.passed), (0.9, false));
        assert!(outcome.bound.is_some_and(|bound| (0.8..0.9).contains(&bound)));
    }

    #[test]
    fn a_difference_is_paired() {
        // Ten rows better, none worse: unpaired intervals of the two would overlap.
        let outcome = outcome("student.accuracy - teacher.accuracy > 0.02 at 95 %");
        assert!(outcome.passed, "{outcome:?}");
    }

    #[test]
    fn a_negative_threshold_is_a_number() {
        assert!(outcome("student.accuracy - teacher.accuracy >= -0.05").passed);
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
        assert!(
            !parse("teacher.accuracy > 0 at 95%")
                .unwrap()
                .evaluate(&metrics, &none)
                .passed
        );
    }
}
