//! What a gate compares: sums of figures and numbers.

use std::collections::BTreeMap;
use std::fmt;

use crate::Metrics;

/// A sum of figures and a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Side {
    /// With the factor 1 or -1.
    pub(crate) terms: Vec<(f64, Term)>,
    pub(crate) number: f64,
}

/// One model's metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) source: Source,
    pub(crate) figure: Figure,
}

/// Whose metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// Position of the model among the names that the gate was parsed with.
    Model(usize),
    Tagged(Reference),
}

/// A model of an earlier version: `student@production`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The model's name in that version.
    pub model: String,
    /// The version's tag.
    pub tag: String,
}

/// A metric that a gate can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Accuracy,
    MacroF1,
    WeightedF1,
    /// Where the task is multi-label, as the next two.
    MicroF1,
    SamplesF1,
    HammingLoss,
    /// `per_class.LABEL.…`, the class as its id.
    Class(usize, ClassFigure),
}

/// A metric of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClassFigure {
    Precision,
    Recall,
    F1,
}

/// How the left side is compared with the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
}

/// Values closer than this are equal: differences of figures carry rounding errors (0.75 - 0.8 is below -0.05).
pub(crate) const ROUNDING: f64 = 1e-12;

impl Side {
    /// The sum of the figures, without the number.
    pub(crate) fn figures(&self, metrics: &[Metrics], positions: &BTreeMap<&Reference, usize>) -> f64 {
        let value = |(factor, term): &(f64, Term)| {
            let position = match &term.source {
                Source::Model(position) => *position,
                Source::Tagged(reference) => positions[reference],
            };
            factor * term.figure.of(&metrics[position])
        };
        // A sum of nothing is 0, not -0.
        self.terms.iter().map(value).fold(0.0, |sum, value| sum + value)
    }
}

impl Figure {
    fn of(self, metrics: &Metrics) -> f64 {
        let several = || metrics.multi_label.unwrap_or_default();
        match self {
            Self::MicroF1 => several().micro_f1,
            Self::SamplesF1 => several().samples_f1,
            Self::HammingLoss => several().hamming_loss,
            Self::Accuracy => metrics.accuracy,
            Self::MacroF1 => metrics.macro_f1,
            Self::WeightedF1 => metrics.weighted_f1,
            Self::Class(class, ClassFigure::Precision) => metrics.per_class[class].precision,
            Self::Class(class, ClassFigure::Recall) => metrics.per_class[class].recall,
            Self::Class(class, ClassFigure::F1) => metrics.per_class[class].f1,
        }
    }
}

impl Operator {
    pub(crate) fn wants_more(self) -> bool {
        matches!(self, Self::AtLeast | Self::Above)
    }

    /// Whether it holds for left minus right.
    pub(crate) fn holds(self, difference: f64) -> bool {
        match self {
            Self::AtLeast => difference >= -ROUNDING,
            Self::Above => difference > ROUNDING,
            Self::AtMost => difference <= ROUNDING,
            Self::Below => difference < -ROUNDING,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.model, self.tag)
    }
}
