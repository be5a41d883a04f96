//! A csv file of decisions, row by row.

use std::collections::HashMap;

use classification::{LabelIds, LabelSet, Task};
use stage::{Format, InputItem};

use super::spreadsheet::unguard;
use super::{DecisionProblem, Mistake, Override, Spot, Verdict};
use crate::delimited::Records;
use crate::label_reader::LabelReader;
use crate::normalize::nfc;
use crate::row::Row;
use crate::source::{Source, source};
use crate::{DatasetError, RowProblem};

/// All that a file says, right and wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewFile {
    /// In the order of the file.
    pub decisions: Vec<Decided>,
    /// Rows without a decision.
    pub undecided: u64,
    /// What cannot be understood.
    pub mistakes: Vec<Mistake>,
}

/// A decision and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Where it stands.
    pub at: Spot,
    /// The row that it is about, as in the file.
    pub id: String,
    /// The label that the person saw: the column `pred_emotion`, if the file has it.
    pub seen: Option<LabelIds>,
    /// What was decided.
    pub decision: Override,
}

/// Reads a csv (or tsv) file of decisions and goes on behind mistakes, so that all can be told at once.
///
/// A `label` without a `decision` is the decision `label`; a row with neither is undecided.
///
/// # Errors
/// The file cannot be read, is no csv file, or has no column `id` or `decision`.
pub fn read_review(item: &InputItem, labels: &LabelSet, task: Task) -> Result<ReviewFile, DatasetError> {
    let Source::Delimited(file, delimiter, header_row) = source(&item.path, &item.name, &item.options)?
    else {
        return Err(DatasetError::NotDecisions {
            name: item.name.clone(),
            format: item.options.format.or_else(|| Format::from_path(&item.path)),
        });
    };
    let mut records = Records::open(&file, delimiter, header_row)?;
    let columns = Columns::find(&item.name, &records.header)?;
    let mut reader = Reader {
        labels: LabelReader::new(item, labels)?,
        task,
        first: HashMap::new(),
        file: ReviewFile::default(),
    };
    while let Some(line) = records.next()? {
        let cell = |at: Option<usize>| unguard(at.and_then(|at| records.field(at)).unwrap_or_default());
        let cells = Cells {
            id: cell(Some(columns.id)),
            decision: cell(Some(columns.decision)).trim(),
            label: cell(columns.label).trim(),
            text: cell(columns.text),
            note: cell(columns.note),
            seen: columns.seen.map(|at| cell(Some(at)).trim()),
        };
        if cells.are_empty() {
            continue;
        }
        match records.complete() {
            Ok(()) => reader.add(Spot::Line(line), &cells),
            Err(RowProblem::FieldCount { found, expected }) => {
                reader.mistake(
                    Spot::Line(line),
                    "id",
                    DecisionProblem::FieldCount { found, expected },
                );
            }
            Err(other) => reader.mistake(Spot::Line(line), "id", DecisionProblem::Other(other.to_string())),
        }
    }
    Ok(reader.file)
}

/// Positions in the header.
struct Columns {
    id: usize,
    decision: usize,
    label: Option<usize>,
    text: Option<usize>,
    note: Option<usize>,
    seen: Option<usize>,
}

impl Columns {
    fn find(name: &str, header: &[String]) -> Result<Self, DatasetError> {
        let optional = |column: &str| {
            let mut found = (0..header.len()).filter(|at| header[*at].eq_ignore_ascii_case(column));
            match (found.next(), found.next()) {
                (first, None) => Ok(first),
                _ => Err(DatasetError::RepeatedColumn {
                    name: name.to_owned(),
                    column: column.to_owned(),
                }),
            }
        };
        let required = |column: &str| {
            optional(column)?.ok_or_else(|| DatasetError::missing_column(name, column, None, header.to_vec()))
        };
        Ok(Self {
            id: required("id")?,
            decision: required("decision")?,
            label: optional("label")?,
            text: optional("text")?,
            note: optional("note")?,
            seen: optional("pred_emotion")?,
        })
    }
}

/// The cells of a row that matter.
struct Cells<'r> {
    id: &'r str,
    decision: &'r str,
    label: &'r str,
    text: &'r str,
    note: &'r str,
    /// None: there is no such column.
    seen: Option<&'r str>,
}

