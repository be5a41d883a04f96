//! A folder with tiny models and tables, and the stage run on them as the engine would.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use classification::{LabelSet, Task};
use dataset::{Cell, inspect};
use model::{Architecture, ModelConfig, ModelSettings, SequenceClassifier, Sizes};
use serde_json::{Value, json};
use stage::{
    ArtifactType, Completion, Context, EventSink, Failure, InputItem, Invocation, Runtime, SourceOptions,
    StageKind,
};
use tempfile::TempDir;
use tokenizer::Tokenizer;

use super::params::check_with;
use crate::Score;

pub(crate) const LABELS: [&str; 3] = ["기쁨", "분노", "불안"];

pub(crate) fn labels(names: [&str; 3]) -> LabelSet {
    LabelSet::from_names(names).unwrap()
}

/// How one run went.
pub(crate) struct Outcome {
    pub(crate) result: Result<Completion, Failure>,
    /// The texts of its messages.
    pub(crate) messages: Vec<String>,
}

pub(crate) struct Project {
    folder: TempDir,
    task: Task,
    inputs: BTreeMap<String, Vec<InputItem>>,
    params: Value,
    work: Option<PathBuf>,
}

impl Project {
    /// With one model.
    pub(crate) fn new() -> Self {
        Self::for_task(Task::SingleLabel).model(&Random::default())
    }

    pub(crate) fn for_task(task: Task) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            task,
            inputs: BTreeMap::new(),
            params: json!({}),
            work: None,
        }
    }

    /// Adds a model for `LABELS` with random weights.
    pub(crate) fn model(self, model: &Random) -> Self {
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
        let mut config = ModelConfig::from_scratch(architecture, &sizes).unwrap();
        // Else all logits are close to 0, and no temperature is enough.
        config.initializer_range = 0.3;
        let tokenizer = Tokenizer::from_vocabulary(vocabulary).unwrap();
        let device = model::open_device("cpu", "auto").unwrap();
        let classifier = SequenceClassifier::init(&config, 3, &device, model.seed).unwrap();
        let labels = labels(LABELS);
        let task = model.task.unwrap_or(self.task);
        let mut settings = ModelSettings::new(task, &labels, model.normalize, 16, "f");
        settings.thresholds = model.thresholds.clone();
        let count = self.inputs.get("model").map_or(0, Vec::len);
        let path = self.folder.path().join(format!("model-{count}"));
        model::save(&path, &classifier, &config, &labels, &tokenizer, &settings).unwrap();
        self.item("model", &path)
    }

    /// Adds a file to an input.
    pub(crate) fn table(self, input: &str, content: &str) -> Self {
        let count = self.inputs.get(input).map_or(0, Vec::len);
        let path = self.folder.path().join(format!("{input}-{count}.csv"));
        std::fs::write(&path, content).unwrap();
        self.item(input, &path)
    }

    pub(crate) fn item(mut self, input: &str, path: &Path) -> Self {
        let item = InputItem {
            path: path.to_owned(),
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            artifact_type: ArtifactType::File,
            options: SourceOptions::default(),
        };
        self.inputs.entry(input.to_owned()).or_default().push(item);
        self
    }

    pub(crate) fn params(mut self, params: Value) -> Self {
        self.params = params;
        self
    }

    /// Gives the stage a folder that outlives it.
    pub(crate) fn with_work(mut self) -> Self {
        let work = self.path("work");
        std::fs::create_dir_all(&work).unwrap();
        self.work = Some(work);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self) -> Result<Completion, Failure> {
        self.run_for(LABELS).result
    }

    pub(crate) fn run_for(&self, names: [&str; 3]) -> Outcome {
        let output = self.path("out");
        let _ = std::fs::remove_dir_all(&output);
        std::fs::create_dir_all(&output).unwrap();
        let inputs: Vec<&str> = self.inputs.keys().map(String::as_str).collect();
        // As the engine hands it over, so that what the stage does not use need not be known here.
        let invocation: Invocation = serde_json::from_value(json!({
            "format": Invocation::FORMAT,
            "stage": "score",
            "kind": "score",
            "params": check_with(self.params.clone(), &inputs).unwrap().params,
            "seed": 42,
            "task": self.task,
            "labels": labels(names),
            "precision": "f32",
            "runtime": Runtime::default(),
            "inputs": self.inputs,
            "input_order": [],
            "output": output,
            "work": self.work,
            "fingerprint": "f".repeat(64),
        }))
        .unwrap();
        let written = Written::default();
        let sink = EventSink::new(Box::new(written.clone()));
        let result = Score.run(&Context::new(invocation, sink));
        Outcome {
            result,
            messages: written.messages(),
        }
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&self.bytes("report.json")).unwrap()
    }

    pub(crate) fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path("out").join(file)).unwrap()
    }

    /// The names of the columns of an output table.
    pub(crate) fn columns(&self, file: &str) -> Vec<String> {
        let columns = self.open(file).schema().unwrap();
        columns.into_iter().map(|column| column.name).collect()
    }

    /// A column of an output table.
    pub(crate) fn column(&self, file: &str, name: &str) -> Vec<Cell> {
        let at = self
            .columns(file)
            .iter()
            .position(|column| column == name)
            .unwrap();
        let rows = self.open(file).all().unwrap().rows;
        rows.into_iter().map(|mut row| row.swap_remove(at)).collect()
    }

    /// A column of strings.
    pub(crate) fn strings(&self, file: &str, name: &str) -> Vec<String> {
        self.column(file, name).iter().map(Cell::display).collect()
    }

    /// A column of numbers.
    pub(crate) fn numbers(&self, file: &str, name: &str) -> Vec<f64> {
        self.column(file, name).iter().map(number).collect()
    }

    /// A column of lists of numbers.
    pub(crate) fn lists(&self, file: &str, name: &str) -> Vec<Vec<f64>> {
        let list = |cell: &Cell| match cell {
            Cell::List(values) => values.iter().map(number).collect(),
            other => panic!("{other:?}"),
        };
        self.column(file, name).iter().map(list).collect()
    }

    fn open(&self, file: &str) -> inspect::Inspector {
        inspect::open(&self.path("out").join(file), file, None).unwrap()
    }
}

fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Float(value) => *value,
        other => panic!("{other:?}"),
    }
}

/// How a model is made.
pub(crate) struct Random {
    pub(crate) seed: u64,
    /// Absent: the project's.
    pub(crate) task: Option<Task>,
    pub(crate) normalize: &'static str,
    pub(crate) thresholds: Option<Vec<f32>>,
}

impl Default for Random {
    fn default() -> Self {
        Self {
            seed: 7,
            task: None,
            normalize: "nfc",
            thresholds: None,
        }
    }
}

/// Keeps the events of a run.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn messages(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let events = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        events
            .filter(|event| event["event"] == "message")
            .map(|event| event["text"].as_str().unwrap().to_owned())
            .collect()
    }
}
