//! The story of a row in aligned words.

use super::Story;
use super::layout::{Lines, one_line, quoted};
use super::learnt::Learnt;
use super::origin::Origin;
use super::prepared::{Leak, Prepared};
use super::scored::Scored;
use super::selected::{Check, Selected};

/// Columns where no terminal says how many there are.
pub(super) const WIDTH: usize = 110;
/// Rows of one sort that are listed; the others are counted.
const SHOWN: usize = 5;
/// All that there is to say, on lines of at most `width` columns as far as texts can be cut.
pub(super) fn text(story: &Story, width: usize) -> String {
    let mut lines = Lines::default();
    for prepared in &story.prepared {
        if let Some(origin) = &prepared.origin {
            lines.add_all("source", of_origin(origin, prepared));
        }
        if let Some(problem) = &prepared.origin_problem {
            lines.add("source", format!("not found: {problem}"));
        }
        lines.add_all(&prepared.version, of_prepared(prepared));
    }
    for scored in &story.scored {
        lines.add_all(&scored.version, of_scored(scored));
    }
    for selected in &story.selected {
        lines.add_all(&selected.version, of_selected(selected));
    }
    for reviewed in &story.reviewed {
        let mut line = format!("{}: {}", reviewed.file, reviewed.decision);
        if !reviewed.labels.is_empty() {
            line.push_str(&format!(" {}", reviewed.labels.join(", ")));
        }
        if !reviewed.note.is_empty() {
            line.push_str(&format!(" “{}”", one_line(&reviewed.note)));
        }
        line.push_str(&match (&reviewed.version, reviewed.other_text) {
            (_, true) => "; about another text, so it does not count".to_owned(),
            (Some(version), _) => format!("; in {version}"),
            (None, _) => "; the next run applies it".to_owned(),
        });
        lines.add("review", line);
    }
    lines.add_all("training", of_learnt(&story.learnt, story));
    for measured in &story.measured {
        let verdict = if measured.correct { "right" } else { "wrong" };
        let confidence = measured
            .confidence
            .map_or_else(String::new, |value| format!(" {value:.4}"));
        lines.add(
            &measured.version,
            format!(
                "{} says {}{confidence}: {verdict} (golden: {})",
                measured.model,
                names(&measured.predicted),
                names(&measured.labels)
            ),
        );
    }
    lines.render(
        &story.id,
        story.text.as_deref().unwrap_or("(text not kept)"),
        width,
    )
}

fn of_origin(origin: &Origin, prepared: &Prepared) -> Vec<String> {
    let line = match (origin.line, origin.in_sheet) {
        (Some(line), false) => format!(" line {line},"),
        (Some(row), true) => format!(" row {row} of the sheet,"),
        (None, _) => String::new(),
    };
    let mut lines = vec![format!(
        "{}{line} data row {} (input `{}`)",
        origin.file, origin.row, origin.input
    )];
    if origin.changed_since {
        lines.push(format!(
            "the file has changed since {} read it: this is what stands there now",
            prepared.version
        ));
    }
    let text = prepared.text.as_deref().unwrap_or(&origin.text);
    if text != origin.text {
        lines.push(format!("in the file: {}", quoted(&origin.text)));
        if origin.normalised.is_empty() {
            lines.push("which is another text than the stage read".to_owned());
        }
    }
    lines.extend(origin.normalised.iter().cloned());
    if let (Some(cell), Some([label])) = (&origin.label, prepared.labels.as_deref())
        && cell.trim() != label
    {
        lines.push(format!("label {} → {label}", one_line(cell.trim())));
    }
    lines
}

fn of_prepared(prepared: &Prepared) -> Vec<String> {
    let labels = prepared
        .labels
        .as_ref()
        .map_or_else(String::new, |labels| format!(", label {}", names(labels)));
    let mut lines = vec![match prepared.dropped.as_deref() {
        None => format!("{}{labels}", prepared.table),
        Some(reason) => format!("dropped from {}: {}", prepared.table, in_words(reason)),
    }];
    for leak in &prepared.leaks {
        let verb = match (&prepared.dropped, leak.matched.as_str()) {
            (_, "near") => "resembles",
            _ => "repeats",
        };
        lines.push(format!("{verb} {}", of_leak(leak)));
    }
    for twin in prepared.twins.iter().take(SHOWN) {
        let verb = if twin.matched == "near" {
            "resembled"
        } else {
            "repeated"
        };
        lines.push(format!("{verb} by {}", of_leak(twin)));
    }
    if prepared.twins.len() > SHOWN {
        lines.push(format!("and by {} more", prepared.twins.len() - SHOWN));
    }
    if prepared.dropped.is_none() && prepared.leaks.is_empty() && prepared.twins.is_empty() {
        lines.push("no other row was found to repeat it".to_owned());
    }
    lines
}

fn of_leak(leak: &Leak) -> String {
    let similarity = if leak.matched == "near" {
        format!(" (similarity {:.4})", leak.similarity)
    } else {
        String::new()
    };
    let text = if leak.text.is_empty() {
        String::new()
    } else {
        format!(" {}", quoted(&leak.text))
    };
    format!("{} of {}{similarity}{text}", one_line(&leak.id), leak.table)
}

/// A reason of prepare as people say it.
fn in_words(reason: &str) -> &str {
    match reason {
        "empty_text" => "no text is left after normalisation",
        "mapped_to_drop" => "the input maps its label to `drop`",
        "duplicate" => "the text stands in the same table already",
        "conflicting_labels" => "the text stands in the same table with another label",
        "in_other_split" => "the text stands in a table that is more worth protecting",
        "near_other_split" | "similar_in_other_split" => {
            "a similar text stands in a table that is more worth protecting"
        }
        "review" => "a person decided so",
        "not_sampled" => "`limit` left it out",
        "not_read" => "the file has changed: when the stage read it, it had no such row",
        other => other,
    }
}

