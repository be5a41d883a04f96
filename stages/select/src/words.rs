//! What is said about a selection.

use classification::LabelSet;
use dataset::{ClassEvidence, Evidence, Funnel, Reviewed, Selection};
use stage::grouped;

use crate::params::Params;

/// "kept 3,831 of 5,000 rows (분노 600, 불안 564); no evidence for 당황".
pub(crate) fn headline(funnel: &Funnel, abstained: &[&str]) -> String {
    let classes: Vec<String> = funnel
        .classes
        .iter()
        .map(|(label, class)| format!("{label} {}", grouped(class.kept)))
        .collect();
    let abstained = match abstained {
        [] => String::new(),
        names => format!("; no evidence for {}", names.join(", ")),
    };
    format!(
        "kept {} of {} rows ({}){abstained}",
        grouped(funnel.kept),
        grouped(funnel.rows),
        classes.join(", ")
    )
}

/// What the user should look at.
pub(crate) fn warnings(selection: &Selection<'_>, params: &Params, labels: &LabelSet) -> Vec<String> {
    let mut warnings = empty_classes(selection);
    if let (Some(target), Some(evidence)) = (params.target_precision, &selection.evidence) {
        let classes = labels.names().zip(&selection.thresholds).zip(evidence);
        let abstaining = classes.filter(|((_, threshold), _)| threshold.min_confidence.is_none());
        warnings.extend(abstaining.map(|((label, _), evidence)| abstains(label, target, evidence)));
    }
    if let (Some(base), Some(learning)) = (params.min_confidence, &selection.learning) {
        let unsure = labels
            .names()
            .zip(learning)
            .filter(|(_, learning)| learning.status == 0.0);
        warnings.extend(unsure.map(|(label, _)| {
            format!(
                "no prediction of class `{label}` reaches a confidence of {base}, so `adaptive` accepts all of them \
                 whose margin suffices"
            )
        }));
    }
    warnings.extend(selection.reviewed.iter().flat_map(review));
    warnings
}

/// A student cannot learn a class that nothing teaches.
fn empty_classes(selection: &Selection<'_>) -> Vec<String> {
    let funnel = &selection.funnel;
    if funnel.kept == 0 {
        let drops: Vec<String> = funnel
            .drops
            .iter()
            .map(|(reason, count)| format!("{} by {reason}", grouped(*count)))
            .collect();
        return vec![format!(
            "nothing was kept of {} rows: dropped {}",
            grouped(funnel.rows),
            drops.join(", ")
        )];
    }
    let classes = funnel.classes.iter().zip(&selection.thresholds);
    let empty =
        classes.filter(|((_, class), threshold)| class.kept == 0 && threshold.min_confidence.is_some());
    empty
        .map(|((label, class), _)| {
            format!(
                "nothing was kept of class `{label}` ({} rows were predicted as it)",
                grouped(class.candidates)
            )
        })
        .collect()
}

/// Why a class abstains: no threshold's interval meets the target.
fn abstains(label: &str, target: f64, found: &ClassEvidence) -> String {
    let Evidence {
        rows,
        correct,
        ci95: Some(interval),
        ..
    } = found.evidence
    else {
        return format!(
            "class `{label}` abstains: no validation row that could be kept is predicted as it ({} are predicted)",
            grouped(found.predicted)
        );
    };
    let from = found.min_confidence.map_or_else(String::new, |confidence| {
        format!(" from a confidence of {confidence:.2} on")
    });
    let low = interval.low;
    let few = if rows == correct {
        format!("; {} right ones without a wrong one are needed", fewest(target))
    } else {
        String::new()
    };
    format!(
        "class `{label}` abstains: its precision is not shown to be {target}. At best {} of {} validation rows are \
         right{from}, which shows {low:.2}{few}",
        grouped(correct),
        grouped(rows)
    )
}

/// The least number of rows, all right, whose interval lies at or above `target`.
fn fewest(target: f64) -> u64 {
    let meets = |rows: u64| classification::wilson(rows, rows).is_some_and(|interval| interval.low >= target);
    // Wilson's lower bound of n of n is n / (n + z²), and z² is a little more than 3.8.
    let below = (target / (1.0 - target) * 3.8) as u64;
    (below.max(1)..).find(|rows| meets(*rows)).unwrap_or(below)
}

fn review(reviewed: &Reviewed) -> Vec<String> {
    let mut warnings = Vec::new();
    if reviewed.other_text > 0 {
        warnings.push(format!(
            "{} of {} review decisions are about another text than the row of that id has now; they were not applied",
            grouped(reviewed.other_text),
            grouped(reviewed.decisions)
        ));
    }
    if reviewed.absent > 0 {
        warnings.push(format!(
            "{} of {} review decisions are about rows that are not there",
            grouped(reviewed.absent),
            grouped(reviewed.decisions)
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_rows_meet_the_target_and_one_less_does_not() {
        let low = |rows| classification::wilson(rows, rows).map_or(0.0, |interval| interval.low);
        for target in [0.5, 0.7, 0.9, 0.95, 0.99, 0.999] {
            let rows = fewest(target);
            assert!(low(rows) >= target && low(rows - 1) < target, "{target}: {rows}");
        }
    }
}
