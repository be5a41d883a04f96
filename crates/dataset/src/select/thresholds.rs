//! From what is asked to what each class must reach.

use serde::Serialize;

use super::evidence::Evidence;
use super::policy::{ClassThreshold, Policy, Rule};
use super::predictions::{Known, Predictions};

/// How well a class is learnt, as FlexMatch sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Learning {
    /// Predictions of the class that reach the given threshold.
    pub confident: u64,
    /// `confident` divided by that of the class with most.
    pub status: f64,
}

/// What each class must reach, and where that comes from. One entry per class, in id order.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    pub(super) classes: Vec<ClassThreshold>,
    /// With validation rows: those at or above a class's threshold; of a class that abstains, those at the threshold
    /// with the highest lower bound.
    pub(super) evidence: Option<Vec<ClassEvidence>>,
    /// With [`Rule::FlexMatch`].
    pub(super) learning: Option<Vec<Learning>>,
}

/// What the validation rows say about a class's predictions from some confidence on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassEvidence {
    /// Validation rows that are predicted to be of the class.
    pub predicted: u64,
    /// The confidence from which rows count; null without any.
    pub min_confidence: Option<f32>,
    /// Those rows.
    #[serde(flatten)]
    pub evidence: Evidence,
}

impl Policy {
    /// What each class must reach on these predictions.
    pub(super) fn resolve(&self, predictions: &Predictions, known: Option<&Known>) -> Resolved {
        let mut resolved = Resolved {
            classes: self
                .classes
                .iter()
                .map(|given| ClassThreshold {
                    min_confidence: Some(given.min_confidence),
                    min_margin: given.min_margin,
                })
                .collect(),
            ..Resolved::default()
        };
        match (self.rule, known) {
            (Rule::Fixed, _) => {}
            (Rule::FlexMatch, _) => {
                let learning = self.learning(predictions);
                for (class, status) in resolved.classes.iter_mut().zip(&learning) {
                    let mapped = status.status / (2.0 - status.status);
                    class.min_confidence = class.min_confidence.map(|base| (f64::from(base) * mapped) as f32);
                }
                resolved.learning = Some(learning);
            }
            (Rule::TargetPrecision(target), Some(known)) => {
                let looks = (0..self.classes.len()).map(|class| Looks::of(self, known, class));
                let found: Vec<(Option<f32>, ClassEvidence)> =
                    looks.map(|looks| looks.lowest(target)).collect();
                for (class, (threshold, _)) in resolved.classes.iter_mut().zip(&found) {
                    class.min_confidence = *threshold;
                }
                resolved.evidence = Some(found.into_iter().map(|(_, evidence)| evidence).collect());
            }
            // Without validation rows there is no evidence for any class.
            (Rule::TargetPrecision(_), None) => {
                resolved
                    .classes
                    .iter_mut()
                    .for_each(|class| class.min_confidence = None);
            }
        }
        if let (None, Some(known)) = (&resolved.evidence, known) {
            let at = |(class, threshold): (usize, &ClassThreshold)| {
                let looks = Looks::of(self, known, class);
                looks.from(threshold.min_confidence.unwrap_or_default())
            };
            resolved.evidence = Some(resolved.classes.iter().enumerate().map(at).collect());
        }
        resolved
    }

    fn learning(&self, predictions: &Predictions) -> Vec<Learning> {
        let mut confident = vec![0u64; self.classes.len()];
        for row in 0..predictions.rows() {
            for class in predictions.classes.of(row) {
                let class = *class as usize;
                if predictions.confidences[row] >= self.classes[class].min_confidence {
                    confident[class] += 1;
                }
            }
        }
        let most = confident.iter().copied().max().unwrap_or_default();
        // Where nothing is confident nothing is known about learning: all thresholds stay as they are.
        let status = |confident: u64| {
            if most == 0 {
                1.0
            } else {
                confident as f64 / most as f64
            }
        };
        confident
            .into_iter()
            .map(|confident| Learning {
                confident,
                status: status(confident),
            })
            .collect()
    }

    /// Whether margin and agreement of a row suffice, whatever its confidence.
    pub(super) fn is_clear(&self, predictions: &Predictions, row: usize) -> bool {
        let agrees = self
            .max_disagreement
            .is_none_or(|most| predictions.disagreements[row] <= most);
        let margin = predictions.margins[row];
        agrees
            && self
                .given(predictions.classes.of(row))
                .all(|given| margin >= given.min_margin)
    }

    /// The given thresholds of a row with these classes.
    fn given<'p>(&'p self, classes: &'p [u32]) -> impl Iterator<Item = &'p super::Threshold> {
        of_row(&self.classes, classes)
    }
}

