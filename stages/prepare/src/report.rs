//! `report.json`: what came in, what went out, and every row that was dropped.

use std::collections::BTreeMap;

use classification::{LabelIds, LabelSet};
use dataset::{DropReason, Dropped, Labelled, Leak, LeakGuard, Match, Notes, Split, Splits};
use serde::{Serialize, Serializer};

use crate::Params;
use crate::review::Review;

/// How many dropped rows are shown with their texts.
const SHOWN: usize = 100;

/// The document.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    schema_version: u32,
    /// In the order train, validation, golden, raw.
    splits: BTreeMap<Order, SplitReport>,
    /// Split → reason → ids.
    dropped: BTreeMap<Order, BTreeMap<DropReason, Vec<String>>>,
    /// The first dropped rows with their texts.
    dropped_examples: Vec<Example>,
    leak_guard: LeakGuard,
    /// Only where similar texts were looked for.
    near_threshold: Option<f64>,
    /// Rows of all tables that repeated or resembled one of a more protected table: `leaks.parquet` has them. They were
    /// dropped, unless `leak_guard` is off.
    pub(crate) leaks: u64,
    /// Where there are decisions of a review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overrides: Option<Review>,
    pub(crate) warnings: Vec<String>,
}

/// The tables in the order in which people think of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Train,
    Validation,
    Golden,
    Raw,
}

/// What happened to one table.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SplitReport {
    rows_in: u64,
    rows_out: u64,
    /// Reason → rows.
    dropped: BTreeMap<DropReason, u64>,
    /// How they matched → rows that repeated or resembled one of a more protected table.
    leaks: BTreeMap<Match, u64>,
    /// Rows that went into another table (`validation_fraction`, `golden_fraction`).
    pub(crate) moved: u64,
    /// Rows that `limit` left out.
    pub(crate) not_sampled: u64,
    /// The table from which this one was taken, when it was no input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taken_from: Option<Split>,
    /// Label → rows, in the order of the labels; raw texts have none.
    #[serde(serialize_with = "as_map", skip_serializing_if = "Vec::is_empty")]
    classes: Vec<(String, ClassReport)>,
}

/// Rows of one class.
#[derive(Debug, Default, Serialize)]
struct ClassReport {
    /// With a text, before duplicates were dropped.
    rows_in: u64,
    rows_out: u64,
}

#[derive(Debug, Serialize)]
struct Example {
    split: Split,
    #[serde(flatten)]
    row: Dropped,
}

impl Report {
    /// Of tables as they were read.
    pub(crate) fn new(splits: &Splits, labels: &LabelSet, params: &Params) -> Self {
        let mut report = Self {
            schema_version: 1,
            leak_guard: params.leak_guard,
            near_threshold: (params.leak_guard == LeakGuard::Near).then_some(params.near_threshold),
            ..Self::default()
        };
        for (split, rows) in splits.labelled() {
            let entry = report.split(split);
            entry.rows_in = rows.notes.rows;
            entry.classes = empty_classes(labels);
            for (class, count) in entry.classes.iter_mut().zip(class_counts(rows, labels)) {
                class.1.rows_in = count;
            }
        }
        if let Some(raw) = &splits.raw {
            report.split(Split::Raw).rows_in = raw.notes.rows;
        }
        report
    }

    /// The entry of a table.
    pub(crate) fn split(&mut self, split: Split) -> &mut SplitReport {
        self.splits.entry(split.into()).or_default()
    }

    /// Whether the table was taken out of another one.
    pub(crate) fn was_taken(&self, split: Split) -> bool {
        self.splits
            .get(&split.into())
            .is_some_and(|split| split.taken_from.is_some())
    }

    /// Adds what stood in two tables.
    pub(crate) fn count(&mut self, leaks: &[Leak]) {
        self.leaks = leaks.len() as u64;
        for leak in leaks {
            *self.split(leak.split).leaks.entry(leak.matched).or_default() += 1;
        }
    }

    /// Adds what the tables are now.
    pub(crate) fn finish(&mut self, splits: &Splits, labels: &LabelSet) {
        for (split, rows) in splits.labelled() {
            let entry = self.split(split);
            entry.rows_out = rows.len() as u64;
            if entry.classes.is_empty() {
                entry.classes = empty_classes(labels);
            }
            for (class, count) in entry.classes.iter_mut().zip(class_counts(rows, labels)) {
                class.1.rows_out = count;
            }
            self.note(split, &rows.notes);
        }
        if let Some(raw) = &splits.raw {
            self.split(Split::Raw).rows_out = raw.len() as u64;
            self.note(Split::Raw, &raw.notes);
        }
    }

    /// `train 3,288 · validation 470 · raw 240,000 rows, 12 dropped, 3 of them leaks`.
    pub(crate) fn headline(&self) -> String {
        let name = |order: &Order| Split::from(*order).as_str();
        let tables: Vec<String> = self
            .splits
            .iter()
            .map(|(order, split)| format!("{} {}", name(order), stage::grouped(split.rows_out)))
            .collect();
        let dropped: u64 = self
            .splits
            .values()
            .flat_map(|split| split.dropped.values())
            .sum();
        let leaks = match (self.leak_guard, self.leaks) {
            (LeakGuard::Off, _) | (_, 0) => String::new(),
            (_, leaks) => format!(", {} of them leaks", stage::grouped(leaks)),
        };
        let (tables, dropped) = (tables.join(" · "), stage::grouped(dropped));
        format!("{tables} rows, {dropped} dropped{leaks}")
    }

    fn note(&mut self, split: Split, notes: &Notes) {
        let mut ids: BTreeMap<DropReason, Vec<String>> = BTreeMap::new();
        for row in &notes.dropped {
            ids.entry(row.reason).or_default().push(row.id.clone());
            if self.dropped_examples.len() < SHOWN {
                self.dropped_examples.push(Example {
                    split,
                    row: row.clone(),
                });
            }
        }
        self.split(split).dropped = ids
            .iter()
            .map(|(reason, ids)| (*reason, ids.len() as u64))
            .collect();
        if !ids.is_empty() {
            self.dropped.insert(split.into(), ids);
        }
    }
}

/// Rows per class id.
pub(crate) fn class_counts(rows: &Labelled, labels: &LabelSet) -> Vec<u64> {
    let mut counts = vec![0; labels.len()];
    for label in rows.labels.iter().flat_map(LabelIds::ids) {
        counts[*label] += 1;
    }
    counts
}

impl From<Split> for Order {
    fn from(split: Split) -> Self {
        match split {
            Split::Train => Self::Train,
            Split::Validation => Self::Validation,
            Split::Golden => Self::Golden,
            Split::Raw => Self::Raw,
        }
    }
}

impl From<Order> for Split {
    fn from(order: Order) -> Self {
        match order {
            Order::Train => Self::Train,
            Order::Validation => Self::Validation,
            Order::Golden => Self::Golden,
            Order::Raw => Self::Raw,
        }
    }
}

fn empty_classes(labels: &LabelSet) -> Vec<(String, ClassReport)> {
    labels
        .names()
        .map(|name| (name.to_owned(), ClassReport::default()))
        .collect()
}

fn as_map<K: Serialize, V: Serialize, S: Serializer>(
    entries: &[(K, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
}
