//! Tables of texts: readers, cleaning, duplicates, splits, parquet, selection, inspection.
//!
//! The only crate that knows polars. It knows neither models nor training: a prediction is a row to it.

mod bad_row;
mod cell;
mod delimited;
mod duplicate;
mod error;
pub mod inspect;
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
mod source;
mod split;
mod write;

pub use bad_row::{BadRow, Place, RowProblem};
pub use cell::{Cell, ColumnInfo, Table};
pub use duplicate::{DuplicateReport, Splits, drop_duplicates, duplicate_key};
pub use error::DatasetError;
pub use normalize::Normalize;
pub use read::{Labelled, Raw, ReadOptions, read_labelled, read_raw};
pub use rows::{DropReason, Dropped, Notes, Rows, Split, Twin};
pub use scored::{ScoredWriter, write_scored};
pub use select::{
    ClassFunnel, Funnel, Selection, Threshold, Thresholds, ValidationFunnel, select, validation_funnel,
};
pub use split::{sample, take_stratified};
pub use write::{Column, write_columns, write_labelled, write_raw};

pub use label_reader::nearest_label;
