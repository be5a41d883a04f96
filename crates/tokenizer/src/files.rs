//! Reads the files of a tokenizer.

use std::path::Path;

use serde::Deserialize;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, decoders};

use crate::sentence_piece::{self, SentencePiece};
use crate::special::{CLS, MASK, PAD, SEP, UNK};
use crate::{Tokenizer, TokenizerError};

pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const VOCABULARY: &str = "vocab.txt";
pub(crate) const CONFIG: &str = "tokenizer_config.json";

/// What of `tokenizer_config.json` matters. An absent `do_lower_case` is false here: Korean encoders are cased.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct TokenizerConfig {
    do_lower_case: bool,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: bool,
    /// transformers writes 1e30 for "unknown".
    model_max_length: Option<f64>,
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self {
            do_lower_case: false,
            strip_accents: None,
            tokenize_chinese_chars: true,
            model_max_length: None,
        }
    }
}

impl TokenizerConfig {
    fn read(directory: &Path) -> Result<Self, TokenizerError> {
        let path = directory.join(CONFIG);
        match read_optional(&path)? {
            Some(text) => serde_json::from_str(&text).map_err(|error| TokenizerError::invalid(&path, error)),
            None => Ok(Self::default()),
        }
    }

    fn max_length(&self) -> Option<usize> {
        self.model_max_length
            .filter(|length| (3.0..1e9).contains(length))
            .map(|length| length as usize)
    }
}

/// Loads the tokenizer of `directory`.
pub(crate) fn load(directory: &Path) -> Result<Tokenizer, TokenizerError> {
    let config = TokenizerConfig::read(directory)?;
    let path = directory.join(TOKENIZER);
    let text = read_optional(&path)?;
    // First, because files that others converted it to take Hangul apart.
    for name in sentence_piece::NAMES {
        let path = directory.join(name);
        if let Some(bytes) = read_optional_bytes(&path)? {
            let (model, portable) = SentencePiece::parse(bytes, &path)?;
            let ours = portable
                .to_string(true)
                .map_err(|error| TokenizerError::invalid(&path, error))?;
            let tokenizer = Tokenizer::new(portable, config.max_length(), &path)?.with_sentence_piece(model);
            return Ok(if text == Some(ours) {
                tokenizer.into_portable()
            } else {
                tokenizer
            });
        }
    }
    if let Some(text) = text {
        let inner =
            tokenizers::Tokenizer::from_bytes(text).map_err(|error| TokenizerError::invalid(&path, error))?;
        return Tokenizer::new(inner, config.max_length(), &path);
    }
    let path = directory.join(VOCABULARY);
    if let Some(text) = read_optional(&path)? {
        let vocabulary: Vec<String> = text.lines().map(str::to_owned).collect();
        return Tokenizer::new(
            bert_tokenizer(&vocabulary, &config, &path)?,
            config.max_length(),
            &path,
        );
    }
    for name in ["sentencepiece.bpe.model", "tokenizer.model"] {
        let path = directory.join(name);
        if path.exists() {
            return Err(TokenizerError::SentencePiece(path));
        }
    }
    Err(TokenizerError::Missing(directory.to_owned()))
}

/// BERT's tokenizer over `vocabulary`, as transformers builds it from `vocab.txt`.
pub(crate) fn bert_tokenizer(
    vocabulary: &[String],
    config: &TokenizerConfig,
    path: &Path,
) -> Result<tokenizers::Tokenizer, TokenizerError> {
    let invalid = |error: tokenizers::Error| TokenizerError::invalid(path, error);
    let mut ids = WordPiece::read_bytes(b"").map_err(invalid)?;
    ids.extend(
        vocabulary
            .iter()
            .enumerate()
            .map(|(id, token)| (token.clone(), id as u32)),
    );
    let model = WordPiece::builder()
        .vocab(ids)
        .unk_token(UNK.to_owned())
        .build()
        .map_err(invalid)?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    let normalizer = BertNormalizer::new(
        true,
        config.tokenize_chinese_chars,
        config.strip_accents,
        config.do_lower_case,
    );
    tokenizer.with_normalizer(Some(normalizer)).map_err(invalid)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_decoder(Some(decoders::wordpiece::WordPiece::default()));
    let specials = [PAD, UNK, CLS, SEP, MASK]
        .into_iter()
        .filter(|token| tokenizer.token_to_id(token).is_some());
    let specials: Vec<AddedToken> = specials.map(|token| AddedToken::from(token, true)).collect();
    tokenizer.add_special_tokens(specials).map_err(invalid)?;
    if let (Some(sep), Some(cls)) = (tokenizer.token_to_id(SEP), tokenizer.token_to_id(CLS)) {
        tokenizer.with_post_processor(Some(BertProcessing::new(
            (SEP.to_owned(), sep),
            (CLS.to_owned(), cls),
        )));
    }
    Ok(tokenizer)
}

fn read_optional(path: &Path) -> Result<Option<String>, TokenizerError> {
    let text = read_optional_bytes(path)?.map(String::from_utf8).transpose();
    text.map_err(|_| TokenizerError::invalid(path, "not UTF-8 text"))
}

fn read_optional_bytes(path: &Path) -> Result<Option<Vec<u8>>, TokenizerError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TokenizerError::io(path, error)),
    }
}
