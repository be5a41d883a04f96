//! The stage as the engine runs it: params checked, tables in, tables and report out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use classification::{LabelSet, Task};
use dataset::inspect;
use serde_json::{Value, json};
use stage::{
    ArtifactType, CheckContext, Completion, Context, EventSink, Failure, InputItem, Invocation, Runtime,
    SourceOptions, StageKind,
};
use stage_prepare::PREPARE;
use tempfile::TempDir;

/// A stage run in a folder of its own.
struct Test {
    folder: TempDir,
    inputs: BTreeMap<String, Vec<InputItem>>,
    params: Value,
    seed: u64,
    events: Arc<Mutex<Vec<u8>>>,
}

struct Events(Arc<Mutex<Vec<u8>>>);

impl Write for Events {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn labels() -> LabelSet {
    LabelSet::from_names(["분노", "불안", "기쁨"]).unwrap()
}

impl Test {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            inputs: BTreeMap::new(),
            params: json!({}),
            seed: 42,
            events: Arc::default(),
        }
    }

    fn input(mut self, name: &str, content: &str) -> Self {
        let path = self.folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, content).unwrap();
        self.inputs.insert(name.to_owned(), vec![file(&path)]);
        self
    }

    fn params(self, params: Value) -> Self {
        Self { params, ..self }
    }

    fn check(&self) -> Result<Value, Vec<stage::Problem>> {
        let inputs: BTreeSet<String> = self.inputs.keys().cloned().collect();
        let labels = labels();
        let ctx = CheckContext {
            inputs: &inputs,
            other_inputs: &[],
            labels: &labels,
            task: Task::SingleLabel,
            precision: "auto",
            base_dir: self.folder.path(),
        };
        PREPARE.check(&self.params, &ctx).map(|resolved| resolved.params)
    }

    fn run(&self) -> Result<Completion, Failure> {
        self.run_into("out", labels())
    }

    fn run_into(&self, out: &str, labels: LabelSet) -> Result<Completion, Failure> {
        let output = self.folder.path().join(out);
        std::fs::create_dir_all(&output).unwrap();
        let invocation = Invocation {
            format: Invocation::FORMAT,
            stage: "prepare".into(),
            kind: "prepare".into(),
            params: self.check().unwrap(),
            seed: self.seed,
            task: Task::SingleLabel,
            labels,
            precision: "f32".into(),
            runtime: Runtime::default(),
            inputs: self.inputs.clone(),
            input_order: self.inputs.keys().cloned().collect(),
            output,
            fingerprint: String::new(),
            parent: None,
        };
        let events = Events(Arc::clone(&self.events));
        let context = Context::new(invocation, EventSink::new(Box::new(events)));
        stage::run_in_process(&context, &[&PREPARE])
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    /// The values of a column of an output.
    fn column(&self, file: &str, column: &str) -> Vec<String> {
        let table = inspect::open(&self.path(file), file, None)
            .unwrap()
            .all()
            .unwrap();
        let at = table.columns.iter().position(|info| info.name == column).unwrap();
        table.rows.iter().map(|row| row[at].display()).collect()
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    fn problems(&self) -> Vec<(String, String)> {
        let problems = self.check().unwrap_err();
        problems
            .into_iter()
            .map(|problem| (problem.path.join("."), problem.message))
            .collect()
    }
}

fn file(path: &Path) -> InputItem {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    InputItem {
        path: path.to_owned(),
        name,
        artifact_type: ArtifactType::File,
        options: SourceOptions::default(),
    }
}

const TRAIN: &str = "text,label\n하나,분노\n둘,불안\n셋,기쁨\n";

#[test]
fn all_tables_come_out_clean() {
    let test = Test::new()
        .input(
            "train",
            "text,label\n하나,분노\n둘,불안\n셋,기쁨\n둘!,불안\n ,기쁨\n",
        )
        .input("golden", "text,label\n셋,기쁨\n넷,분노\n다섯,불안\n")
        .input("raw", "text\n하나?\n여섯\n");
    let done = test.run().unwrap();
    assert_eq!(
        done.headline.unwrap(),
        "train 2 · golden 3 · raw 1 rows, 4 dropped"
    );
    assert_eq!(test.column("train.parquet", "id"), ["train-0", "train-1"]);
    assert_eq!(test.column("golden.parquet", "label"), ["기쁨", "분노", "불안"]);
    assert_eq!(test.column("raw.parquet", "text"), ["여섯"]);
}

#[test]
fn the_report_lists_what_was_dropped_and_why() {
    let test = Test::new()
        .input(
            "train",
            "text,label\n하나,분노\n둘,불안\n셋,기쁨\n둘!,불안\n ,기쁨\n",
        )
        .input("golden", "text,label\n셋,기쁨\n넷,분노\n다섯,불안\n");
    test.run().unwrap();
    let report = test.report();
    assert_eq!(report["splits"]["train"]["rows_in"], 5);
    assert_eq!(report["splits"]["train"]["rows_out"], 2);
    assert_eq!(
        report["splits"]["train"]["classes"]["기쁨"],
        json!({"rows_in": 1, "rows_out": 0})
    );
    assert_eq!(
        report["dropped"]["train"],
        json!({"empty_text": ["train-4"], "duplicate": ["train-3"], "in_other_split": ["train-2"]})
    );
    let example = &report["dropped_examples"][1];
    assert_eq!(
        *example,
        json!({"split": "train", "id": "train-2", "reason": "in_other_split",
               "twin": {"split": "golden", "id": "golden-0"}, "text": "셋"})
    );
}

#[test]
fn a_class_without_example_is_a_warning() {
    let test = Test::new().input("train", "text,label\n하나,분노\n둘,불안\n");
    test.run().unwrap();
    let warning = "`train` has no example of class `기쁨`";
    assert_eq!(test.report()["warnings"], json!([warning]));
    assert!(
        String::from_utf8(test.events.lock().unwrap().clone())
            .unwrap()
            .contains(warning)
    );
}

#[test]
fn one_class_alone_is_an_error() {
    let error = Test::new()
        .input("train", "text,label\n하나,분노\n둘,분노\n")
        .run()
        .unwrap_err();
    assert_eq!(error.message, "`train` has examples of one class only, `분노`");
}

#[test]
fn no_rows_left_is_an_error_that_says_why() {
    let error = Test::new()
        .input("golden", TRAIN)
        .input("raw", "text\n하나\n둘!\n")
        .run()
        .unwrap_err();
    assert_eq!(
        error.message,
        "`raw` has no rows left: 2 read, dropped in_other_split: 2"
    );
}

#[test]
fn a_missing_validation_table_is_taken_from_train() {
    let rows: String = (0..40)
        .map(|row| format!("문장 {row},{}\n", ["분노", "불안"][row % 2]))
        .collect();
    let test = Test::new()
        .input("train", &format!("text,label\n{rows}"))
        .params(json!({"validation_fraction": 0.2, "golden_fraction": 0.1}));
    test.run().unwrap();
    let count = |file| test.column(file, "id").len();
    assert_eq!(
        (
            count("train.parquet"),
            count("validation.parquet"),
            count("golden.parquet")
        ),
        (28, 8, 4)
    );
    assert_eq!(test.report()["splits"]["validation"]["taken_from"], "train");
    assert_eq!(test.report()["splits"]["train"]["moved"], 12);
}

#[test]
fn a_fraction_beside_the_table_itself_is_a_warning() {
    let test = Test::new()
        .input("train", TRAIN)
        .input("validation", "text,label\n넷,분노\n다섯,불안\n여섯,기쁨\n")
        .params(json!({"validation_fraction": 0.5}));
    test.run().unwrap();
    assert_eq!(
        test.report()["warnings"],
        json!(["`validation_fraction` has no effect, as there is an input `validation`"])
    );
}

#[test]
fn a_limit_draws_rows_by_seed() {
    let rows: String = (0..100).map(|row| format!("문장 {row}\n")).collect();
    let drawn = |seed| {
        let test = Test { seed, ..Test::new() };
        let test = test
            .input("raw", &format!("text\n{rows}"))
            .params(json!({"limit": {"raw": 10}}));
        test.run().unwrap();
        assert_eq!(test.report()["splits"]["raw"]["not_sampled"], 90);
        test.column("raw.parquet", "id")
    };
    assert_eq!(drawn(1).len(), 10);
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn without_a_guard_leaks_are_a_warning() {
    let test = Test::new()
        .input("train", TRAIN)
        .input("raw", "text\n하나\n")
        .params(json!({"leak_guard": "off"}));
    test.run().unwrap();
    assert_eq!(test.report()["leaks"], 1);
    assert_eq!(test.column("raw.parquet", "text"), ["하나"]);
}

#[test]
fn outputs_follow_the_inputs() {
    let outputs = |params: Value, inputs: &[&str]| -> Vec<String> {
        let inputs = inputs.iter().map(ToString::to_string).collect();
        PREPARE
            .outputs(&params, &inputs)
            .into_iter()
            .map(|output| output.file)
            .collect()
    };
    assert_eq!(outputs(json!({}), &["raw"]), ["raw.parquet", "report.json"]);
    assert_eq!(
        outputs(
            json!({"validation_fraction": 0.1, "golden_fraction": null}),
            &["train"]
        ),
        ["train.parquet", "validation.parquet", "report.json"]
    );
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let test = Test::new().input("train", TRAIN).input("raw", "text\n넷\n");
    for out in ["a", "b"] {
        test.run_into(out, labels()).unwrap();
    }
    let bytes = |out: &str, file: &str| std::fs::read(test.folder.path().join(out).join(file)).unwrap();
    for file in ["train.parquet", "raw.parquet", "report.json"] {
        assert_eq!(bytes("a", file), bytes("b", file), "{file}");
    }
}

#[test]
fn defaults_are_the_documented_ones() {
    let params = Test::new().input("train", TRAIN).check().unwrap();
    assert_eq!(
        params,
        json!({"validation_fraction": null, "golden_fraction": null, "normalize": "nfc", "limit": {},
               "leak_guard": "exact", "near_threshold": 0.8})
    );
}

#[test]
fn near_is_not_supported_yet() {
    let test = Test::new()
        .input("train", TRAIN)
        .params(json!({"leak_guard": "near"}));
    let [problem] = test.check().unwrap_err().try_into().unwrap();
    assert_eq!(problem.message, "`near` is not supported by this version yet");
    assert_eq!(problem.hint.unwrap(), "use `exact`");
}

#[test]
fn all_wrong_params_are_told_at_once() {
    let test = Test::new().input("raw", "text\na\n").params(json!({
        "validation_fraction": 1.5, "normalise": "nfc", "limit": {"rwa": 3, "raw": 0}, "near_threshold": 2
    }));
    let paths: Vec<String> = test.problems().into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "normalise",
            "validation_fraction",
            "validation_fraction",
            "limit.raw",
            "limit.rwa",
            "near_threshold"
        ]
    );
}

#[test]
fn no_input_at_all_is_a_problem() {
    assert_eq!(
        Test::new().problems()[0].1,
        "needs at least one of the inputs train, validation, golden, raw"
    );
}

#[test]
fn real_comments_pass_whole() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/six");
    if !data.exists() {
        eprintln!("SKIPPED: no `{}`", data.display());
        return;
    }
    let mut test = Test::new();
    for (name, source) in [
        ("train", "train.csv"),
        ("validation", "validation.csv"),
        ("golden", "golden.csv"),
        ("raw", "raw.parquet"),
    ] {
        test.inputs.insert(name.into(), vec![file(&data.join(source))]);
    }
    let labels = LabelSet::from_names(["분노", "불안", "슬픔", "평온", "당황", "기쁨"]).unwrap();
    let started = std::time::Instant::now();
    let done = test.run_into("out", labels).unwrap();
    eprintln!(
        "{:.1} s: {}",
        started.elapsed().as_secs_f64(),
        done.headline.unwrap()
    );
    let report = test.report();
    assert_eq!(report["splits"]["raw"]["rows_out"], 240_000);
    assert_eq!(report["splits"]["train"]["rows_out"], 3_288);
    assert_eq!(report["dropped"], json!({}));
}
