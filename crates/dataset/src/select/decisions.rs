//! The decision on every row: thresholds, then caps.

use super::policy::{Cap, ClassThreshold, Policy, Reason};
use super::predictions::Predictions;
use super::thresholds::of_row;

/// The decision on every row.
#[derive(Clone, Debug, Default)]
pub(super) struct Decisions {
    /// None: kept.
    pub(super) drops: Vec<Option<Reason>>,
    /// Single-label: of a row that reaches the thresholds its place in its class, from 1, the most confident first;
    /// 0 for the others. Empty where the task is multi-label.
    pub(super) ranks: Vec<u32>,
}

impl Decisions {
    /// What `policy` says about these predictions, given what their classes must reach.
    pub(super) fn make(
        policy: &Policy,
        predictions: &Predictions,
        thresholds: &[ClassThreshold],
        single_label: bool,
    ) -> Self {
        let reason = |row| policy.reason(predictions, thresholds, row);
        let drops: Vec<Option<Reason>> = (0..predictions.rows()).map(reason).collect();
        let mut order: Vec<usize> = (0..drops.len()).filter(|row| drops[*row].is_none()).collect();
        let confidence = |row: usize| predictions.confidences[row];
        order.sort_unstable_by(|a, b| confidence(*b).total_cmp(&confidence(*a)).then(a.cmp(b)));
        let mut decisions = Self {
            drops,
            ranks: Vec::new(),
        };
        if single_label {
            decisions.rank(predictions, thresholds.len(), &order);
            if let Some(cap) = policy.cap {
                decisions.cut(cap.most(), cap.reason(), &order);
            }
            if let Some(ratio) = policy.balance {
                let kept = decisions.kept(predictions, thresholds.len());
                if let Some(rarest) = kept.into_iter().filter(|kept| *kept > 0).min() {
                    decisions.cut((rarest as f64 * ratio) as u64, Reason::Balance, &order);
                }
            }
        } else if let Some(cap) = policy.cap {
            decisions.fill(predictions, thresholds.len(), cap, &order);
        }
        decisions
    }

    fn rank(&mut self, predictions: &Predictions, classes: usize, order: &[usize]) {
        self.ranks = vec![0; predictions.rows()];
        let mut last = vec![0; classes];
        for row in order {
            for class in predictions.classes.of(*row) {
                last[*class as usize] += 1;
                self.ranks[*row] = last[*class as usize];
            }
        }
    }

    /// Drops what is kept and ranks behind `most`.
    fn cut(&mut self, most: u64, reason: Reason, order: &[usize]) {
        for row in order {
            if self.drops[*row].is_none() && u64::from(self.ranks[*row]) > most {
                self.drops[*row] = Some(reason);
            }
        }
    }

    /// Gives rows the room that their classes have left.
    fn fill(&mut self, predictions: &Predictions, classes: usize, cap: Cap, order: &[usize]) {
        let mut room = vec![cap.most(); classes];
        for row in order {
            let ids = predictions.classes.of(*row);
            if ids.iter().any(|id| room[*id as usize] == 0) {
                self.drops[*row] = Some(cap.reason());
            } else {
                ids.iter().for_each(|id| room[*id as usize] -= 1);
            }
        }
    }

    /// Kept rows per class.
    fn kept(&self, predictions: &Predictions, classes: usize) -> Vec<u64> {
        let mut kept = vec![0; classes];
        for (row, drop) in self.drops.iter().enumerate() {
            if drop.is_none() {
                for class in predictions.classes.of(row) {
                    kept[*class as usize] += 1;
                }
            }
        }
        kept
    }
}

impl Policy {
    /// Why a row does not reach the thresholds.
    pub(super) fn reason(
        &self,
        predictions: &Predictions,
        thresholds: &[ClassThreshold],
        row: usize,
    ) -> Option<Reason> {
        let classes = || of_row(thresholds, predictions.classes.of(row));
        let (confidence, margin) = (predictions.confidences[row], predictions.margins[row]);
        if classes().any(|class| class.min_confidence.is_none()) {
            return Some(Reason::Abstained);
        }
        if classes().any(|class| class.min_confidence.is_some_and(|least| confidence < least)) {
            return Some(Reason::Confidence);
        }
        if classes().any(|class| margin < class.min_margin) {
            return Some(Reason::Margin);
        }
        let most = self.max_disagreement?;
        (predictions.disagreements[row] > most).then_some(Reason::Disagreement)
    }
}

impl Cap {
    fn most(self) -> u64 {
        match self {
            Self::MaxPerClass(most) | Self::TopK(most) => most,
        }
    }

    fn reason(self) -> Reason {
        match self {
            Self::MaxPerClass(_) => Reason::ClassCap,
            Self::TopK(_) => Reason::TopK,
        }
    }
}
