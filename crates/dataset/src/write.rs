//! Tables as parquet: zstd, row groups of a fixed size, nothing that differs from run to run.

use std::fs::File;
use std::path::Path;

use classification::{LabelIds, LabelSet, Task};
use polars::io::parquet::write::{BatchedWriter, KeyValueMetadata};
use polars::prelude::{
    BooleanChunked, Column as PolarsColumn, DataFrame, DataType, Float32Chunked, Float32Type, Float64Chunked,
    Int64Chunked, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, ListStringChunkedBuilder,
    NamedFrom, NewChunkedArray, ParquetCompression, ParquetWriter, StringChunked, UInt64Chunked,
};

use crate::{DatasetError, Labelled, Normalize, Raw, Rows};

/// Rows per row group. Part of a file's bytes: a change of it is a change of every artifact's digest.
const ROW_GROUP: usize = 65_536;

/// The key in a file's metadata under which it says how its texts were normalised.
pub(crate) const NORMALIZE: &str = "pipeline.normalize";

/// A column of a small table.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Strings.
    Str(String, Vec<Option<String>>),
    /// 32-bit floats.
    F32(String, Vec<f32>),
    /// 64-bit floats.
    F64(String, Vec<f64>),
    /// Truth values.
    Bool(String, Vec<bool>),
    /// Whole numbers from 0.
    U64(String, Vec<u64>),
    /// Whole numbers.
    I64(String, Vec<i64>),
    /// Lists of 32-bit floats.
    ListF32(String, Vec<Vec<f32>>),
    /// Lists of strings.
    ListStr(String, Vec<Vec<String>>),
}

/// Writes a table of any columns of equal length.
pub fn write_columns(path: &Path, columns: Vec<Column>) -> Result<(), DatasetError> {
    let columns: Vec<PolarsColumn> = columns.into_iter().map(Column::into_polars).collect();
    let frame = DataFrame::new_infer_height(columns).map_err(|error| failed(path, error))?;
    write_frame(path, &frame, None)
}

/// Writes `id`, `text`, `label` (where the task is multi-label `labels`, a list), `source`.
pub fn write_labelled(
    path: &Path,
    rows: &Labelled,
    labels: &LabelSet,
    task: Task,
) -> Result<(), DatasetError> {
    write_in_groups(path, rows.len(), rows.notes.normalize, |range| {
        let [id, text, source] = common(rows, range.clone());
        let labels = label_column(label_title(task), &rows.labels[range], labels, task);
        vec![id, text, labels, source]
    })
}

/// Writes `id`, `text`, `source`.
pub fn write_raw(path: &Path, rows: &Raw) -> Result<(), DatasetError> {
    write_in_groups(path, rows.len(), rows.notes.normalize, |range| {
        common(rows, range).into()
    })
}

impl Column {
    fn into_polars(self) -> PolarsColumn {
        match self {
            Self::Str(name, values) => {
                StringChunked::from_iter_options(name.into(), values.into_iter()).into_column()
            }
            Self::F32(name, values) => Float32Chunked::from_vec(name.into(), values).into_column(),
            Self::F64(name, values) => Float64Chunked::from_vec(name.into(), values).into_column(),
            Self::Bool(name, values) => BooleanChunked::new(name.into(), values).into_column(),
            Self::U64(name, values) => UInt64Chunked::from_vec(name.into(), values).into_column(),
            Self::I64(name, values) => Int64Chunked::from_vec(name.into(), values).into_column(),
            Self::ListF32(name, values) => list_column(&name, values.iter().map(Vec::as_slice)),
            Self::ListStr(name, values) => {
                string_lists(&name, values.iter().map(|value| value.iter().map(String::as_str)))
            }
        }
    }
}

/// Builds and writes one row group after the other, so that the table never stands in memory twice.
pub(crate) fn write_in_groups(
    path: &Path,
    rows: usize,
    normalize: Option<Normalize>,
    columns: impl Fn(std::ops::Range<usize>) -> Vec<PolarsColumn>,
) -> Result<(), DatasetError> {
    let frame = |start: usize| {
        let end = rows.min(start + ROW_GROUP);
        DataFrame::new(end - start, columns(start..end)).map_err(|error| failed(path, error))
    };
    let mut writer = GroupWriter::create(path, &frame(rows)?, normalize)?;
    for start in (0..rows).step_by(ROW_GROUP) {
        writer.write(&frame(start)?)?;
    }
    writer.finish()
}

