//! Whole runs on tiny tables.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use classification::Task;
use serde_json::{Value, json};
use stage::{
    ArtifactType, Completion, Context, EventSink, Failure, InputItem, Invocation, Runtime, SourceOptions,
    StageKind,
};
use tempfile::TempDir;

use super::{check, labels, with};
use crate::FineTune;

/// The backend's random generator is one per process.
static ALONE: Mutex<()> = Mutex::new(());

/// Texts whose first word gives the class away.
const TRAIN: &str = "text,label
좋아 정말 좋다,기쁨
좋아 오늘 하루,기쁨
좋아 우리 모두,기쁨
좋아 그 영화,기쁨
싫어 정말 밉다,분노
싫어 오늘 하루,분노
싫어 우리 모두,분노
싫어 그 영화,분노
걱정 정말 크다,불안
걱정 오늘 하루,불안
걱정 우리 모두,불안
걱정 그 영화,불안
";

struct Project {
    folder: TempDir,
    inputs: BTreeMap<String, Vec<InputItem>>,
    params: Value,
}

struct Outcome {
    result: Result<Completion, Failure>,
    /// Messages of level `warn` and `info`.
    messages: Vec<String>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Project {
    /// A tiny encoder from scratch that learns `TRAIN` and is validated on it.
    fn new() -> Self {
        let project = Self {
            folder: TempDir::new().unwrap(),
            inputs: BTreeMap::new(),
            params: json!({
                "base_model": {
                    "architecture": "electra", "vocab_size": 100, "hidden_size": 16, "num_hidden_layers": 1,
                    "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 16
                },
                "max_length": 16, "batch_size": 4, "epochs": 40, "learning_rate": 0.01, "dropout": 0.0,
                "early_stopping": "none"
            }),
        };
        project.table("train", TRAIN).table("validation", TRAIN)
    }

    fn table(self, input: &str, content: &str) -> Self {
        let path = self.folder.path().join(format!("{input}.csv"));
        std::fs::write(&path, content).unwrap();
        self.item(input, &path)
    }

    fn item(mut self, input: &str, path: &Path) -> Self {
        let item = InputItem {
            path: path.to_owned(),
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            artifact_type: ArtifactType::File,
            options: SourceOptions::default(),
        };
        self.inputs.insert(input.to_owned(), vec![item]);
        self
    }

    fn without(mut self, input: &str) -> Self {
        self.inputs.remove(input);
        self
    }

    fn params(mut self, more: Value) -> Self {
        self.params = with(self.params, more);
        self
    }

    fn run(&self, output: &str) -> Outcome {
        let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let names: Vec<&str> = self.inputs.keys().map(String::as_str).collect();
        let params = check(self.params.clone(), &names).unwrap().params;
        let path = self.folder.path().join(output);
        std::fs::create_dir_all(&path).unwrap();
        let invocation = Invocation {
            format: Invocation::FORMAT,
            stage: "teacher".into(),
            kind: "fine_tune".into(),
            params,
            seed: 42,
            task: Task::SingleLabel,
            labels: labels(),
            precision: "f32".into(),
            runtime: Runtime::default(),
            inputs: self.inputs.clone(),
            input_order: names.iter().map(|name| (*name).to_owned()).collect(),
            lineage: Vec::new(),
            guard: stage::Guard::Unknown,
            promoted: std::collections::BTreeMap::new(),
            output: path,
            work: None,
            fingerprint: "f".repeat(64),
            parent: None,
        };
        let lines = Lines::default();
        let context = Context::new(invocation, EventSink::new(Box::new(lines.clone())));
        let result = FineTune.run(&context);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let events = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let messages = events.filter(|event| event["event"] == "message");
        Outcome {
            result,
            messages: messages
                .map(|event| event["text"].as_str().unwrap().to_owned())
                .collect(),
        }
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&self.bytes(file)).unwrap()
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(file)).unwrap()
    }
}

