//! Tables of texts: readers, cleaning, duplicates, splits, parquet, selection, inspection.
//!
//! The only crate that knows polars. It knows neither models nor training: a prediction is a row to it.

mod bad_row;
mod batches;
mod cell;
mod delimited;
mod digests;
mod duplicate;
mod error;
mod field;
mod indicator;
pub mod inspect;
mod interner;
mod json;
mod jsonl;
mod kcelectra;
mod label_reader;
mod leak;
mod leak_table;
mod lines;
mod locate;
mod near;
mod normalize;
mod overrides;
mod parquet;
mod read;
mod row;
mod rows;
mod scored;
mod select;
mod sheet;
mod source;
mod split;
mod splits;
mod stream;
mod target;
mod text;
mod visit;
mod workbook;
mod write;

pub use bad_row::{BadRow, Line, Place, RowProblem};
pub use cell::{Cell, ColumnInfo, Table};
pub use duplicate::duplicate_key;
pub use error::DatasetError;
pub use leak::{GoldenShare, Guard, Leak, LeakGuard, Match};
pub use leak_table::write_leaks;
pub use locate::{Located, locate};
pub use normalize::Normalize;
pub use overrides::{
    Decided, DecisionProblem, Found, Mistake, Override, Overrides, ReviewFile, Spot, SpreadsheetWriter,
    Verdict, read_review, same_text,
};
pub use read::{Labelled, Raw, ReadOptions, read_every_row, read_labelled, read_raw, stated_normalize};
pub use rows::{DropReason, Dropped, ItemRows, Notes, Rows, Split, Twin};
pub use scored::{OptionalColumns, ScoredWriter, concat_scored, write_scored};
pub use select::{
    Basis, Cap, ClassEvidence, ClassFunnel, ClassThreshold, Evidence, Funnel, Learning, Policy, Reason,
    Request, Reviewed, Rule, Selection, Sweep, SweepPoint, Teaching, Threshold, ValidationFunnel, select,
};
pub use sheet::SheetPlace;
pub use split::{sample, strata, take_stratified};
pub use splits::Splits;
pub use stream::{count_rows, read_in_chunks};
pub use target::{Target, read_targets};
pub use write::{Column, write_columns, write_labelled, write_raw};

pub use label_reader::nearest_label;
