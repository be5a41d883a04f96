//! Labels that are likely wrong: confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating
//! Uncertainty in Dataset Labels", JAIR 70, <https://arxiv.org/abs/1911.00068>).
//!
//! The probabilities must be out of sample: of models that have not learnt from the rows. Tolerances, and that the most
//! probable label is never suspected, are as in cleanlab (`find_label_issues(filter_by="confident_learning")`). Where a
//! row reaches several thresholds, the most probable of these classes is taken, as in the paper; cleanlab takes the
//! most probable of all.

use crate::confident_joint::own_and_other;
use crate::{ConfidentJoint, LabelIds, Task};

/// Labels against what probabilities say about the same rows.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelNoise {
    /// The rows whose labels are suspected, by self-confidence, the lowest first; among equals by margin, then in the
    /// table's order.
    pub suspects: Vec<Suspect>,
    /// In id order.
    pub classes: Vec<ClassNoise>,
    /// Rows whose labels are what the probabilities speak for: the most probable class; multi-label: exactly those
    /// from 0.5 on. Where they are few, the suspects are rather mistakes of the models.
    pub agreed: u64,
}

/// A row whose label is likely wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// Its position.
    pub row: usize,
    /// The labels that the probabilities speak for.
    pub suggested: LabelIds,
    /// Probability of the given label, in [0, 1]. Multi-label: of what is given of a suspected label, the least.
    pub self_confidence: f64,
    /// Probability of the suggested label. Multi-label: of the contrary of what is given.
    pub suggested_confidence: f64,
    /// Probability of the given label minus the highest of another one, in [-1, 1]. Multi-label: of what is given of
    /// a suspected label minus that of its contrary, the least.
    pub margin: f64,
}

/// What is suspected of the rows with one label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassNoise {
    /// Rows that are given the label.
    pub rows: u64,
    /// Those of them that should not have it.
    pub suspected: u64,
    /// Other rows that should have it.
    pub missed: u64,
    /// Mean probability of the label on the rows that are given it: from there on a row is confidently of it. `None`
    /// for a label without rows.
    pub threshold: Option<f64>,
}

impl LabelNoise {
    /// Holds labels against `probabilities`, one list in id order per row. Multi-label: each label on its own, given
    /// or not against its probability.
    ///
    /// # Panics
    /// If the numbers of rows differ, a row has not one probability per class, or a row of a single-label task has not
    /// one label.
    pub fn find(task: Task, given: &[LabelIds], probabilities: &[Vec<f32>], classes: usize) -> Self {
        assert_eq!(given.len(), probabilities.len(), "probabilities for every row");
        let probability = |row: usize, class: usize| f64::from(probabilities[row][class]);
        match task {
            Task::SingleLabel => {
                let ids: Vec<usize> = given.iter().map(|labels| labels.ids()[0]).collect();
                Self::of_classes(&ids, classes, &probability)
            }
            Task::MultiLabel => Self::of_labels(given, classes, &probability),
        }
    }

    fn of_classes(given: &[usize], classes: usize, probability: &dyn Fn(usize, usize) -> f64) -> Self {
        let joint = ConfidentJoint::estimate(given, classes, probability);
        let mut noise = Self::without_suspects(&joint.thresholds, |class| {
            given.iter().filter(|given| **given == class).count()
        });
        let agrees = |row: &usize| {
            let (own, other) = own_and_other(given[*row], *row, classes, probability);
            own >= other
        };
        noise.agreed = (0..given.len()).filter(agrees).count() as u64;
        for (row, suggested) in joint.suspects(given, probability) {
            let (own, other) = own_and_other(given[row], row, classes, probability);
            noise.classes[given[row]].suspected += 1;
            noise.classes[suggested].missed += 1;
            noise.suspects.push(Suspect {
                row,
                suggested: suggested.into(),
                self_confidence: own,
                suggested_confidence: probability(row, suggested),
                margin: own - other,
            });
        }
        noise.ranked()
    }

    fn of_labels(given: &[LabelIds], classes: usize, probability: &dyn Fn(usize, usize) -> f64) -> Self {
        let mut noise = Self::without_suspects(&vec![None; classes], |label| {
            given.iter().filter(|labels| labels.contains(label)).count()
        });
        let agrees = |row: &usize| {
            (0..classes).all(|label| given[*row].contains(label) == (probability(*row, label) >= 0.5))
        };
        noise.agreed = (0..given.len()).filter(agrees).count() as u64;
        // Per row: the labels to be given or taken away, and the least probability of what is given of them.
        let mut changes: Vec<(Vec<usize>, f64)> = vec![(Vec::new(), 1.0); given.len()];
        for label in 0..classes {
            let is_given: Vec<usize> = given
                .iter()
                .map(|labels| usize::from(labels.contains(label)))
                .collect();
            let of_state = |row: usize, state: usize| match state {
                1 => probability(row, label),
                _ => 1.0 - probability(row, label),
            };
            let joint = ConfidentJoint::estimate(&is_given, 2, &of_state);
            noise.classes[label].threshold = joint.thresholds[1];
            for (row, state) in joint.suspects(&is_given, &of_state) {
                let class = &mut noise.classes[label];
                *(if state == 1 {
                    &mut class.missed
                } else {
                    &mut class.suspected
                }) += 1;
                let (labels, least) = &mut changes[row];
                labels.push(label);
                *least = least.min(of_state(row, is_given[row]));
            }
        }
        for (row, (changed, least)) in changes.into_iter().enumerate() {
            if !changed.is_empty() {
                let is_suggested = |label: &usize| given[row].contains(*label) != changed.contains(label);
                noise.suspects.push(Suspect {
                    row,
                    suggested: (0..classes).filter(is_suggested).collect(),
                    self_confidence: least,
                    suggested_confidence: 1.0 - least,
                    margin: 2.0 * least - 1.0,
                });
            }
        }
        noise.ranked()
    }

