//! Trains WordPiece vocabularies, the same every time.
//!
//! The trainer in tokenizers 0.23 numbers words in the order of a hash map; this one sorts them and breaks ties by
//! token, so the vocabulary depends on the texts alone, not even on their order. Otherwise it is the same procedure:
//! the most frequent pair of neighbouring pieces becomes a piece, until the vocabulary is full.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

use rayon::prelude::*;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use crate::SpecialTokens;

/// Pairs that are seen less often do not become a token.
const MIN_FREQUENCY: i64 = 2;
/// Longer words are `[UNK]` to the tokenizer, so there is nothing to learn from them.
const MAX_WORD: usize = 100;
/// Marks a piece that continues a word.
const PREFIX: &str = "##";

/// A WordPiece vocabulary of at most `vocab_size` tokens, special tokens first; ids are positions.
pub fn train_wordpiece<'a>(
    texts: impl Iterator<Item = &'a str>,
    vocab_size: usize,
    specials: SpecialTokens,
) -> Vec<String> {
    let words = count_words(texts);
    let mut trainer = Trainer::new(specials, vocab_size);
    trainer.add_words(&words);
    trainer.merge(vocab_size);
    trainer.vocabulary
}

/// Words as the tokenizer sees them, sorted, with their frequencies.
fn count_words<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(String, i64)> {
    let mut chunks: HashMap<&str, i64> = HashMap::new();
    for chunk in texts.flat_map(str::split_whitespace) {
        *chunks.entry(chunk).or_default() += 1;
    }
    // Splitting at punctuation is slow, so it is done once per distinct chunk.
    let chunks: Vec<(&str, i64)> = chunks.into_iter().collect();
    let split: Vec<(String, i64)> = chunks
        .into_par_iter()
        .flat_map_iter(|(chunk, count)| split_chunk(chunk).into_iter().map(move |word| (word, count)))
        .filter(|(word, _)| word.chars().count() <= MAX_WORD)
        .collect();
    let mut words: HashMap<String, i64> = HashMap::new();
    for (word, count) in split {
        *words.entry(word).or_default() += count;
    }
    let mut words: Vec<(String, i64)> = words.into_iter().collect();
    words.par_sort_unstable();
    words
}

