//! WordPiece for the texts that nearly all are: Hangul and ASCII.
//!
//! `tokenizers` keeps offsets, normalises character by character and asks a hash map for each substring. For
//! characters that a cased BERT normaliser leaves alone, none of that is needed: a trie gives the longest piece in one
//! walk. Texts with any other character, and tokenizers with other settings, go the long way; ids are the same.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

/// The pieces of a vocabulary as two tries in one map: those that begin a word, and those that go on.
#[derive(Clone, Debug)]
pub(crate) struct WordPiece {
    /// (node, character) → node.
    children: HashMap<u64, u32, BuildHasherDefault<Multiply>>,
    /// Of each node: the id of the piece that ends there.
    ids: Vec<Option<u32>>,
    unknown: u32,
    longest_word: usize,
    /// First characters of tokens that are found before words are.
    added: Vec<char>,
}

const BEGIN: u32 = 0;
const CONTINUE: u32 = 1;

impl WordPiece {
    /// None if `tokenizer` may treat Hangul and ASCII in another way than this does.
    pub(crate) fn new(tokenizer: &tokenizers::Tokenizer) -> Option<Self> {
        let ModelWrapper::WordPiece(model) = tokenizer.get_model() else {
            return None;
        };
        let Some(NormalizerWrapper::BertNormalizer(normalizer)) = tokenizer.get_normalizer() else {
            return None;
        };
        let is_bert = matches!(
            tokenizer.get_pre_tokenizer(),
            Some(PreTokenizerWrapper::BertPreTokenizer(_))
        );
        if !is_bert || normalizer.lowercase || normalizer.strip_accents == Some(true) {
            return None;
        }
        let added = tokenizer.get_added_tokens_decoder();
        let added = added.values().filter_map(|token| token.content.chars().next());
        let mut trie = Self {
            children: HashMap::default(),
            ids: vec![None, None],
            unknown: tokenizer.token_to_id(&model.unk_token)?,
            longest_word: model.max_input_chars_per_word,
            added: added.collect(),
        };
        let prefix = model.continuing_subword_prefix.as_str();
        for (piece, id) in tokenizer.get_vocab(false) {
            // A piece with the prefix is also what a word may begin with, if it is written so.
            trie.insert(BEGIN, &piece, id);
            if let Some(rest) = piece.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
                trie.insert(CONTINUE, rest, id);
            }
        }
        Some(trie)
    }

    fn insert(&mut self, root: u32, piece: &str, id: u32) {
        let mut node = root;
        for character in piece.chars() {
            let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
            let entry = self.children.entry(key(node, character)).or_insert(next);
            if *entry == next {
                self.ids.push(None);
            }
            node = *entry;
        }
        self.ids[node as usize] = Some(id);
    }

    /// Ids of the words of `text`, at most `room`; none if the text has a character that is not handled here.
    pub(crate) fn encode(&self, text: &str, room: usize) -> Option<Vec<u32>> {
        // What lies behind the last id that there is room for changes nothing, and is not looked at.
        let mut ids = Vec::with_capacity(room.min(text.len() / 3 + 1));
        let mut word: Option<usize> = None;
        for (at, character) in text.char_indices() {
            if ids.len() >= room {
                break;
            }
            if self.added.contains(&character) {
                return None;
            }
            match class(character)? {
                Class::Letter => {
                    word.get_or_insert(at);
                }
                Class::Space => self.end_word(text, word.take(), at, &mut ids),
                Class::Punctuation => {
                    self.end_word(text, word.take(), at, &mut ids);
                    self.spell(&text[at..at + character.len_utf8()], &mut ids);
                }
            }
        }
        if ids.len() < room {
            self.end_word(text, word, text.len(), &mut ids);
        }
        ids.truncate(room);
        Some(ids)
    }

    fn end_word(&self, text: &str, start: Option<usize>, end: usize, ids: &mut Vec<u32>) {
        if let Some(start) = start {
            self.spell(&text[start..end], ids);
        }
    }

    /// The longest piece first, then the longest that goes on, and so on; a word that cannot be spelt so is unknown.
    fn spell(&self, word: &str, ids: &mut Vec<u32>) {
        let first = ids.len();
        let (mut rest, mut root) = (word, BEGIN);
        // Bytes are no fewer than characters.
        let is_long = word.len() > self.longest_word && word.chars().count() > self.longest_word;
        while !rest.is_empty() && !is_long {
            let Some((id, length)) = self.longest(root, rest) else {
                break;
            };
            ids.push(id);
            rest = &rest[length..];
            root = CONTINUE;
        }
        if !rest.is_empty() {
            ids.truncate(first);
            ids.push(self.unknown);
        }
    }

    /// The longest piece that `text` begins with, and its length in bytes.
    fn longest(&self, root: u32, text: &str) -> Option<(u32, usize)> {
        let (mut node, mut found) = (root, None);
        for (at, character) in text.char_indices() {
            let Some(next) = self.children.get(&key(node, character)) else {
                break;
            };
            node = *next;
            if let Some(id) = self.ids[node as usize] {
                found = Some((id, at + character.len_utf8()));
            }
        }
        found
    }
}

