//! Labelled tables to encoded examples, and what is wrong with their classes.

use std::collections::BTreeMap;

use classification::{LabelSet, class_weights_balanced};
use dataset::{Labelled, Normalize, ReadOptions};
use stage::{Context, Failure};
use tokenizer::Tokenizer;
use training::Examples;

use crate::choices::ClassWeights;

/// Reads the labelled input `name`, which must have rows.
pub(crate) fn read_labelled(ctx: &Context, name: &str, normalize: Normalize) -> Result<Labelled, Failure> {
    let rows = dataset::read_labelled(ctx.inputs(name), &options(ctx, name, normalize))?;
    if rows.labels.is_empty() {
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

/// Encodes `rows`, cut off at `max_length` tokens.
pub(crate) fn encode(rows: &Labelled, tokenizer: &Tokenizer, max_length: usize) -> Examples {
    Examples {
        ids: rows.ids.clone(),
        encodings: tokenizer.encode_batch(&rows.texts, max_length),
        labels: rows.labels.clone(),
    }
}

/// Texts per class.
pub(crate) fn count_classes(labels: &[usize], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for label in labels {
        counts[*label] += 1;
    }
    counts
}

/// The classes without a text; an error if fewer than two have one.
pub(crate) fn absent_classes<'a>(counts: &[u64], labels: &'a LabelSet) -> Result<Vec<&'a str>, Failure> {
    let name = |(class, _): (usize, &u64)| labels.name(class);
    let present: Vec<&str> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(name)
        .collect();
    if let [only] = present.as_slice() {
        let message =
            format!("every row of input `train` is `{only}`; a classifier needs at least two classes");
        return Err(Failure::stage(message));
    }
    Ok(counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count == 0)
        .map(name)
        .collect())
}

/// One weight per class, or none where all count alike.
pub(crate) fn class_weights(choice: &ClassWeights, counts: &[u64], labels: &LabelSet) -> Option<Vec<f32>> {
    match choice {
        ClassWeights::None => None,
        ClassWeights::Balanced => Some(class_weights_balanced(counts)),
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
        let error = absent_classes(&[0, 7, 0], &labels()).unwrap_err();
        assert_eq!(
            error.message,
            "every row of input `train` is `불안`; a classifier needs at least two classes"
        );
    }

    #[test]
    fn classes_without_a_text_are_found() {
        assert_eq!(absent_classes(&[2, 0, 1], &labels()).unwrap(), ["불안"]);
    }

    #[test]
    fn given_weights_leave_the_other_classes_at_one() {
        let given = ClassWeights::Given(BTreeMap::from([("분노".to_owned(), 2.5)]));
        assert_eq!(
            class_weights(&given, &[1, 1, 1], &labels()),
            Some(vec![1.0, 1.0, 2.5])
        );
    }

    #[test]
    fn balanced_weights_follow_the_counts() {
        let weights = class_weights(&ClassWeights::Balanced, &[3, 1, 0], &labels()).unwrap();
        assert_eq!(weights, [4.0 / 6.0, 2.0, 1.0]);
    }
}
