//! What stages upstream leave, from the shapes that they write today and from less.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use classification::{LabelSet, Task};
use dataset::{Column, Labelled, write_columns};
use serde_json::{Value, json};
use stage::{Ancestor, EventSink, Guard, Invocation, Runtime};
use tempfile::TempDir;

use super::*;

const LABELS: [&str; 2] = ["분노", "기쁨"];

/// What was sent as events.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Project {
    folder: TempDir,
    lineage: Vec<Ancestor>,
}

impl Project {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            lineage: Vec::new(),
        }
    }

    /// A stage with one input and the documents that it left.
    fn stage(mut self, name: &str, kind: &str, input: (&str, &str), documents: &[(&str, String)]) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        for (file, text) in documents {
            std::fs::write(path.join(file), text).unwrap();
        }
        self.lineage.push(Ancestor {
            stage: name.to_owned(),
            kind: kind.to_owned(),
            fingerprint: "0123456789abcdef".repeat(4),
            params: json!({"max_per_class": 8000, "seed": null, "min_confidence": 0.75, "min_margin": 0.2}),
            inputs: vec![(input.0.to_owned(), vec![input.1.to_owned()])],
            path,
        });
        self
    }

    /// All kinds, with what they write.
    fn whole() -> Self {
        let prepared = json!({
            "splits": {
                "train": {"rows_in": 9, "rows_out": 8, "classes": {"분노": {"rows_out": 3}, "기쁨": {"rows_out": 5}}},
                "raw": {"rows_in": 120, "rows_out": 100},
            },
            "leak_guard": "near", "near_threshold": 0.8, "leaks": 3,
        });
        let trust = |ece: f64| {
            json!({"ece": ece, "ece_adaptive": ece, "nll": 1.0, "brier": 0.5, "reliability": [
                {"low": 0.0, "high": 1.0, "count": 7, "confidence": 0.8, "accuracy": 0.7},
            ]})
        };
        let scored = json!({"rows": 100, "calibration": {
            "method": "temperature", "temperature": 1.5, "rows": 7, "before": trust(0.2), "after": trust(0.1),
        }});
        let history = [
            json!({"step": 1, "epoch": 0.5, "split": "train", "name": "loss", "value": 1.5}),
            json!({"step": 2, "epoch": 1.0, "split": "validation", "name": "macro_f1", "value": 0.5}),
            json!({"step": 2, "epoch": 1.0, "split": "train", "name": "learning_rate", "value": 0.1}),
        ];
        let history: Vec<String> = history.iter().map(Value::to_string).collect();
        let metrics =
            json!({"best_epoch": 1, "best_step": 2, "epochs_run": 2, "macro_f1": 0.5, "train_rows": 8});
        let project = Self::new()
            .stage(
                "prepare",
                "prepare",
                ("raw", "raw.csv"),
                &[("report.json", prepared.to_string())],
            )
            .stage(
                "teacher",
                "fine_tune",
                ("train", "prepare.train"),
                &[
                    ("metrics.json", metrics.to_string()),
                    ("metrics.jsonl", history.join("\n")),
                ],
            )
            .stage(
                "score",
                "score",
                ("raw", "prepare.raw"),
                &[("report.json", scored.to_string())],
            )
            .stage(
                "pseudo_label",
                "select",
                ("scored", "score.scored"),
                &[("report.json", selected().to_string())],
            );
        let strings = |name: &str, values: [&str; 3]| {
            Column::Str(
                name.to_owned(),
                values.iter().map(|value| Some((*value).to_owned())).collect(),
            )
        };
        let leaks = vec![
            strings("split", ["raw", "raw", "train"]),
            strings("kept_split", ["golden", "golden", "golden"]),
            strings("text", ["하나", "둘", "셋"]),
            strings("kept_text", ["하나!", "두울", "셋"]),
            Column::F64("similarity".to_owned(), vec![1.0, 0.85, 1.0]),
            strings("match", ["exact", "near", "exact"]),
        ];
        write_columns(&project.folder.path().join("prepare/leaks.parquet"), leaks).unwrap();
        project
    }

    fn gather(&self) -> (Background, String) {
        let sent = Sent::default();
        let invocation = Invocation {
            format: Invocation::FORMAT,
            stage: "evaluate".into(),
            kind: "evaluate".into(),
            params: Value::Null,
            seed: 42,
            task: Task::SingleLabel,
            labels: LabelSet::from_names(LABELS).unwrap(),
            precision: "f32".into(),
            runtime: Runtime::default(),
            inputs: BTreeMap::new(),
            input_order: Vec::new(),
            lineage: self.lineage.clone(),
            guard: Guard::Guarded,
            promoted: BTreeMap::new(),
            output: self.folder.path().to_owned(),
            work: None,
            fingerprint: String::new(),
            parent: None,
        };
        let ctx = Context::new(invocation, EventSink::new(Box::new(sent.clone())));
        let rows = Labelled {
            ids: vec!["0".into()],
            texts: vec!["가".into()],
            labels: vec![1.into()],
            sources: vec![Arc::from("golden.csv")],
            notes: Default::default(),
        };
        let background = gather(&ctx, &Golden::new(rows, &LABELS, Task::SingleLabel));
        let sent = String::from_utf8(sent.0.lock().unwrap().clone()).unwrap();
        (background, sent)
    }
}