enum Class {
    Letter,
    Space,
    Punctuation,
}

/// How BERT's normaliser and pre-tokenizer see a character; none for those that they may change, or that are rare.
fn class(character: char) -> Option<Class> {
    match character {
        // Syllables and single letters (ㅋㅋ, ㅠㅠ).
        '\u{ac00}'..='\u{d7a3}' | '\u{3131}'..='\u{3163}' => Some(Class::Letter),
        ' ' | '\t' | '\n' | '\r' => Some(Class::Space),
        _ if character.is_ascii_alphanumeric() => Some(Class::Letter),
        _ if character.is_ascii_punctuation() => Some(Class::Punctuation),
        _ => None,
    }
}

fn key(node: u32, character: char) -> u64 {
    u64::from(node) << 32 | u64::from(character)
}

/// Hashes one 64-bit key: a multiplication (Knuth 1973, 6.4) whose high bits are folded onto the low ones.
#[derive(Clone, Copy, Debug, Default)]
struct Multiply(u64);

impl Hasher for Multiply {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}

#[cfg(test)]
mod tests {
    use crate::Tokenizer;

    /// Numbers that look random.
    struct Noise(u64);

    impl Noise {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) as usize % bound
        }

        fn text(&mut self, alphabet: &[&str], longest: usize) -> String {
            let length = self.below(longest + 1);
            (0..length)
                .map(|_| alphabet[self.below(alphabet.len())])
                .collect()
        }
    }

    const LETTERS: [&str; 12] = ["가", "나", "다", "라", "ㅋ", "ㅠ", "a", "b", "A", "0", "힣", "각"];
    const OTHERS: [&str; 24] = [
        " ",
        " ",
        " ",
        "\t",
        "\n",
        "!",
        "#",
        "##",
        "[MASK]",
        "[",
        "]",
        "…",
        "漢",
        "é",
        "e\u{301}",
        "\u{1100}\u{1161}",
        "\u{200b}",
        "\u{fffd}",
        "\u{0}",
        "\u{a0}",
        "😀",
        "Ａ",
        "\u{3000}",
        "~",
    ];

    fn tokenizer(noise: &mut Noise) -> Tokenizer {
        let mut vocabulary: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "!", "#", "漢", "…"]
            .map(str::to_owned)
            .to_vec();
        for _ in 0..200 {
            let piece = noise.text(&LETTERS, 4);
            let prefix = ["", "##"][noise.below(2)];
            let piece = format!("{prefix}{piece}");
            if !vocabulary.contains(&piece) && piece != prefix {
                vocabulary.push(piece);
            }
        }
        Tokenizer::from_vocabulary(vocabulary).unwrap()
    }

    #[test]
    fn ids_are_those_of_tokenizers() {
        let mut noise = Noise(7);
        let mut handled = 0;
        for _ in 0..20 {
            let tokenizer = tokenizer(&mut noise);
            for _ in 0..500 {
                let rare = noise.below(3) == 0;
                let alphabet = if rare {
                    [&LETTERS[..], &OTHERS].concat()
                } else {
                    [&LETTERS[..], &OTHERS[..8]].concat()
                };
                let text = noise.text(&alphabet, 40);
                let room = 1 + noise.below(30);
                let mut expected = tokenizer.spelt(&text);
                expected.truncate(room);
                let found = tokenizer.word_piece().unwrap().encode(&text, room);
                handled += usize::from(found.is_some());
                assert_eq!(found.unwrap_or(expected.clone()), expected, "{text:?}");
            }
        }
        assert!(
            handled > 5000,
            "only {handled} of 10,000 texts went the short way"
        );
    }

    #[test]
    fn a_word_may_have_a_hundred_characters() {
        let tokenizer = tokenizer(&mut Noise(1));
        for length in [99, 100, 101, 300] {
            let text = "가".repeat(length);
            let expected = tokenizer.spelt(&text);
            assert_eq!(
                tokenizer.word_piece().unwrap().encode(&text, 1000),
                Some(expected)
            );
        }
    }

    #[test]
    fn tokens_that_stand_in_a_text_are_left_to_tokenizers() {
        let tokenizer = tokenizer(&mut Noise(1));
        assert_eq!(tokenizer.word_piece().unwrap().encode("가 [MASK]", 10), None);
    }
}
