//! The tokenizer itself: text to `[CLS] … [SEP]` ids.

use std::path::Path;

use rayon::prelude::*;
use tokenizers::Model;
use tokenizers::models::ModelWrapper;

use crate::sentence_piece::{self, SentencePiece};
use crate::special::{CLS, PAD, SEP, UNK};
use crate::word_piece::WordPiece;
use crate::{TokenizerError, files, save};

/// A character that no vocabulary has.
const NOWHERE: &str = "\u{10ffff}";

/// The ids of one text, `[CLS]` and `[SEP]` included, truncated, not padded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// Token ids in the order of the text.
    pub ids: Vec<u32>,
}

/// A WordPiece or unigram tokenizer with BERT's special tokens.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The short way for most texts, where the settings allow it.
    word_piece: Option<WordPiece>,
    vocab_size: usize,
    cls: u32,
    sep: u32,
    pad: u32,
    max_length: Option<usize>,
    /// The SentencePiece model that it was made of.
    sentence_piece: Option<SentencePiece>,
    /// Whether texts are spelt as that model does, rather than as `tokenizer.json` does.
    exact: bool,
}

impl Tokenizer {
    /// Loads `spiece.model`, else `tokenizer.json`, else `vocab.txt`, of a Hugging Face directory.
    ///
    /// Padding and truncation in `tokenizer.json` are not applied: callers say how long an encoding may be.
    pub fn load(directory: &Path) -> Result<Self, TokenizerError> {
        files::load(directory)
    }

    /// A cased BERT tokenizer over `vocabulary` (ids are positions), which must hold the special tokens.
    pub fn from_vocabulary(vocabulary: Vec<String>) -> Result<Self, TokenizerError> {
        let path = Path::new("vocabulary");
        Self::new(
            files::bert_tokenizer(&vocabulary, &files::TokenizerConfig::default(), path)?,
            None,
            path,
        )
    }

