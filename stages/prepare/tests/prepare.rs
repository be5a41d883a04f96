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
            lineage: Vec::new(),
            guard: stage::Guard::Unknown,
            promoted: std::collections::BTreeMap::new(),
            output,
            work: None,
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
        "train 2 · golden 3 · raw 1 rows, 4 dropped, 2 of them leaks"
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
        .input("train", TRAIN)
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
    let report = test.report();
    assert_eq!(
        (&report["leak_guard"], &report["leaks"]),
        (&json!("off"), &json!(1))
    );
    assert_eq!(report["near_threshold"], Value::Null);
    assert_eq!(test.column("raw.parquet", "text"), ["하나"]);
    assert_eq!(test.column("leaks.parquet", "kept_id"), ["train-0"]);
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
    assert_eq!(
        outputs(json!({}), &["raw"]),
        ["raw.parquet", "leaks.parquet", "report.json"]
    );
    assert_eq!(
        outputs(
            json!({"validation_fraction": 0.1, "golden_fraction": null}),
            &["train"]
        ),
        [
            "train.parquet",
            "validation.parquet",
            "leaks.parquet",
            "report.json"
        ]
    );
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let test = Test::new().input("train", TRAIN).input("raw", "text\n넷\n");
    for out in ["a", "b"] {
        test.run_into(out, labels()).unwrap();
    }
    let bytes = |out: &str, file: &str| std::fs::read(test.folder.path().join(out).join(file)).unwrap();
    for file in ["train.parquet", "raw.parquet", "leaks.parquet", "report.json"] {
        assert_eq!(bytes("a", file), bytes("b", file), "{file}");
    }
}

#[test]
fn defaults_are_the_documented_ones() {
    let params = Test::new().input("train", TRAIN).check().unwrap();
    assert_eq!(
        params,
        json!({"validation_fraction": null, "golden_fraction": null, "normalize": "nfc", "limit": {},
               "leak_guard": "near", "near_threshold": 0.8})
    );
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
    // Each has a text of nothing but `ㅋ`, of another length than that of golden: the same single 3-gram.
    assert_eq!(report["splits"]["train"]["rows_out"], 3_287);
    assert_eq!(
        report["splits"]["train"]["dropped"],
        json!({"near_other_split": 1})
    );
    assert_eq!(
        report["splits"]["validation"]["dropped"],
        json!({"near_other_split": 1})
    );
    assert_eq!(report["leaks"], 2);
}

/// A golden table of ten sentences that are long enough to be similar, and their texts.
fn golden() -> (String, Vec<String>) {
    const WORDS: [&str; 10] = [
        "강아지",
        "고양이",
        "도서관",
        "자전거",
        "비행기",
        "바닷가",
        "운동화",
        "할머니",
        "김치찌개",
        "영화관",
    ];
    let texts: Vec<String> = (0..10)
        .map(|row| {
            let word = |step: usize| WORDS[(row + step) % 10];
            format!("{} 앞에서 {}랑 {} 이야기를 오래 했다", word(0), word(3), word(7))
        })
        .collect();
    let rows = texts
        .iter()
        .zip(0..)
        .map(|(text, row): (_, usize)| format!("{text},{}\n", ["분노", "불안"][row % 2]));
    (format!("text,label\n{}", rows.collect::<String>()), texts)
}

/// `name.csv` with these texts, all labels in turn.
fn table(texts: &[String]) -> String {
    let rows = texts
        .iter()
        .zip(0..)
        .map(|(text, row): (_, usize)| format!("\"{text}\",{}\n", ["분노", "불안", "기쁨"][row % 3]));
    format!("text,label\n{}", rows.collect::<String>())
}

/// Jamo, as macOS writes Hangul.
fn decomposed(text: &str) -> String {
    let jamo = |character: char| -> Vec<char> {
        let code = u32::from(character);
        if !(0xac00..=0xd7a3).contains(&code) {
            return vec![character];
        }
        let (at, last) = ((code - 0xac00) / 28, (code - 0xac00) % 28);
        let parts = [0x1100 + at / 21, 0x1161 + at % 21, 0x11a7 + last];
        let count = if last == 0 { 2 } else { 3 };
        parts[..count]
            .iter()
            .filter_map(|part| char::from_u32(*part))
            .collect()
    };
    text.chars().flat_map(jamo).collect()
}

