//! What several models decide together.

use serde::{Deserialize, Serialize};

use crate::{Decision, LabelIds, Prediction, Task};

/// How the decisions of several models become one. Its probabilities are the mean of theirs either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combination {
    /// The mean decides: the class with the highest, or every label that reaches the mean of the models' thresholds.
    #[default]
    Mean,
    /// The label that most models give. Single-label: among equals the one with the highest mean. Multi-label: a label
    /// that half of the models give is decided by the mean.
    Vote,
}

impl Combination {
    /// The decision of `members`, one per model; that of a single one is taken as it is.
    ///
    /// `thresholds` are the models' mean, one per class, and matter where the task is multi-label. The margin of a
    /// class that won the vote against the mean is 0.
    ///
    /// # Panics
    /// Without a member, or if they differ in the number of classes.
    pub fn decide(self, task: Task, members: &[&Decision], thresholds: &[f32]) -> Decision {
        if let [only] = members {
            return (*only).clone();
        }
        let mean = mean(members);
        match (task, self) {
            (Task::SingleLabel, Self::Mean) => Prediction::from_probabilities(mean).into(),
            (Task::SingleLabel, Self::Vote) => vote(members, mean),
            (Task::MultiLabel, _) => {
                let decision = Decision::from_probabilities(mean, thresholds);
                match self {
                    Self::Mean => decision,
                    Self::Vote => Decision {
                        labels: majority(members, &decision),
                        ..decision
                    },
                }
            }
        }
    }
}

/// Share of the models whose labels are not those of `decision`.
pub fn disagreement(members: &[&Decision], decision: &Decision) -> f32 {
    let others = members.iter().filter(|member| member.labels != decision.labels);
    others.count() as f32 / members.len().max(1) as f32
}

fn mean(members: &[&Decision]) -> Vec<f32> {
    let classes = members[0].probabilities.len();
    assert!(
        members.iter().all(|member| member.probabilities.len() == classes),
        "models of one ensemble have the same classes"
    );
    let mean = |class: usize| {
        let sum: f64 = members
            .iter()
            .map(|member| f64::from(member.probabilities[class]))
            .sum();
        (sum / members.len() as f64) as f32
    };
    (0..classes).map(mean).collect()
}

fn votes(members: &[&Decision], class: usize) -> usize {
    members
        .iter()
        .filter(|member| member.labels.contains(class))
        .count()
}

fn vote(members: &[&Decision], mean: Vec<f32>) -> Decision {
    let before = |a: usize, b: usize| {
        // Ties go to the lower id, as everywhere.
        (votes(members, a), mean[a]) >= (votes(members, b), mean[b])
    };
    let label = (1..mean.len()).fold(0, |best, class| if before(best, class) { best } else { class });
    let others = (0..mean.len()).filter(|class| *class != label);
    let second = others.reduce(|best, class| if mean[class] > mean[best] { class } else { best });
    let confidence = mean[label];
    Decision {
        labels: label.into(),
        confidence,
        margin: second.map_or(confidence, |second| (confidence - mean[second]).max(0.0)),
        second,
        probabilities: mean,
    }
}

fn majority(members: &[&Decision], decision: &Decision) -> LabelIds {
    let given = |class: &usize| match (2 * votes(members, *class)).cmp(&members.len()) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => decision.labels.contains(*class),
    };
    (0..decision.probabilities.len()).filter(given).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecisionRule;

    fn single(probabilities: [f32; 3]) -> Decision {
        Prediction::from_probabilities(probabilities.to_vec()).into()
    }

    fn decide(combination: Combination, members: &[Decision]) -> Decision {
        let members: Vec<&Decision> = members.iter().collect();
        combination.decide(Task::SingleLabel, &members, &[])
    }

    #[test]
    fn a_single_model_decides_alone() {
        let only = DecisionRule::Highest.decide(&[0.1, 0.7, -0.3]);
        for combination in [Combination::Mean, Combination::Vote] {
            assert_eq!(decide(combination, std::slice::from_ref(&only)), only);
        }
    }

    #[test]
    fn one_sure_model_outweighs_two_unsure_ones_in_the_mean_but_not_in_the_vote() {
        let members = [
            single([1.0, 0.0, 0.0]),
            single([0.25, 0.5, 0.25]),
            single([0.25, 0.5, 0.25]),
        ];
        let mean = decide(Combination::Mean, &members);
        assert_eq!(
            (mean.labels.first(), mean.confidence, mean.second),
            (Some(0), 0.5, Some(1))
        );
        let vote = decide(Combination::Vote, &members);
        assert_eq!(
            (vote.labels.first(), vote.second, vote.margin),
            (Some(1), Some(0), 0.0)
        );
        assert_eq!(vote.probabilities, mean.probabilities);
        let members: Vec<&Decision> = members.iter().collect();
        assert_eq!(disagreement(&members, &vote), 1.0 / 3.0);
        assert_eq!(disagreement(&members, &mean), 2.0 / 3.0);
    }

    #[test]
    fn equal_votes_are_decided_by_the_mean() {
        let vote = decide(
            Combination::Vote,
            &[single([0.5, 0.375, 0.125]), single([0.0, 0.75, 0.25])],
        );
        assert_eq!((vote.labels.first(), vote.second), (Some(1), Some(0)));
    }

    #[test]
    fn labels_of_several_are_voted_on_each() {
        let thresholds = [0.5; 3];
        let of = |probabilities: [f32; 3]| Decision::from_probabilities(probabilities.to_vec(), &thresholds);
        let members = [
            of([0.875, 0.5, 0.0]),
            of([0.875, 0.25, 0.125]),
            of([0.0, 0.5, 0.875]),
        ];
        let members: Vec<&Decision> = members.iter().collect();
        let vote = Combination::Vote.decide(Task::MultiLabel, &members, &thresholds);
        assert_eq!(vote.labels.ids(), [0, 1]);
        let mean = Combination::Mean.decide(Task::MultiLabel, &members, &thresholds);
        assert_eq!(mean.labels.ids(), [0]);
        let halves = Combination::Vote.decide(Task::MultiLabel, &members[..2], &thresholds);
        assert_eq!(
            halves.labels.ids(),
            [0],
            "the mean of 0.5 and 0.25 is below the threshold"
        );
    }
}
