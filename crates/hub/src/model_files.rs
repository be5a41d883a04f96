//! Which files of a repository make a model that can be loaded here.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::cache::Snapshot;

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";
pub(crate) const PICKLED: &str = "pytorch_model.bin";

/// Any of these is a tokenizer.
const TOKENIZERS: [&str; 6] = [
    "tokenizer.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "tokenizer_78b3253a26.model",
];

/// What else is read if it is there.
const EXTRAS: [&str; 4] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "pipeline.json",
];

/// Files other than the weights, of which not all need exist.
pub(crate) fn small_files() -> impl Iterator<Item = &'static str> {
    std::iter::once(CONFIG).chain(TOKENIZERS).chain(EXTRAS)
}

/// The first file without which the model cannot be loaded.
pub(crate) fn missing(snapshot: &Snapshot) -> Option<String> {
    if !snapshot.has(CONFIG) {
        return Some(CONFIG.to_owned());
    }
    if !TOKENIZERS.iter().any(|file| snapshot.has(file)) {
        return Some(TOKENIZERS[0].to_owned());
    }
    if snapshot.has(WEIGHTS) {
        None
    } else if snapshot.has(INDEX) {
        // An index that cannot be read is as good as none.
        let Some(shards) = shards(snapshot) else {
            return Some(INDEX.to_owned());
        };
        shards.into_iter().find(|shard| !snapshot.has(shard))
    } else if snapshot.has(PICKLED) {
        None
    } else {
        Some(WEIGHTS.to_owned())
    }
}

/// Whether everything is there that the commit has: of files that are not there it is known that there are none.
pub(crate) fn is_complete(snapshot: &Snapshot) -> bool {
    let is_known = |file: &str| snapshot.has(file) || snapshot.lacks(file);
    let weights = [WEIGHTS, INDEX, PICKLED];
    let better_ones = weights.into_iter().take_while(|file| !snapshot.has(file));
    missing(snapshot).is_none()
        && small_files().all(is_known)
        && better_ones.into_iter().all(|file| snapshot.lacks(file))
}

/// Names of the files over which the weights are spread.
pub(crate) fn shards(snapshot: &Snapshot) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_str(&snapshot.read(INDEX).ok()?).ok()?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    let is_plain =
        |shard: &String| !shard.is_empty() && !shard.starts_with('.') && !shard.contains(['/', '\\']);
    (!shards.is_empty() && shards.iter().all(is_plain)).then_some(shards)
}