impl Outcome {
    fn error(self) -> String {
        self.result.unwrap_err().message
    }
}

#[test]
fn a_run_writes_what_it_promises() {
    let project = Project::new();
    let outcome = project.run("out");
    let completion = outcome.result.unwrap();
    let inputs = project.inputs.keys().cloned().collect();
    for output in FineTune.outputs(&Value::Null, &inputs) {
        assert!(
            project.folder.path().join("out").join(&output.file).exists(),
            "{}",
            output.file
        );
    }
    let metrics = project.json("out/metrics.json");
    let macro_f1 = metrics["macro_f1"].as_f64().unwrap();
    assert!(macro_f1 > 0.9, "{metrics}");
    assert_eq!(metrics["precision"], "f32");
    assert!(
        completion
            .headline
            .unwrap()
            .starts_with(&format!("validation macro-F1 {macro_f1:.2} (epoch "))
    );
    assert!(completion.timings["train_tokens_per_second"].as_f64().unwrap() > 0.0);
    let settings = project.json("out/model/pipeline.json");
    assert_eq!(
        (&settings["normalize"], &settings["max_length"]),
        (&json!("nfc"), &json!(16))
    );
}

#[test]
fn equal_runs_write_equal_bytes() {
    let project = Project::new().params(json!({"dropout": 0.1, "epochs": 2}));
    project.run("one").result.unwrap();
    project.run("two").result.unwrap();
    for file in [
        "model/model.safetensors",
        "model/tokenizer.json",
        "metrics.jsonl",
        "validation_predictions.parquet",
    ] {
        assert!(
            project.bytes(&format!("one/{file}")) == project.bytes(&format!("two/{file}")),
            "{file} differs"
        );
    }
}

#[test]
fn an_earlier_model_can_be_the_base() {
    let first = Project::new();
    first.run("out").result.unwrap();
    let model = first.folder.path().join("out/model");
    let second = Project::new()
        .item("base", &model)
        .params(json!({"base_model": null, "epochs": 1, "learning_rate": 1e-9}));
    second.run("out").result.unwrap();
    let macro_f1 = |project: &Project| project.json("out/metrics.json")["macro_f1"].clone();
    assert_eq!(macro_f1(&second), macro_f1(&first));
}

#[test]
fn a_corpus_gives_the_vocabulary() {
    let project = Project::new()
        .table("corpus", "text\n하늘 하늘 하늘\n")
        .params(json!({"epochs": 1}));
    project.run("out").result.unwrap();
    let vocabulary = String::from_utf8(project.bytes("out/model/vocab.txt")).unwrap();
    assert!(vocabulary.lines().any(|token| token == "하늘"), "{vocabulary}");
}

#[test]
fn without_validation_there_is_a_warning_and_no_figure() {
    let project = Project::new().without("validation").params(json!({"epochs": 1}));
    let outcome = project.run("out");
    assert!(
        outcome
            .messages
            .iter()
            .any(|text| text.starts_with("there is no input `validation`"))
    );
    assert_eq!(project.json("out/metrics.json")["macro_f1"], Value::Null);
}

#[test]
fn a_fold_validates_a_part_of_train_and_reads_no_validation() {
    let project = Project::new()
        .table("validation", "no,such,columns\n")
        .params(json!({"epochs": 1, "fold": "1/4"}));
    project.run("out").result.unwrap();
    assert_eq!(project.json("out/metrics.json")["train_rows"], json!(9));
    assert!(project.json("out/metrics.json")["macro_f1"].is_number());
}

#[test]
fn a_class_without_example_is_a_warning() {
    let two: String = TRAIN
        .lines()
        .filter(|line| !line.ends_with("불안"))
        .map(|line| format!("{line}\n"))
        .collect();
    let project = Project::new()
        .table("train", &two)
        .params(json!({"class_weights": "balanced", "epochs": 1}));
    let outcome = project.run("out");
    outcome.result.unwrap();
    let expected = "input `train` has no example of `불안`, so the model cannot learn it; its weight is 1";
    assert!(
        outcome.messages.iter().any(|text| text == expected),
        "{:?}",
        outcome.messages
    );
}

