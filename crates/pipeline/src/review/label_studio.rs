//! Tasks for Label Studio, and its JSON export as decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use classification::{LabelIds, LabelSet, Task};
use dataset::{Decided, DecisionProblem, Mistake, Normalize, Override, Spot, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use super::choice::Candidate;
use super::decisions::Proposals;
use crate::error::{CliError, Exit};

/// The choice that is a decision against the row, unless a label has this name.
const DROP: &str = "drop";

/// The label that people start from: a model's, or that of the user's table.
const SEEN: [&str; 2] = ["pred_emotion", "given_label"];

/// One task per row, with the prediction to start from.
pub(super) fn tasks(candidates: &[Candidate], model: &str) -> Result<Vec<u8>, CliError> {
    let task = |row: &Candidate| {
        let mut data = json!({"text": row.text, "id": row.id, "why": row.why});
        let mut prediction = json!({
            "model_version": model,
            "result": [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": row.labels}}],
        });
        let seen = if row.confidence.is_some() {
            SEEN[0]
        } else {
            SEEN[1]
        };
        data[seen] = row.labels.join(",").into();
        if let Some(confidence) = row.confidence {
            data["pred_conf"] = confidence.into();
            data["pred_margin"] = row.margin.into();
            prediction["score"] = confidence.into();
        }
        json!({"data": data, "predictions": [prediction]})
    };
    let tasks: Vec<Value> = candidates.iter().map(task).collect();
    let mut text = serde_json::to_vec_pretty(&tasks)
        .map_err(|error| CliError::new(Exit::StageFailed, format!("cannot be written as json: {error}")))?;
    text.push(b'\n');
    Ok(text)
}

/// What Label Studio's project setting wants in order to show these tasks.
pub(super) fn interface(labels: &LabelSet, task: Task) -> String {
    let choice = match task {
        Task::SingleLabel => "single",
        Task::MultiLabel => "multiple",
    };
    let escaped = |name: &str| {
        name.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
    };
    let mut text = String::from("  <View>\n    <Text name=\"text\" value=\"$text\"/>\n");
    text.push_str(&format!(
        "    <Choices name=\"label\" toName=\"text\" choice=\"{choice}\">\n"
    ));
    let drop = labels.resolve(DROP).is_none().then_some(DROP);
    for name in labels.names().chain(drop) {
        text.push_str(&format!("      <Choice value=\"{}\"/>\n", escaped(name)));
    }
    text.push_str("    </Choices>\n  </View>\n");
    text
}

#[derive(Deserialize)]
struct Exported {
    data: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    was_cancelled: bool,
    #[serde(default)]
    ground_truth: bool,
    #[serde(default)]
    result: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    value: Value,
}

/// Reads an export; a task that was skipped, or has no annotation, is undecided.
pub(super) fn read(path: &Path, labels: &LabelSet, task: Task) -> Result<Proposals, CliError> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io(path, &error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let exported: Vec<Exported> = serde_json::from_str(text).map_err(|error| {
        CliError::new(
            Exit::StageFailed,
            format!("`{name}`: not an export of Label Studio: {error}"),
        )
        .hint("export the project as JSON")
    })?;
    let mut proposals = Proposals::default();
    let mut first: BTreeMap<String, Spot> = BTreeMap::new();
    for (at, exported) in exported.into_iter().enumerate() {
        let at = Spot::Task(at as u64 + 1);
        let Some(data) = exported.data else {
            return Err(CliError::new(
                Exit::StageFailed,
                format!("`{name}`: {at} has no `data`, so it does not say which row it is about"),
            )
            .hint("export the project as JSON, not as JSON-MIN"));
        };
        let mistake = |column, problem| Mistake { at, column, problem };
        let Some(id) = data.get("id").map(plain).filter(|id| !id.is_empty()) else {
            proposals.mistakes.push(mistake("data.id", DecisionProblem::NoId));
            continue;
        };
        let before = *first.entry(Normalize::Nfc.apply(&id).into_owned()).or_insert(at);
        if before != at {
            let problem = DecisionProblem::Repeated { id, first: before };
            proposals.mistakes.push(mistake("data.id", problem));
            continue;
        }
        let (verdict, seen) = match verdict(&exported.annotations, labels, task) {
            Ok(Some(verdict)) => {
                let seen = SEEN.iter().find_map(|field| data.get(*field)).map(plain);
                (
                    verdict,
                    seen.and_then(|seen| label_ids(seen.split(','), labels).ok()),
                )
            }
            Ok(None) => {
                proposals.undecided += 1;
                continue;
            }
            Err(problem) => {
                proposals.mistakes.push(mistake("annotations", problem));
                continue;
            }
        };
        let verdict = match (verdict, &seen) {
            (Verdict::Label(chosen), Some(seen)) if chosen == *seen => Verdict::Keep,
            (verdict, _) => verdict,
        };
        let text = data.get("text").map(plain).unwrap_or_default();
        let decision = Override {
            verdict,
            text,
            note: String::new(),
        };
        proposals.decisions.push(Decided {
            at,
            id,
            seen,
            decision,
        });
    }
    Ok(proposals)
}

/// What the annotations of a task say together; none: nobody decided.
fn verdict(
    annotations: &[Annotation],
    labels: &LabelSet,
    task: Task,
) -> Result<Option<Verdict>, DecisionProblem> {
    let settled = annotations.iter().any(|annotation| annotation.ground_truth);
    let counted = annotations
        .iter()
        .filter(|annotation| !annotation.was_cancelled && (annotation.ground_truth || !settled));
    let answers: BTreeSet<Vec<&str>> = counted
        .map(|annotation| {
            let mut choices: Vec<&str> = annotation.result.iter().flat_map(Answer::choices).collect();
            choices.sort_unstable();
            choices.dedup();
            choices
        })
        .filter(|choices| !choices.is_empty())
        .collect();
    let mut answers = answers.into_iter();
    let Some(choices) = answers.next() else {
        return Ok(None);
    };
    let others: Vec<String> = answers.map(|choices| choices.join(",")).collect();
    if !others.is_empty() {
        let all = std::iter::once(choices.join(",")).chain(others);
        return Err(DecisionProblem::Disagreement(all.collect()));
    }
    if choices.as_slice() == [DROP] && labels.resolve(DROP).is_none() {
        return Ok(Some(Verdict::Drop));
    }
    if task == Task::SingleLabel && choices.len() > 1 {
        let choices = choices.join(", ");
        return Err(DecisionProblem::Other(format!(
            "several labels for one text: {choices}"
        )));
    }
    let ids = label_ids(choices.into_iter(), labels).map_err(|label| {
        let nearest = dataset::nearest_label(&label, labels);
        DecisionProblem::UnknownLabel { label, nearest }
    })?;
    Ok(Some(Verdict::Label(ids)))
}

impl Answer {
    fn choices(&self) -> impl Iterator<Item = &str> {
        let choices = (self.kind == "choices")
            .then(|| self.value.get("choices")?.as_array())
            .flatten();
        choices.into_iter().flatten().filter_map(Value::as_str)
    }
}

/// The classes of these names; the name that is none.
fn label_ids<'n>(names: impl Iterator<Item = &'n str>, labels: &LabelSet) -> Result<LabelIds, String> {
    names
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| {
            labels
                .resolve(&Normalize::Nfc.apply(name))
                .ok_or_else(|| name.to_owned())
        })
        .collect::<Result<Vec<usize>, String>>()
        .map(LabelIds::from)
}

