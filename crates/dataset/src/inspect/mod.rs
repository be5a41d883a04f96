//! Looking into a table: schema, head, conditions, SQL, counts, statistics.
//!
//! A parquet file is scanned, so that its schema, row count and head cost no more than they hold; the other formats
//! are read whole.

mod convert;
mod statistics;
mod text_table;

use std::path::Path;

use polars::prelude::{
    DataType, Expr, IntoLazy, LazyFrame, PlRefPath, PolarsError, ScanArgsParquet, SortMultipleOptions, col,
    len, lit,
};
use polars::sql::{SQLContext, sql_expr};
use stage::{Format, SourceOptions};

use crate::source::{self, Source};
use crate::{ColumnInfo, DatasetError, Table, parquet};

pub(crate) use convert::type_name;

/// A table, or the answer to a question about one, that has not been computed yet.
#[derive(Clone)]
pub struct Inspector {
    frame: LazyFrame,
    /// Known from a file's footer; a query's result has to be counted.
    rows: Option<u64>,
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
        let frame = text_table::read(&source, name)?;
        return Ok(Inspector {
            rows: Some(frame.height() as u64),
            frame: frame.lazy(),
        });
    };
    let failed = |error: PolarsError| DatasetError::parquet(name, &error);
    let rows = parquet::open(path, name)?.num_rows().map_err(failed)? as u64;
    let at = PlRefPath::try_from_path(path).map_err(failed)?;
    let arguments = ScanArgsParquet {
        glob: false,
        ..Default::default()
    };
    let frame = LazyFrame::scan_parquet(at, arguments).map_err(failed)?;
    Ok(Inspector {
        frame,
        rows: Some(rows),
    })
}

impl Inspector {
    /// Names and types of the columns.
    pub fn schema(&self) -> Result<Vec<ColumnInfo>, DatasetError> {
        let schema = self
            .frame
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
        let counted = self.collect(self.frame.clone().select([len().alias("rows")]))?;
        match counted.rows.first().and_then(|row| row.first()) {
            Some(crate::Cell::UInt(rows)) => Ok(*rows),
            _ => Ok(0),
        }
    }

    /// The first `count` rows.
    pub fn head(&self, count: usize) -> Result<Table, DatasetError> {
        self.collect(self.frame.clone().slice(0, count as u32))
    }

    /// All rows.
    pub fn all(&self) -> Result<Table, DatasetError> {
        self.collect(self.frame.clone())
    }

    /// The rows for which a SQL condition holds: `pred_conf >= 0.9 AND pred_emotion = '기쁨'`.
    pub fn filter(&self, condition: &str) -> Result<Self, DatasetError> {
        let condition = sql_expr(condition).map_err(|error| match error {
            // Polars speaks of an `Expr` here and does not say where the mistake is.
            PolarsError::SQLInterface(message) if message.contains("as Expr") => DatasetError::Query {
                message: format!("not a condition: `{condition}`"),
                hint: Some(
                    "a condition is what follows WHERE in SQL: `pred_conf >= 0.9 AND pred_emotion = '기쁨'`"
                        .into(),
                ),
            },
            other => self.failed(other),
        })?;
        self.derived(self.frame.clone().filter(condition))
    }

    /// The answer to a SQL query over table `t`.
    pub fn sql(&self, query: &str) -> Result<Self, DatasetError> {
        let mut context = SQLContext::new();
        context.register("t", self.frame.clone());
        let frame = context.execute(query).map_err(|error| self.failed(error))?;
        self.derived(frame)
    }

    /// For each value of a column: rows, share of all rows and, where there is `pred_conf`, its mean. Most rows first.
    pub fn by(&self, column: &str) -> Result<Table, DatasetError> {
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
        let groups = self.frame.clone().group_by([exact(column)]).agg(figures);
        self.collect(groups.sort_by_exprs([exact("rows"), exact(column)], order))
    }

    /// Per column: nulls, distinct values, least, greatest and mean value, lengths of strings, most frequent values.
    pub fn stats(&self) -> Result<Table, DatasetError> {
        statistics::compute(self)
    }

    fn collect(&self, frame: LazyFrame) -> Result<Table, DatasetError> {
        let frame = frame.collect().map_err(|error| self.failed(error))?;
        Ok(convert::table(&frame))
    }

    /// Resolves names and types, so that a mistake is reported where it was made.
    fn derived(&self, mut frame: LazyFrame) -> Result<Self, DatasetError> {
        frame.collect_schema().map_err(|error| self.failed(error))?;
        Ok(Self { frame, rows: None })
    }

    fn failed(&self, error: PolarsError) -> DatasetError {
        let columns = self
            .frame
            .clone()
            .collect_schema()
            .map(|schema| schema.iter_names().map(ToString::to_string).collect::<Vec<_>>());
        in_words(&error, &columns.unwrap_or_default())
    }
}

/// A column by its name as it is: `col` would take `^…$` for a pattern and `*` for all.
fn exact(name: &str) -> Expr {
    polars::prelude::by_name([name], true, false).as_expr()
}

fn in_words(error: &PolarsError, columns: &[String]) -> DatasetError {
    const QUOTES: &str = "strings stand in single quotes: `pred_emotion = '기쁨'`";
    let text = crate::error::first_line(&error.to_string());
    let query = |message: String, hint: Option<String>| DatasetError::Query { message, hint };
    let (unknown, syntax) = match root(error) {
        PolarsError::ColumnNotFound(name) | PolarsError::SchemaFieldNotFound(name) => (quoted(name), false),
        PolarsError::SQLInterface(message) if message.contains("relation") => {
            return query(text, Some("the table is called `t`".to_owned()));
        }
        PolarsError::SQLInterface(message) if message.contains("column") => (quoted(message), true),
        PolarsError::SQLInterface(message) if message.contains("unsupported") => {
            return query(message.to_string(), None);
        }
        PolarsError::SQLSyntax(_) | PolarsError::SQLInterface(_) => (None, true),
        _ => (None, false),
    };
    match unknown.filter(|name| !columns.contains(name)) {
        Some(name) => {
            let hint = match stage::nearest(&name, columns.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the columns are {}; {QUOTES}", columns.join(", ")),
            };
            query(format!("no column `{name}`"), Some(hint))
        }
        None => query(text, syntax.then(|| QUOTES.to_owned())),
    }
}

fn root(error: &PolarsError) -> &PolarsError {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => root(error),
        other => other,
    }
}

/// The first word in quotes of a message, or all of it if it is one word.
fn quoted(message: &str) -> Option<String> {
    let first_line = message.lines().next().unwrap_or_default();
    for quote in ['"', '\'', '`'] {
        let mut parts = first_line.split(quote);
        if let (Some(_), Some(word), Some(_)) = (parts.next(), parts.next(), parts.next()) {
            return Some(word.to_owned());
        }
    }
    (!first_line.is_empty() && !first_line.contains(' ')).then(|| first_line.to_owned())
}
