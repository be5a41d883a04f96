//! Texts that occur twice within a table.

use std::collections::HashMap;

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::DropReason;

/// Two texts with the same key count as one: NFKC, lower case, letters and digits only; the NFC text if none is left.
pub fn duplicate_key(text: &str) -> String {
    let lower = text.nfkc().collect::<String>().to_lowercase();
    let key: String = lower
        .chars()
        .filter(|character| character.is_alphanumeric())
        .collect();
    if key.is_empty() { text.nfc().collect() } else { key }
}

/// The key of every text.
pub(crate) fn keys(texts: &[String]) -> Vec<String> {
    texts.par_iter().map(|text| duplicate_key(text)).collect()
}

/// The rows of a table that share a key.
struct Group {
    first: usize,
    conflicting: bool,
}

/// For every row that has to go: why, and the first row with its key. The first of equal texts stays; with
/// conflicting labels all go.
pub(crate) fn within<L: PartialEq>(keys: &[String], labels: &[L]) -> Vec<Option<(DropReason, usize)>> {
    let mut groups: HashMap<&str, Group> = HashMap::with_capacity(keys.len());
    for (row, key) in keys.iter().enumerate() {
        let group = groups.entry(key).or_insert(Group {
            first: row,
            conflicting: false,
        });
        group.conflicting |= labels[group.first] != labels[row];
    }
    keys.iter()
        .enumerate()
        .map(|(row, key)| {
            let group = &groups[key.as_str()];
            match (group.conflicting, group.first == row) {
                (true, _) => Some((DropReason::ConflictingLabels, group.first)),
                (false, false) => Some((DropReason::Duplicate, group.first)),
                (false, true) => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(rows: &[(&str, usize)]) -> Vec<Option<(DropReason, usize)>> {
        let keys: Vec<String> = rows.iter().map(|(text, _)| duplicate_key(text)).collect();
        let labels: Vec<usize> = rows.iter().map(|(_, label)| *label).collect();
        within(&keys, &labels)
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
        assert_eq!(
            dropped(&[("좋아", 0), ("싫어", 1), ("좋아!", 0)]),
            [None, None, Some((DropReason::Duplicate, 0))]
        );
    }

    #[test]
    fn conflicting_labels_remove_all() {
        let conflict = Some((DropReason::ConflictingLabels, 0));
        assert_eq!(
            dropped(&[("좋아", 0), ("좋아!", 1), ("좋아", 0), ("응", 0)]),
            [conflict, conflict, conflict, None]
        );
    }
}
