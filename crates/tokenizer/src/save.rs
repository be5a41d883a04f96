//! Writes the files of a tokenizer so that transformers gives the same ids.

use std::path::Path;

use serde_json::{Value, json};
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

use crate::TokenizerError;
use crate::files::{CONFIG, TOKENIZER, VOCABULARY};
use crate::special::{CLS, MASK, PAD, SEP, UNK};

pub(crate) fn save(
    tokenizer: &tokenizers::Tokenizer,
    directory: &Path,
    max_length: usize,
    token_types: bool,
) -> Result<(), TokenizerError> {
    std::fs::create_dir_all(directory).map_err(|error| TokenizerError::io(directory, error))?;
    let path = directory.join(TOKENIZER);
    let text = tokenizer
        .to_string(true)
        .map_err(|error| TokenizerError::invalid(&path, error))?;
    write(directory, TOKENIZER, text.as_bytes())?;
    if matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_)) {
        write(directory, VOCABULARY, vocabulary(tokenizer).as_bytes())?;
    }
    write_json(directory, CONFIG, &config(tokenizer, max_length, token_types))?;
    write_json(directory, "special_tokens_map.json", &special_tokens())
}

/// One token per line, the line number is the id.
fn vocabulary(tokenizer: &tokenizers::Tokenizer) -> String {
    let mut tokens: Vec<(u32, String)> = tokenizer
        .get_vocab(true)
        .into_iter()
        .map(|(token, id)| (id, token))
        .collect();
    tokens.sort_unstable();
    let mut text = String::new();
    let mut line = 0;
    for (id, token) in tokens {
        // A vocabulary that names a token twice leaves a hole.
        while line < id {
            text.push_str(&format!("[unused-id-{line}]\n"));
            line += 1;
        }
        text.push_str(&token);
        text.push('\n');
        line = id + 1;
    }
    text
}

/// transformers 5 ignores `tokenizer.json` where `tokenizer_class` is `BertTokenizer` and builds the tokenizer from these
/// flags instead; without `do_lower_case: false` it would lower-case and take Hangul apart.
/// A tokenizer that these flags cannot describe is used as it is under `PreTrainedTokenizerFast`.
fn config(tokenizer: &tokenizers::Tokenizer, max_length: usize, token_types: bool) -> Value {
    let mut config = special_tokens();
    config["model_max_length"] = json!(max_length);
    config["clean_up_tokenization_spaces"] = json!(false);
    match (tokenizer.get_normalizer(), tokenizer.get_pre_tokenizer()) {
        (
            Some(NormalizerWrapper::BertNormalizer(normalizer)),
            Some(PreTokenizerWrapper::BertPreTokenizer(_)),
        ) if normalizer.clean_text => {
            config["tokenizer_class"] = json!("BertTokenizer");
            config["do_lower_case"] = json!(normalizer.lowercase);
            config["strip_accents"] = json!(normalizer.strip_accents.unwrap_or(normalizer.lowercase));
            config["tokenize_chinese_chars"] = json!(normalizer.handle_chinese_chars);
        }
        _ => {
            config["tokenizer_class"] = json!("PreTrainedTokenizerFast");
            config["do_lower_case"] = json!(false);
        }
    }
    if tokenizer.get_encode_special_tokens() {
        config["split_special_tokens"] = json!(true);
    }
    config["model_input_names"] = if token_types {
        json!(["input_ids", "token_type_ids", "attention_mask"])
    } else {
        json!(["input_ids", "attention_mask"])
    };
    config
}

fn special_tokens() -> Value {
    json!({"cls_token": CLS, "mask_token": MASK, "pad_token": PAD, "sep_token": SEP, "unk_token": UNK})
}

fn write_json(directory: &Path, file: &str, value: &Value) -> Result<(), TokenizerError> {
    write(directory, file, format!("{value:#}\n").as_bytes())
}

pub(crate) fn write(directory: &Path, file: &str, content: &[u8]) -> Result<(), TokenizerError> {
    let path = directory.join(file);
    std::fs::write(&path, content).map_err(|error| TokenizerError::io(&path, error))
}
