//! Raw texts of any number, a piece at a time.
//!
//! An input is passed over twice: [`count_rows`] finds every mistake in it before work of hours begins, and
//! [`read_in_chunks`] hands its rows over. Parquet, csv, tsv and jsonl are never held as a whole; a json list and a
//! workbook are, as their formats want it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use stage::{ArtifactType, InputItem};

use crate::digests::Digests;
use crate::interner::Interner;
use crate::visit::{visit_rows, wanted_text};
use crate::{DatasetError, Raw, ReadOptions};

/// The number of rows of an input, rows without text included, once all of them can be used.
///
/// Checks what [`read_every_row`](crate::read_every_row) checks. The ids of the user's files take eight bytes a row in
/// the system's temporary folder; those of an artifact were checked when it was made.
pub fn count_rows(items: &[InputItem], options: &ReadOptions<'_>) -> Result<u64, DatasetError> {
    let mut rows = 0;
    let (mut ids, mut failure) = (Digests::default(), None);
    for item in items {
        let checked = item.artifact_type == ArtifactType::File;
        visit_rows(item, &wanted_text(item), &mut rows, &mut |_, number, row| {
            let id = options.id(row, number)?;
            if checked && failure.is_none() {
                failure = ids.push(digest(&id)).err();
            }
            Ok(())
        })?;
    }
    let failed = |error| DatasetError::io("temporary file", error);
    failure.map_or(Ok(()), |error| Err(failed(error)))?;
    if let (0, Some(item)) = (rows, items.first()) {
        return Err(DatasetError::NoRows {
            name: item.name.clone(),
        });
    }
    let suspects = ids.repeated().map_err(failed)?;
    if !suspects.is_empty() {
        find_repeated_id(items, options, &suspects)?;
    }
    Ok(rows)
}

/// Hands over the rows from `first` on, in order, `size` at a time and fewer at the end, until `take` breaks.
///
/// Rows have the ids that [`read_every_row`](crate::read_every_row) gives them, wherever the reading begins. That ids
/// are unique is checked by [`count_rows`] alone.
///
/// # Panics
/// If `size` is 0.
pub fn read_in_chunks(
    items: &[InputItem],
    options: &ReadOptions<'_>,
    first: u64,
    size: usize,
    take: &mut dyn FnMut(Raw) -> ControlFlow<()>,
) -> Result<(), DatasetError> {
    assert!(size > 0, "a chunk has rows");
    let mut rows = 0;
    let mut chunk = Raw::default();
    let mut flow = ControlFlow::Continue(());
    for item in items {
        let mut sources = Interner::of(item);
        visit_rows(item, &wanted_text(item), &mut rows, &mut |_, number, row| {
            // The reader of a file cannot be stopped; what it still finds is of no use.
            if number < first || flow.is_break() {
                return Ok(());
            }
            chunk.ids.push(options.id(row, number)?.into_owned());
            let text = options.normalize.apply(row.text.unwrap_or_default());
            chunk.texts.push(text.into_owned());
            chunk.labels.push(());
            chunk.sources.push(sources.get(row.source.unwrap_or_default()));
            if chunk.len() == size {
                flow = take(finished(&mut chunk, options));
            }
            Ok(())
        })?;
        if flow.is_break() {
            return Ok(());
        }
    }
    if !chunk.is_empty() {
        let _ = take(finished(&mut chunk, options));
    }
    Ok(())
}

fn finished(chunk: &mut Raw, options: &ReadOptions<'_>) -> Raw {
    let mut chunk = std::mem::take(chunk);
    chunk.notes.rows = chunk.len() as u64;
    chunk.notes.normalize = Some(options.normalize);
    chunk
}

/// The same in every run of the same program; a collision only costs a second look.
fn digest(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// The error for the first row whose id another one has, if any of the ids with these digests is indeed repeated.
fn find_repeated_id(
    items: &[InputItem],
    options: &ReadOptions<'_>,
    suspects: &HashSet<u64>,
) -> Result<(), DatasetError> {
    let mut rows = 0;
    let mut first: HashMap<String, String> = HashMap::new();
    let mut repeated = None;
    for item in items {
        let checked = item.artifact_type == ArtifactType::File;
        visit_rows(item, &wanted_text(item), &mut rows, &mut |place, number, row| {
            let id = options.id(row, number)?;
            if checked && repeated.is_none() && suspects.contains(&digest(&id)) {
                let second = format!("`{}` {place}", item.name);
                if let Some(first) = first.get(id.as_ref()) {
                    repeated = Some(DatasetError::RepeatedId {
                        id: id.into_owned(),
                        first: first.clone(),
                        second,
                    });
                } else {
                    first.insert(id.into_owned(), second);
                }
            }
            Ok(())
        })?;
    }
    repeated.map_or(Ok(()), Err)
}