fn selected() -> Value {
    let point = |threshold: f64| json!({"threshold": threshold, "kept": 10, "precision": 0.9, "ci95": [0.8, 0.95], "validation_rows": 6});
    let points: Vec<Value> = (50..100)
        .map(|percent| point(f64::from(percent) / 100.0))
        .collect();
    json!({
        "rows": 100, "kept": 20, "drops": {"class_cap": 3, "abstained": 7, "confidence": 70},
        "classes": {
            "분노": {"candidates": 60, "kept": 0, "drops": {"abstained": 60}},
            "기쁨": {"candidates": 40, "kept": 20, "drops": {"confidence": 20}},
        },
        "method": "target_precision", "target_precision": 0.9,
        "thresholds": {"분노": {"min_confidence": null}, "기쁨": {"min_confidence": 0.83}},
        "abstained": ["분노"],
        "evidence": {"기쁨": {"predicted": 9, "min_confidence": 0.83, "rows": 6, "correct": 6, "precision": 1.0, "ci95": [0.6, 1.0]}},
        "validation": {"rows": 7, "kept": 6, "correct": 6, "precision": 1.0, "ci95": [0.6, 1.0]},
        "sweep": {"basis": "validation", "overall": points, "classes": {"기쁨": points}},
    })
}

#[test]
fn all_that_stages_leave_is_found() {
    let (background, sent) = Project::whole().gather();
    assert_eq!(sent, "");
    let [leaks] = background.leaks.as_slice() else {
        panic!("{:?}", background.leaks)
    };
    let counts: Vec<(&str, &str, u64, u64)> = leaks
        .counts
        .iter()
        .map(|count| {
            (
                count.split.as_str(),
                count.kept_split.as_str(),
                count.exact,
                count.near,
            )
        })
        .collect();
    assert_eq!(counts, [("raw", "golden", 1, 1), ("train", "golden", 1, 0)]);
    assert_eq!(leaks.examples.len(), 3);
    assert_eq!(
        (leaks.examples[0].text.as_str(), leaks.examples[0].similarity),
        ("둘", 0.85)
    );

    let shares = background.shares.unwrap();
    let tables: Vec<(&str, &[u64])> = shares
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.counts.as_slice()))
        .collect();
    assert_eq!(
        tables,
        [
            ("train", [3, 5].as_slice()),
            ("raw, predicted", &[60, 40]),
            ("kept", &[0, 20]),
            ("golden", &[0, 1])
        ]
    );
    assert_eq!(background.recalibrations[0].after.ece, Some(0.1));
    assert_eq!(background.training[0].points.len(), 2);
    assert_eq!(background.training[0].best_step, Some(2));
    assert_eq!(background.lineage.len(), 4);
    assert_eq!(background.lineage[0].fingerprint, "01234567");
    assert!(
        !background.lineage[0]
            .params
            .iter()
            .any(|(name, _)| name == "seed")
    );
}