    /// Checks that `inner`, which was read from `path`, can encode any text.
    pub(crate) fn new(
        mut inner: tokenizers::Tokenizer,
        max_length: Option<usize>,
        path: &Path,
    ) -> Result<Self, TokenizerError> {
        let has_unknown = match inner.get_model() {
            ModelWrapper::WordPiece(model) => inner.token_to_id(&model.unk_token).is_some(),
            ModelWrapper::Unigram(model) => model.tokenize(NOWHERE).is_ok(),
            _ => {
                return Err(TokenizerError::invalid(
                    path,
                    "neither a WordPiece nor a unigram tokenizer, which are the kinds supported",
                ));
            }
        };
        if !has_unknown {
            return Err(TokenizerError::NoSpecialToken {
                path: path.to_owned(),
                token: UNK,
            });
        }
        let id = |token: &'static str| {
            inner
                .token_to_id(token)
                .ok_or_else(|| TokenizerError::NoSpecialToken {
                    path: path.to_owned(),
                    token,
                })
        };
        let (cls, sep, pad) = (id(CLS)?, id(SEP)?, id(PAD)?);
        let highest = inner.get_vocab(true).into_values().max().unwrap_or(0);
        inner.with_padding(None);
        // SentencePiece has no tokens beside its pieces, and finds special ones as it finds any other piece.
        let is_unigram = matches!(inner.get_model(), ModelWrapper::Unigram(_));
        inner.set_encode_special_tokens(is_unigram);
        inner
            .with_truncation(None)
            .map_err(|error| TokenizerError::invalid(path, error))?;
        Ok(Self {
            word_piece: WordPiece::new(&inner),
            inner,
            vocab_size: highest as usize + 1,
            cls,
            sep,
            pad,
            max_length,
            sentence_piece: None,
            exact: false,
        })
    }

    /// Spells texts as `model`, which the tokenizer was made of.
    pub(crate) fn with_sentence_piece(mut self, model: SentencePiece) -> Self {
        self.sentence_piece = Some(model);
        self.exact = true;
        self
    }

    /// The tokenizer that it becomes when it is saved and loaded: where a SentencePiece model finds several spellings
    /// equally likely, `tokenizer.json` may take another one, and a model is to be trained with the one it will be used with.
    #[must_use]
    pub fn into_portable(mut self) -> Self {
        self.exact = false;
        self
    }

    /// The tokenizer without the tokens from id `limit` on that were added to its vocabulary, which an encoder of `limit`
    /// embeddings has never seen. A vocabulary that is itself larger stays as it is.
    pub fn without_added_from(self, limit: usize) -> Result<Self, TokenizerError> {
        if self.vocab_size <= limit || self.inner.get_vocab_size(false) > limit {
            return Ok(self);
        }
        let path = Path::new(files::TOKENIZER);
        let mut file =
            serde_json::to_value(&self.inner).map_err(|error| TokenizerError::invalid(path, error))?;
        if let Some(added) = file["added_tokens"].as_array_mut() {
            added.retain(|token| token["id"].as_u64().is_some_and(|id| id < limit as u64));
        }
        let inner = tokenizers::Tokenizer::from_bytes(file.to_string())
            .map_err(|error| TokenizerError::invalid(path, error))?;
        let Self {
            max_length,
            sentence_piece,
            exact,
            ..
        } = self;
        Ok(Self {
            sentence_piece,
            exact,
            ..Self::new(inner, max_length, path)?
        })
    }

    /// The ids of `text`, at most `max_length` of them (at least 2); `[SEP]` stays when it is truncated.
    pub fn encode(&self, text: &str, max_length: usize) -> Encoding {
        let room = max_length.saturating_sub(2);
        let mut words = self.words(text, room);
        let mut ids = Vec::with_capacity(words.len() + 2);
        ids.push(self.cls);
        ids.append(&mut words);
        ids.push(self.sep);
        Encoding { ids }
    }

    /// Ids of the words alone, at most `room`.
    fn words(&self, text: &str, room: usize) -> Vec<u32> {
        if let Some(model) = self.sentence_piece.as_ref().filter(|_| self.exact) {
            let mut ids = model.encode(text);
            ids.truncate(room);
            return ids;
        }
        let short = self.word_piece.as_ref();
        short
            .and_then(|words| words.encode(text, room))
            .unwrap_or_else(|| {
                let mut ids = self.spelt(text);
                ids.truncate(room);
                ids
            })
    }

    /// Ids of the words alone, as `tokenizers` finds them.
    pub(crate) fn spelt(&self, text: &str) -> Vec<u32> {
        let encoded = self.inner.encode_fast(text, false);
        encoded
            .expect("a model with an unknown token spells any text")
            .get_ids()
            .to_vec()
    }

    #[cfg(test)]
    pub(crate) fn word_piece(&self) -> Option<&WordPiece> {
        self.word_piece.as_ref()
    }

    /// [`Tokenizer::encode`] for many texts, on all threads, in input order.
    pub fn encode_batch<S: AsRef<str> + Sync>(&self, texts: &[S], max_length: usize) -> Vec<Encoding> {
        texts
            .par_iter()
            .with_min_len(64)
            .map(|text| self.encode(text.as_ref(), max_length))
            .collect()
    }

    /// The tokens of `ids`, as they stand in the vocabulary; `[UNK]` for an id that is not in it.
    pub fn tokens(&self, ids: &[u32]) -> Vec<String> {
        ids.iter()
            .map(|&id| self.inner.id_to_token(id).unwrap_or_else(|| UNK.to_owned()))
            .collect()
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

    /// Writes `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json` and `vocab.txt` or `spiece.model` into
    /// `directory`. transformers truncates to `max_length`, and gives a model token types where it has `token_types`.
    pub fn save(&self, directory: &Path, max_length: usize, token_types: bool) -> Result<(), TokenizerError> {
        save::save(&self.inner, directory, max_length, token_types)?;
        match &self.sentence_piece {
            Some(model) => save::write(directory, sentence_piece::NAMES[0], &model.bytes),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Tokenizer {
        let tokens = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "오늘", "##은", "행복", "##해", "!", "A", "漢",
        ];
        Tokenizer::from_vocabulary(tokens.map(str::to_owned).to_vec()).unwrap()
    }

    fn tokens(text: &str, max_length: usize) -> String {
        let tokenizer = small();
        tokenizer
            .tokens(&tokenizer.encode(text, max_length).ids)
            .join(" ")
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
        assert!(
            texts
                .iter()
                .zip(&batch)
                .all(|(text, encoding)| tokenizer.encode(text, 64) == *encoding)
        );
    }

    #[test]
    fn a_vocabulary_without_a_special_token_is_refused() {
        let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "가"].map(str::to_owned).to_vec();
        let message = Tokenizer::from_vocabulary(vocabulary).unwrap_err().to_string();
        assert_eq!(message, "`vocabulary` has no token `[SEP]`");
    }
}
