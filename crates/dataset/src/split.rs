//! Tables out of tables: stratified parts and samples, the same for the same seed.

use classification::LabelIds;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Labelled, Rows, Split};

/// Moves `fraction` of each class into a table of its own; both keep their order. A row with several labels counts
/// to the rarest of them, one without any to a class of its own.
///
/// Per class the number is rounded; a class with two rows or more gives at least one and keeps at least one.
pub fn take_stratified(
    rows: &mut Labelled,
    classes: usize,
    fraction: f64,
    seed: u64,
    split: Split,
) -> Labelled {
    let mut random = generator(seed, Purpose::Part, split);
    let mut taken = vec![false; rows.len()];
    let strata = strata(&rows.labels, classes);
    for class in 0..=classes {
        let mut members: Vec<usize> = (0..rows.len()).filter(|row| strata[*row] == class).collect();
        members.shuffle(&mut random);
        let wanted = (members.len() as f64 * fraction).round() as usize;
        let count = if members.len() < 2 {
            0
        } else {
            wanted.clamp(1, members.len() - 1)
        };
        for row in &members[..count] {
            taken[*row] = true;
        }
    }
    rows.split_off(&taken)
}

/// The class to which each row counts: its rarest label, among equally rare ones the lowest; `classes` without one.
pub fn strata(labels: &[LabelIds], classes: usize) -> Vec<usize> {
    let mut counts = vec![0usize; classes];
    labels
        .iter()
        .flat_map(LabelIds::ids)
        .for_each(|id| counts[*id] += 1);
    let rarest = |labels: &LabelIds| labels.ids().iter().copied().min_by_key(|id| (counts[*id], *id));
    labels
        .iter()
        .map(|labels| rarest(labels).unwrap_or(classes))
        .collect()
}

/// Keeps `limit` rows, drawn at random, in their order; the number of rows that go.
pub fn sample<L: Clone>(rows: &mut Rows<L>, limit: usize, seed: u64, split: Split) -> u64 {
    let surplus = rows.len().saturating_sub(limit);
    if surplus > 0 {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.shuffle(&mut generator(seed, Purpose::Sample, split));
        let mut taken = vec![false; rows.len()];
        for row in &order[limit..] {
            taken[*row] = true;
        }
        rows.split_off(&taken);
    }
    surplus as u64
}

#[derive(Clone, Copy)]
enum Purpose {
    Part,
    Sample,
}

/// Each use has numbers of its own: a limit on one table must not change another.
fn generator(seed: u64, purpose: Purpose, split: Split) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((purpose as u64) << 8 | split as u64);
    random
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Notes;

    fn table(labels: &[usize]) -> Labelled {
        Rows {
            ids: (0..labels.len()).map(|row| row.to_string()).collect(),
            texts: labels.iter().map(ToString::to_string).collect(),
            labels: labels.iter().map(|label| (*label).into()).collect(),
            sources: labels.iter().map(|_| "test".into()).collect(),
            notes: Notes::default(),
        }
    }

    fn in_order(rows: &Labelled) -> bool {
        rows.ids.iter().map(|id| id.parse::<usize>().unwrap()).is_sorted()
    }

    #[test]
    fn every_class_with_two_rows_gives_one() {
        let mut train = table(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2]);
        let part = take_stratified(&mut train, 3, 0.2, 7, Split::Validation);
        let count = |class| part.labels.iter().filter(|labels| labels.contains(class)).count();
        assert_eq!((count(0), count(1), count(2)), (2, 1, 0));
        assert_eq!(train.len(), 10);
        assert!(in_order(&train) && in_order(&part));
    }

    #[test]
    fn the_same_seed_gives_the_same_part() {
        let part = |seed| take_stratified(&mut table(&[0; 100]), 1, 0.1, seed, Split::Validation).ids;
        assert_eq!(part(1), part(1));
        assert_ne!(part(1), part(2));
    }

    #[test]
    fn a_row_counts_to_its_rarest_label() {
        let labels: Vec<LabelIds> = [vec![0, 1], vec![0], vec![], vec![0, 2], vec![1, 2]]
            .map(LabelIds::from)
            .to_vec();
        assert_eq!(strata(&labels, 3), [1, 0, 3, 2, 1]);
    }

    #[test]
    fn rows_without_a_label_are_divided_too() {
        let mut train = table(&[0; 10]);
        train.labels = vec![LabelIds::default(); 10];
        assert_eq!(take_stratified(&mut train, 1, 0.2, 7, Split::Validation).len(), 2);
    }

    #[test]
    fn a_sample_keeps_the_order() {
        let mut rows = table(&[0; 100]);
        assert_eq!(sample(&mut rows, 10, 1, Split::Raw), 90);
        assert_eq!(rows.len(), 10);
        assert!(in_order(&rows));
    }

    #[test]
    fn a_limit_above_the_size_changes_nothing() {
        let mut rows = table(&[0; 3]);
        assert_eq!(sample(&mut rows, 10, 1, Split::Raw), 0);
        assert_eq!(rows, table(&[0; 3]));
    }
}
