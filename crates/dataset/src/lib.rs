//! Tables of texts: readers, cleaning, duplicates, splits, parquet, selection, inspection.
//!
//! The only crate that knows polars. It knows neither models nor training: a prediction is a row to it.

mod bad_row;
mod cell;
mod delimited;
mod duplicate;
mod error;
mod field;
mod indicator;
pub mod inspect;
mod json;
mod jsonl;
mod kcelectra;
mod label_reader;
mod lines;
mod normalize;
mod parquet;
mod read;
mod row;
mod rows;
mod scored;
mod select;
mod sheet;
mod source;
mod split;
mod text;
mod workbook;
mod write;

pub use bad_row::{BadRow, Line, Place, RowProblem};
pub use cell::{Cell, ColumnInfo, Table};
pub use duplicate::{DuplicateReport, Splits, drop_duplicates, duplicate_key};
pub use error::DatasetError;
pub use normalize::Normalize;
pub use read::{Labelled, Raw, ReadOptions, read_every_row, read_labelled, read_raw, stated_normalize};
pub use rows::{DropReason, Dropped, Notes, Rows, Split, Twin};
pub use scored::{ScoredWriter, write_scored};
pub use select::{
    ClassFunnel, Funnel, Selection, Threshold, Thresholds, ValidationFunnel, select, validation_funnel,
};
pub use sheet::SheetPlace;
pub use split::{sample, strata, take_stratified};
pub use write::{Column, write_columns, write_labelled, write_raw};

pub use label_reader::nearest_label;
