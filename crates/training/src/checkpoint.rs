//! A run between two steps: all that it needs to go on as if nothing had happened.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use model::SequenceClassifier;

use crate::learner::State;
use crate::selection::Standing;
use crate::{Data, Record, Summary, TrainingError};

/// A run between two steps: all that it needs to go on as if nothing had happened, but for its examples and options.
///
/// There is no state of a random generator in it: the order of an epoch depends on seed and epoch, the dropout of a
/// batch on seed and batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<'a> {
    /// How far the run has come.
    pub progress: Cow<'a, Progress>,
    /// Parameters and running averages.
    pub(crate) state: State<'a>,
    /// What the best model said about the validation texts, one text after the other; empty if there is none.
    pub(crate) best_logits: Cow<'a, [f32]>,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What happened so far.
    pub summary: Summary,
    /// Steps done at the last evaluation.
    pub(crate) evaluated: usize,
    /// Where early stopping stands.
    pub(crate) standing: Standing,
    /// Losses since the last record.
    pub(crate) losses: Vec<f64>,
    /// All records so far.
    pub(crate) records: Vec<Record>,
}

/// Kinds of tensors by their names: `parameter.0`, `parameter.1`, …
const PARAMETER: &str = "parameter";
const FIRST_MOMENT: &str = "first_moment";
const SECOND_MOMENT: &str = "second_moment";
const BEST: &str = "best";
const BEST_LOGITS: &str = "best_logits";

impl Checkpoint<'_> {
    /// All its tensors by name. With its progress they are the whole of it.
    pub fn tensors<'a>(&'a self) -> Vec<(String, &'a [f32])> {
        let State {
            parameters,
            first_moments,
            second_moments,
            best,
            updates: _,
        } = &self.state;
        let groups: [(&str, &'a [Vec<f32>]); 4] = [
            (PARAMETER, parameters),
            (FIRST_MOMENT, first_moments),
            (SECOND_MOMENT, second_moments),
            (BEST, best.as_deref().unwrap_or_default()),
        ];
        let tensors = groups.into_iter().flat_map(|(kind, tensors)| {
            let named =
                move |(index, values): (usize, &'a Vec<f32>)| (format!("{kind}.{index}"), values.as_slice());
            tensors.iter().enumerate().map(named)
        });
        tensors
            .chain(std::iter::once((BEST_LOGITS.to_owned(), &*self.best_logits)))
            .collect()
    }

    /// Says why a training of `model` on `data` cannot go on from it.
    pub fn check(&self, model: &SequenceClassifier, data: &Data<'_>) -> Result<(), TrainingError> {
        let parameters = model.network().parameters();
        let sizes: Vec<usize> = parameters.into_iter().map(|parameter| parameter.values).collect();
        let equal = |tensors: &[Vec<f32>]| tensors.iter().map(Vec::len).eq(sizes.iter().copied());
        // A parameter that took no part in any step, and every one of SGD, has no running averages.
        let averages = |tensors: &[Vec<f32>]| {
            let fits = |(tensor, size): (&Vec<f32>, &usize)| tensor.is_empty() || tensor.len() == *size;
            tensors.len() <= sizes.len() && tensors.iter().zip(&sizes).all(fits)
        };
        let validation = data
            .validation
            .map_or(0, |examples| examples.len() * data.classes);
        let fits = equal(&self.state.parameters)
            && averages(&self.state.first_moments)
            && averages(&self.state.second_moments)
            && match &self.state.best {
                Some(best) => equal(best) && self.best_logits.len() == validation,
                None => self.best_logits.is_empty(),
            };
        if fits {
            Ok(())
        } else {
            Err(TrainingError::Checkpoint(
                "it is of another model or of other texts".into(),
            ))
        }
    }
}

impl Checkpoint<'static> {
    /// Puts one together again.
    pub fn new(progress: Progress, mut tensors: BTreeMap<String, Vec<f32>>) -> Result<Self, TrainingError> {
        let best_logits = tensors.remove(BEST_LOGITS).unwrap_or_default();
        let mut group = |kind: &str| -> Vec<Vec<f32>> {
            (0..)
                .map_while(|index| tensors.remove(&format!("{kind}.{index}")))
                .collect()
        };
        let (parameters, first, second) = (group(PARAMETER), group(FIRST_MOMENT), group(SECOND_MOMENT));
        let best = group(BEST);
        if let Some(name) = tensors.keys().next() {
            return Err(TrainingError::Checkpoint(format!("tensor `{name}` has no place")));
        }
        Ok(Self {
            state: State {
                updates: progress.summary.steps,
                parameters: parameters.into(),
                first_moments: first.into(),
                second_moments: second.into(),
                best: (!best.is_empty()).then_some(best.into()),
            },
            progress: Cow::Owned(progress),
            best_logits: best_logits.into(),
        })
    }
}
