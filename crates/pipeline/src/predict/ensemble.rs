//! One model, or several whose probabilities are averaged.

use std::path::PathBuf;

use classification::{DEFAULT_THRESHOLD, LabelSet, Task, sigmoid, softmax};
use dataset::Normalize;
use model::Predictor;
use rayon::prelude::*;

use crate::args::PredictArgs;
use crate::error::{CliError, Exit};

/// Models that know the same labels.
pub(super) struct Ensemble {
    /// At least one.
    members: Vec<Member>,
}

struct Member {
    directory: PathBuf,
    predictor: Predictor,
    normalize: Normalize,
}

/// What the models say about one text, one number per label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Of several models: the logits of the averaged probabilities.
    pub(super) logits: Vec<f32>,
    pub(super) probabilities: Vec<f32>,
}

/// What the models say about all texts.
pub(super) struct Scores {
    /// In the order of the texts.
    pub(super) rows: Vec<Row>,
    /// Of all models together.
    pub(super) tokens: u64,
    pub(super) padded_tokens: u64,
}

impl Ensemble {
    /// Loads the models; they must have the same labels in the same order.
    pub(super) fn load(args: &PredictArgs) -> Result<Self, CliError> {
        crate::threads::limit(args.compute.threads)?;
        let choice = args.compute.choose()?;
        let device = choice.open().map_err(stage::Failure::from)?;
        let precision = choice.precision.name();
        let mut members: Vec<Member> = Vec::new();
        for directory in &args.model {
            let predictor =
                Predictor::load_in(directory, None, &device, precision).map_err(stage::Failure::from)?;
            let name = &predictor.settings().normalize;
            let normalize = Normalize::parse(name).ok_or_else(|| unknown_normalization(directory, name))?;
            let member = Member {
                directory: directory.clone(),
                predictor,
                normalize,
            };
            if let Some(first) = members.first() {
                first.agrees_with(&member)?;
            }
            members.push(member);
        }
        Ok(Self { members })
    }

    /// The classes in the order of the logits.
    pub(super) fn labels(&self) -> &LabelSet {
        self.members[0].predictor.labels()
    }

    pub(super) fn task(&self) -> Task {
        self.members[0].predictor.settings().task
    }

    pub(super) fn is_several(&self) -> bool {
        self.members.len() > 1
    }

    /// Multi-label: the probability from which a label is given, in label order; the models' mean.
    pub(super) fn thresholds(&self) -> Vec<f32> {
        let of = |member: &Member, class: usize| {
            let thresholds = member.predictor.settings().thresholds.as_ref();
            thresholds
                .and_then(|thresholds| thresholds.get(class))
                .copied()
                .unwrap_or(DEFAULT_THRESHOLD)
        };
        let mean = |class| {
            self.members.iter().map(|member| of(member, class)).sum::<f32>() / self.members.len() as f32
        };
        (0..self.labels().len()).map(mean).collect()
    }