impl Cells<'_> {
    /// Spreadsheet programs leave such rows behind.
    fn are_empty(&self) -> bool {
        [self.id, self.decision, self.label, self.text, self.note]
            .iter()
            .all(|cell| cell.trim().is_empty())
    }
}

struct Reader<'l> {
    labels: LabelReader<'l>,
    task: Task,
    /// Where each id stands first.
    first: HashMap<String, Spot>,
    file: ReviewFile,
}

impl Reader<'_> {
    fn add(&mut self, at: Spot, cells: &Cells<'_>) {
        let verdict = match self.verdict(cells) {
            Ok(Some(verdict)) => Some(verdict),
            Ok(None) => {
                self.file.undecided += 1;
                None
            }
            Err((column, problem)) => {
                self.mistake(at, column, problem);
                None
            }
        };
        if cells.id.trim().is_empty() {
            if verdict.is_some() {
                self.mistake(at, "id", DecisionProblem::NoId);
            }
            return;
        }
        let first = *self.first.entry(nfc(cells.id).into_owned()).or_insert(at);
        if first != at {
            let id = cells.id.to_owned();
            self.mistake(at, "id", DecisionProblem::Repeated { id, first });
            return;
        }
        if let Some(verdict) = verdict {
            let seen = match cells.seen.map(|cell| self.labels_of(cell)) {
                None | Some(Err(DecisionProblem::NoLabel)) => None,
                Some(Ok(seen)) => seen,
                Some(Err(problem)) => return self.mistake(at, "pred_emotion", problem),
            };
            self.file.decisions.push(Decided {
                at,
                id: cells.id.to_owned(),
                seen,
                decision: Override {
                    verdict,
                    text: cells.text.to_owned(),
                    note: cells.note.to_owned(),
                },
            });
        }
    }

    /// The verdict; none: the row is undecided.
    fn verdict(&mut self, cells: &Cells<'_>) -> Result<Option<Verdict>, (&'static str, DecisionProblem)> {
        const DECISIONS: [&str; 3] = ["keep", "drop", "label"];
        let decision = cells.decision.to_lowercase();
        match (decision.as_str(), cells.label) {
            ("", "") => Ok(None),
            ("keep", "") => Ok(Some(Verdict::Keep)),
            ("drop", "") => Ok(Some(Verdict::Drop)),
            ("keep", label) => match self.labels_of(label) {
                Ok(labels) => Ok(Some(labels.map_or(Verdict::Drop, Verdict::KeepAs))),
                Err(problem) => Err(("label", problem)),
            },
            ("drop", label) => {
                let label = label.to_owned();
                Err(("label", DecisionProblem::LabelBesideDrop(label)))
            }
            ("label" | "", label) => self.label(label).map(Some).map_err(|problem| ("label", problem)),
            (other, _) => {
                let nearest = stage::nearest(other, DECISIONS).map(str::to_owned);
                let decision = cells.decision.to_owned();
                Err(("decision", DecisionProblem::UnknownDecision { decision, nearest }))
            }
        }
    }

    fn label(&mut self, cell: &str) -> Result<Verdict, DecisionProblem> {
        // Without labels: the input's `map` says so.
        Ok(self.labels_of(cell)?.map_or(Verdict::Drop, Verdict::Label))
    }

    fn labels_of(&mut self, cell: &str) -> Result<Option<LabelIds>, DecisionProblem> {
        let row = Row {
            label: Some(cell),
            ..Row::default()
        };
        let read = match self.task {
            Task::SingleLabel => self.labels.one(&row),
            Task::MultiLabel => self.labels.names(cell).map(Some),
        };
        read.map_err(|problem| match problem {
            RowProblem::UnknownLabel { label, nearest } => DecisionProblem::UnknownLabel { label, nearest },
            RowProblem::NoLabel => DecisionProblem::NoLabel,
            other => DecisionProblem::Other(other.to_string()),
        })
    }

    fn mistake(&mut self, at: Spot, column: &'static str, problem: DecisionProblem) {
        self.file.mistakes.push(Mistake { at, column, problem });
    }
}