/// Writes a frame in row groups.
pub(crate) fn write_frame(
    path: &Path,
    frame: &DataFrame,
    normalize: Option<Normalize>,
) -> Result<(), DatasetError> {
    let mut writer = GroupWriter::create(path, frame, normalize)?;
    for start in (0..frame.height()).step_by(ROW_GROUP) {
        let mut group = frame.slice(start as i64, ROW_GROUP);
        group.rechunk_mut();
        writer.write(&group)?;
    }
    writer.finish()
}

struct GroupWriter<'p> {
    path: &'p Path,
    batches: BatchedWriter<File>,
}

impl<'p> GroupWriter<'p> {
    fn create(path: &'p Path, like: &DataFrame, normalize: Option<Normalize>) -> Result<Self, DatasetError> {
        let file = File::create(path).map_err(|error| failed(path, error))?;
        let stated = normalize.map(|normalize| vec![(NORMALIZE.to_owned(), normalize.as_str().to_owned())]);
        let batches = ParquetWriter::new(file)
            .with_compression(ParquetCompression::Zstd(None))
            .with_key_value_metadata(stated.map(KeyValueMetadata::from_static))
            .batched(like.schema())
            .map_err(|error| failed(path, error))?;
        Ok(Self { path, batches })
    }

    fn write(&mut self, group: &DataFrame) -> Result<(), DatasetError> {
        self.batches
            .write_batch(group)
            .map_err(|error| failed(self.path, error))
    }

    fn finish(self) -> Result<(), DatasetError> {
        self.batches
            .finish()
            .map(|_| ())
            .map_err(|error| failed(self.path, error))
    }
}

pub(crate) fn common<L>(rows: &Rows<L>, range: std::ops::Range<usize>) -> [PolarsColumn; 3] {
    [
        string_column("id", rows.ids[range.clone()].iter().map(String::as_str)),
        string_column("text", rows.texts[range.clone()].iter().map(String::as_str)),
        string_column("source", rows.sources[range].iter().map(AsRef::as_ref)),
    ]
}

pub(crate) fn string_column<'s>(name: &str, values: impl ExactSizeIterator<Item = &'s str>) -> PolarsColumn {
    StringChunked::from_iter_values(name.into(), values).into_column()
}

/// The column with the labels of a labelled table.
pub(crate) fn label_title(task: Task) -> &'static str {
    match task {
        Task::SingleLabel => "label",
        Task::MultiLabel => "labels",
    }
}

/// Labels by name: one each, or lists.
pub(crate) fn label_column<'l>(
    name: &str,
    rows: impl IntoIterator<Item = &'l LabelIds, IntoIter: ExactSizeIterator>,
    labels: &LabelSet,
    task: Task,
) -> PolarsColumn {
    let names = |row: &'l LabelIds| row.ids().iter().map(|id| labels.name(*id));
    let rows = rows.into_iter();
    match task {
        Task::SingleLabel => string_column(name, rows.map(|row| names(row).next().unwrap_or_default())),
        Task::MultiLabel => string_lists(name, rows.map(names)),
    }
}

/// A column of lists of strings.
pub(crate) fn string_lists<'s>(
    name: &str,
    rows: impl ExactSizeIterator<Item = impl Iterator<Item = &'s str>>,
) -> PolarsColumn {
    let mut builder = ListStringChunkedBuilder::new(name.into(), rows.len(), rows.len());
    for row in rows {
        builder.append_values_iter(row);
    }
    builder.finish().into_column()
}

pub(crate) fn float_column(name: &str, values: impl Iterator<Item = f32>) -> PolarsColumn {
    Float32Chunked::from_vec(name.into(), values.collect()).into_column()
}

pub(crate) fn list_column<'s>(name: &str, values: impl ExactSizeIterator<Item = &'s [f32]>) -> PolarsColumn {
    let mut builder =
        ListPrimitiveChunkedBuilder::<Float32Type>::new(name.into(), values.len(), 0, DataType::Float32);
    for value in values {
        builder.append_slice(value);
    }
    builder.finish().into_column()
}

pub(crate) fn failed(path: &Path, error: impl std::fmt::Display) -> DatasetError {
    let message = crate::error::first_line(&error.to_string());
    DatasetError::Write {
        name: path.display().to_string(),
        message,
    }
}