    /// Asks every model about every text. `progress` is told how many of the answers are there, and of how many.
    pub(super) fn score(
        &self,
        texts: &[String],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Scores, CliError> {
        let total = texts.len() * self.members.len();
        let (mut tokens, mut padded_tokens) = (0, 0);
        let mut logits = Vec::with_capacity(self.members.len());
        for (before, member) in self.members.iter().enumerate() {
            let normalized: Vec<String> = texts
                .par_iter()
                .map(|text| member.normalize.apply(text).into_owned())
                .collect();
            let mut done = |rows: usize, _: usize| progress(before * texts.len() + rows, total);
            let inference = member
                .predictor
                .predict(&normalized, None, None, &mut done)
                .map_err(stage::Failure::from)?;
            tokens += inference.tokens;
            padded_tokens += inference.padded_tokens;
            logits.push(inference.logits);
        }
        let rows = combine(logits, self.task());
        Ok(Scores {
            rows,
            tokens,
            padded_tokens,
        })
    }
}

impl Member {
    fn agrees_with(&self, other: &Self) -> Result<(), CliError> {
        let names = |member: &Self| member.predictor.labels().names().collect::<Vec<_>>().join(", ");
        let (ours, theirs) = (names(self), names(other));
        let (first, second) = (self.directory.display(), other.directory.display());
        if ours != theirs {
            let message = format!(
                "`{first}` and `{second}` cannot be averaged: the labels of the first are {ours}; those of the second {theirs}"
            );
            return Err(CliError::new(Exit::StageFailed, message)
                .hint("models of one ensemble have the same labels in the same order"));
        }
        let tasks = [self, other].map(|member| member.predictor.settings().task);
        if tasks[0] != tasks[1] {
            let message = format!(
                "`{first}` and `{second}` cannot be averaged: one gives a text one label, the other any number"
            );
            return Err(CliError::new(Exit::StageFailed, message));
        }
        Ok(())
    }
}

/// The rows of every model to one row per text.
fn combine(mut models: Vec<Vec<Vec<f32>>>, task: Task) -> Vec<Row> {
    if models.len() == 1 {
        let rows = models.remove(0).into_iter();
        return rows
            .map(|logits| Row {
                probabilities: probabilities(&logits, task),
                logits,
            })
            .collect();
    }
    let texts = models.first().map_or(0, Vec::len);
    (0..texts)
        .map(|text| {
            average(
                &models
                    .iter()
                    .map(|rows| rows[text].as_slice())
                    .collect::<Vec<_>>(),
                task,
            )
        })
        .collect()
}

/// The mean of the models' probabilities, and the logits that give it: ln p, or for multi-label ln p − ln(1 − p).
fn average(logits: &[&[f32]], task: Task) -> Row {
    let classes = logits.first().map_or(0, |logits| logits.len());
    let count = logits.len() as f32;
    let members: Vec<Vec<f32>> = logits.iter().map(|logits| probabilities(logits, task)).collect();
    let mean = |class: usize| members.iter().map(|member| member[class]).sum::<f32>() / count;
    // Out of logarithms, so that a probability too small for an f32 still has a logit.
    let log_mean = |values: Vec<f64>| log_sum_exp(&values) - f64::from(count).ln();
    let logit = |class: usize| match task {
        Task::SingleLabel => log_mean(logits.iter().map(|logits| log_softmax(logits, class)).collect()),
        Task::MultiLabel => {
            log_mean(logits.iter().map(|logits| log_sigmoid(logits[class])).collect())
                - log_mean(logits.iter().map(|logits| log_sigmoid(-logits[class])).collect())
        }
    };
    Row {
        logits: (0..classes).map(|class| logit(class) as f32).collect(),
        probabilities: (0..classes).map(mean).collect(),
    }
}

fn probabilities(logits: &[f32], task: Task) -> Vec<f32> {
    match task {
        Task::SingleLabel => softmax(logits),
        Task::MultiLabel => sigmoid(logits),
    }
}

fn log_softmax(logits: &[f32], class: usize) -> f64 {
    let logits: Vec<f64> = logits.iter().copied().map(f64::from).collect();
    logits[class] - log_sum_exp(&logits)
}

fn log_sigmoid(logit: f32) -> f64 {
    -log_sum_exp(&[0.0, -f64::from(logit)])
}

fn log_sum_exp(values: &[f64]) -> f64 {
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    highest
        + values
            .iter()
            .map(|value| (value - highest).exp())
            .sum::<f64>()
            .ln()
}

fn unknown_normalization(directory: &std::path::Path, name: &str) -> CliError {
    let message = format!(
        "pipeline.json of `{}` asks for normalisation `{name}`",
        directory.display()
    );
    CliError::new(Exit::StageFailed, message).hint("this version knows none, nfc and kcelectra")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_of_two_models_are_averaged() {
        let row = average(&[&[0.0, 0.0], &[30.0, 0.0]], Task::SingleLabel);
        assert!((row.probabilities[0] - 0.75).abs() < 1e-6, "{row:?}");
    }

    #[test]
    fn softmax_of_the_logits_is_the_average() {
        let row = average(&[&[0.5, -1.0, 2.0], &[1.5, 1.0, -2.0]], Task::SingleLabel);
        for (from_logits, average) in softmax(&row.logits).iter().zip(&row.probabilities) {
            assert!((from_logits - average).abs() < 1e-6, "{row:?}");
        }
    }

    #[test]
    fn a_model_twice_gives_its_own_probabilities() {
        let logits = [0.3, -1.7, 2.2];
        let twice = average(&[&logits, &logits], Task::SingleLabel);
        assert_eq!(twice.probabilities, softmax(&logits));
    }

    #[test]
    fn logits_stay_finite_where_probabilities_vanish() {
        let row = average(&[&[0.0, -500.0], &[0.0, -500.0]], Task::SingleLabel);
        assert_eq!((row.logits[1], row.probabilities[1]), (-500.0, 0.0));
    }

    #[test]
    fn multi_label_probabilities_need_not_sum_to_one() {
        let row = average(&[&[0.0, 0.0], &[0.0, 0.0]], Task::MultiLabel);
        assert_eq!(
            row,
            Row {
                logits: vec![0.0, 0.0],
                probabilities: vec![0.5, 0.5]
            }
        );
    }
}