/// The entries of `per_class` that a row with these classes must reach: those of its classes, or the first if it has none.
pub(super) fn of_row<'t, T>(per_class: &'t [T], classes: &'t [u32]) -> impl Iterator<Item = &'t T> {
    let without = classes.is_empty().then(|| per_class.first()).flatten();
    classes.iter().map(|id| &per_class[*id as usize]).chain(without)
}

/// The validation rows that are predicted to be of a class and are kept if they are confident enough: every confidence
/// that occurs is a threshold that could be chosen.
struct Looks {
    predicted: u64,
    /// (confidence, rows from it on, those of them that are right), confidences descending.
    looks: Vec<(f32, u64, u64)>,
}

impl Looks {
    fn of(policy: &Policy, known: &Known, class: usize) -> Self {
        let predictions = &known.predictions;
        let is_of = |row: &usize| predictions.classes.of(*row).contains(&(class as u32));
        let all: Vec<usize> = (0..predictions.rows()).filter(is_of).collect();
        let floor = policy.classes[class].min_confidence;
        // A fixed threshold, or that of another rule, is applied afterwards.
        let floor = if matches!(policy.rule, Rule::TargetPrecision(_)) {
            floor
        } else {
            0.0
        };
        let rows: Vec<(f32, bool)> = all
            .iter()
            .filter(|row| predictions.confidences[**row] >= floor && policy.is_clear(predictions, **row))
            .map(|row| {
                let right = known.truth.of(*row).contains(&(class as u32));
                (predictions.confidences[*row], right)
            })
            .collect();
        Self::from_rows(all.len() as u64, rows)
    }

    /// From (confidence, whether it is right).
    fn from_rows(predicted: u64, mut rows: Vec<(f32, bool)>) -> Self {
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut looks: Vec<(f32, u64, u64)> = Vec::new();
        let mut correct = 0;
        for (at, (confidence, right)) in rows.iter().enumerate() {
            correct += u64::from(*right);
            let look = (*confidence, at as u64 + 1, correct);
            match looks.last_mut() {
                Some(last) if last.0 == *confidence => *last = look,
                _ => looks.push(look),
            }
        }
        Self { predicted, looks }
    }

    /// The lowest threshold whose lower bound meets `target`, and its evidence; without one, the best evidence.
    fn lowest(&self, target: f64) -> (Option<f32>, ClassEvidence) {
        let low = |look: &&(f32, u64, u64)| Evidence::of(look.2, look.1).low();
        if let Some(look) = self.looks.iter().rev().find(|look| low(look) >= target) {
            return (Some(look.0), self.evidence(Some(look)));
        }
        let best = self.looks.iter().max_by(|a, b| low(a).total_cmp(&low(b)));
        (None, self.evidence(best))
    }

    /// The rows from `threshold` on.
    fn from(&self, threshold: f32) -> ClassEvidence {
        let look = self.looks.iter().rev().find(|look| look.0 >= threshold);
        ClassEvidence {
            min_confidence: Some(threshold),
            ..self.evidence(look)
        }
    }

    fn evidence(&self, look: Option<&(f32, u64, u64)>) -> ClassEvidence {
        ClassEvidence {
            predicted: self.predicted,
            min_confidence: look.map(|look| look.0),
            evidence: look.map_or_else(Evidence::default, |look| Evidence::of(look.2, look.1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The precision of all rows at or above `threshold`, where a confidence is `u^(1/a)` of a uniform `u` and right as
    /// often as it says: the mean of `x` over `a x^(a-1)` from the threshold to 1.
    fn precision_from(threshold: f64, a: f64) -> f64 {
        a / (a + 1.0) * (1.0 - threshold.powf(a + 1.0)) / (1.0 - threshold.powf(a))
    }

    #[test]
    fn the_lowest_of_many_thresholds_misses_its_target_as_seldom_as_a_single_one_would() {
        const TARGET: f64 = 0.9;
        let mut random = ChaCha8Rng::seed_from_u64(1927);
        for (rows, a) in [(100, 4.0), (300, 2.0), (1000, 4.0)] {
            let (mut chosen, mut missed) = (0, 0);
            for _ in 0..2000 {
                let mut row = || {
                    let confidence = random.random::<f64>().powf(1.0 / a) as f32;
                    (confidence, random.random::<f64>() < f64::from(confidence))
                };
                let drawn = (0..rows).map(|_| row()).collect();
                if let (Some(threshold), _) = Looks::from_rows(rows, drawn).lowest(TARGET) {
                    chosen += 1;
                    missed += u32::from(precision_from(f64::from(threshold), a) < TARGET);
                }
            }
            // 2.5 % for one look at a two-sided interval of 95 %, and what chance adds to 2,000 draws.
            assert!(
                chosen > 50 && missed < 70,
                "{rows} rows: {missed} of {chosen} chosen missed"
            );
        }
    }
}