/// A string as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> LabelSet {
        LabelSet::from_names(["분노", "불안", "기쁨"]).unwrap()
    }

    fn export(tasks: Value) -> Result<Proposals, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.json");
        std::fs::write(&path, tasks.to_string()).unwrap();
        read(&path, &labels(), Task::SingleLabel)
    }

    fn task(id: &str, annotations: Value) -> Value {
        json!({"id": 17, "data": {"text": "글", "id": id, "pred_emotion": "기쁨"}, "annotations": annotations})
    }

    fn chosen(choices: &[&str]) -> Value {
        json!({"was_cancelled": false, "result": [
            {"type": "choices", "from_name": "label", "to_name": "text", "value": {"choices": choices}},
            {"type": "textarea", "from_name": "note", "to_name": "text", "value": {"text": ["?"]}},
        ]})
    }

    #[test]
    fn annotations_become_decisions() {
        let skipped = json!({"was_cancelled": true, "result": []});
        let proposals = export(json!([
            task("a", json!([chosen(&["기쁨"])])),
            task(
                "b",
                json!([skipped.clone(), chosen(&["분노"]), chosen(&["분노"])])
            ),
            task("c", json!([chosen(&["drop"])])),
            task("d", json!([skipped])),
            task("e", json!([])),
        ]))
        .unwrap();
        let verdicts: Vec<(&str, &Verdict)> = proposals
            .decisions
            .iter()
            .map(|decided| (decided.id.as_str(), &decided.decision.verdict))
            .collect();
        let angry = Verdict::Label(0.into());
        assert_eq!(
            verdicts,
            [("a", &Verdict::Keep), ("b", &angry), ("c", &Verdict::Drop)]
        );
        assert_eq!(proposals.undecided, 2);
        assert_eq!(proposals.decisions[0].seen, Some(2.into()));
    }

    #[test]
    fn what_cannot_be_understood_is_named_with_its_task() {
        let truth = json!({"ground_truth": true, "result": chosen(&["불안"])["result"]});
        let proposals = export(json!([
            task("a", json!([chosen(&["기뿜"])])),
            task("b", json!([chosen(&["기쁨"]), chosen(&["불안"])])),
            task("c", json!([chosen(&["기쁨"]), truth])),
            task("a", json!([chosen(&["기쁨"])])),
            task("", json!([])),
        ]))
        .unwrap();
        let mistakes: Vec<String> = proposals.mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            mistakes,
            [
                "task 1, `annotations`: unknown label `기뿜`, did you mean `기쁨`?",
                "task 2, `annotations`: annotations differ: 기쁨 / 불안",
                "task 4, `data.id`: `a` stands in task 1 already",
                "task 5, `data.id`: no id",
            ]
        );
        assert_eq!(proposals.decisions.len(), 1);
    }

    #[test]
    fn an_export_without_the_rows_ids_is_refused() {
        let error = export(json!([{"id": 1, "text": "글", "label": "기쁨"}])).unwrap_err();
        assert_eq!(error.hints, ["export the project as JSON, not as JSON-MIN"]);
    }

    #[test]
    fn tasks_hold_the_text_the_id_and_the_prediction() {
        let candidate = Candidate {
            id: "raw-1".to_owned(),
            text: "글".to_owned(),
            labels: vec!["기쁨".to_owned()],
            confidence: Some(0.75),
            margin: Some(0.5),
            second: None,
            why: "lowest margin".to_owned(),
        };
        let tasks: Value = serde_json::from_slice(&tasks(&[candidate], "pseudo_label@1").unwrap()).unwrap();
        assert_eq!(tasks[0]["data"]["id"], "raw-1");
        let prediction = &tasks[0]["predictions"][0];
        assert_eq!(prediction["score"], 0.75);
        assert_eq!(prediction["result"][0]["value"]["choices"][0], "기쁨");
        assert!(interface(&labels(), Task::SingleLabel).contains("<Choice value=\"drop\"/>"));
    }
}
