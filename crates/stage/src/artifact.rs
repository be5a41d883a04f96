//! What an artifact holds, as far as the engine has to know to say whether it fits an input.

use serde::{Deserialize, Serialize};

/// The shape of an artifact. Files named in a pipeline file are [`ArtifactType::File`] until a stage reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactType {
    /// `id`, `text`, `label` (or `labels`), `source`.
    Labelled,
    /// `id`, `text`, `source`.
    Raw,
    /// One row per raw row with the model's prediction.
    Scored,
    /// As [`ArtifactType::Scored`], with the true `label`.
    LabelledScored,
    /// Scored rows that were selected, with `label` = `pred_emotion`.
    Kept,
    /// `id`, `kept`, `drop_reason`.
    Decided,
    /// Any other table.
    Table,
    /// A Hugging Face model directory.
    Model,
    /// A document for people or other programs (json, html, svg, txt, csv).
    Document,
    /// A file or directory that the user named; what it holds is known when it is read.
    File,
}

impl ArtifactType {
    /// The name used in messages.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Labelled => "a labelled table",
            Self::Raw => "a table of raw texts",
            Self::Scored => "a scored table",
            Self::LabelledScored => "a scored table with labels",
            Self::Kept => "a table of pseudo-labels",
            Self::Decided => "a table of decisions",
            Self::Table => "a table",
            Self::Model => "a model",
            Self::Document => "a document",
            Self::File => "a file",
        }
    }
}
