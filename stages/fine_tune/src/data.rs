//! Labelled tables to encoded examples, and what is wrong with their classes.

use std::collections::BTreeMap;

use classification::{LabelIds, LabelSet, Task, class_weights_balanced, positive_weights_balanced};
use dataset::{Labelled, Normalize, ReadOptions, Rows, Target};
use stage::{Context, Failure};
use tokenizer::Tokenizer;
use training::Examples;

use crate::choices::ClassWeights;

/// Reads the labelled input `name`, which must have rows.
pub(crate) fn read_labelled(ctx: &Context, name: &str, normalize: Normalize) -> Result<Labelled, Failure> {
    let rows = dataset::read_labelled(ctx.inputs(name), &options(ctx, name, normalize))?;
    not_empty(rows, name)
}

/// Reads the input `train`, which must have rows, with the soft labels of those tables that have them.
pub(crate) fn read_train(ctx: &Context, normalize: Normalize) -> Result<Rows<Target>, Failure> {
    let rows = dataset::read_targets(ctx.inputs(TRAIN), &options(ctx, TRAIN, normalize))?;
    not_empty(rows, TRAIN)
}

const TRAIN: &str = "train";

fn not_empty<L: Clone>(rows: Rows<L>, name: &str) -> Result<Rows<L>, Failure> {
    if rows.is_empty() {
        let dropped = rows.notes.dropped.len();
        let message = format!("input `{name}` has no row to use");
        return Err(match dropped {
            0 => Failure::stage(message),
            _ => Failure::stage(format!(
                "{message}: {dropped} of {} rows were dropped",
                rows.notes.rows
            ))
            .hint("rows without text and rows whose label is mapped to `drop` are left out"),
        });
    }
    Ok(rows)
}

/// Reads the texts of the input `name`; labels do not matter.
pub(crate) fn read_texts(ctx: &Context, name: &str, normalize: Normalize) -> Result<Vec<String>, Failure> {
    Ok(dataset::read_raw(ctx.inputs(name), &options(ctx, name, normalize))?.texts)
}

fn options<'a>(ctx: &'a Context, input_name: &'a str, normalize: Normalize) -> ReadOptions<'a> {
    ReadOptions {
        task: ctx.task(),
        labels: ctx.labels(),
        normalize,
        input_name,
    }
}

/// How texts are to be normalised: as the param says, else as the tables or the base model say, whichever does more.
pub(crate) fn normalization(
    ctx: &Context,
    given: Option<Normalize>,
    of_base: Option<Normalize>,
) -> Result<Normalize, Failure> {
    let of_tables = dataset::stated_normalize(ctx.inputs("train"))?;
    if let (Some(given), Some(stated)) = (given, of_tables)
        && given < stated
    {
        ctx.warn(format!(
            "the texts of input `train` were normalised as `{}`, but the model is told `normalize: {}`",
            stated.as_str(),
            given.as_str()
        ));
    }
    Ok(given.or(of_tables.max(of_base)).unwrap_or_default())
}

/// Encodes `rows`, cut off at `max_length` tokens.
pub(crate) fn encode(rows: &Labelled, tokenizer: &Tokenizer, max_length: usize) -> Examples {
    Examples {
        ids: rows.ids.clone(),
        encodings: tokenizer.encode_batch(&rows.texts, max_length),
        labels: rows.labels.clone(),
        soft: None,
    }
}

/// As [`encode`], with what the rows are to teach.
pub(crate) fn encode_train(
    rows: &Rows<Target>,
    tokenizer: &Tokenizer,
    max_length: usize,
    classes: usize,
) -> Examples {
    Examples {
        ids: rows.ids.clone(),
        encodings: tokenizer.encode_batch(&rows.texts, max_length),
        labels: rows.labels.iter().map(|target| target.labels.clone()).collect(),
        soft: soft_labels(&rows.labels, classes),
    }
}

/// The probabilities of every row as soon as one has some: then a label is probability 1.
fn soft_labels(targets: &[Target], classes: usize) -> Option<Vec<Vec<f32>>> {
    let soft = |target: &Target| match &target.soft {
        Some(soft) => soft.clone(),
        None => (0..classes)
            .map(|class| f32::from(u8::from(target.labels.contains(class))))
            .collect(),
    };
    let any = targets.iter().any(|target| target.soft.is_some());
    any.then(|| targets.iter().map(soft).collect())
}

