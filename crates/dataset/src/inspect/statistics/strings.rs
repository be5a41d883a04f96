//! What a column of strings holds, however many different ones there are: of each value a hash is kept, not the text.
//!
//! Hashes have 64 bits: of ten million different values two are taken for one with a chance of three in a million.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use polars::prelude::DataFrame;
use rayon::slice::ParallelSliceMut;

use super::super::{Inspector, exact};
use super::TOP;
use crate::DatasetError;

/// A column of strings.
pub(super) struct Strings {
    /// Different values.
    pub(super) distinct: u64,
    /// Length in characters → rows.
    pub(super) lengths: BTreeMap<u64, u64>,
    /// The most frequent values and their rows, most first; equal counts in the order of the values. Empty if all
    /// values differ.
    pub(super) top: Vec<(Option<String>, u64)>,
}

impl Strings {
    /// Reads the column once, and once more for the texts of the most frequent values.
    pub(super) fn of(inspector: &Inspector, column: &str, nulls: u64) -> Result<Self, DatasetError> {
        let (mut hashes, mut lengths) = (Vec::new(), BTreeMap::new());
        each(inspector, column, &mut |value| {
            hashes.push(hash(value));
            *lengths.entry(value.chars().count() as u64).or_insert(0) += 1;
        })?;
        hashes.par_sort_unstable();
        let runs = || {
            hashes
                .chunk_by(|a, b| a == b)
                .map(|run| (run.len() as u64, run[0]))
        };
        let distinct = runs().count() as u64;
        let top = if distinct == hashes.len() as u64 && hashes.len() > TOP {
            Vec::new()
        } else {
            let counts: Vec<u64> = runs().map(|(count, _)| count).collect();
            let least = least_of_top(counts);
            let frequent: Vec<(u64, u64)> = runs()
                .filter(|(count, _)| *count >= least)
                .map(|(count, hash)| (hash, count))
                .collect();
            drop(hashes);
            top(inspector, column, nulls, &frequent)?
        };
        Ok(Self {
            distinct,
            lengths,
            top,
        })
    }
}

/// The count that a value must reach to be among the most frequent.
fn least_of_top(mut counts: Vec<u64>) -> u64 {
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts.get(TOP - 1).or(counts.last()).copied().unwrap_or(0)
}

/// The most frequent of the values with these hashes and counts, which ascend by hash.
fn top(
    inspector: &Inspector,
    column: &str,
    nulls: u64,
    frequent: &[(u64, u64)],
) -> Result<Vec<(Option<String>, u64)>, DatasetError> {
    // By count, then value; never more than are shown, though there may be many with the count of the last.
    let mut best: BTreeSet<(std::cmp::Reverse<u64>, String)> = BTreeSet::new();
    each(inspector, column, &mut |value| {
        let hash = hash(value);
        let Ok(place) = frequent.binary_search_by_key(&hash, |(hash, _)| *hash) else {
            return;
        };
        let count = std::cmp::Reverse(frequent[place].1);
        let better = best.len() < TOP
            || best
                .last()
                .is_some_and(|(last, text)| (count, value) < (*last, text.as_str()));
        if better {
            best.insert((count, value.to_owned()));
            if best.len() > TOP {
                best.pop_last();
            }
        }
    })?;
    let mut top: Vec<(Option<String>, u64)> = best
        .into_iter()
        .map(|(count, value)| (Some(value), count.0))
        .collect();
    if nulls > 0 {
        let place = top.partition_point(|(_, count)| *count >= nulls);
        top.insert(place, (None, nulls));
        top.truncate(TOP);
    }
    Ok(top)
}

/// Shows every value that is there.
fn each(inspector: &Inspector, column: &str, visit: &mut dyn FnMut(&str)) -> Result<(), DatasetError> {
    let mut failed = None;
    let mut part = |frame: &DataFrame| {
        let column = frame.column(column).and_then(|column| column.str());
        match column {
            Ok(values) => {
                values.iter().flatten().for_each(&mut *visit);
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    inspector.parts(inspector.frame().select([exact(column)]), &mut part)?;
    failed.map_or(Ok(()), |error| Err(inspector.failed(error)))
}

fn hash(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_the_most_frequent_sets_the_least_count() {
        assert_eq!(least_of_top(vec![1, 9, 3, 3, 7, 2, 3]), 3);
        assert_eq!(least_of_top(vec![4, 2]), 2);
        assert_eq!(least_of_top(Vec::new()), 0);
    }
}
