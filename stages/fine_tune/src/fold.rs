//! `fold: 2/5`, cross-validation: the training rows in parts alike; one part validates, the others train.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use dataset::Rows;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stage::Failure;

/// One of several parts: `2/5` is the second of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// From 1.
    number: usize,
    /// At least 2.
    count: usize,
}

impl Fold {
    /// Reads `2/5`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, count) = text.split_once('/')?;
        let (number, count) = (number.trim().parse().ok()?, count.trim().parse().ok()?);
        (count >= 2 && (1..=count).contains(&number)).then_some(Self { number, count })
    }

    /// The rows that train and the rows that validate; both keep their order. `classes` has the class of each row.
    pub(crate) fn split<L: Clone>(
        self,
        mut rows: Rows<L>,
        classes: &[usize],
        seed: u64,
    ) -> Result<(Rows<L>, Rows<L>), Failure> {
        let folds = assign(classes, self.count, seed);
        let validates: Vec<bool> = folds.into_iter().map(|fold| fold + 1 == self.number).collect();
        if !validates.contains(&true) {
            let message = format!("fold {self} has no row: input `train` has {} only", rows.len());
            return Err(Failure::stage(message).hint("there cannot be more folds than rows"));
        }
        let validation = rows.split_off(&validates);
        Ok((rows, validation))
    }
}

/// The fold of each row, from 0. Sizes differ by one row at most, and so do the folds' shares of each class.
fn assign(classes: &[usize], count: usize, seed: u64) -> Vec<usize> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, class) in classes.iter().enumerate() {
        members.entry(*class).or_default().push(row);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for rows in members.values_mut() {
        rows.shuffle(&mut random);
    }
    let mut folds = vec![0; classes.len()];
    for (turn, row) in members.into_values().flatten().enumerate() {
        folds[row] = turn % count;
    }
    folds
}

impl fmt::Display for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl Serialize for Fold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let message = || format!("`{text}` is not a fold; `2/5` is the second of five");
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(message()))
    }
}

impl JsonSchema for Fold {
    fn schema_name() -> Cow<'static, str> {
        "Fold".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[1-9][0-9]*/[1-9][0-9]*$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(folds: &[usize], count: usize) -> Vec<usize> {
        (0..count)
            .map(|fold| folds.iter().filter(|own| **own == fold).count())
            .collect()
    }

    #[test]
    fn a_fold_is_written_as_a_fraction() {
        assert_eq!(Fold::parse("2/5").unwrap().to_string(), "2/5");
        for wrong in ["0/5", "6/5", "1/1", "2", "a/b", "-1/5", ""] {
            assert_eq!(Fold::parse(wrong), None, "{wrong}");
        }
    }

    fn rows(count: usize) -> Rows<()> {
        let ids: Vec<String> = (0..count).map(|row| row.to_string()).collect();
        Rows {
            texts: ids.clone(),
            ids,
            labels: vec![(); count],
            sources: vec!["t".into(); count],
            ..Rows::default()
        }
    }

    #[test]
    fn every_row_validates_exactly_once() {
        let classes: Vec<usize> = (0..23).map(|row| row % 3).collect();
        let mut validated = Vec::new();
        for number in 1..=4 {
            let (train, validation) = Fold { number, count: 4 }.split(rows(23), &classes, 7).unwrap();
            assert!(validation.ids.iter().all(|id| !train.ids.contains(id)));
            assert_eq!(train.len() + validation.len(), 23);
            validated.extend(validation.ids);
        }
        validated.sort_by_key(|id| id.parse::<usize>().unwrap());
        assert_eq!(validated, rows(23).ids);
    }

    #[test]
    fn folds_are_alike_in_size_and_classes() {
        let labels: Vec<usize> = (0..40).map(|row| usize::from(row % 4 == 0)).collect();
        let folds = assign(&labels, 5, 42);
        assert_eq!(sizes(&folds, 5), [8; 5]);
        let of_class: Vec<usize> = folds
            .iter()
            .zip(&labels)
            .filter(|(_, label)| **label == 1)
            .map(|(fold, _)| *fold)
            .collect();
        assert_eq!(sizes(&of_class, 5), [2; 5]);
    }

    #[test]
    fn sizes_differ_by_one_row_at_most() {
        let folds = assign(&[0, 1, 2, 0, 1, 3, 4], 3, 1);
        let mut sizes = sizes(&folds, 3);
        sizes.sort_unstable();
        assert_eq!(sizes, [2, 2, 3]);
    }

    #[test]
    fn the_seed_decides() {
        let labels = [0; 50];
        assert_eq!(assign(&labels, 5, 1), assign(&labels, 5, 1));
        assert_ne!(assign(&labels, 5, 1), assign(&labels, 5, 2));
    }

    #[test]
    fn more_folds_than_rows_are_an_error() {
        let failure = Fold { number: 2, count: 2 }.split(rows(1), &[0], 1).unwrap_err();
        assert_eq!(failure.message, "fold 2/2 has no row: input `train` has 1 only");
    }
}