fn split_chunk(chunk: &str) -> Vec<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ('가'..='힣').contains(&letter);
    if chunk.chars().all(is_plain) {
        return vec![chunk.to_owned()];
    }
    let mut normalized = NormalizedString::from(chunk);
    let cased = BertNormalizer::new(true, true, Some(false), false);
    cased
        .normalize(&mut normalized)
        .expect("BERT's normalizer takes any text");
    let mut split = PreTokenizedString::from(normalized);
    BertPreTokenizer
        .pre_tokenize(&mut split)
        .expect("BERT's pre-tokenizer takes any text");
    let words = split.get_splits(OffsetReferential::Normalized, OffsetType::None);
    words
        .into_iter()
        .map(|(word, _, _)| word.to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

type Pair = (u32, u32);

struct Trainer {
    vocabulary: Vec<String>,
    ids: HashMap<String, u32>,
    /// How many different characters get tokens of their own; words lose the others.
    alphabet_limit: usize,
    words: Vec<Word>,
    pairs: HashMap<Pair, PairUse>,
}

struct Word {
    pieces: Vec<u32>,
    count: i64,
}

#[derive(Default)]
struct PairUse {
    count: i64,
    /// Numbers of words that have, or had, the pair.
    words: Vec<u32>,
}

impl Trainer {
    fn new(specials: SpecialTokens, vocab_size: usize) -> Self {
        let mut trainer = Self {
            vocabulary: Vec::new(),
            ids: HashMap::new(),
            // A character takes up to two tokens: at the start of a word and within it.
            alphabet_limit: (vocab_size / 5).max(vocab_size.min(64) / 4),
            words: Vec::new(),
            pairs: HashMap::new(),
        };
        for token in specials.tokens() {
            trainer.id(token.to_owned());
        }
        trainer
    }

    /// The id of `token`, which is added if it is new.
    fn id(&mut self, token: String) -> u32 {
        if let Some(id) = self.ids.get(&token) {
            return *id;
        }
        let id = self.vocabulary.len() as u32;
        self.vocabulary.push(token.clone());
        self.ids.insert(token, id);
        id
    }

    fn add_words(&mut self, words: &[(String, i64)]) {
        let alphabet = alphabet(words, self.alphabet_limit);
        // Characters at the start of a word first, then those within words.
        let starts: BTreeMap<char, u32> = alphabet.keys().map(|&c| (c, self.id(c.to_string()))).collect();
        let within = alphabet.into_iter().filter(|(_, within)| *within);
        let within: BTreeMap<char, u32> = within
            .map(|(c, _)| (c, self.id(format!("{PREFIX}{c}"))))
            .collect();
        for (word, count) in words {
            let pieces: Vec<u32> = word
                .chars()
                .enumerate()
                .filter_map(|(at, c)| if at == 0 { starts.get(&c) } else { within.get(&c) })
                .copied()
                .collect();
            if pieces.len() < 2 {
                continue;
            }
            let number = self.words.len() as u32;
            for pair in pieces.windows(2) {
                let used = self.pairs.entry((pair[0], pair[1])).or_default();
                used.count += count;
                if used.words.last() != Some(&number) {
                    used.words.push(number);
                }
            }
            self.words.push(Word {
                pieces,
                count: *count,
            });
        }
    }

    /// Makes tokens of pairs until there are `vocab_size` tokens.
    fn merge(&mut self, vocab_size: usize) {
        let mut queue: BinaryHeap<Candidate> = self
            .pairs
            .iter()
            .map(|(&pair, used)| Candidate::new(used.count, pair))
            .collect();
        while self.vocabulary.len() < vocab_size {
            let Some(best) = queue.pop() else { break };
            let count = self.pairs.get(&best.pair).map_or(0, |used| used.count);
            if count < MIN_FREQUENCY {
                continue;
            }
            if count != best.count {
                // Counted before other merges took words away from it.
                queue.push(Candidate::new(count, best.pair));
                continue;
            }
            for (pair, count) in self.merge_pair(best.pair) {
                queue.push(Candidate::new(count, pair));
            }
        }
    }

    /// Replaces `pair` in every word; returns the pairs that became more frequent, with their counts.
    fn merge_pair(&mut self, pair: Pair) -> Vec<(Pair, i64)> {
        let (left, right) = (
            &self.vocabulary[pair.0 as usize],
            &self.vocabulary[pair.1 as usize],
        );
        let joined = format!("{left}{}", right.strip_prefix(PREFIX).unwrap_or(right));
        let merged = self.id(joined);
        let numbers = self
            .pairs
            .remove(&pair)
            .map(|used| used.words)
            .unwrap_or_default();
        let mut grown: BTreeMap<Pair, i64> = BTreeMap::new();
        for number in numbers {
            let word = &mut self.words[number as usize];
            let mut changes = Vec::new();
            replace(&mut word.pieces, pair, merged, &mut changes);
            for (changed, sign) in changes {
                if changed == pair {
                    continue; // Its uses are all gone.
                }
                let used = self.pairs.entry(changed).or_default();
                used.count += sign * word.count;
                if sign > 0 && used.words.last() != Some(&number) {
                    used.words.push(number);
                }
                if sign > 0 {
                    grown.insert(changed, 0);
                }
            }
        }
        grown
            .into_keys()
            .map(|pair| (pair, self.pairs[&pair].count))
            .collect()
    }
}

/// Replaces `pair` by `merged` in `pieces`; `changes` gets each neighbouring pair that went (-1) or came (+1).
fn replace(pieces: &mut Vec<u32>, pair: Pair, merged: u32, changes: &mut Vec<(Pair, i64)>) {
    let mut at = 0;
    while at + 1 < pieces.len() {
        if (pieces[at], pieces[at + 1]) != pair {
            at += 1;
            continue;
        }
        if at > 0 {
            changes.push(((pieces[at - 1], pair.0), -1));
            changes.push(((pieces[at - 1], merged), 1));
        }
        if at + 2 < pieces.len() {
            changes.push(((pair.1, pieces[at + 2]), -1));
            changes.push(((merged, pieces[at + 2]), 1));
        }
        pieces[at] = merged;
        pieces.remove(at + 1);
        at += 1;
    }
}

/// The most frequent characters, and whether they stand within words; ties go to the lower code point.
fn alphabet(words: &[(String, i64)], limit: usize) -> BTreeMap<char, bool> {
    let mut counts: BTreeMap<char, (i64, bool)> = BTreeMap::new();
    for (word, count) in words {
        for (at, c) in word.chars().enumerate() {
            let seen = counts.entry(c).or_default();
            seen.0 += count;
            seen.1 |= at > 0;
        }
    }
    let mut ranked: Vec<(char, i64, bool)> = counts
        .into_iter()
        .map(|(c, (count, within))| (c, count, within))
        .collect();
    ranked.sort_by_key(|&(c, count, _)| (std::cmp::Reverse(count), c));
    ranked
        .into_iter()
        .take(limit)
        .map(|(c, _, within)| (c, within))
        .collect()
}

/// A pair in the queue: the most frequent first, then the one whose pieces are older.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    count: i64,
    order: std::cmp::Reverse<Pair>,
    pair: Pair,
}

