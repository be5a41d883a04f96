//! Texts that share most of their character 3-grams: a set similarity join that misses no pair.
//!
//! Two sets of grams x and y with Jaccard similarity |x∩y| / |x∪y| ≥ t share at least t·|x| grams. So when the grams of
//! both are in one order, the first |x| − ⌈t·|x|⌉ + 1 of x and the first |y| − ⌈t·|y|⌉ + 1 of y have one in common
//! (prefix filter: Chaudhuri, Ganti, Kaushik, "A Primitive Operator for Similarity Joins in Data Cleaning", ICDE 2006;
//! Bayardo, Ma, Srikant, "Scaling Up All Pairs Similarity Search", WWW 2007), and neither is smaller than t times the
//! other (length filter). With the rarest grams first, next to nothing passes both; what does is compared in full.

use std::collections::HashMap;

use rayon::prelude::*;

/// Keys of fewer characters have too few grams to be similar in any sense.
pub(crate) const MIN_CHARS: usize = 10;

/// Three characters of 21 bits each.
type Gram = u64;

/// Texts to which others are compared.
#[derive(Debug)]
pub(crate) struct NearIndex {
    threshold: f64,
    /// Gram → its place in the order, the rarest of these texts first. Others are rarer still.
    ranks: HashMap<Gram, u32>,
    /// The ranks of each text's grams, ascending; none of a text that is too short.
    texts: Vec<Vec<u32>>,
    /// Rank → the texts in whose prefix the gram stands, ascending.
    postings: Vec<Vec<u32>>,
}

/// A text of the index that is similar enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Near {
    /// Its position.
    pub(crate) row: usize,
    /// Jaccard similarity of the sets of grams.
    pub(crate) similarity: f64,
}

impl NearIndex {
    /// Of these keys; a pair counts from this similarity on.
    pub(crate) fn new(keys: &[String], threshold: f64) -> Self {
        let grams: Vec<Vec<Gram>> = keys.par_iter().map(|key| grams(key)).collect();
        let mut counts: HashMap<Gram, u32> = HashMap::new();
        for gram in grams.iter().flatten() {
            *counts.entry(*gram).or_default() += 1;
        }
        let mut order: Vec<(u32, Gram)> = counts.into_iter().map(|(gram, count)| (count, gram)).collect();
        order.par_sort_unstable();
        let ranks: HashMap<Gram, u32> = (0u32..)
            .zip(&order)
            .map(|(rank, (_, gram))| (*gram, rank))
            .collect();
        let texts: Vec<Vec<u32>> = grams.par_iter().map(|grams| known(&ranks, grams)).collect();
        let mut postings = vec![Vec::new(); order.len()];
        for (row, text) in (0u32..).zip(&texts) {
            let prefix = (text.len() + 1).saturating_sub(least_shared(text.len(), threshold));
            for rank in text.iter().take(prefix) {
                postings[*rank as usize].push(row);
            }
        }
        Self {
            threshold,
            ranks,
            texts,
            postings,
        }
    }

    /// The most similar text, among equally similar ones the first.
    pub(crate) fn nearest(&self, key: &str) -> Option<Near> {
        let grams = grams(key);
        let known = known(&self.ranks, &grams);
        // The grams that no text has come first in the order, so the prefix ends this many grams after them.
        let prefix = (known.len() + 1).checked_sub(least_shared(grams.len(), self.threshold))?;
        let mut candidates: Vec<u32> = known[..prefix]
            .iter()
            .flat_map(|rank| &self.postings[*rank as usize])
            .copied()
            .filter(|row| {
                let size = self.texts[*row as usize].len();
                reaches(size.min(grams.len()), size.max(grams.len()), self.threshold)
            })
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut best: Option<Near> = None;
        for row in candidates {
            let text = &self.texts[row as usize];
            let shared = shared(text, &known);
            let all = text.len() + grams.len() - shared;
            let near = Near {
                row: row as usize,
                similarity: shared as f64 / all as f64,
            };
            if reaches(shared, all, self.threshold)
                && best.is_none_or(|best| near.similarity > best.similarity)
            {
                best = Some(near);
            }
        }
        best
    }
}

/// Whether `part` is at least this share of `whole`.
///
/// Exact on the threshold itself: division is correctly rounded, so 4 / 5 is the very number that 0.8 is read as. And
/// rounding keeps the order, so what the filters refuse by this comparison is refused by the last one.
fn reaches(part: usize, whole: usize, threshold: f64) -> bool {
    part as f64 / whole as f64 >= threshold
}

/// The fewest of its grams that a text of so many shares with a similar one: ⌈t·n⌉, decided by [`reaches`].
fn least_shared(grams: usize, threshold: f64) -> usize {
    let mut least = (grams as f64 * threshold) as usize;
    while least > 0 && reaches(least - 1, grams, threshold) {
        least -= 1;
    }
    while least < grams && !reaches(least, grams, threshold) {
        least += 1;
    }
    least.max(1)
}

