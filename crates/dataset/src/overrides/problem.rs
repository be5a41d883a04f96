//! What is wrong with a decision.

use std::fmt;

/// Where a decision stands in its file; counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// Line of a text file on which the row begins.
    Line(u64),
    /// Row of a table without lines.
    Row(u64),
    /// Task of an annotation tool's export.
    Task(u64),
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Task(task) => write!(f, "task {task}"),
        }
    }
}

/// A mistake in a file of decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub at: Spot,
    /// The column, or the field.
    pub column: &'static str,
    /// What is wrong there.
    pub problem: DecisionProblem,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, `{}`: {}", self.at, self.column, self.problem)
    }
}

/// What is wrong with a decision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionProblem {
    /// The row has no id.
    #[error("no id")]
    NoId,
    /// The id stands in the file already.
    #[error("`{id}` stands in {first} already")]
    Repeated {
        /// The id.
        id: String,
        /// Where it stands first.
        first: Spot,
    },
    /// No row has this id.
    #[error("unknown id `{id}`{}", hint_at(nearest.as_deref()))]
    UnknownId {
        /// As in the file.
        id: String,
        /// The id that was probably meant.
        nearest: Option<String>,
    },
    /// The row with this id has another text.
    #[error("row `{id}` has the text “{text}”")]
    OtherText {
        /// The id.
        id: String,
        /// The row's text, shortened.
        text: String,
    },
    /// Neither `keep`, `drop` nor `label`.
    #[error("unknown decision `{decision}`{}", hint_at(nearest.as_deref()))]
    UnknownDecision {
        /// As in the file.
        decision: String,
        /// The closest one.
        nearest: Option<String>,
    },
    /// No label of the pipeline.
    #[error("unknown label `{label}`{}", hint_at(nearest.as_deref()))]
    UnknownLabel {
        /// As in the file.
        label: String,
        /// The closest one.
        nearest: Option<String>,
    },
    /// `label` without a label.
    #[error("no label, though the decision is `label`")]
    NoLabel,
    /// A label beside `drop`.
    #[error("label `{0}` beside the decision `drop`")]
    LabelBesideDrop(String),
    /// More or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    FieldCount {
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// Several people, or one person several times, say different things.
    #[error("annotations differ: {}", .0.join(" / "))]
    Disagreement(Vec<String>),
    /// The predicted label was written over.
    #[error("the prediction was changed to `{0}`")]
    PredictionChanged(String),
    /// Something that only this format of file can have wrong.
    #[error("{0}")]
    Other(String),
}

impl DecisionProblem {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoId => Some("every decision needs the id of its row"),
            Self::Repeated { .. } => Some("keep one of the two"),
            Self::UnknownId { .. } => Some(
                "a spreadsheet program may have changed the ids: `0012` becomes `12`, long numbers become `1.2E+15`; format the column as text",
            ),
            Self::OtherText { .. } => Some(
                "a review decides about rows, it does not change their texts; if the data is another by now, export it anew",
            ),
            Self::UnknownDecision { .. } => {
                Some("a decision is `keep`, `drop` or `label`; an empty cell is none")
            }
            Self::UnknownLabel { .. } => {
                Some("write a label of the pipeline file, or add this one to the `aliases` of a label")
            }
            Self::NoLabel => Some("write the label, or `keep` or `drop`"),
            Self::LabelBesideDrop(_) => Some("write `label` to change the label, or empty that cell"),
            Self::FieldCount { .. } => Some("a text with the separator in it needs double quotes around it"),
            Self::Disagreement(_) => {
                Some("settle it in the annotation tool, or mark one annotation as ground truth")
            }
            Self::PredictionChanged(_) => {
                Some("the prediction is the model's: a decision goes into the column `label`")
            }
            Self::Other(_) => None,
        }
    }
}

fn hint_at(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

/// The mistakes for a message: one behind a colon, more of them a line each.
pub(crate) fn list(mistakes: &[Mistake]) -> String {
    const SHOWN: usize = 50;
    if let [mistake] = mistakes {
        return format!(" {mistake}");
    }
    let mut text = format!(" {} mistakes:", mistakes.len());
    for mistake in mistakes.iter().take(SHOWN) {
        text.push_str(&format!("\n  {mistake}"));
    }
    if mistakes.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", mistakes.len() - SHOWN));
    }
    text
}
