//! Looking into a table: schema, head, samples, conditions, SQL, counts, statistics.
//!
//! A parquet file is scanned lazily: its schema and row count come from the footer, a head from its first row groups,
//! and every question reads only the columns that it asks about, a part at a time. The other formats are read whole.

mod batches;
mod convert;
mod query;
mod sample;
mod statistics;
mod text_table;

use std::path::{Path, PathBuf};

use polars::prelude::{
    DataFrame, DataType, Engine, Expr, IntoLazy, LazyFrame, PlRefPath, PolarsError, ScanArgsParquet,
    SortMultipleOptions, col, len, lit,
};
use stage::{Format, SourceOptions};

use crate::source::{self, Source};
use crate::{ColumnInfo, DatasetError, Table, parquet};

pub(crate) use convert::type_name;

/// A table, or the answer to a question about one, that has not been computed yet.
#[derive(Clone)]
pub struct Inspector {
    /// The table without the condition.
    table: LazyFrame,
    condition: Option<Expr>,
    /// Known from a file's footer; an answer has to be counted.
    rows: Option<u64>,
    /// The parquet file whose rows these are, and its name.
    file: Option<(PathBuf, String)>,
}

/// Opens a table; without a format, the file's ending says it. `name` is for messages.
pub fn open(path: &Path, name: &str, format: Option<Format>) -> Result<Inspector, DatasetError> {
    let options = SourceOptions {
        format,
        ..SourceOptions::default()
    };
    open_with(path, name, &options)
}

/// Opens a table that is read as `options` say. `name` is for messages.
pub fn open_with(path: &Path, name: &str, options: &SourceOptions) -> Result<Inspector, DatasetError> {
    let source = source::source(path, name, options)?;
    let Source::Parquet(path, name) = source else {
        return Ok(Inspector::in_memory(text_table::read(&source, name)?));
    };
    let failed = |error: PolarsError| DatasetError::parquet(name, &error);
    let rows = parquet::open(path, name)?.num_rows().map_err(failed)? as u64;
    let at = PlRefPath::try_from_path(path).map_err(failed)?;
    let arguments = ScanArgsParquet {
        glob: false,
        ..Default::default()
    };
    Ok(Inspector {
        table: LazyFrame::scan_parquet(at, arguments).map_err(failed)?,
        condition: None,
        rows: Some(rows),
        file: Some((path.to_owned(), name.to_owned())),
    })
}

/// The answer to a SQL query over several tables by their names.
pub fn sql(tables: &[(&str, &Inspector)], query: &str) -> Result<Inspector, DatasetError> {
    let frames: Vec<(&str, LazyFrame)> = tables
        .iter()
        .map(|(name, table)| (*name, table.frame()))
        .collect();
    let frame = query::answer(&frames, query)?;
    Ok(Inspector {
        table: frame,
        condition: None,
        rows: None,
        file: None,
    })
}

impl Inspector {
    fn in_memory(frame: DataFrame) -> Self {
        Self {
            rows: Some(frame.height() as u64),
            table: frame.lazy(),
            condition: None,
            file: None,
        }
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> Result<Vec<ColumnInfo>, DatasetError> {
        let schema = self
            .table
            .clone()
            .collect_schema()
            .map_err(|error| self.failed(error))?;
        Ok(schema
            .iter()
            .map(|(name, dtype)| ColumnInfo {
                name: name.to_string(),
                dtype: type_name(dtype),
            })
            .collect())
    }

    /// Number of rows.
    pub fn rows(&self) -> Result<u64, DatasetError> {
        if let Some(rows) = self.rows {
            return Ok(rows);
        }
        let counted = self.collect(self.frame().select([len().alias("rows")]))?;
        match counted.rows.first().and_then(|row| row.first()) {
            Some(crate::Cell::UInt(rows)) => Ok(*rows),
            _ => Ok(0),
        }
    }

    /// The first `count` rows.
    pub fn head(&self, count: usize) -> Result<Table, DatasetError> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.collect(self.frame().slice(0, count))
    }

    /// All rows.
    pub fn all(&self) -> Result<Table, DatasetError> {
        self.collect(self.frame())
    }

    /// The rows for which a SQL condition holds: `pred_conf >= 0.9 AND pred_emotion = '기쁨'`.
    pub fn filter(&self, condition: &str) -> Result<Self, DatasetError> {
        let condition = query::condition(&self.table, condition)?;
        Ok(Self {
            condition: Some(match &self.condition {
                Some(before) => before.clone().and(condition),
                None => condition,
            }),
            rows: None,
            ..self.clone()
        })
    }

    /// The answer to a SQL query over table `t`.
    pub fn sql(&self, query: &str) -> Result<Self, DatasetError> {
        sql(&[("t", self)], query)
    }

    /// For each value of a column: rows, share of all rows and, where there is `pred_conf`, its mean. Most rows first.
    pub fn by(&self, column: &str) -> Result<Self, DatasetError> {
        let schema = self.schema()?;
        let has = |name: &str| schema.iter().any(|column| column.name == name);
        if !has(column) {
            return Err(self.failed(PolarsError::ColumnNotFound(column.to_owned().into())));
        }
        let total = self.rows()?.max(1) as f64;
        let rows = len().cast(DataType::UInt64);
        let mut figures = vec![
            rows.clone().alias("rows"),
            (rows.cast(DataType::Float64) / lit(total)).alias("share"),
        ];
        if has("pred_conf") && column != "pred_conf" {
            figures.push(col("pred_conf").mean().alias("mean_pred_conf"));
        }
        // Equal counts stand in the order of the values, so that the answer is always the same.
        let order = SortMultipleOptions::default()
            .with_order_descending_multi([true, false])
            .with_nulls_last(true);
        let groups = self.frame().group_by([exact(column)]).agg(figures);
        Ok(Self {
            table: groups.sort_by_exprs([exact("rows"), exact(column)], order),
            condition: None,
            rows: None,
            file: None,
        })
    }

    /// Per column: nulls, distinct values, least, greatest and mean value, lengths of strings, most frequent values.
    pub fn stats(&self) -> Result<Table, DatasetError> {
        statistics::compute_table(self)
    }

    fn frame(&self) -> LazyFrame {
        match &self.condition {
            Some(condition) => self.table.clone().filter(condition.clone()),
            None => self.table.clone(),
        }
    }

    fn collect(&self, frame: LazyFrame) -> Result<Table, DatasetError> {
        Ok(convert::table(&self.computed(frame)?))
    }

    fn computed(&self, frame: LazyFrame) -> Result<DataFrame, DatasetError> {
        compute(frame).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: PolarsError) -> DatasetError {
        query::in_words(&error, &query::columns(&self.table), None)
    }
}

/// In parts, so that a table need not fit in memory if what is asked for does.
fn compute(frame: LazyFrame) -> Result<DataFrame, PolarsError> {
    Ok(frame.collect_with_engine(Engine::Streaming)?.unwrap_single())
}

/// A column by its name as it is: `col` would take `^…$` for a pattern and `*` for all.
fn exact(name: &str) -> Expr {
    polars::prelude::by_name([name], true, false).as_expr()
}
