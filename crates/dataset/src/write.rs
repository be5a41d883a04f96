//! Tables as parquet: zstd, row groups of a fixed size, nothing that differs from run to run.

use std::fs::File;
use std::path::{Path, PathBuf};

use classification::{LabelIds, LabelSet, Task};
use polars::io::parquet::write::{BatchedWriter, KeyValueMetadata};
use polars::prelude::{
    BooleanChunked, Column as PolarsColumn, DataFrame, DataType, Float32Chunked, Float32Type, Float64Chunked,
    Int64Chunked, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, ListStringChunkedBuilder,
    NamedFrom, NewChunkedArray, ParallelStrategy, ParquetCompression, ParquetWriter, SerReader,
    StringChunked, UInt64Chunked,
};

use crate::{DatasetError, Labelled, Normalize, Raw, Rows, parquet};

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

/// Writes the rows of tables with the same columns, one table behind the other, holding a row group and a table at a
/// time; their number. On one thread: others would keep memory of their own.
pub(crate) fn write_concatenated(path: &Path, parts: &[PathBuf]) -> Result<u64, DatasetError> {
    let (mut writer, mut rows) = (None, 0);
    let mut pending = DataFrame::empty();
    for part in parts {
        let name = part.display().to_string();
        let frame = parquet::open(part, &name)?
            .read_parallel(ParallelStrategy::None)
            .finish()
            .map_err(|error| DatasetError::parquet(&name, &error))?;
        rows += frame.height() as u64;
        let writer = match &mut writer {
            Some(writer) => writer,
            none => {
                pending = frame.clear();
                let normalize = parquet::stated_normalize(part, &name)?;
                none.insert(GroupWriter::on_one_thread(path, &frame, normalize)?)
            }
        };
        pending.vstack_mut(&frame).map_err(|error| failed(path, error))?;
        while pending.height() >= ROW_GROUP {
            writer.write_rows(&pending, 0)?;
            pending = pending.slice(ROW_GROUP as i64, pending.height());
        }
    }
    let Some(mut writer) = writer else {
        return Err(failed(path, "there is no part to write it from"));
    };
    if pending.height() > 0 {
        writer.write_rows(&pending, 0)?;
    }
    writer.finish()?;
    Ok(rows)
}

/// Writes a frame in row groups.
pub(crate) fn write_frame(
    path: &Path,
    frame: &DataFrame,
    normalize: Option<Normalize>,
) -> Result<(), DatasetError> {
    let mut writer = GroupWriter::create(path, frame, normalize)?;
    for start in (0..frame.height()).step_by(ROW_GROUP) {
        writer.write_rows(frame, start)?;
    }
    writer.finish()
}

/// Writes a table in row groups of a fixed size.
pub(crate) struct GroupWriter<'p> {
    path: &'p Path,
    batches: BatchedWriter<File>,
    /// Rows that do not fill a group yet.
    pending: Option<DataFrame>,
}

impl<'p> GroupWriter<'p> {
    /// Creates the file, for tables with the columns of `like`.
    pub(crate) fn create(
        path: &'p Path,
        like: &DataFrame,
        normalize: Option<Normalize>,
    ) -> Result<Self, DatasetError> {
        Self::open(path, like, normalize, true)
    }

    /// Writes the same bytes in more time and less memory.
    fn on_one_thread(
        path: &'p Path,
        like: &DataFrame,
        normalize: Option<Normalize>,
    ) -> Result<Self, DatasetError> {
        Self::open(path, like, normalize, false)
    }

    fn open(
        path: &'p Path,
        like: &DataFrame,
        normalize: Option<Normalize>,
        parallel: bool,
    ) -> Result<Self, DatasetError> {
        let file = File::create(path).map_err(|error| failed(path, error))?;
        let stated = normalize.map(|normalize| vec![(NORMALIZE.to_owned(), normalize.as_str().to_owned())]);
        let batches = ParquetWriter::new(file)
            .with_compression(ParquetCompression::Zstd(None))
            .with_key_value_metadata(stated.map(KeyValueMetadata::from_static))
            .set_parallel(parallel)
            .batched(like.schema())
            .map_err(|error| failed(path, error))?;
        Ok(Self {
            path,
            batches,
            pending: None,
        })
    }

    /// Adds rows in any number; they are written as soon as they fill a group.
    pub(crate) fn gather(&mut self, rows: DataFrame) -> Result<(), DatasetError> {
        let mut pending = match self.pending.take() {
            None => rows,
            Some(mut pending) => {
                pending
                    .vstack_mut(&rows)
                    .map_err(|error| failed(self.path, error))?;
                pending
            }
        };
        while pending.height() >= ROW_GROUP {
            let mut group = pending.slice(0, ROW_GROUP);
            group.rechunk_mut();
            self.write(&group)?;
            pending = pending.slice(ROW_GROUP as i64, pending.height());
        }
        self.pending = Some(pending);
        Ok(())
    }

    fn write(&mut self, group: &DataFrame) -> Result<(), DatasetError> {
        self.batches
            .write_batch(group)
            .map_err(|error| failed(self.path, error))
    }

    /// Writes a row group of the rows from `start` on.
    fn write_rows(&mut self, frame: &DataFrame, start: usize) -> Result<(), DatasetError> {
        let mut group = frame.slice(start as i64, ROW_GROUP);
        group.rechunk_mut();
        self.write(&group)
    }

    /// Writes what is left, and the footer.
    pub(crate) fn finish(mut self) -> Result<(), DatasetError> {
        if let Some(mut rest) = self.pending.take().filter(|rest| rest.height() > 0) {
            rest.rechunk_mut();
            self.write(&rest)?;
        }
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
