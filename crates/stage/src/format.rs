//! The file formats of tables.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// A table's file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
    /// One JSON object per line.
    Jsonl,
    /// One JSON list of objects.
    Json,
    /// Apache Parquet.
    Parquet,
    /// A workbook of Excel 2007 and later.
    Xlsx,
    /// A workbook of Excel before 2007.
    Xls,
}

impl Format {
    /// Every format by its name in a pipeline file.
    pub const NAMES: [&str; 7] = ["csv", "tsv", "jsonl", "json", "parquet", "xlsx", "xls"];

    /// The format of this name in a pipeline file.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "jsonl" => Some(Self::Jsonl),
            "json" => Some(Self::Json),
            "parquet" => Some(Self::Parquet),
            "xlsx" => Some(Self::Xlsx),
            "xls" => Some(Self::Xls),
            _ => None,
        }
    }

    /// The format that a file's ending stands for.
    pub fn from_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "tab" => Some(Self::Tsv),
            "ndjson" => Some(Self::Jsonl),
            "pq" => Some(Self::Parquet),
            "xlsm" => Some(Self::Xlsx),
            name => Self::from_name(name),
        }
    }

    /// The name in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Xlsx => "xlsx",
            Self::Xls => "xls",
        }
    }

    /// Whether a file consists of sheets.
    pub fn has_sheets(self) -> bool {
        matches!(self, Self::Xlsx | Self::Xls)
    }

    /// Whether the names of the columns stand in a row of their own.
    pub fn has_header(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv) || self.has_sheets()
    }

    /// Whether a file is text, in some encoding.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::Jsonl | Self::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_the_format_of_that_name() {
        for name in Format::NAMES {
            assert_eq!(Format::from_name(name).map(Format::name), Some(name));
            assert_eq!(
                serde_json::to_value(Format::from_name(name)).ok(),
                Some(name.into())
            );
        }
    }

    #[test]
    fn endings_count_in_any_case() {
        assert_eq!(Format::from_path(Path::new("a.b.XLSX")), Some(Format::Xlsx));
        assert_eq!(Format::from_path(Path::new("a.ndjson")), Some(Format::Jsonl));
        assert_eq!(Format::from_path(Path::new("ratings.txt")), None);
    }
}