#[test]
fn a_single_class_is_an_error() {
    let outcome = Project::new()
        .table("train", "text,label\n좋아,기쁨\n와,기쁨\n")
        .run("out");
    assert_eq!(
        outcome.error(),
        "every row of input `train` is `기쁨`; a classifier needs at least two classes"
    );
}

#[test]
fn no_rows_are_an_error() {
    let error = Project::new().table("train", "text,label\n").run("out").error();
    assert!(error.contains("train"), "{error}");
}

#[test]
fn only_empty_texts_are_an_error() {
    let error = Project::new()
        .table("train", "text,label\n ,기쁨\n,분노\n")
        .run("out")
        .error();
    assert!(error.contains("train"), "{error}");
}

#[test]
fn a_text_of_ten_thousand_characters_is_cut_off() {
    let long = format!("{TRAIN}{},기쁨\n", "좋아 ".repeat(3334));
    Project::new()
        .table("train", &long)
        .params(json!({"epochs": 1}))
        .run("out")
        .result
        .unwrap();
}

#[test]
fn a_length_beyond_a_loaded_encoder_is_lowered_with_a_warning() {
    let first = Project::new().params(json!({"epochs": 1}));
    first.run("out").result.unwrap();
    let model = first.folder.path().join("out/model");
    let longer = json!({"base_model": null, "epochs": 1, "max_length": 100});
    let second = Project::new().item("base", &model).params(longer);
    let outcome = second.run("out");
    let expected = "`max_length` 100 is more than the encoder's 16 positions; 16 is used";
    assert!(
        outcome.messages.iter().any(|text| text == expected),
        "{:?}",
        outcome.messages
    );
}

#[test]
fn a_run_that_diverges_says_where() {
    let wild = json!({"learning_rate": 1.0, "max_grad_norm": 0.0, "optimizer": "sgd", "weight_decay": 1.0,
                      "class_weights": {"기쁨": 1e30}, "warmup_steps": 0, "epochs": 3});
    let failure = Project::new().params(wild).run("out").result.unwrap_err();
    assert!(
        failure.message.contains("at step") && failure.message.contains("`train-"),
        "{}",
        failure.message
    );
    assert!(failure.hints[0].contains("learning_rate"));
}

#[test]
fn soft_labels_are_learnt_in_place_of_the_labels() {
    let project = Project::new();
    let lines: Vec<(&str, &str)> = TRAIN
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .collect();
    let column = |name: &str, values: Vec<&str>| {
        dataset::Column::Str(
            name.into(),
            values.into_iter().map(|value| Some(value.to_owned())).collect(),
        )
    };
    let names: Vec<String> = labels().names().map(str::to_owned).collect();
    let soft = |label: &str| {
        names
            .iter()
            .map(|name| if name == label { 0.9 } else { 0.05 })
            .collect()
    };
    let columns = vec![
        column("text", lines.iter().map(|line| line.0).collect()),
        // Every label says the same: from these there would be nothing to learn.
        column(
            "label",
            lines
                .iter()
                .enumerate()
                .map(|(row, _)| if row == 0 { "분노" } else { "기쁨" })
                .collect(),
        ),
        dataset::Column::ListF32(
            "soft_label".into(),
            lines.iter().map(|line| soft(line.1)).collect(),
        ),
    ];
    let path = project.folder.path().join("kept.parquet");
    dataset::write_columns(&path, columns).unwrap();
    let project = project.item("train", &path);
    let outcome = project.run("out");
    outcome.result.unwrap();
    assert!(
        outcome
            .messages
            .contains(&"12 of 12 rows are learnt by their soft labels".to_owned()),
        "{:?}",
        outcome.messages
    );
    // From the labels alone a third could be right.
    let accuracy = project.json("out/metrics.json")["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.6, "{accuracy}");
}
