//! The stage as the engine sees it: params checked, then whole runs with a tiny model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use classification::{LabelSet, Task};
use dataset::{Normalize, ReadOptions};
use model::{Architecture, ModelConfig, ModelSettings, SequenceClassifier, Sizes};
use serde_json::{Value, json};
use stage::{
    ArtifactType, CheckContext, Completion, Context, EventSink, Failure, InputItem, Invocation, Problem,
    Resolved, Runtime, SourceOptions, StageKind,
};
use tempfile::TempDir;
use tokenizer::Tokenizer;

use crate::Score;

const LABELS: [&str; 3] = ["기쁨", "분노", "불안"];

fn labels(names: [&str; 3]) -> LabelSet {
    LabelSet::from_names(names).unwrap()
}

fn check(params: Value) -> Result<Resolved, Vec<Problem>> {
    let (inputs, labels) = (BTreeSet::new(), labels(LABELS));
    let ctx = CheckContext {
        inputs: &inputs,
        other_inputs: &[],
        labels: &labels,
        task: Task::SingleLabel,
        precision: "auto",
        base_dir: Path::new("/nowhere"),
    };
    Score.check(&params, &ctx)
}

fn problem(params: Value) -> (String, String) {
    let problems = check(params).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}")
    };
    (problem.path.join("."), problem.message.clone())
}

#[test]
fn defaults_are_those_of_the_contract() {
    let expected = json!({"batch_tokens": null, "max_length": null, "precision": null, "calibrate": "none"});
    assert_eq!(check(Value::Null).unwrap().params, expected);
}

#[test]
fn calibration_is_refused_for_now() {
    let (path, message) = problem(json!({"calibrate": "temperature"}));
    assert_eq!(path, "calibrate");
    assert_eq!(
        message,
        "`calibrate: temperature` is not supported by this version yet"
    );
}

#[test]
fn impossible_sizes_are_refused() {
    assert_eq!(problem(json!({"batch_tokens": 0})).1, "must be at least 1");
    assert_eq!(problem(json!({"max_length": 2})).0, "max_length");
}

#[test]
fn validation_decides_about_its_table() {
    let files = |inputs: &[&str]| -> Vec<String> {
        let inputs = inputs.iter().map(|name| (*name).to_owned()).collect();
        Score
            .outputs(&Value::Null, &inputs)
            .into_iter()
            .map(|output| output.file)
            .collect()
    };
    assert_eq!(files(&["model", "raw"]), ["scored.parquet", "report.json"]);
    assert_eq!(
        files(&["validation"]),
        ["scored.parquet", "validation_scored.parquet", "report.json"]
    );
}

struct Project {
    folder: TempDir,
    inputs: BTreeMap<String, Vec<InputItem>>,
    params: Value,
}

impl Project {
    fn new() -> Self {
        Self::for_task(Task::SingleLabel)
    }

    /// A model for `LABELS` with random weights.
    fn for_task(task: Task) -> Self {
        let folder = TempDir::new().unwrap();
        let texts = ["좋아 정말 좋다 오늘 하루", "싫어 정말 밉다 우리 모두"];
        let architecture = Architecture::Electra;
        let vocabulary = tokenizer::train_wordpiece(texts.into_iter(), 60, architecture.special_tokens());
        let sizes = Sizes {
            vocab_size: vocabulary.len(),
            embedding_size: None,
            hidden_size: 16,
            num_hidden_layers: 1,
            num_attention_heads: 2,
            intermediate_size: 32,
            max_position_embeddings: 16,
        };
        let config = ModelConfig::from_scratch(architecture, &sizes).unwrap();
        let tokenizer = Tokenizer::from_vocabulary(vocabulary).unwrap();
        let device = model::open_device("cpu", "auto").unwrap();
        let classifier = SequenceClassifier::init(&config, 3, &device, 7).unwrap();
        let labels = labels(LABELS);
        let settings = ModelSettings::new(task, &labels, "nfc", 16, "f");
        let path = folder.path().join("model");
        model::save(&path, &classifier, &config, &labels, &tokenizer, &settings).unwrap();
        let project = Self {
            folder,
            inputs: BTreeMap::new(),
            params: json!({}),
        };
        project.item("model", &path)
    }

    fn table(self, input: &str, content: &str) -> Self {
        let path = self.folder.path().join(format!("{input}.csv"));
        std::fs::write(&path, content).unwrap();
        self.item(input, &path)
    }

    fn item(mut self, input: &str, path: &Path) -> Self {
        let item = InputItem {
            path: path.to_owned(),
            name: input.to_owned(),
            artifact_type: ArtifactType::File,
            options: SourceOptions::default(),
        };
        self.inputs.insert(input.to_owned(), vec![item]);
        self
    }

    fn params(mut self, params: Value) -> Self {
        self.params = params;
        self
    }

    fn run(&self) -> Result<Completion, Failure> {
        self.run_for(LABELS)
    }

