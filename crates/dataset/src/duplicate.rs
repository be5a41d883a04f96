//! Texts that occur twice: within a table, and between tables that must not share any.

use std::collections::HashMap;

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::{DropReason, Dropped, Labelled, Raw, Rows, Split, Twin};

/// The tables of a pipeline, those that there are.
#[derive(Clone, Debug, Default)]
pub struct Splits {
    /// Human-verified, only evaluated on.
    pub golden: Option<Labelled>,
    /// Chooses the best model.
    pub validation: Option<Labelled>,
    /// Trains.
    pub train: Option<Labelled>,
    /// Has no labels.
    pub raw: Option<Raw>,
}

impl Splits {
    /// The labelled tables that there are, in the order train, validation, golden.
    pub fn labelled(&self) -> impl Iterator<Item = (Split, &Labelled)> {
        [
            (Split::Train, &self.train),
            (Split::Validation, &self.validation),
            (Split::Golden, &self.golden),
        ]
        .into_iter()
        .filter_map(|(split, rows)| rows.as_ref().map(|rows| (split, rows)))
    }

    /// As [`Splits::labelled`], to be changed.
    pub fn labelled_mut(&mut self) -> impl Iterator<Item = (Split, &mut Labelled)> {
        let Self {
            golden,
            validation,
            train,
            ..
        } = self;
        [
            (Split::Train, train),
            (Split::Validation, validation),
            (Split::Golden, golden),
        ]
        .into_iter()
        .filter_map(|(split, rows)| rows.as_mut().map(|rows| (split, rows)))
    }
}

/// What was found between the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DuplicateReport {
    /// Rows left in a table though their text stands in a more protected one.
    pub leaks: u64,
}

/// Two texts with the same key count as one: NFKC, lower case, letters and digits only; the NFC text if none is left.
pub fn duplicate_key(text: &str) -> String {
    let lower = text.nfkc().collect::<String>().to_lowercase();
    let key: String = lower
        .chars()
        .filter(|character| character.is_alphanumeric())
        .collect();
    if key.is_empty() { text.nfc().collect() } else { key }
}

/// Within a table the first of equal texts stays; with conflicting labels all go. With `across`, a text that stands
/// in an earlier of golden, validation, train, raw goes from the later ones, else it is only counted.
///
/// What goes is noted in each table's notes.
pub fn drop_duplicates(splits: &mut Splits, across: bool) -> DuplicateReport {
    let mut guard = Guard {
        across,
        standing: HashMap::new(),
        report: DuplicateReport::default(),
    };
    if let Some(golden) = &mut splits.golden {
        guard.clean(Split::Golden, golden);
    }
    if let Some(validation) = &mut splits.validation {
        guard.clean(Split::Validation, validation);
    }
    if let Some(train) = &mut splits.train {
        guard.clean(Split::Train, train);
    }
    if let Some(raw) = &mut splits.raw {
        guard.clean(Split::Raw, raw);
    }
    guard.report
}

struct Guard {
    across: bool,
    /// Key of every text that stands in a table so far, and its row there.
    standing: HashMap<String, Twin>,
    report: DuplicateReport,
}

/// The rows of one table that share a key.
struct Group {
    first: usize,
    conflicting: bool,
}

impl Guard {
    fn clean<L: Clone + PartialEq + Sync>(&mut self, split: Split, rows: &mut Rows<L>) {
        let keys: Vec<String> = rows.texts.par_iter().map(|text| duplicate_key(text)).collect();
        let mut groups: HashMap<&str, Group> = HashMap::with_capacity(keys.len());
        for (row, key) in keys.iter().enumerate() {
            let group = groups.entry(key).or_insert(Group {
                first: row,
                conflicting: false,
            });
            group.conflicting |= rows.labels[group.first] != rows.labels[row];
        }
        let verdicts: Vec<Option<(DropReason, Twin)>> = (0..keys.len())
            .map(|row| {
                let key = keys[row].as_str();
                if let Some(twin) = self.standing.get(key) {
                    self.report.leaks += u64::from(!self.across);
                    if self.across {
                        return Some((DropReason::InOtherSplit, twin.clone()));
                    }
                }
                let group = &groups[key];
                let twin = || Twin {
                    split,
                    id: rows.ids[group.first].clone(),
                };
                match (group.conflicting, group.first == row) {
                    (true, _) => Some((DropReason::ConflictingLabels, twin())),
                    (false, false) => Some((DropReason::Duplicate, twin())),
                    (false, true) => None,
                }
            })
            .collect();
        drop(groups);
        // Nothing comes after raw, so its keys need not be remembered.
        if split != Split::Raw {
            for ((key, verdict), id) in keys.into_iter().zip(&verdicts).zip(&rows.ids) {
                if verdict.is_none() {
                    self.standing.entry(key).or_insert_with(|| Twin {
                        split,
                        id: id.clone(),
                    });
                }
            }
        }
        remove(rows, verdicts);
    }
}