fn of_scored(scored: &Scored) -> Vec<String> {
    let second = scored
        .second
        .as_ref()
        .map_or_else(String::new, |second| format!(", then {second}"));
    let mut lines = vec![format!(
        "{} {:.4}{second}, margin {:.4}",
        names(&scored.labels),
        scored.confidence,
        scored.margin
    )];
    let list = |values: &[(String, f64)]| {
        let values: Vec<String> = values
            .iter()
            .map(|(label, value)| format!("{label} {value:.4}"))
            .collect();
        values.join(" · ")
    };
    lines.push(list(&scored.probabilities));
    match (
        scored.temperature,
        &scored.raw_probabilities,
        scored.raw_confidence,
    ) {
        (Some(temperature), Some(raw), _) => {
            lines.push(format!("before calibration (temperature {temperature:.4}):"));
            lines.push(list(raw));
        }
        (_, _, Some(confidence)) => lines.push(format!("before calibration: confidence {confidence:.4}")),
        _ => lines.push("not calibrated".to_owned()),
    }
    if let (Some(votes), Some(disagreement)) = (&scored.votes, scored.disagreement) {
        let votes = votes.join(", ");
        lines.push(format!("the models say {votes}; disagreement {disagreement:.4}"));
    }
    lines
}

fn of_selected(selected: &Selected) -> Vec<String> {
    let taught = selected.labels.clone().unwrap_or_default();
    let mut lines = vec![match (&selected.drop_reason, selected.kept) {
        (Some(reason), _) => format!("dropped: {}", reason.replace('_', " ")),
        (None, true) if taught != selected.predicted => {
            format!(
                "kept as {}, not as {}",
                names(&taught),
                names(&selected.predicted)
            )
        }
        _ => format!("kept as {}", names(&taught)),
    }];
    lines.extend(selected.rule.iter().cloned());
    if let Some(review) = &selected.review
        && selected.drop_reason.as_deref() != Some("review")
    {
        lines.push(format!("a person decided so: {review}"));
    }
    lines.extend(selected.checks.iter().map(of_check));
    lines
}

/// `confidence 0.7312 < 0.75, short by 0.0188`.
fn of_check(check: &Check) -> String {
    let least = check.name != "disagreement";
    let sign = match (least, check.passed) {
        (true, true) => ">=",
        (true, false) => "<",
        (false, true) => "<=",
        (false, false) => ">",
    };
    let distance = (check.value - check.threshold).abs();
    let digits = digits(check.value, check.threshold);
    let words = match (check.passed, least) {
        (true, _) => format!("{distance:.digits$} to spare"),
        (false, true) => format!("short by {distance:.digits$}"),
        (false, false) => format!("too much by {distance:.digits$}"),
    };
    format!(
        "{} {:.digits$} {sign} {}, {words}",
        check.name, check.value, check.threshold
    )
}

/// So many that two numbers that differ look different.
fn digits(one: f64, other: f64) -> usize {
    let differ = |digits: &usize| one == other || format!("{one:.digits$}") != format!("{other:.digits$}");
    (4..10).find(differ).unwrap_or(10)
}

fn of_learnt(learnt: &[Learnt], story: &Story) -> Vec<String> {
    if learnt.is_empty() {
        let golden = story.prepared.iter().any(|prepared| prepared.table == "golden");
        let why = if golden { " (it is a golden row)" } else { "" };
        return vec![format!("no model of the store learnt from it{why}")];
    }
    let mut groups: Vec<(&Learnt, Vec<&str>)> = Vec::new();
    for one in learnt {
        let same = |other: &&mut (&Learnt, Vec<&str>)| {
            (&other.0.stage, &other.0.input, &other.0.labels) == (&one.stage, &one.input, &one.labels)
        };
        match groups.iter_mut().find(same) {
            Some((_, versions)) => versions.push(&one.version),
            None => groups.push((one, vec![&one.version])),
        }
    }
    groups
        .iter()
        .map(|(one, versions)| {
            let more = versions.len().saturating_sub(SHOWN);
            let newest: Vec<&str> = versions.iter().rev().take(SHOWN).rev().copied().collect();
            let more = if more > 0 {
                format!("{more} more and ")
            } else {
                String::new()
            };
            let (versions, labels) = (newest.join(", "), names(&one.labels));
            let from = if newest.len() == 1 {
                format!(" ({})", one.from)
            } else {
                String::new()
            };
            if one.input == "train" {
                format!("{more}{versions} learnt it as {labels}{from}")
            } else {
                format!("{more}{versions} chose the best epoch with it, as {labels}{from}")
            }
        })
        .collect()
}

fn names(labels: &[String]) -> String {
    if labels.is_empty() {
        "no label".to_owned()
    } else {
        labels.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f64, threshold: f64) -> String {
        of_check(&Check {
            name: "confidence",
            value,
            threshold,
            passed: value >= threshold,
        })
    }

    #[test]
    fn a_check_says_by_how_much() {
        assert_eq!(check(0.7312, 0.75), "confidence 0.7312 < 0.75, short by 0.0188");
        assert_eq!(check(0.93, 0.75), "confidence 0.9300 >= 0.75, 0.1800 to spare");
        assert_eq!(
            check(0.749_99, 0.75),
            "confidence 0.74999 < 0.75, short by 0.00001"
        );
        assert_eq!(check(0.75, 0.75), "confidence 0.7500 >= 0.75, 0.0000 to spare");
    }
}
