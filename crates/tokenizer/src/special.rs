//! The five special tokens, by content and in the order that each family of encoders numbers them.

/// Begins every encoded text.
pub(crate) const CLS: &str = "[CLS]";
/// Ends every encoded text.
pub(crate) const SEP: &str = "[SEP]";
/// Fills up batches.
pub(crate) const PAD: &str = "[PAD]";
/// Stands for what the vocabulary cannot spell.
pub(crate) const UNK: &str = "[UNK]";
/// Hides a token in masked language modelling.
pub(crate) const MASK: &str = "[MASK]";

/// Which ids the special tokens of a new vocabulary get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialTokens {
    /// `[PAD]` 0, `[UNK]` 1, `[CLS]` 2, `[SEP]` 3, `[MASK]` 4: ELECTRA and BERT.
    Bert,
    /// `[CLS]` 0, `[PAD]` 1, `[SEP]` 2, `[UNK]` 3, `[MASK]` 4: klue/roberta.
    Roberta,
}

impl SpecialTokens {
    /// The tokens in id order.
    pub fn tokens(self) -> [&'static str; 5] {
        match self {
            Self::Bert => [PAD, UNK, CLS, SEP, MASK],
            Self::Roberta => [CLS, PAD, SEP, UNK, MASK],
        }
    }
}
