//! What a file proposes, whatever its format, before it is held against the rows that there are.

use dataset::{Decided, Mistake, ReviewFile};

/// All that a file says.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    /// In the order of the file.
    pub(super) decisions: Vec<Decided>,
    /// Rows that nobody decided about.
    pub(super) undecided: u64,
    pub(super) mistakes: Vec<Mistake>,
    /// What else there is to say.
    pub(super) notes: Vec<String>,
}

impl From<ReviewFile> for Proposals {
    fn from(file: ReviewFile) -> Self {
        Self {
            decisions: file.decisions,
            undecided: file.undecided,
            mistakes: file.mistakes,
            notes: Vec::new(),
        }
    }
}
