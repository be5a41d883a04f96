//! `leaks.parquet`: what was found between tables, with both texts.

use std::path::Path;

use crate::{Column, DatasetError, Leak, write_columns};

/// Writes `split`, `id`, `text`, `source` of each row and `kept_split`, `kept_id`, `kept_text` of the row that it
/// repeats, their `similarity` (0 to 1) and `match` (`exact` or `near`).
pub fn write_leaks(path: &Path, leaks: &[Leak]) -> Result<(), DatasetError> {
    let strings = |name: &str, value: fn(&Leak) -> &str| {
        let values = leaks.iter().map(|leak| Some(value(leak).to_owned()));
        Column::Str(name.to_owned(), values.collect())
    };
    let similarities = leaks.iter().map(|leak| leak.similarity).collect();
    let columns = vec![
        strings("split", |leak| leak.split.as_str()),
        strings("id", |leak| &leak.id),
        strings("text", |leak| &leak.text),
        strings("source", |leak| &leak.source),
        strings("kept_split", |leak| leak.kept.split.as_str()),
        strings("kept_id", |leak| &leak.kept.id),
        strings("kept_text", |leak| &leak.kept_text),
        Column::F64("similarity".to_owned(), similarities),
        strings("match", |leak| leak.matched.as_str()),
    ];
    write_columns(path, columns)
}
