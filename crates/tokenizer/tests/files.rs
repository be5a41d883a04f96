//! Tokenizer files: published ones against the ids of the reference implementations, and our own round trip.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokenizer::{SpecialTokens, Tokenizer, TokenizerError, train_wordpiece};

/// Vocabularies as their authors publish them, beside the checkout; they are too large to carry along.
fn published() -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tokenizers");
    if directory.join("expected.json").exists() {
        return Some(directory);
    }
    eprintln!("SKIPPED: no published tokenizers at `{}`", directory.display());
    None
}

fn expected(directory: &Path) -> (Vec<String>, usize, Value) {
    let file: Value =
        serde_json::from_slice(&std::fs::read(directory.join("expected.json")).unwrap()).unwrap();
    let texts = serde_json::from_value(file["texts"].clone()).unwrap();
    (
        texts,
        file["max_length"].as_u64().unwrap() as usize,
        file["ids"].clone(),
    )
}

fn ids(tokenizer: &Tokenizer, texts: &[String], max_length: usize) -> Vec<Vec<u32>> {
    tokenizer
        .encode_batch(texts, max_length)
        .into_iter()
        .map(|encoding| encoding.ids)
        .collect()
}

const WORDPIECE: [&str; 4] = [
    "KcELECTRA-v2022",
    "KoELECTRA-v3",
    "klue-roberta-base",
    "mBERT-cased",
];

#[test]
fn published_tokenizers_give_the_ids_of_the_reference() {
    let Some(directory) = published() else { return };
    let (texts, max_length, expected) = expected(&directory);
    for name in WORDPIECE {
        let tokenizer = Tokenizer::load(&directory.join(name)).unwrap();
        let wanted: Vec<Vec<u32>> = serde_json::from_value(expected[name].clone()).unwrap();
        for ((text, ids), wanted) in texts.iter().zip(ids(&tokenizer, &texts, max_length)).zip(wanted) {
            assert_eq!(ids, wanted, "{name}: {text}");
        }
        assert_eq!(tokenizer.max_length(), Some(512), "{name}");
    }
}

#[test]
fn a_saved_tokenizer_gives_the_same_ids_from_either_file() {
    let Some(directory) = published() else { return };
    let (texts, max_length, _) = expected(&directory);
    for name in WORDPIECE {
        let tokenizer = Tokenizer::load(&directory.join(name)).unwrap();
        let copy = tempfile::tempdir().unwrap();
        tokenizer.save(copy.path(), 100, true).unwrap();
        let wanted = ids(&tokenizer, &texts, max_length);
        assert_eq!(
            ids(&Tokenizer::load(copy.path()).unwrap(), &texts, max_length),
            wanted,
            "{name}, tokenizer.json"
        );
        std::fs::remove_file(copy.path().join("tokenizer.json")).unwrap();
        let from_vocabulary = Tokenizer::load(copy.path()).unwrap();
        assert_eq!(
            ids(&from_vocabulary, &texts, max_length),
            wanted,
            "{name}, vocab.txt"
        );
        assert_eq!(from_vocabulary.max_length(), Some(100));
    }
}

#[test]
fn kobert_gives_the_ids_of_sentencepiece() {
    let Some(directory) = published() else { return };
    let (texts, max_length, expected) = expected(&directory);
    let tokenizer = Tokenizer::load(&directory.join("KoBERT")).unwrap();
    let wanted: Vec<Vec<u32>> = serde_json::from_value(expected["KoBERT"].clone()).unwrap();
    for ((text, ids), wanted) in texts.iter().zip(ids(&tokenizer, &texts, max_length)).zip(wanted) {
        assert_eq!(ids, wanted, "{text:?}");
    }
    assert_eq!((tokenizer.vocab_size(), tokenizer.pad_id()), (8002, 1));
}

#[test]
fn a_saved_kobert_gives_the_same_ids_from_either_file() {
    let Some(directory) = published() else { return };
    let (texts, max_length, _) = expected(&directory);
    let tokenizer = Tokenizer::load(&directory.join("KoBERT"))
        .unwrap()
        .into_portable();
    let copy = tempfile::tempdir().unwrap();
    tokenizer.save(copy.path(), 100, true).unwrap();
    let wanted = ids(&tokenizer, &texts, max_length);
    assert_eq!(
        ids(&Tokenizer::load(copy.path()).unwrap(), &texts, max_length),
        wanted
    );
    std::fs::remove_file(copy.path().join("spiece.model")).unwrap();
    assert_eq!(
        ids(&Tokenizer::load(copy.path()).unwrap(), &texts, max_length),
        wanted
    );
    assert!(!copy.path().join("vocab.txt").exists());
}

#[test]
fn a_sentencepiece_file_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("sentencepiece.bpe.model"), "").unwrap();
    let message = Tokenizer::load(directory.path()).unwrap_err().to_string();
    assert!(
        message.contains("sentencepiece.bpe.model` is a SentencePiece model of a kind"),
        "{message}"
    );
    for content in ["", "<html>Not found</html>"] {
        std::fs::write(directory.path().join("spiece.model"), content).unwrap();
        let message = Tokenizer::load(directory.path()).unwrap_err().to_string();
        assert!(
            message.ends_with("spiece.model`: not a SentencePiece model, or cut off"),
            "{message}"
        );
    }
}