/// The distinct 3-grams of a key, in no meaningful order; none if it is too short.
fn grams(key: &str) -> Vec<Gram> {
    let characters: Vec<Gram> = key.chars().map(Gram::from).collect();
    if characters.len() < MIN_CHARS {
        return Vec::new();
    }
    let mut grams: Vec<Gram> = characters
        .windows(3)
        .map(|gram| gram[0] << 42 | gram[1] << 21 | gram[2])
        .collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The ranks of the grams that have one, ascending.
fn known(ranks: &HashMap<Gram, u32>, grams: &[Gram]) -> Vec<u32> {
    let mut known: Vec<u32> = grams.iter().filter_map(|gram| ranks.get(gram)).copied().collect();
    known.sort_unstable();
    known
}

/// How many numbers two ascending lists have in common.
fn shared(one: &[u32], other: &[u32]) -> usize {
    let (mut at, mut there, mut shared) = (0, 0, 0);
    while at < one.len() && there < other.len() {
        let (left, right) = (one[at], other[there]);
        shared += usize::from(left == right);
        at += usize::from(left <= right);
        there += usize::from(right <= left);
    }
    shared
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The definition, word for word: the set of a key's 3-grams, none of a short key.
    fn set(key: &str) -> BTreeSet<String> {
        let characters: Vec<char> = key.chars().collect();
        let windows = characters.windows(3).filter(|_| characters.len() >= 10);
        windows.map(|gram| gram.iter().collect()).collect()
    }

    /// Numerator and denominator.
    fn jaccard(one: &BTreeSet<String>, other: &BTreeSet<String>) -> (usize, usize) {
        (one.intersection(other).count(), one.union(other).count())
    }

    /// The first of the most similar sets, each compared; the threshold is `numerator / denominator`.
    fn brute_force(
        sets: &[BTreeSet<String>],
        set: &BTreeSet<String>,
        (numerator, denominator): (usize, usize),
    ) -> Option<(usize, f64)> {
        let mut best: Option<(usize, usize, usize)> = None;
        for (row, other) in sets.iter().enumerate() {
            let (part, whole) = jaccard(set, other);
            let more = best.is_none_or(|(_, most, of)| part * of > most * whole);
            if whole > 0 && part * denominator >= numerator * whole && more {
                best = Some((row, part, whole));
            }
        }
        best.map(|(row, part, whole)| (row, part as f64 / whole as f64))
    }

    /// Random words of few letters, and texts that differ from one another in a few characters.
    fn related(random: &mut ChaCha8Rng, letters: u32, count: usize) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        while keys.len() < count {
            let mut characters: Vec<char> = match keys.len() {
                0 => Vec::new(),
                made if random.random_bool(0.6) => keys[random.random_range(0..made)].chars().collect(),
                _ => Vec::new(),
            };
            let letter = |random: &mut ChaCha8Rng| {
                char::from_u32(u32::from('가') + random.random_range(0..letters)).unwrap()
            };
            if characters.is_empty() {
                let length = random.random_range(6..60);
                characters = (0..length).map(|_| letter(random)).collect();
            }
            for _ in 0..random.random_range(0..4) {
                let at = random.random_range(0..characters.len());
                match random.random_range(0..3) {
                    0 => characters[at] = letter(random),
                    1 => characters.insert(at, letter(random)),
                    _ if characters.len() > 1 => {
                        characters.remove(at);
                    }
                    _ => {}
                }
            }
            keys.push(characters.into_iter().collect());
        }
        keys
    }

    #[test]
    fn no_pair_is_missed_and_none_is_made_up() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut found = 0;
        for fraction in [(1, 3), (1, 2), (3, 5), (7, 10), (3, 4), (4, 5), (9, 10), (1, 1)] {
            for letters in [2, 5, 40, 2000] {
                let keys = related(&mut random, letters, 120);
                let (standing, asked) = keys.split_at(50);
                let sets: Vec<BTreeSet<String>> = standing.iter().map(|key| set(key)).collect();
                let index = NearIndex::new(standing, fraction.0 as f64 / fraction.1 as f64);
                for key in asked {
                    let near = index.nearest(key).map(|near| (near.row, near.similarity));
                    assert_eq!(
                        near,
                        brute_force(&sets, &set(key), fraction),
                        "{fraction:?}: {key}"
                    );
                    found += usize::from(near.is_some());
                }
            }
        }
        assert!(found > 500, "only {found} of the random pairs are similar");
    }

    #[test]
    fn a_similarity_of_exactly_the_threshold_is_similar() {
        for size in 10..400usize {
            let base: String = (0..size as u32)
                .filter_map(|n| char::from_u32(0xac00 + n))
                .collect();
            let longer = format!("{base}끝");
            let (part, whole) = jaccard(&set(&base), &set(&longer));
            let threshold = part as f64 / whole as f64;
            let index = NearIndex::new(std::slice::from_ref(&base), threshold);
            assert!(index.nearest(&longer).is_some(), "{part} / {whole}");
            let above = NearIndex::new(&[base], threshold.next_up());
            assert_eq!(above.nearest(&longer), None, "{part} / {whole}");
        }
    }

    #[test]
    fn short_keys_are_similar_to_nothing() {
        let keys = ["가나다라마바사아자".to_owned(), "가나다라마바사아자차".to_owned()];
        let index = NearIndex::new(&keys, 0.5);
        assert_eq!(index.nearest("가나다라마바사아자"), None);
        assert_eq!(index.nearest("가나다라마바사아자차카").unwrap().row, 1);
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        assert_eq!(NearIndex::new(&[], 0.8).nearest("가나다라마바사아자차카타"), None);
    }

    #[test]
    fn a_text_of_ten_thousand_characters_is_found() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut long: Vec<char> = (0..10_000)
            .map(|_| char::from_u32(0xac00 + random.random_range(0..11_172)).unwrap())
            .collect();
        let index = NearIndex::new(&[long.iter().collect()], 0.8);
        for at in (0..10_000).step_by(50) {
            long[at] = 'x';
        }
        let near = index.nearest(&long.into_iter().collect::<String>()).unwrap();
        assert!((0.8..0.95).contains(&near.similarity), "{near:?}");
    }
}