    fn run_for(&self, names: [&str; 3]) -> Result<Completion, Failure> {
        let output = self.folder.path().join("out");
        std::fs::create_dir_all(&output).unwrap();
        let invocation = Invocation {
            format: Invocation::FORMAT,
            stage: "score".into(),
            kind: "score".into(),
            params: check(self.params.clone()).unwrap().params,
            seed: 42,
            task: Task::SingleLabel,
            labels: labels(names),
            precision: "f32".into(),
            runtime: Runtime::default(),
            inputs: self.inputs.clone(),
            input_order: Vec::new(),
            output,
            fingerprint: "f".repeat(64),
            parent: None,
        };
        Score.run(&Context::new(
            invocation,
            EventSink::new(Box::new(std::io::sink())),
        ))
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&self.bytes("report.json")).unwrap()
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join("out").join(file)).unwrap()
    }

    /// Ids of an output table.
    fn ids(&self, file: &str) -> Vec<String> {
        let item = InputItem {
            path: self.folder.path().join("out").join(file),
            name: file.into(),
            artifact_type: ArtifactType::Scored,
            options: SourceOptions::default(),
        };
        let labels = labels(LABELS);
        let options = ReadOptions {
            task: Task::SingleLabel,
            labels: &labels,
            normalize: Normalize::None,
            input_name: "scored",
        };
        dataset::read_raw(&[item], &options).unwrap().ids
    }
}

const RAW: &str = "id,text\nc,좋아 정말 좋다 오늘 하루 우리 모두\na,밉다\nb,싫어 정말\n";

#[test]
fn every_row_is_scored_in_its_order() {
    let project = Project::new().table("raw", RAW);
    let completion = project.run().unwrap();
    assert_eq!(project.ids("scored.parquet"), ["c", "a", "b"]);
    let report = project.report();
    assert_eq!(
        (&report["rows"], &report["temperature"], &report["ece_before"]),
        (&json!(3), &json!(null), &json!(null))
    );
    assert!(report["tokens"].as_u64() <= report["padded_tokens"].as_u64());
    assert!(completion.timings["sentences_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_row_without_text_stays() {
    let project = Project::new().table("raw", "id,text\na,좋다\nb,\nc,  \n");
    project.run().unwrap();
    assert_eq!(project.report()["rows"], json!(3));
}

#[test]
fn a_model_for_several_labels_is_not_for_one() {
    let project = Project::for_task(Task::MultiLabel).table("raw", RAW);
    let message = project.run().unwrap_err().message;
    assert!(message.contains("`task: multi_label`"), "{message}");
}

#[test]
fn equal_runs_write_equal_bytes() {
    let project = Project::new().table("raw", RAW);
    project.run().unwrap();
    let first = project.bytes("scored.parquet");
    project.run().unwrap();
    assert!(first == project.bytes("scored.parquet"));
}

#[test]
fn decomposed_hangul_is_scored_as_composed() {
    let composed = Project::new().table("raw", "id,text\na,좋다\n");
    let decomposed = Project::new().table("raw", "id,text\na,\u{110c}\u{1169}\u{11c2}\u{1103}\u{1161}\n");
    composed.run().unwrap();
    decomposed.run().unwrap();
    assert!(composed.bytes("scored.parquet") == decomposed.bytes("scored.parquet"));
}

#[test]
fn validation_is_scored_with_its_labels() {
    let project = Project::new()
        .table("raw", RAW)
        .table("validation", "id,text,label\nv,좋다,기쁨\nw,밉다,분노\n");
    project.run().unwrap();
    assert_eq!(project.ids("validation_scored.parquet"), ["v", "w"]);
    assert!(project.report()["ece_before"].as_f64().is_some());
}

#[test]
fn a_shorter_max_length_is_obeyed() {
    let project = Project::new().table("raw", RAW).params(json!({"max_length": 3}));
    project.run().unwrap();
    assert_eq!(project.report()["tokens"], json!(9));
}

#[test]
fn a_text_of_ten_thousand_characters_is_cut_off() {
    let project = Project::new().table("raw", &format!("text\n{}\n", "좋아 ".repeat(3334)));
    project.run().unwrap();
    assert_eq!(project.report()["tokens"], json!(16));
}

#[test]
fn a_model_for_the_labels_in_another_order_is_refused() {
    let message = Project::new()
        .table("raw", RAW)
        .run_for(["분노", "기쁨", "불안"])
        .unwrap_err()
        .message;
    assert!(message.contains("기쁨"), "{message}");
}

#[test]
fn a_model_for_other_labels_is_refused() {
    let message = Project::new()
        .table("raw", RAW)
        .run_for(["기쁨", "분노", "슬픔"])
        .unwrap_err()
        .message;
    assert!(message.contains("슬픔"), "{message}");
}

#[test]
fn no_rows_are_an_error() {
    let message = Project::new().table("raw", "text\n").run().unwrap_err().message;
    assert!(message.contains("raw"), "{message}");
}