impl Candidate {
    fn new(count: i64, pair: Pair) -> Self {
        Self {
            count,
            order: std::cmp::Reverse(pair),
            pair,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(texts: &[&str], vocab_size: usize) -> Vec<String> {
        train_wordpiece(texts.iter().copied(), vocab_size, SpecialTokens::Bert)
    }

    #[test]
    fn special_tokens_come_first_in_their_order() {
        let roberta = train_wordpiece(["가나"].into_iter(), 20, SpecialTokens::Roberta);
        assert_eq!(roberta[..5], ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]);
        assert_eq!(
            train(&["가나"], 20)[..5],
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        );
    }

    #[test]
    fn the_most_frequent_pair_becomes_a_token() {
        let vocabulary = train(&["가나 가나 가나 다라 다라 마바"], 200);
        assert_eq!(
            vocabulary[5..],
            [
                "가", "나", "다", "라", "마", "바", "##나", "##라", "##바", "가나", "다라"
            ]
        );
    }

    #[test]
    fn pieces_within_words_carry_the_prefix() {
        let vocabulary = train(&["x가나다 y가나다 z가나다"], 200);
        assert!(vocabulary.contains(&"##가나다".to_owned()), "{vocabulary:?}");
    }

    #[test]
    fn punctuation_is_a_word_of_its_own() {
        let vocabulary = train(&["가!나 가!나"], 200);
        assert!(
            vocabulary
                .iter()
                .all(|token| token.trim_start_matches('#').chars().count() == 1 || token.starts_with('['))
        );
    }

    #[test]
    fn the_order_of_the_texts_does_not_matter() {
        let texts: Vec<String> = (0..400)
            .map(|row| format!("가나{} 다라{}마 바사{}", row % 17, row % 7, row % 3))
            .collect();
        let forwards = train_wordpiece(texts.iter().map(String::as_str), 70, SpecialTokens::Bert);
        let backwards = train_wordpiece(texts.iter().rev().map(String::as_str), 70, SpecialTokens::Bert);
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.len(), 70);
    }

    #[test]
    fn repeated_pieces_are_counted_right() {
        let mut pieces = vec![1, 1, 1, 1, 1];
        let mut changes = Vec::new();
        replace(&mut pieces, (1, 1), 2, &mut changes);
        assert_eq!(pieces, [2, 2, 1]);
    }

    #[test]
    fn no_texts_give_the_special_tokens() {
        assert_eq!(train(&[], 100).len(), 5);
    }

    #[test]
    fn a_word_that_no_tokenizer_would_take_is_not_learnt_from() {
        assert_eq!(train(&["ㅋ".repeat(300).as_str()], 100).len(), 5);
    }
}
