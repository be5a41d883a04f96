//! The tokenizer itself: text to `[CLS] … [SEP]` ids.

use std::path::Path;

use rayon::prelude::*;
use tokenizers::models::ModelWrapper;

use crate::special::{CLS, PAD, SEP, UNK};
use crate::{TokenizerError, files, save};

/// The ids of one text, `[CLS]` and `[SEP]` included, truncated, not padded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// Token ids in the order of the text.
    pub ids: Vec<u32>,
}

/// A WordPiece tokenizer with BERT's special tokens.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    vocab_size: usize,
    cls: u32,
    sep: u32,
    pad: u32,
    max_length: Option<usize>,
}

impl Tokenizer {
    /// Loads `tokenizer.json`, else `vocab.txt`, of a Hugging Face directory.
    ///
    /// Padding and truncation in `tokenizer.json` are not applied: callers say how long an encoding may be.
    pub fn load(directory: &Path) -> Result<Self, TokenizerError> {
        files::load(directory)
    }

    /// A cased BERT tokenizer over `vocabulary` (ids are positions), which must hold the special tokens.
    pub fn from_vocabulary(vocabulary: Vec<String>) -> Result<Self, TokenizerError> {
        let path = Path::new("vocabulary");
        Self::new(files::bert_tokenizer(&vocabulary, &files::TokenizerConfig::default(), path)?, None, path)
    }

    /// Checks that `inner`, which was read from `path`, can encode any text.
    pub(crate) fn new(
        mut inner: tokenizers::Tokenizer,
        max_length: Option<usize>,
        path: &Path,
    ) -> Result<Self, TokenizerError> {
        let ModelWrapper::WordPiece(model) = inner.get_model() else {
            return Err(TokenizerError::invalid(path, "not a WordPiece tokenizer, which is the only kind supported"));
        };
        if inner.token_to_id(&model.unk_token).is_none() {
            return Err(TokenizerError::NoSpecialToken { path: path.to_owned(), token: UNK });
        }
        let id = |token: &'static str| {
            inner.token_to_id(token).ok_or_else(|| TokenizerError::NoSpecialToken { path: path.to_owned(), token })
        };
        let (cls, sep, pad) = (id(CLS)?, id(SEP)?, id(PAD)?);
        let highest = inner.get_vocab(true).into_values().max().unwrap_or(0);
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| TokenizerError::invalid(path, error))?;
        Ok(Self { inner, vocab_size: highest as usize + 1, cls, sep, pad, max_length })
    }

    /// The ids of `text`, at most `max_length` of them (at least 2); `[SEP]` stays when it is truncated.
    pub fn encode(&self, text: &str, max_length: usize) -> Encoding {
        let room = max_length.saturating_sub(2);
        let encoded = self.inner.encode_fast(text, false).expect("a WordPiece model with an unknown token spells any text");
        let words = encoded.get_ids();
        let words = &words[..words.len().min(room)];
        let mut ids = Vec::with_capacity(words.len() + 2);
        ids.push(self.cls);
        ids.extend_from_slice(words);
        ids.push(self.sep);
        Encoding { ids }
    }

    /// [`Tokenizer::encode`] for many texts, on all threads, in input order.
    pub fn encode_batch<S: AsRef<str> + Sync>(&self, texts: &[S], max_length: usize) -> Vec<Encoding> {
        texts.par_iter().map(|text| self.encode(text.as_ref(), max_length)).collect()
    }

    /// The tokens of `ids`, as they stand in the vocabulary; `[UNK]` for an id that is not in it.
    pub fn tokens(&self, ids: &[u32]) -> Vec<String> {
        ids.iter().map(|&id| self.inner.id_to_token(id).unwrap_or_else(|| UNK.to_owned())).collect()
    }

    /// Number of ids: one more than the highest.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id that fills up batches.
    pub fn pad_id(&self) -> u32 {
        self.pad
    }

    /// The most tokens that the tokenizer's files allow, if they say.
    pub fn max_length(&self) -> Option<usize> {
        self.max_length
    }

    /// Writes `tokenizer.json`, `vocab.txt`, `tokenizer_config.json` and `special_tokens_map.json` into `directory`.
    /// transformers truncates to `max_length`.
    pub fn save(&self, directory: &Path, max_length: usize) -> Result<(), TokenizerError> {
        save::save(&self.inner, directory, max_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Tokenizer {
        let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "오늘", "##은", "행복", "##해", "!", "A", "漢"];
        Tokenizer::from_vocabulary(tokens.map(str::to_owned).to_vec()).unwrap()
    }

    fn tokens(text: &str, max_length: usize) -> String {
        let tokenizer = small();
        tokenizer.tokens(&tokenizer.encode(text, max_length).ids).join(" ")
    }

    #[test]
    fn words_are_spelt_with_the_longest_pieces() {
        assert_eq!(tokens("오늘은 행복해!", 64), "[CLS] 오늘 ##은 행복 ##해 ! [SEP]");
    }

    #[test]
    fn truncation_keeps_the_separator() {
        assert_eq!(tokens("오늘은 행복해!", 4), "[CLS] 오늘 ##은 [SEP]");
    }

    #[test]
    fn letters_keep_their_case_and_hangul_its_syllables() {
        assert_eq!(tokens("A a 漢오늘", 64), "[CLS] A [UNK] 漢 오늘 [SEP]");
    }

    #[test]
    fn an_empty_text_is_two_tokens() {
        assert_eq!(tokens("", 64), "[CLS] [SEP]");
        assert_eq!(tokens(" \t\u{200b}", 64), "[CLS] [SEP]");
    }

    #[test]
    fn a_text_of_ten_thousand_characters_is_truncated() {
        assert_eq!(small().encode(&"오늘은 ".repeat(2500), 128).ids.len(), 128);
        assert_eq!(tokens(&"가".repeat(10_000), 128), "[CLS] [UNK] [SEP]");
    }

    #[test]
    fn a_batch_is_in_input_order() {
        let tokenizer = small();
        let texts: Vec<String> = (0..500).map(|row| "행복 ".repeat(row % 7)).collect();
        let batch = tokenizer.encode_batch(&texts, 64);
        assert!(texts.iter().zip(&batch).all(|(text, encoding)| tokenizer.encode(text, 64) == *encoding));
    }

    #[test]
    fn a_vocabulary_without_a_special_token_is_refused() {
        let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "가"].map(str::to_owned).to_vec();
        let message = Tokenizer::from_vocabulary(vocabulary).unwrap_err().to_string();
        assert_eq!(message, "`vocabulary` has no token `[SEP]`");
    }
}