#[test]
fn a_file_that_is_the_golden_set_is_refused_in_every_guise() {
    let (csv, texts) = golden();
    let guises: [(&str, Vec<String>); 4] = [
        ("as it is", texts.clone()),
        ("decomposed", texts.iter().map(|text| decomposed(text)).collect()),
        (
            "other spaces",
            texts.iter().map(|text| text.replace(' ', "  ") + " !!").collect(),
        ),
        (
            "a word more",
            texts.iter().map(|text| format!("아 {text}")).collect(),
        ),
    ];
    for (guise, texts) in guises {
        for split in ["train", "validation", "raw"] {
            let test = Test::new().input("golden", &csv).input(split, &table(&texts));
            let error = test.run().unwrap_err();
            assert_eq!(
                error.message,
                format!(
                    "`{split}.csv` (input `{split}`) is the golden set: 10 of its 10 rows are rows of `golden.csv`"
                ),
                "{guise}"
            );
            assert!(
                error.hints[0].contains(&format!("take `{split}.csv` out of `{split}`")),
                "{guise}"
            );
        }
    }
}

#[test]
fn nine_of_ten_rows_are_refused_and_eight_are_guarded() {
    let (csv, texts) = golden();
    for (count, refused) in [(9, true), (8, false)] {
        let mut raw = texts[..count].to_vec();
        raw.extend((count..10).map(|row| format!("{row}번째로 생각난 다른 문장")));
        let test = Test::new().input("golden", &csv).input("raw", &table(&raw));
        assert_eq!(test.run().is_err(), refused, "{count}");
        if !refused {
            assert_eq!(test.column("raw.parquet", "id"), ["raw-8", "raw-9"]);
        }
    }
}

#[test]
fn one_file_of_several_is_enough_to_be_refused() {
    let (csv, texts) = golden();
    let others: Vec<String> = (0..50)
        .map(|row| format!("{row}번째로 생각난 다른 문장"))
        .collect();
    let mut test = Test::new().input("golden", &csv).input("raw", &table(&others));
    let copy = test.folder.path().join("copy.csv");
    std::fs::write(&copy, table(&texts)).unwrap();
    test.inputs.get_mut("raw").unwrap().push(file(&copy));
    assert_eq!(
        test.run().unwrap_err().message,
        "`copy.csv` (input `raw`) is the golden set: 10 of its 10 rows are rows of `golden.csv`"
    );
}

#[test]
fn without_a_guard_the_golden_set_as_train_is_a_warning() {
    let (csv, _) = golden();
    let test = Test::new()
        .input("golden", &csv)
        .input("train", &csv)
        .params(json!({"leak_guard": "off"}));
    test.run().unwrap();
    let warnings = test.report()["warnings"].to_string();
    assert!(
        warnings.contains("`train.csv` (input `train`) is the golden set"),
        "{warnings}"
    );
    assert_eq!(test.column("train.parquet", "id").len(), 10);
}

#[test]
fn leaks_are_listed_with_both_texts_and_counted() {
    let (csv, texts) = golden();
    let mut raw: Vec<String> = (0..50)
        .map(|row| format!("{row}번째로 생각난 다른 문장"))
        .collect();
    raw[7] = decomposed(&texts[3]);
    raw[9] = format!("아 {}", texts[4]);
    let test = Test::new().input("golden", &csv).input("raw", &table(&raw));
    test.run().unwrap();
    assert_eq!(test.column("leaks.parquet", "id"), ["raw-7", "raw-9"]);
    assert_eq!(test.column("leaks.parquet", "kept_id"), ["golden-3", "golden-4"]);
    assert_eq!(test.column("leaks.parquet", "match"), ["exact", "near"]);
    assert_eq!(test.column("leaks.parquet", "kept_text")[1], texts[4]);
    let report = test.report();
    assert_eq!(report["splits"]["raw"]["leaks"], json!({"exact": 1, "near": 1}));
    assert_eq!(
        (&report["leaks"], &report["near_threshold"]),
        (&json!(2), &json!(0.8))
    );
    assert_eq!(
        report["dropped"]["raw"],
        json!({"in_other_split": ["raw-7"], "near_other_split": ["raw-9"]})
    );
}

