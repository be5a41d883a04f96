//! Whether the tables are enough to work with, and what is poor about them.

use std::collections::BTreeMap;

use classification::{LabelSet, Task};
use dataset::{DropReason, LeakGuard, Notes, Split, Splits};
use stage::Failure;

use crate::Params;
use crate::report::{Report, class_counts};

/// Every table has rows, and train has two classes; where the task is multi-label, one.
pub(crate) fn check_enough(splits: &Splits, labels: &LabelSet, task: Task) -> Result<(), Failure> {
    for (split, rows) in splits.labelled() {
        check_rows(split, rows.len(), &rows.notes)?;
        let counts = class_counts(rows, labels);
        let present: Vec<usize> = (0..labels.len()).filter(|class| counts[*class] > 0).collect();
        match (split, task, present.as_slice()) {
            (Split::Train, Task::SingleLabel, [only]) => {
                let message = format!("`train` has examples of one class only, `{}`", labels.name(*only));
                return Err(
                    Failure::stage(message).hint("a classifier needs examples of two classes at least")
                );
            }
            (Split::Train, Task::MultiLabel, []) => {
                return Err(Failure::stage("no row of `train` has a label"));
            }
            _ => {}
        }
    }
    splits
        .raw
        .as_ref()
        .map_or(Ok(()), |rows| check_rows(Split::Raw, rows.len(), &rows.notes))
}

fn check_rows(split: Split, rows: usize, notes: &Notes) -> Result<(), Failure> {
    if rows > 0 {
        return Ok(());
    }
    let mut reasons: BTreeMap<DropReason, u64> = BTreeMap::new();
    for row in &notes.dropped {
        *reasons.entry(row.reason).or_default() += 1;
    }
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{}: {}", reason.as_str(), stage::grouped(*count)))
        .collect();
    let (name, read) = (split.as_str(), stage::grouped(notes.rows));
    let message = match reasons.is_empty() {
        true => format!("`{name}` has no rows"),
        false => format!(
            "`{name}` has no rows left: {read} read, dropped {}",
            reasons.join(", ")
        ),
    };
    Err(Failure::stage(message))
}

/// What the user should look at, though the tables can be used.
pub(crate) fn warnings(splits: &Splits, params: &Params, report: &Report, labels: &LabelSet) -> Vec<String> {
    let mut warnings = Vec::new();
    for (split, rows) in splits.labelled() {
        let counts = class_counts(rows, labels);
        for class in (0..labels.len()).filter(|class| counts[*class] == 0) {
            warnings.push(format!(
                "`{}` has no example of class `{}`",
                split.as_str(),
                labels.name(class)
            ));
        }
    }
    for (split, fraction) in [
        (Split::Validation, params.validation_fraction),
        (Split::Golden, params.golden_fraction),
    ] {
        let name = split.as_str();
        if fraction.is_some() && !report.was_taken(split) {
            warnings.push(format!(
                "`{name}_fraction` has no effect, as there is an input `{name}`"
            ));
        }
    }
    if params.leak_guard == LeakGuard::Off && report.leaks > 0 {
        let leaks = stage::grouped(report.leaks);
        warnings.push(format!(
            "{leaks} rows repeat a text of a more protected table (`leak_guard` is off)"
        ));
    }
    warnings
}