#[test]
fn the_funnel_begins_where_raw_rows_were_read() {
    let (background, _) = Project::whole().gather();
    let funnel = &background.funnels[0];
    let steps: Vec<(&str, u64)> = funnel
        .steps
        .iter()
        .map(|(step, rows)| (step.as_str(), *rows))
        .collect();
    assert_eq!(
        steps,
        [
            ("raw rows read", 120),
            ("after prepare", 100),
            ("scored", 100),
            ("kept", 20)
        ]
    );
    let drops: Vec<&str> = funnel.drops.iter().map(|(reason, _)| reason.as_str()).collect();
    assert_eq!(drops, ["abstained", "confidence", "class_cap"]);
    assert_eq!(
        (funnel.classes[0].threshold, funnel.classes[1].threshold),
        (None, Some(0.83))
    );
    assert_eq!(funnel.classes[1].evidence.as_ref().unwrap().kept, 6);
}

#[test]
fn rules_of_a_selection_are_words() {
    let (background, _) = Project::whole().gather();
    let rules = background.funnels[0].rules.join(" ");
    for words in [
        "does not reach below 0.9.",
        "Nothing is kept of 분노: no threshold promises that precision.",
        "At most 8,000 rows of a class",
    ] {
        assert!(rules.contains(words), "{rules}");
    }
}

#[test]
fn a_sweep_shows_every_fifth_threshold_and_the_last_ones() {
    let (background, _) = Project::whole().gather();
    let sweep = &background.funnels[0].sweep;
    assert_eq!((sweep[0].label.as_str(), sweep[1].label.as_str()), ("", "기쁨"));
    let thresholds: Vec<f64> = sweep[0].points.iter().map(|point| point.threshold).collect();
    assert_eq!(
        thresholds,
        [
            0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99
        ]
    );
}

#[test]
fn missing_and_damaged_files_cost_a_section_and_a_warning() {
    let project = Project::whole();
    let folder = project.folder.path();
    std::fs::remove_file(folder.join("prepare/leaks.parquet")).unwrap();
    std::fs::write(folder.join("score/report.json"), "{\"rows\":").unwrap();
    std::fs::write(folder.join("teacher/metrics.jsonl"), "not json\n").unwrap();
    let (background, sent) = project.gather();
    assert!(background.leaks.is_empty() && background.recalibrations.is_empty());
    assert!(background.training[0].points.is_empty());
    assert_eq!(background.funnels.len(), 1);
    for file in ["leaks.parquet", "report.json", "metrics.jsonl"] {
        let warning = format!("the report goes without `{file}` of stage");
        assert_eq!(sent.matches(&warning).count(), 1, "{sent}");
    }
}

#[test]
fn documents_of_older_versions_are_understood() {
    let project = Project::new()
        .stage(
            "score",
            "score",
            ("raw", "raw.csv"),
            &[("report.json", json!({"rows": 5}).to_string())],
        )
        .stage(
            "pseudo_label",
            "select",
            ("scored", "score.scored"),
            &[(
                "report.json",
                json!({"rows": 5, "kept": 2, "drops": {}, "classes": {}}).to_string(),
            )],
        );
    let (background, sent) = project.gather();
    assert_eq!(sent, "");
    assert_eq!(
        background.funnels[0].steps,
        [("scored".to_owned(), 5), ("kept".to_owned(), 2)]
    );
    assert_eq!(
        background.funnels[0].rules[0],
        "Rows with confidence from 0.75 and margin from 0.2 on."
    );
}

#[test]
fn without_lineage_nothing_is_known() {
    let (background, sent) = Project::new().gather();
    assert!(sent.is_empty() && background.shares.is_none() && background.lineage.is_empty());
}

#[test]
fn long_params_are_cut() {
    let long = json!({"labels": vec!["기쁨"; 500]});
    assert_eq!(shown(&long).chars().count(), LONGEST + 1);
}
