//! The stage as the engine sees it: params checked, then whole runs on tiny tables.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use classification::{LabelSet, Task};
use serde_json::{Value, json};
use stage::{
    ArtifactType, CheckContext, Completion, Context, EventSink, Failure, InputItem, Invocation, Problem,
    Resolved, Runtime, SourceOptions, StageKind,
};
use tempfile::TempDir;

use crate::FineTune;

/// The backend's random generator is one per process.
static ALONE: Mutex<()> = Mutex::new(());

fn labels() -> LabelSet {
    LabelSet::from_names(["기쁨", "분노", "불안"]).unwrap()
}

fn check(params: Value, inputs: &[&str]) -> Result<Resolved, Vec<Problem>> {
    check_task(params, inputs, Task::SingleLabel)
}

fn check_task(params: Value, inputs: &[&str], task: Task) -> Result<Resolved, Vec<Problem>> {
    let inputs: BTreeSet<String> = inputs.iter().map(|name| (*name).to_owned()).collect();
    let labels = labels();
    let ctx = CheckContext {
        inputs: &inputs,
        other_inputs: &[],
        labels: &labels,
        task,
        base_dir: Path::new("/nowhere"),
    };
    FineTune.check(&params, &ctx)
}

fn resolved(params: Value) -> Value {
    check(params, &["train"]).unwrap().params
}

/// Path, message and hint of the only problem.
fn problem(params: Value) -> (String, String, String) {
    let problems = check(params, &["train"]).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}")
    };
    (
        problem.path.join("."),
        problem.message.clone(),
        problem.hint.clone().unwrap_or_default(),
    )
}

fn with(base: Value, more: Value) -> Value {
    let mut merged = base.as_object().unwrap().clone();
    merged.extend(more.as_object().unwrap().clone());
    Value::Object(merged)
}

fn scratch(more: Value) -> Value {
    with(json!({"base_model": {"architecture": "electra"}}), more)
}

#[test]
fn defaults_are_those_of_the_contract() {
    let params = resolved(scratch(json!({})));
    let expected = json!({
        "base_model": {
            "architecture": "electra", "vocab_size": 8000, "hidden_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 512, "max_position_embeddings": 130
        },
        "max_length": 128, "batch_size": 32, "gradient_accumulation_steps": 1, "epochs": 3, "learning_rate": 2e-5,
        "warmup_ratio": 0.1, "warmup_steps": null, "lr_scheduler": "linear", "optimizer": "adamw",
        "weight_decay": 0.01, "max_grad_norm": 1.0, "label_smoothing": 0.05, "class_weights": "none",
        "dropout": null, "classifier_dropout": null, "eval_every": "epoch",
        "early_stopping": {"metric": "macro_f1", "patience": 2, "min_delta": 0.0},
        "logging_steps": 10, "normalize": null, "precision": null, "seed": null
    });
    assert_eq!(params, expected);
}

#[test]
fn resolved_params_resolve_to_themselves() {
    let given =
        json!({"class_weights": {"기쁨": 2.0}, "eval_every": 50, "early_stopping": "none", "dropout": 0.2});
    let params = resolved(scratch(given));
    assert_eq!(resolved(params.clone()), params);
}

#[test]
fn trainer_names_are_aliases() {
    let params = resolved(json!({
        "model_name_or_path": {"architecture": "roberta"}, "max_seq_length": 64, "num_train_epochs": 7,
        "per_device_train_batch_size": 16, "lr_scheduler_type": "cosine", "optim": "adamw_torch",
        "label_smoothing_factor": 0.1, "eval_steps": 20
    }));
    let picked = [
        "max_length",
        "epochs",
        "batch_size",
        "lr_scheduler",
        "optimizer",
        "label_smoothing",
        "eval_every",
    ];
    let picked: Vec<&Value> = picked.iter().map(|name| &params[name]).collect();
    assert_eq!(json!(picked), json!([64, 7, 16, "cosine", "adamw", 0.1, 20]));
}

#[test]
fn a_directory_becomes_an_input() {
    let found = check(json!({"base_model": "../pretrained/ko-mini"}), &["train"])
        .unwrap()
        .inputs;
    let [input] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (input.name, input.path.as_str()),
        ("base_model", "../pretrained/ko-mini")
    );
    assert_eq!(input.artifact_type, ArtifactType::Model);
}

#[test]
fn a_hub_name_is_refused_with_a_way_out() {
    let (path, message, hint) = problem(json!({"base_model": "klue/roberta-base@main"}));
    assert_eq!(path, "base_model");
    assert_eq!(
        message,
        "`klue/roberta-base@main` names a model of the Hub, which is not supported by this version yet"
    );
    assert!(hint.ends_with("give the directory: `./roberta-base`"), "{hint}");
}