/// A SentencePiece model of `pieces` (text, score, type), without a table of replacements.
fn sentence_piece(pieces: &[(&str, f32, u8)]) -> Vec<u8> {
    let mut file = Vec::new();
    for (text, score, kind) in pieces {
        file.extend([0x0a, 2 + text.len() as u8 + 5 + 2, 0x0a, text.len() as u8]);
        file.extend(text.as_bytes());
        file.push(0x15);
        file.extend(score.to_le_bytes());
        file.extend([0x18, *kind]);
    }
    file
}

#[test]
fn pieces_are_spelt_as_sentencepiece_does() {
    let pieces = [
        ("[UNK]", 0.0, 2),
        ("[PAD]", 0.0, 3),
        ("[CLS]", 0.0, 3),
        ("[SEP]", 0.0, 4),
        ("▁", -4.0, 1),
        ("▁오늘", -5.0, 1),
        ("은", -6.0, 1),
        ("오", -7.0, 1),
    ];
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("spiece.model"), sentence_piece(&pieces)).unwrap();
    let tokenizer = Tokenizer::load(directory.path()).unwrap();
    let ids = |text: &str| tokenizer.encode(text, 64).ids;
    assert_eq!(ids("  오늘은   오 "), [2, 5, 6, 4, 7, 3]);
    // A run of unknown characters is one unknown; a user-defined piece is found in the text, the others are not.
    assert_eq!(ids("漢字은"), [2, 4, 0, 6, 3]);
    assert_eq!(ids("[SEP]"), [2, 4, 3, 3]);
    assert_eq!(ids(""), [2, 3]);
}

#[test]
fn a_directory_without_a_tokenizer_says_what_it_needs() {
    let directory = tempfile::tempdir().unwrap();
    let error = Tokenizer::load(directory.path()).unwrap_err();
    assert!(matches!(error, TokenizerError::Missing(_)));
    assert!(
        error
            .to_string()
            .contains("none of `tokenizer.json`, `vocab.txt` and `spiece.model`"),
        "{error}"
    );
}

#[test]
fn a_damaged_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("tokenizer.json"), "{\"version\": ").unwrap();
    let message = Tokenizer::load(directory.path()).unwrap_err().to_string();
    assert!(message.contains("tokenizer.json`: "), "{message}");
    std::fs::write(directory.path().join("tokenizer_config.json"), "3").unwrap();
    let message = Tokenizer::load(directory.path()).unwrap_err().to_string();
    assert!(message.contains("tokenizer_config.json`: "), "{message}");
}

#[test]
fn padding_and_truncation_of_the_file_are_not_applied() {
    let directory = tempfile::tempdir().unwrap();
    trained().save(directory.path(), 64, true).unwrap();
    let path = directory.path().join("tokenizer.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["truncation"] = serde_json::json!(
        {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0});
    file["padding"] = serde_json::json!({"strategy": {"Fixed": 20}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    std::fs::write(&path, file.to_string()).unwrap();
    assert_eq!(
        Tokenizer::load(directory.path())
            .unwrap()
            .encode("오늘 오늘 오늘", 64)
            .ids
            .len(),
        5
    );
}

#[test]
fn saved_files_tell_transformers_to_leave_case_and_hangul_alone() {
    let directory = tempfile::tempdir().unwrap();
    trained().save(directory.path(), 64, true).unwrap();
    let text = std::fs::read(directory.path().join("tokenizer_config.json")).unwrap();
    let config: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(config["tokenizer_class"], "BertTokenizer");
    assert_eq!(config["do_lower_case"], false);
    assert_eq!(config["strip_accents"], false);
    assert_eq!(config["model_max_length"], 64);
    assert_eq!(config["model_input_names"].as_array().unwrap().len(), 3);
    trained().save(directory.path(), 64, false).unwrap();
    let text = std::fs::read(directory.path().join("tokenizer_config.json")).unwrap();
    let config: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        config["model_input_names"],
        serde_json::json!(["input_ids", "attention_mask"])
    );
    for file in ["tokenizer.json", "vocab.txt", "special_tokens_map.json"] {
        assert!(directory.path().join(file).exists(), "{file}");
    }
}

#[test]
fn saving_twice_gives_the_same_bytes() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    trained().save(first.path(), 64, true).unwrap();
    trained().save(second.path(), 64, true).unwrap();
    for file in [
        "tokenizer.json",
        "vocab.txt",
        "tokenizer_config.json",
        "special_tokens_map.json",
    ] {
        let read = |directory: &Path| std::fs::read(directory.join(file)).unwrap();
        assert_eq!(read(first.path()), read(second.path()), "{file}");
    }
}

fn trained() -> Tokenizer {
    let texts = [
        "오늘은 정말 행복한 하루였다",
        "오늘은 정말 화가 난다",
        "하루 종일 행복했다",
    ];
    Tokenizer::from_vocabulary(train_wordpiece(texts.into_iter(), 200, SpecialTokens::Roberta)).unwrap()
}