#[test]
fn what_is_taken_out_of_train_is_guarded_too() {
    // Pairs of sentences that differ in one letter: whichever of two is taken, the other one has to go.
    let words: Vec<String> = (0..60u32)
        .map(|row| {
            (0..14)
                .filter_map(|at| char::from_u32(0xac00 + row * 151 + at * 7))
                .collect()
        })
        .collect();
    let pairs: Vec<String> = words
        .iter()
        .flat_map(|word| [word.clone(), format!("{word}요")])
        .collect();
    let test = Test::new()
        .input("train", &table(&pairs))
        .input(
            "raw",
            &table(&words.iter().map(|word| format!("{word}야")).collect::<Vec<_>>()),
        )
        .params(json!({"golden_fraction": 0.1, "validation_fraction": 0.1}));
    test.run().unwrap();
    let pair = |text: &String| text.chars().take(14).collect::<String>();
    let of = |split: &str| -> BTreeSet<String> {
        test.column(&format!("{split}.parquet"), "text")
            .iter()
            .map(pair)
            .collect()
    };
    let (golden, validation, train, raw) = (of("golden"), of("validation"), of("train"), of("raw"));
    assert!(
        golden.len() >= 9 && validation.len() >= 9,
        "{golden:?} {validation:?}"
    );
    for (one, others) in [
        (&golden, [&validation, &train, &raw]),
        (&validation, [&golden, &train, &raw]),
    ] {
        for other in others {
            assert_eq!(one.intersection(other).count(), 0);
        }
    }
    // Raw is guarded against equal texts of train only, and these are all similar ones.
    assert_eq!(train.intersection(&raw).count(), train.len());
    let dropped = test.report()["splits"]["train"]["leaks"]["near"]
        .as_u64()
        .unwrap();
    assert!(dropped >= 10, "{dropped}");
    assert!(
        test.column("leaks.parquet", "kept_split")
            .contains(&"golden".to_owned())
    );
}

const REVIEWED: &str = "\
id,decision,label,text,note
train-0,drop,,하나,not a sentence
train-1,label,기쁨,둘,
golden-0,label,불안,넷,
golden-1,keep,,다섯,
raw-0,drop,,여섯,
raw-1,label,기쁨,일곱,
raw-2,drop,,something else,
nobody,drop,,,
";

#[test]
fn decisions_of_a_review_drop_and_relabel_rows() {
    let test = Test::new()
        .input(
            "train",
            "text,label\n하나,분노\n둘,불안\n셋,기쁨\n둘!,기쁨\n열,불안\n",
        )
        .input("golden", "text,label\n넷,기쁨\n다섯,분노\n")
        .input("raw", "text\n여섯\n일곱\n여덟\n")
        .input("overrides", REVIEWED);
    test.run().unwrap();
    // `둘` and `둘!` had different labels, now they are duplicates.
    assert_eq!(
        test.column("train.parquet", "id"),
        ["train-1", "train-2", "train-4"]
    );
    assert_eq!(test.column("train.parquet", "label"), ["기쁨", "기쁨", "불안"]);
    assert_eq!(test.column("golden.parquet", "label"), ["불안", "분노"]);
    assert_eq!(test.column("raw.parquet", "id"), ["raw-1", "raw-2"]);
    let report = test.report();
    assert_eq!(
        report["overrides"],
        json!({
            "decisions": 8,
            "kept": 1,
            "dropped": [{"split": "train", "id": "train-0"}, {"split": "raw", "id": "raw-0"}],
            "relabelled": [
                {"split": "train", "id": "train-1", "from": "불안", "to": "기쁨"},
                {"split": "golden", "id": "golden-0", "from": "기쁨", "to": "불안"}
            ],
            "other_text": ["raw-2"],
            "unknown": ["nobody"],
            "raw_labelled": ["raw-1"]
        })
    );
    assert_eq!(report["dropped"]["train"]["review"], json!(["train-0"]));
    assert_eq!(
        report["warnings"][0],
        "1 decision in `overrides.csv` not applied, as the text is another one now; the first is about `raw-2`"
    );
    for (warning, id) in [(1, "nobody"), (2, "raw-1")] {
        assert!(
            report["warnings"][warning]
                .as_str()
                .unwrap()
                .ends_with(&format!("`{id}`"))
        );
    }
}

#[test]
fn decisions_alone_are_no_input() {
    let test = Test::new().input("overrides", REVIEWED);
    assert_eq!(
        test.problems()[0].1,
        "needs at least one of the inputs train, validation, golden, raw"
    );
}