#[test]
fn a_bare_name_is_neither_directory_nor_hub() {
    let (_, message, hint) = problem(json!({"base_model": "ko-mini"}));
    assert!(message.contains("neither a directory nor"), "{message}");
    assert_eq!(
        hint,
        "a directory beside the pipeline file is written `./ko-mini`"
    );
}

#[test]
fn an_encoder_must_come_from_somewhere() {
    assert_eq!(
        problem(json!({})).1,
        "there is no encoder to start from: `base_model` is missing"
    );
    assert!(check(json!({}), &["train", "base"]).is_ok());
    assert!(check(scratch(json!({})), &["train", "base"]).is_err());
}

#[test]
fn an_architecture_that_is_not_built_yet_is_refused() {
    let (path, message, _) = problem(json!({"base_model": {"architecture": "distilbert"}}));
    assert_eq!(path, "base_model.architecture");
    assert!(
        message.starts_with("not supported by this version yet"),
        "{message}"
    );
}

#[test]
fn an_unknown_size_is_named() {
    let (path, message, _) = problem(json!({"base_model": {"architecture": "electra", "hiden_size": 4}}));
    assert_eq!(path, "base_model");
    assert!(message.contains("unknown field `hiden_size`"), "{message}");
}

#[test]
fn an_impossible_shape_is_refused() {
    let base = json!({"architecture": "electra", "num_attention_heads": 3});
    let (_, message, _) = problem(json!({"base_model": base}));
    assert_eq!(
        message,
        "`hidden_size` 128 is not a multiple of `num_attention_heads` 3"
    );
}

#[test]
fn a_length_beyond_the_positions_is_refused() {
    let base = json!({"architecture": "roberta", "max_position_embeddings": 66});
    let (path, message, _) = problem(json!({"base_model": base, "max_length": 65}));
    assert_eq!(
        (path.as_str(), message.as_str()),
        (
            "max_length",
            "65 tokens do not fit into the encoder's 64 positions"
        )
    );
}

#[test]
fn every_value_out_of_range_is_reported_at_once() {
    let wrong = json!({"batch_size": 0, "learning_rate": -1.0, "label_smoothing": 1.0, "dropout": 1.0,
                       "early_stopping": {"patience": 0}, "precision": "int8"});
    let problems = check(scratch(wrong), &["train"]).unwrap_err();
    let paths: Vec<String> = problems.iter().map(|problem| problem.path.join(".")).collect();
    let expected = [
        "batch_size",
        "learning_rate",
        "label_smoothing",
        "dropout",
        "early_stopping.patience",
        "precision",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_weight_for_an_unknown_label_names_the_nearest() {
    let labels_in_latin = json!({"class_weights": {"기쁨 ": 1.5, "분노함": 1.0}});
    let (path, message, hint) = problem(scratch(labels_in_latin));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("class_weights", "unknown label `분노함`")
    );
    assert_eq!(hint, "did you mean `분노`?");
}

#[test]
fn a_weight_must_be_above_zero() {
    let (_, message, _) = problem(scratch(json!({"class_weights": {"기쁨": 0.0}})));
    assert_eq!(message, "the weight of `기쁨` must be above 0");
}

#[test]
fn words_that_are_no_choice_say_the_choices() {
    assert_eq!(
        problem(scratch(json!({"eval_every": "steps"}))).1,
        "must be `epoch` or a number of steps, 1 or more"
    );
    assert!(
        problem(scratch(json!({"class_weights": "equal"})))
            .1
            .starts_with("must be `none`, `balanced` or")
    );
    assert!(
        problem(scratch(json!({"early_stopping": true})))
            .1
            .starts_with("must be `none` or a map")
    );
}

#[test]
fn multi_label_is_refused() {
    assert!(check_task(scratch(json!({})), &["train"], Task::MultiLabel).is_err());
}

#[test]
fn validation_decides_about_the_predictions_file() {
    let files = |inputs: &[&str]| -> Vec<String> {
        let inputs = inputs.iter().map(|name| (*name).to_owned()).collect();
        FineTune
            .outputs(&Value::Null, &inputs)
            .into_iter()
            .map(|output| output.file)
            .collect()
    };
    assert_eq!(
        files(&["train"]),
        ["model", "metrics.json", "metrics.jsonl", "curves.svg"]
    );
    assert_eq!(
        files(&["train", "validation"])[4],
        "validation_predictions.parquet"
    );
}

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
            output: path,
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
    assert_eq!(
        (&metrics["macro_f1"], &metrics["precision"]),
        (&json!(1.0), &json!("f32"))
    );
    assert!(
        completion
            .headline
            .unwrap()
            .starts_with("validation macro-F1 1.00 (epoch ")
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
    assert_eq!(second.json("out/metrics.json")["macro_f1"], json!(1.0));
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