/// Texts per class.
pub(crate) fn count_classes<'l>(labels: impl Iterator<Item = &'l LabelIds>, classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for label in labels.flat_map(LabelIds::ids) {
        counts[*label] += 1;
    }
    counts
}

/// The classes without a text. An error if fewer than two have one; where the task is multi-label, if none has.
pub(crate) fn absent_classes<'a>(
    counts: &[u64],
    labels: &'a LabelSet,
    task: Task,
) -> Result<Vec<&'a str>, Failure> {
    let (present, absent): (Vec<usize>, Vec<usize>) = (0..counts.len()).partition(|class| counts[*class] > 0);
    match (task, present.as_slice()) {
        (Task::SingleLabel, [only]) => {
            let message = format!(
                "every row of input `train` is `{}`; a classifier needs at least two classes",
                labels.name(*only)
            );
            Err(Failure::stage(message))
        }
        (Task::MultiLabel, []) => Err(Failure::stage("no row of input `train` has a label")),
        _ => Ok(absent.into_iter().map(|class| labels.name(class)).collect()),
    }
}

/// One weight per class, where the task is multi-label of its positives; or none where all count alike.
pub(crate) fn class_weights(
    choice: &ClassWeights,
    counts: &[u64],
    rows: u64,
    labels: &LabelSet,
    task: Task,
) -> Option<Vec<f32>> {
    match choice {
        ClassWeights::None => None,
        ClassWeights::Balanced => Some(match task {
            Task::SingleLabel => class_weights_balanced(counts),
            Task::MultiLabel => positive_weights_balanced(counts, rows),
        }),
        ClassWeights::Given(given) => {
            let given: BTreeMap<usize, f64> = given
                .iter()
                .filter_map(|(name, weight)| Some((labels.resolve(name)?, *weight)))
                .collect();
            Some(
                (0..labels.len())
                    .map(|class| given.get(&class).map_or(1.0, |weight| *weight as f32))
                    .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> LabelSet {
        LabelSet::from_names(["기쁨", "불안", "분노"]).unwrap()
    }

    #[test]
    fn a_single_class_is_an_error_that_names_it() {
        let error = absent_classes(&[0, 7, 0], &labels(), Task::SingleLabel).unwrap_err();
        assert_eq!(
            error.message,
            "every row of input `train` is `불안`; a classifier needs at least two classes"
        );
    }

    #[test]
    fn a_single_label_is_enough_where_texts_may_have_none() {
        assert_eq!(
            absent_classes(&[0, 7, 0], &labels(), Task::MultiLabel).unwrap(),
            ["기쁨", "분노"]
        );
        assert!(absent_classes(&[0; 3], &labels(), Task::MultiLabel).is_err());
    }

    fn target(class: usize, soft: Option<[f32; 3]>) -> Target {
        Target {
            labels: class.into(),
            soft: soft.map(Vec::from),
        }
    }

    #[test]
    fn one_soft_label_makes_probabilities_of_all() {
        let targets = [target(2, None), target(0, Some([0.5, 0.25, 0.25]))];
        let expected = vec![vec![0.0, 0.0, 1.0], vec![0.5, 0.25, 0.25]];
        assert_eq!(soft_labels(&targets, 3), Some(expected));
        assert_eq!(soft_labels(&targets[..1], 3), None);
    }

    #[test]
    fn classes_without_a_text_are_found() {
        assert_eq!(
            absent_classes(&[2, 0, 1], &labels(), Task::SingleLabel).unwrap(),
            ["불안"]
        );
    }

    fn weights(choice: &ClassWeights, task: Task) -> Vec<f32> {
        class_weights(choice, &[3, 1, 0], 4, &labels(), task).unwrap()
    }

    #[test]
    fn given_weights_leave_the_other_classes_at_one() {
        let given = ClassWeights::Given(BTreeMap::from([("분노".to_owned(), 2.5)]));
        assert_eq!(weights(&given, Task::SingleLabel), [1.0, 1.0, 2.5]);
    }

    #[test]
    fn balanced_weights_follow_the_counts() {
        let weights = |task| weights(&ClassWeights::Balanced, task);
        assert_eq!(weights(Task::SingleLabel), [4.0 / 6.0, 2.0, 1.0]);
        assert_eq!(weights(Task::MultiLabel), [1.0 / 3.0, 3.0, 1.0]);
    }
}
