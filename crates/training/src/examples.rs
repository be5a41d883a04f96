//! Encoded, labelled texts.

use classification::LabelIds;
use tokenizer::Encoding;

/// Parallel columns: one entry per text.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    /// Names of the rows, for messages.
    pub ids: Vec<String>,
    /// Token ids.
    pub encodings: Vec<Encoding>,
    /// Label ids: exactly one each where the task is single-label.
    pub labels: Vec<LabelIds>,
}

impl Examples {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Tokens per text.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.encodings.iter().map(|encoding| encoding.ids.len()).collect()
    }
}
