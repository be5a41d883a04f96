//! What is asked of a selection.

use serde::Serialize;

/// What a prediction must reach, inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Lowest confidence, in [0, 1].
    pub min_confidence: f32,
    /// Lowest margin, in [0, 1].
    pub min_margin: f32,
}

/// How the classes' thresholds of confidence come about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// As they are given.
    Fixed,
    /// For each class the lowest at which the 95 % Wilson interval of its precision on the validation rows lies at or
    /// above this share, in (0, 1), and not below the given one. A class without such a threshold abstains.
    ///
    /// What counts is the precision of all that is kept, not that of the rows at the threshold; so a threshold is good
    /// even if a higher one is not. Many are tried on the same rows, but these are nested and few rows never suffice:
    /// with confidences that mean what they say a class is kept below its target as seldom as after one look (tested).
    /// The promise is for rows like the validation rows.
    TargetPrecision(f64),
    /// Lower where a class is learnt less: the given threshold times `M(β)`, where `β` is the number of the class's
    /// predictions that reach it, divided by that of the class with most, and `M(β) = β / (2 - β)`: curriculum
    /// pseudo-labelling with the convex mapping, without warm-up (FlexMatch, Zhang et al. 2021,
    /// <https://arxiv.org/abs/2110.08263>).
    FlexMatch,
}

/// At most so many rows of a class: the most confident, equal ones in the table's order.
///
/// A row with several labels counts to each, and must find room in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// A limit on what reaches the thresholds; rows beyond it are dropped as `class_cap`.
    MaxPerClass(u64),
    /// The choice itself; rows beyond it are dropped as `top_k`.
    TopK(u64),
}

/// What is asked of a selection.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Where the classes' thresholds of confidence come from.
    pub rule: Rule,
    /// One per class, in id order. Where the task is multi-label a row must reach those of every label that it is
    /// given, and at least the first of all when it is given none.
    pub classes: Vec<Threshold>,
    /// Highest accepted share of several models that say something else; needs the column `disagreement`.
    pub max_disagreement: Option<f32>,
    /// At most so many rows of a class.
    pub cap: Option<Cap>,
    /// No class has more than so many times the rows of the rarest that has any, at least 1. Single-label only.
    pub balance: Option<f64>,
    /// What a student is to be taught.
    pub teaching: Teaching,
}

/// What a student is taught of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Teaching {
    /// The predicted label.
    #[default]
    Hard,
    /// The probabilities of all labels, too, in the column `soft_label`.
    Soft,
}

/// What a prediction of one class must reach after all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassThreshold {
    /// Null: nothing of this class is kept, because no threshold promises the precision that was asked for.
    pub min_confidence: Option<f32>,
    /// Lowest margin.
    pub min_margin: f32,
}

/// Why a row is dropped: the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its class has no threshold that promises the precision.
    Abstained,
    /// Not confident enough.
    Confidence,
    /// Too close to another label.
    Margin,
    /// Too many models say something else.
    Disagreement,
    /// Its class has enough rows that are more confident.
    ClassCap,
    /// It is not among the most confident of its class.
    TopK,
    /// Its class would outnumber the others.
    Balance,
    /// A person said so.
    Review,
}

impl Reason {
    /// The name in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abstained => "abstained",
            Self::Confidence => "confidence",
            Self::Margin => "margin",
            Self::Disagreement => "disagreement",
            Self::ClassCap => "class_cap",
            Self::TopK => "top_k",
            Self::Balance => "balance",
            Self::Review => "review",
        }
    }
}

impl Policy {
    /// The reasons for which rows can be dropped; the first three always count.
    pub(super) fn reasons(&self, reviewed: bool) -> Vec<Reason> {
        let optional = [
            (Reason::Abstained, matches!(self.rule, Rule::TargetPrecision(_))),
            (Reason::Disagreement, self.max_disagreement.is_some()),
            (Reason::TopK, matches!(self.cap, Some(Cap::TopK(_)))),
            (Reason::Balance, self.balance.is_some()),
            (Reason::Review, reviewed),
        ];
        let mut reasons = vec![Reason::Confidence, Reason::Margin, Reason::ClassCap];
        reasons.extend(
            optional
                .into_iter()
                .filter_map(|(reason, holds)| holds.then_some(reason)),
        );
        reasons
    }
}
