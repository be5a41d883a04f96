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
    /// Probabilities to be learnt in place of the labels: for each text those of all classes, in id order; they sum to
    /// 1 where the task is single-label.
    pub soft: Option<Vec<Vec<f32>>>,
}

/// What texts are to be given.
#[derive(Clone, Debug)]
pub enum Targets<'e> {
    /// The labels of each text.
    Labels(Vec<&'e LabelIds>),
    /// The probabilities of each text.
    Soft(Vec<&'e [f32]>),
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

    /// What these texts are to be given.
    pub(crate) fn targets(&self, rows: impl Iterator<Item = usize>) -> Targets<'_> {
        match &self.soft {
            None => Targets::Labels(rows.map(|row| &self.labels[row]).collect()),
            Some(soft) => Targets::Soft(rows.map(|row| soft[row].as_slice()).collect()),
        }
    }

    /// Tokens per text.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.encodings.iter().map(|encoding| encoding.ids.len()).collect()
    }
}