    fn without_suspects(thresholds: &[Option<f64>], rows: impl Fn(usize) -> usize) -> Self {
        let class = |(class, threshold): (usize, &Option<f64>)| ClassNoise {
            rows: rows(class) as u64,
            threshold: *threshold,
            ..ClassNoise::default()
        };
        Self {
            suspects: Vec::new(),
            classes: thresholds.iter().enumerate().map(class).collect(),
            agreed: 0,
        }
    }

    fn ranked(mut self) -> Self {
        let order = |a: &Suspect, b: &Suspect| {
            let by_confidence = a.self_confidence.total_cmp(&b.self_confidence);
            by_confidence.then(a.margin.total_cmp(&b.margin))
        };
        self.suspects.sort_by(order);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(given: &[usize], probabilities: &[[f32; 3]]) -> LabelNoise {
        let given: Vec<LabelIds> = given.iter().map(|class| (*class).into()).collect();
        let probabilities: Vec<Vec<f32>> = probabilities.iter().map(|row| row.to_vec()).collect();
        LabelNoise::find(Task::SingleLabel, &given, &probabilities, 3)
    }

    #[test]
    fn a_row_that_is_confidently_of_another_class_is_suspected() {
        let sure_of = [[0.75, 0.125, 0.125], [0.125, 0.75, 0.125], [0.125, 0.125, 0.75]];
        let mut rows: Vec<[f32; 3]> = (0..30).map(|row| sure_of[row % 3]).collect();
        let given: Vec<usize> = (0..30).map(|row| row % 3).collect();
        rows[4] = sure_of[2];
        let noise = find(&given, &rows);
        assert_eq!(
            noise.suspects,
            [Suspect {
                row: 4,
                suggested: 2.into(),
                self_confidence: 0.125,
                suggested_confidence: 0.75,
                margin: -0.625,
            }]
        );
        let of = |class: usize| (noise.classes[class].suspected, noise.classes[class].missed);
        assert_eq!((of(0), of(1), of(2)), ((0, 0), (1, 0), (0, 1)));
        assert_eq!(noise.agreed, 29);
    }

    #[test]
    fn a_wrong_prediction_below_the_threshold_is_not_suspected() {
        // The second row is rather of class 1, but less so than rows of class 1 are on average.
        let rows = [[0.75, 0.25, 0.0], [0.375, 0.5, 0.125], [0.0, 1.0, 0.0]];
        assert_eq!(find(&[0, 0, 1], &rows).suspects, []);
    }

    #[test]
    fn the_least_confident_comes_first() {
        let rows = [
            [0.25, 0.75, 0.0],
            [0.0, 1.0, 0.0],
            [1.0, 0.0, 0.0],
            [0.25, 0.75, 0.0],
            [1.0, 0.0, 0.0],
        ];
        let noise = find(&[0, 0, 0, 1, 0], &rows);
        let rows: Vec<usize> = noise.suspects.iter().map(|suspect| suspect.row).collect();
        assert_eq!(rows, [1, 0]);
    }

    #[test]
    fn a_class_without_rows_is_never_suggested() {
        let noise = find(&[0, 1, 0], &[[0.1, 0.1, 0.8], [0.1, 0.1, 0.8], [0.1, 0.2, 0.7]]);
        let suggested: Vec<usize> = noise
            .suspects
            .iter()
            .filter_map(|suspect| suspect.suggested.first())
            .collect();
        assert_eq!((suggested, noise.classes[2].threshold), (vec![1], None));
    }

    #[test]
    fn labels_are_given_and_taken_away_each_on_its_own() {
        let given: Vec<LabelIds> = [vec![0], vec![0, 1], vec![1], vec![]]
            .map(LabelIds::from)
            .to_vec();
        // Row 2 lacks label 0, row 1 should not have label 1.
        let probabilities = [[0.75, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]].map(|row| row.to_vec());
        let noise = LabelNoise::find(Task::MultiLabel, &given, &probabilities, 2);
        let found: Vec<(usize, &[usize])> = noise
            .suspects
            .iter()
            .map(|suspect| (suspect.row, suspect.suggested.ids()))
            .collect();
        assert_eq!(found, [(1, [0].as_slice()), (2, [0, 1].as_slice())]);
        assert_eq!((noise.classes[0].missed, noise.classes[1].suspected), (1, 1));
        assert_eq!(noise.agreed, 2);
    }

    #[test]
    fn no_rows_are_no_suspects() {
        assert_eq!(find(&[], &[]).suspects, []);
    }
}
