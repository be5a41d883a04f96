//! Decisions of a review: which rows a person keeps, drops or labels anew, whatever the stage would do.
//!
//! They lie in a csv file with the columns `id`, `decision` (`keep`, `drop` or `label`), `label` (the new one, or with
//! `keep` the one that was confirmed), `text` (as it stood when it was reviewed) and `note`, of which `id` and `decision`
//! must be there. More columns are ignored, so a file that was exported for review can be read as it comes back.

mod problem;
mod review_file;
mod spreadsheet;

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;

use classification::{LabelIds, LabelSet, Task};
use stage::InputItem;

use crate::DatasetError;
use crate::normalize::nfc;

pub(crate) use problem::list as mistakes_list;
pub use problem::{DecisionProblem, Mistake, Spot};
pub use review_file::{Decided, ReviewFile, read_review};
pub use spreadsheet::SpreadsheetWriter;

/// What a person says about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Keep it with the label that it has.
    Keep,
    /// Keep it with these labels: those that the person confirmed, whatever a model says by now.
    KeepAs(LabelIds),
    /// Leave it out.
    Drop,
    /// Keep it with these labels: one where the task is single-label.
    Label(LabelIds),
}

impl Verdict {
    /// The word in the column `decision`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Keep | Self::KeepAs(_) => "keep",
            Self::Drop => "drop",
            Self::Label(_) => "label",
        }
    }

    /// The cell in the column `label`: names between commas, nothing where none are decided.
    pub fn label_cell(&self, labels: &LabelSet) -> String {
        match self {
            Self::Keep | Self::Drop => String::new(),
            Self::KeepAs(ids) | Self::Label(ids) => {
                let names: Vec<&str> = ids.ids().iter().map(|id| labels.name(*id)).collect();
                names.join(",")
            }
        }
    }
}

/// The decision about one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// What was decided.
    pub verdict: Verdict,
    /// The text that was looked at; empty: not known.
    pub text: String,
    /// What the person wrote beside it.
    pub note: String,
}

/// Decisions by row id; ids count as equal if their NFC is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(BTreeMap<String, Override>);

/// What there is for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'o> {
    /// No decision.
    None,
    /// A decision about this text.
    Applies(&'o Override),
    /// A decision about another text with this id: it says nothing about this one.
    OtherText,
}

impl Overrides {
    /// Reads a file of decisions. Rows whose `decision` is empty are none.
    ///
    /// # Errors
    /// [`DatasetError::Overrides`] names every mistake of the file with its line and column.
    pub fn read(item: &InputItem, labels: &LabelSet, task: Task) -> Result<Self, DatasetError> {
        let file = read_review(item, labels, task)?;
        if !file.mistakes.is_empty() {
            return Err(DatasetError::Overrides {
                name: item.name.clone(),
                mistakes: file.mistakes,
            });
        }
        Ok(file
            .decisions
            .into_iter()
            .map(|decided| (decided.id, decided.decision))
            .collect())
    }

    /// The decision about the row `id` if it is about `text`: both are compared after NFC, without surrounding spaces
    /// and with equal line ends. A decision that does not know its text is about any.
    pub fn get(&self, id: &str, text: &str) -> Found<'_> {
        match self.0.get(&*nfc(id)) {
            None => Found::None,
            Some(decision) if decision.text.is_empty() || same_text(&decision.text, text) => {
                Found::Applies(decision)
            }
            Some(_) => Found::OtherText,
        }
    }

    /// The decision about the row `id`, whatever its text.
    pub fn by_id(&self, id: &str) -> Option<&Override> {
        self.0.get(&*nfc(id))
    }

    /// Adds a decision; the one that stood there before.
    pub fn insert(&mut self, id: &str, decision: Override) -> Option<Override> {
        self.0.insert(nfc(id).into_owned(), decision)
    }

    /// Takes a decision back.
    pub fn remove(&mut self, id: &str) -> Option<Override> {
        self.0.remove(&*nfc(id))
    }

    /// By id, which is in NFC.
    pub fn iter(&self) -> Iter<'_, String, Override> {
        self.0.iter()
    }

    /// Number of decisions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The decisions as a csv file that [`Overrides::read`] reads: in the order of ids, UTF-8 with a byte order mark.
    pub fn to_csv(&self, labels: &LabelSet) -> Vec<u8> {
        let mut writer = SpreadsheetWriter::new(&COLUMNS);
        for (id, decision) in &self.0 {
            let verdict = &decision.verdict;
            writer.row([
                id,
                verdict.as_str(),
                &verdict.label_cell(labels),
                &decision.text,
                &decision.note,
            ]);
        }
        writer.finish()
    }
}

/// In the order in which they are written.
const COLUMNS: [&str; 5] = ["id", "decision", "label", "text", "note"];

impl FromIterator<(String, Override)> for Overrides {
    fn from_iter<I: IntoIterator<Item = (String, Override)>>(decisions: I) -> Self {
        let mut overrides = Self::default();
        for (id, decision) in decisions {
            overrides.insert(&id, decision);
        }
        overrides
    }
}

impl<'o> IntoIterator for &'o Overrides {
    type Item = (&'o String, &'o Override);
    type IntoIter = Iter<'o, String, Override>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Whether two texts are the same to a reviewer: a spreadsheet program may have changed line ends and outer spaces.
pub fn same_text(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        nfc(text)
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .trim()
            .to_owned()
    };
    one == other || plain(one) == plain(other)
}