fn remove<L: Clone>(rows: &mut Rows<L>, verdicts: Vec<Option<(DropReason, Twin)>>) {
    let taken: Vec<bool> = verdicts.iter().map(Option::is_some).collect();
    if !taken.contains(&true) {
        return;
    }
    let removed = rows.split_off(&taken);
    let texts = removed.ids.into_iter().zip(removed.texts);
    rows.notes
        .dropped
        .extend(
            texts
                .zip(verdicts.into_iter().flatten())
                .map(|((id, text), (reason, twin))| Dropped {
                    id,
                    reason,
                    twin: Some(twin),
                    text,
                }),
        );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Notes;

    fn labelled(name: &str, rows: &[(&str, usize)]) -> Labelled {
        Rows {
            ids: (0..rows.len()).map(|row| format!("{name}-{row}")).collect(),
            texts: rows.iter().map(|(text, _)| (*text).to_owned()).collect(),
            labels: rows.iter().map(|(_, label)| (*label).into()).collect(),
            sources: rows.iter().map(|_| "test".into()).collect(),
            notes: Notes::default(),
        }
    }

    fn raw(texts: &[&str]) -> Raw {
        let rows = labelled("raw", &texts.iter().map(|text| (*text, 0)).collect::<Vec<_>>());
        Rows {
            ids: rows.ids,
            texts: rows.texts,
            labels: vec![(); texts.len()],
            sources: rows.sources,
            notes: rows.notes,
        }
    }

    fn reasons<L>(rows: &Rows<L>) -> Vec<(&str, DropReason)> {
        rows.notes
            .dropped
            .iter()
            .map(|row| (row.id.as_str(), row.reason))
            .collect()
    }

    #[test]
    fn keys_ignore_case_width_spaces_and_punctuation() {
        assert_eq!(duplicate_key("ＡＢＣ 가나!"), duplicate_key("abc가 나"));
        assert_ne!(duplicate_key("가나"), duplicate_key("가다"));
    }

    #[test]
    fn keys_of_texts_without_letters_are_the_texts() {
        assert_eq!(duplicate_key("!!!"), "!!!");
        assert_ne!(duplicate_key("?!"), duplicate_key("!?"));
    }

    #[test]
    fn the_first_of_equal_texts_stays() {
        let mut splits = Splits {
            train: Some(labelled("train", &[("좋아", 0), ("싫어", 1), ("좋아!", 0)])),
            ..Default::default()
        };
        drop_duplicates(&mut splits, true);
        let train = splits.train.unwrap();
        assert_eq!(train.ids, ["train-0", "train-1"]);
        assert_eq!(reasons(&train), [("train-2", DropReason::Duplicate)]);
        assert_eq!(
            train.notes.dropped[0].twin,
            Some(Twin {
                split: Split::Train,
                id: "train-0".into()
            })
        );
    }

    #[test]
    fn conflicting_labels_remove_all() {
        let mut splits = Splits {
            train: Some(labelled(
                "train",
                &[("좋아", 0), ("좋아!", 1), ("좋아", 0), ("응", 0)],
            )),
            ..Default::default()
        };
        drop_duplicates(&mut splits, true);
        assert_eq!(splits.train.unwrap().ids, ["train-3"]);
    }

    #[test]
    fn golden_wins_over_validation_over_train_over_raw() {
        let mut splits = Splits {
            golden: Some(labelled("golden", &[("하나", 0)])),
            validation: Some(labelled("validation", &[("하나", 1), ("둘", 0)])),
            train: Some(labelled("train", &[("하나", 0), ("둘", 0), ("셋", 0)])),
            raw: Some(raw(&["셋", "둘", "하나", "넷"])),
        };
        drop_duplicates(&mut splits, true);
        assert_eq!(splits.golden.unwrap().ids, ["golden-0"]);
        assert_eq!(splits.validation.unwrap().ids, ["validation-1"]);
        assert_eq!(splits.train.unwrap().ids, ["train-2"]);
        let raw = splits.raw.unwrap();
        assert_eq!(raw.ids, ["raw-3"]);
        assert!(
            raw.notes
                .dropped
                .iter()
                .all(|row| row.reason == DropReason::InOtherSplit)
        );
    }

    #[test]
    fn a_text_that_golden_lost_to_a_conflict_may_train() {
        let mut splits = Splits {
            golden: Some(labelled("golden", &[("하나", 0), ("하나", 1)])),
            train: Some(labelled("train", &[("하나", 0)])),
            ..Default::default()
        };
        drop_duplicates(&mut splits, true);
        assert_eq!(splits.train.unwrap().ids, ["train-0"]);
    }

    #[test]
    fn without_a_guard_leaks_are_counted_and_stay() {
        let mut splits = Splits {
            golden: Some(labelled("golden", &[("하나", 0)])),
            train: Some(labelled("train", &[("하나", 0), ("하나", 0)])),
            ..Default::default()
        };
        let report = drop_duplicates(&mut splits, false);
        assert_eq!((report.leaks, splits.train.unwrap().len()), (2, 1));
    }
}
