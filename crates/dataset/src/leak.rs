//! Texts that would be learned from and tested on: found between tables, and taken out of the one worth less.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duplicate;
use crate::near::NearIndex;
use crate::{DropReason, Dropped, ItemRows, Rows, Split, Twin};

/// What keeps tables apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeakGuard {
    /// Nothing; equal texts that stand in two tables are counted and listed only.
    Off,
    /// Equal texts stay in the first of golden, validation, train, raw.
    Exact,
    /// And what is similar to a text of golden or validation goes from the tables after it.
    #[default]
    Near,
}

impl LeakGuard {
    /// The name in pipeline files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Exact => "exact",
            Self::Near => "near",
        }
    }
}

/// How a text matches another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Both have one [`duplicate_key`](crate::duplicate_key).
    Exact,
    /// The sets of 3-grams of their keys are similar.
    Near,
}

impl Match {
    /// The name in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Near => "near",
        }
    }
}

/// A row whose text stands in a table that is worth more.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// The table of the row.
    pub split: Split,
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Where it comes from.
    pub source: String,
    /// The row that stays.
    pub kept: Twin,
    /// Its text.
    pub kept_text: String,
    /// Jaccard similarity of the sets of character 3-grams of both keys; 1 of equal keys.
    pub similarity: f64,
    /// Whether the keys are equal.
    pub matched: Match,
}

/// How much of a file stands in golden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenShare {
    /// The file, as the user wrote it.
    pub item: String,
    /// Its rows.
    pub rows: usize,
    /// Those of them that are rows of golden.
    pub golden: usize,
    /// The file that most of these stand in.
    pub golden_item: String,
}

/// Cleans tables one after the other, the most worth protecting first: each of what stands in it twice, and of what
/// stands in the tables that are protected by then.
#[derive(Debug)]
pub struct Guard {
    leak_guard: LeakGuard,
    near_threshold: f64,
    tables: BTreeMap<Split, Protected>,
    /// Key of every protected text → its table and row.
    keys: HashMap<String, (Split, usize)>,
    leaks: Vec<Leak>,
}

#[derive(Debug)]
struct Protected {
    ids: Vec<String>,
    texts: Vec<String>,
    items: Vec<ItemRows>,
    near: Option<NearIndex>,
}

/// A protected row that matches.
#[derive(Clone, Copy, Debug)]
struct Standing {
    split: Split,
    row: usize,
    similarity: f64,
    matched: Match,
}

impl Guard {
    /// `near_threshold`: the Jaccard similarity from which on two texts count as one for [`LeakGuard::Near`].
    pub fn new(leak_guard: LeakGuard, near_threshold: f64) -> Self {
        Self {
            leak_guard,
            near_threshold,
            tables: BTreeMap::new(),
            keys: HashMap::new(),
            leaks: Vec::new(),
        }
    }

    /// From now on, rows of this table are taken out of those that are cleaned.
    pub fn protect<L>(&mut self, split: Split, rows: &Rows<L>) {
        let keys = duplicate::keys(&rows.texts);
        let near = self.leak_guard == LeakGuard::Near && matches!(split, Split::Golden | Split::Validation);
        let near = near.then(|| NearIndex::new(&keys, self.near_threshold));
        for (row, key) in keys.into_iter().enumerate() {
            self.keys.entry(key).or_insert((split, row));
        }
        let table = Protected {
            ids: rows.ids.clone(),
            texts: rows.texts.clone(),
            items: rows.notes.items.clone(),
            near,
        };
        self.tables.insert(split, table);
    }

    /// Takes out what stands in a protected table, and what stands in this one twice: the first of equal texts stays,
    /// with conflicting labels none does. What goes is noted in the table's notes.
    ///
    /// Returns how much of golden each file of the table was.
    pub fn clean<L: Clone + PartialEq>(&mut self, split: Split, rows: &mut Rows<L>) -> Vec<GoldenShare> {
        let keys = duplicate::keys(&rows.texts);
        let found: Vec<Option<Standing>> = keys.par_iter().map(|key| self.find(key)).collect();
        let shares = self.golden_shares(&rows.notes.items, &found);
        let twins = duplicate::within(&keys, &rows.labels);
        drop(keys);
        let mut verdicts = Vec::with_capacity(found.len());
        for (row, (found, twin)) in found.into_iter().zip(twins).enumerate() {
            let leak = found.map(|found| self.leak(split, rows, row, found));
            let dropped = |reason, twin| Dropped {
                id: rows.ids[row].clone(),
                reason,
                twin: Some(twin),
                text: rows.texts[row].clone(),
            };
            verdicts.push(match &leak {
                Some(leak) if self.leak_guard != LeakGuard::Off => {
                    let reason = match leak.matched {
                        Match::Exact => DropReason::InOtherSplit,
                        Match::Near => DropReason::NearOtherSplit,
                    };
                    Some(dropped(reason, leak.kept.clone()))
                }
                _ => twin.map(|(reason, first)| {
                    let id = rows.ids[first].clone();
                    dropped(reason, Twin { split, id })
                }),
            });
            self.leaks.extend(leak);
        }
        rows.remove(verdicts);
        shares
    }

    /// Rows whose text stands in a table that is worth more, in the order in which they were found. Unless the guard
    /// is off, they are gone.
    pub fn into_leaks(self) -> Vec<Leak> {
        self.leaks
    }

    /// The protected row that this text repeats: an equal one, else the most similar of golden, else of validation.
    fn find(&self, key: &str) -> Option<Standing> {
        if let Some((split, row)) = self.keys.get(key) {
            return Some(Standing {
                split: *split,
                row: *row,
                similarity: 1.0,
                matched: Match::Exact,
            });
        }
        self.tables.iter().find_map(|(split, table)| {
            let near = table.near.as_ref()?.nearest(key)?;
            Some(Standing {
                split: *split,
                row: near.row,
                similarity: near.similarity,
                matched: Match::Near,
            })
        })
    }

    fn leak<L>(&self, split: Split, rows: &Rows<L>, row: usize, found: Standing) -> Leak {
        let table = &self.tables[&found.split];
        Leak {
            split,
            id: rows.ids[row].clone(),
            text: rows.texts[row].clone(),
            source: rows.sources[row].to_string(),
            kept: Twin {
                split: found.split,
                id: table.ids[found.row].clone(),
            },
            kept_text: table.texts[found.row].clone(),
            similarity: found.similarity,
            matched: found.matched,
        }
    }

    fn golden_shares(&self, items: &[ItemRows], found: &[Option<Standing>]) -> Vec<GoldenShare> {
        let Some(golden) = self.tables.get(&Split::Golden) else {
            return Vec::new();
        };
        let mut shares = Vec::new();
        let mut found = found.iter();
        for item in items {
            let mut matches = vec![0; golden.items.len()];
            let standing = found.by_ref().take(item.rows).flatten();
            for row in standing.filter(|standing| standing.split == Split::Golden) {
                if let Some(at) = item_of(&golden.items, row.row) {
                    matches[at] += 1;
                }
            }
            let most = (0..matches.len()).rev().max_by_key(|at| matches[*at]);
            if let Some(most) = most {
                shares.push(GoldenShare {
                    item: item.name.clone(),
                    rows: item.rows,
                    golden: matches.iter().sum(),
                    golden_item: golden.items[most].name.clone(),
                });
            }
        }
        shares
    }
}

/// The file that a row comes from.
fn item_of(items: &[ItemRows], row: usize) -> Option<usize> {
    let mut end = 0;
    items.iter().position(|item| {
        end += item.rows;
        row < end
    })
}
