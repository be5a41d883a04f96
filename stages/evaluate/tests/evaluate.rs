//! The stage as a whole, on small models of random weights.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use classification::{LabelSet, Task};
use model::{Architecture, ModelConfig, ModelSettings, SequenceClassifier, Sizes};
use serde_json::{Value, json};
use stage::{
    ArtifactType, Completion, Context, EventSink, Failure, Guard, InputItem, Invocation, Runtime,
    SourceOptions, StageKind,
};
use stage_evaluate::Evaluate;
use tempfile::TempDir;
use tokenizer::{Tokenizer, train_wordpiece};

const GOLDEN: &str = "text,label\n오늘 너무 기쁘다,기쁨\n정말 화가 난다,분노\n눈물이 난다,슬픔\n기쁘고 기쁘다,기쁨\n\
                      화가 나서 눈물이 난다,분노\n오늘 슬프다,슬픔\n";

struct Project {
    folder: TempDir,
    params: Value,
    models: Vec<&'static str>,
    /// Tag → folder of an earlier output.
    promoted: BTreeMap<String, &'static str>,
    guard: Guard,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("golden.csv"), GOLDEN).unwrap();
        Self {
            folder,
            params: json!({"bootstrap": 50}),
            models: Vec::new(),
            promoted: BTreeMap::new(),
            guard: Guard::Unknown,
        }
    }

    fn model(mut self, name: &'static str, seed: u64) -> Self {
        write_model(&self.folder.path().join(name), seed, &labels());
        self.models.push(name);
        self
    }

    fn params(mut self, params: Value) -> Self {
        self.params = params;
        self
    }

    fn golden(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("golden.csv"), text).unwrap();
        self
    }

    fn run(&self) -> Result<Completion, Failure> {
        self.run_into("out")
    }

    fn run_into(&self, output: &str) -> Result<Completion, Failure> {
        let item = |file: &str, artifact_type| InputItem {
            path: self.folder.path().join(file),
            name: file.to_owned(),
            artifact_type,
            options: SourceOptions::default(),
        };
        let mut inputs =
            BTreeMap::from([("golden".to_owned(), vec![item("golden.csv", ArtifactType::File)])]);
        for &model in &self.models {
            inputs.insert(model.to_owned(), vec![item(model, ArtifactType::Model)]);
        }
        let mut input_order: Vec<String> = self.models.iter().map(|&model| model.to_owned()).collect();
        input_order.push("golden".to_owned());
        let output = self.folder.path().join(output);
        std::fs::create_dir_all(&output).unwrap();
        let invocation = Invocation {
            format: Invocation::FORMAT,
            stage: "evaluate".into(),
            kind: "evaluate".into(),
            params: self.params.clone(),
            seed: 42,
            task: Task::SingleLabel,
            labels: labels(),
            precision: "f32".into(),
            runtime: Runtime::default(),
            inputs,
            input_order,
            lineage: Vec::new(),
            guard: self.guard.clone(),
            promoted: self
                .promoted
                .iter()
                .map(|(tag, folder)| (tag.clone(), self.folder.path().join(folder).join("report.json")))
                .collect(),
            output,
            work: None,
            fingerprint: String::new(),
            parent: None,
        };
        Evaluate.run(&Context::new(
            invocation,
            EventSink::new(Box::new(std::io::sink())),
        ))
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("out").join(file)).unwrap()
    }

    fn report(&self) -> Value {
        serde_json::from_str(&self.read("report.json")).unwrap()
    }
}

fn labels() -> LabelSet {
    LabelSet::from_names(["분노", "슬픔", "기쁨"]).unwrap()
}

fn write_model(folder: &Path, seed: u64, labels: &LabelSet) {
    let architecture = Architecture::Electra;
    let vocabulary = train_wordpiece(GOLDEN.lines(), 200, architecture.special_tokens());
    let sizes = Sizes {
        vocab_size: vocabulary.len(),
        embedding_size: None,
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 16,
        max_position_embeddings: 32,
    };
    let mut config = ModelConfig::from_scratch(architecture, &sizes).unwrap();
    config.initializer_range = 1.0;
    let device = model::open_device("cpu", "flex").unwrap();
    let classifier = SequenceClassifier::init(&config, labels.len(), &device, seed).unwrap();
    let tokenizer = Tokenizer::from_vocabulary(vocabulary).unwrap();
    let settings = ModelSettings::new(Task::SingleLabel, labels, "nfc", 32, "00");
    model::save(folder, &classifier, &config, labels, &tokenizer, &settings).unwrap();
}

fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(
                    path.strip_prefix(folder).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    files
}

#[test]
fn every_promised_file_is_written_and_no_other() {
    let project = Project::new().model("teacher", 1).model("student", 2);
    let completion = project.run().unwrap();
    let inputs = ["golden", "teacher", "student"]
        .map(str::to_owned)
        .into_iter()
        .collect::<BTreeSet<_>>();
    let promised: BTreeSet<PathBuf> = Evaluate
        .outputs(&Value::Null, &inputs)
        .into_iter()
        .map(|output| output.file.into())
        .collect();
    let written = files_below(&project.folder.path().join("out"));
    assert_eq!(written.into_keys().collect::<BTreeSet<_>>(), promised);
    let headline = completion.headline.unwrap();
    assert!(
        headline.starts_with("teacher macro-F1 0.") && headline.ends_with(" on 6 golden rows"),
        "{headline}"
    );
}

#[test]
fn report_has_the_promised_keys_in_the_files_order() {
    let project = Project::new().model("teacher", 1).model("student", 2);
    project.run().unwrap();
    let report = project.report();
    assert_eq!(report["labels"], json!(["분노", "슬픔", "기쁨"]));
    assert_eq!(report["golden"]["rows"], 6);
    for model in ["teacher", "student"] {
        let entry = &report["models"][model];
        assert!(entry["accuracy"].is_f64() && entry["weighted_f1"].is_f64() && entry["ece"].is_f64());
        assert_eq!(entry["per_class"]["기쁨"]["support"], 2);
        assert_eq!(entry["confusion_matrix"].as_array().unwrap().len(), 3);
        assert_eq!(entry["ci95"]["macro_f1"].as_array().unwrap().len(), 2);
        assert!(entry["ci95"]["per_class.기쁨.f1"].is_array());
    }
    let comparison = &report["comparison"];
    assert_eq!(
        (&comparison["baseline"], &comparison["candidate"]),
        (&json!("teacher"), &json!("student"))
    );
    let difference = report["models"]["student"]["macro_f1"].as_f64().unwrap()
        - report["models"]["teacher"]["macro_f1"].as_f64().unwrap();
    assert_eq!(comparison["macro_f1_difference"], json!(difference));
    let text = project.read("report.json");
    assert!(text.find("\"teacher\"") < text.find("\"student\""));
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let project = Project::new().model("teacher", 1).model("student", 2);
    project.run_into("first").unwrap();
    project.run_into("second").unwrap();
    let below = |name: &str| files_below(&project.folder.path().join(name));
    assert!(below("first") == below("second"));
}

#[test]
fn one_model_has_no_comparison() {
    let project = Project::new().model("model", 1).params(json!({}));
    project.run().unwrap();
    assert_eq!(project.report()["comparison"], Value::Null);
    assert_eq!(project.report()["gates"], json!([]));
}

#[test]
fn a_gate_that_is_not_met_is_reported_and_the_files_are_complete() {
    let gates = json!({"gates": ["model.accuracy >= 1.5", "model.accuracy >= 0"], "bootstrap": 50});
    let project = Project::new().model("model", 1).params(gates);
    let completion = project.run().unwrap();
    let accuracy = project.report()["models"]["model"]["accuracy"].as_f64().unwrap();
    assert_eq!(
        completion.gates_failed,
        [format!(
            "model.accuracy >= 1.5: {accuracy:.4}, short by {:.4}",
            1.5 - accuracy
        )]
    );
    let gate = &project.report()["gates"][0];
    assert_eq!(
        (&gate["gate"], &gate["value"], &gate["threshold"], &gate["passed"]),
        (
            &json!("model.accuracy >= 1.5"),
            &json!(accuracy),
            &json!(1.5),
            &json!(false)
        )
    );
    assert_eq!(project.report()["gates"][1]["passed"], true);
}

#[test]
fn errors_are_the_rows_off_the_matrix_diagonal() {
    let project = Project::new().model("model", 1);
    project.run().unwrap();
    let matrix: Vec<Vec<u64>> =
        serde_json::from_value(project.report()["models"]["model"]["confusion_matrix"].clone()).unwrap();
    let right: u64 = (0..3).map(|class| matrix[class][class]).sum();
    let item = InputItem {
        path: project.folder.path().join("out/models/model/errors.parquet"),
        name: "errors".into(),
        artifact_type: ArtifactType::Labelled,
        options: SourceOptions::default(),
    };
    let options = dataset::ReadOptions {
        task: Task::SingleLabel,
        labels: &labels(),
        normalize: dataset::Normalize::None,
        input_name: "errors",
    };
    let errors = dataset::read_labelled(&[item], &options).unwrap();
    assert_eq!(errors.len() as u64, 6 - right);
}

#[test]
fn decomposed_hangul_is_measured_as_composed() {
    let composed = Project::new().model("model", 1);
    composed.run().unwrap();
    // 기쁘다 as macOS writes it.
    let decomposed = GOLDEN.replace("기쁘다", "\u{1100}\u{1175}\u{1108}\u{1173}\u{1103}\u{1161}");
    let project = Project::new().model("model", 1).golden(&decomposed);
    project.run().unwrap();
    assert_eq!(project.report()["models"], composed.report()["models"]);
}

#[test]
fn model_of_other_labels_is_refused() {
    let project = Project::new().model("model", 1);
    let other = LabelSet::from_names(["기쁨", "분노", "슬픔"]).unwrap();
    write_model(&project.folder.path().join("model"), 1, &other);
    assert!(project.run().is_err());
}

#[test]
fn no_golden_rows_are_an_error_that_names_the_file() {
    let project = Project::new().model("model", 1).golden("text,label\n");
    assert!(project.run().unwrap_err().message.contains("`golden.csv`"));
}

#[test]
fn a_text_of_ten_thousand_characters_is_measured() {
    let golden = format!("text,label\n{},기쁨\n오늘,분노\n", "기쁘다 ".repeat(2500));
    let project = Project::new().model("model", 1).golden(&golden);
    project.run().unwrap();
    assert_eq!(project.report()["golden"]["rows"], 2);
}

#[test]
fn a_model_without_mistakes_has_an_empty_table_of_errors() {
    // Whatever a model says about one text, it is right about one of the labels.
    let right = labels().names().map(str::to_owned).any(|label| {
        let project = Project::new()
            .model("model", 1)
            .golden(&format!("text,label\n오늘,{label}\n"));
        project.run().unwrap();
        assert!(
            project
                .folder
                .path()
                .join("out/models/model/errors.parquet")
                .is_file()
        );
        project.report()["models"]["model"]["accuracy"] == 1.0
    });
    assert!(right);
}

/// A model is measured, its version promoted; then another one is measured under the same name.
fn after_promotion(gate: &str, first_model: u64, then: impl FnOnce(&mut Project)) -> Value {
    let mut project = Project::new().model("model", first_model);
    project.run_into("promoted").unwrap();
    write_model(&project.folder.path().join("model"), 2, &labels());
    project.params = json!({"gates": [gate], "bootstrap": 50});
    project.promoted.insert("production".into(), "promoted");
    then(&mut project);
    project.run().unwrap();
    project.report()["gates"][0].clone()
}

#[test]
fn a_gate_compares_with_the_promoted_version() {
    let gate = after_promotion("model.accuracy >= model.accuracy@production", 1, |_| ());
    let (value, threshold) = (
        gate["value"].as_f64().unwrap(),
        gate["threshold"].as_f64().unwrap(),
    );
    let project = Project::new().model("model", 1);
    project.run().unwrap();
    assert_eq!(project.report()["models"]["model"]["accuracy"], threshold);
    assert_eq!(gate["passed"], value >= threshold);
}

#[test]
fn a_model_does_not_differ_from_itself_on_any_resample() {
    let gate = after_promotion(
        "model.macro_f1 - model.macro_f1@production >= 0 at 95%",
        2,
        |_| (),
    );
    assert_eq!(
        (&gate["value"], &gate["bound"], &gate["passed"]),
        (&json!(0.0), &json!(0.0), &json!(true))
    );
}

#[test]
fn before_anything_is_promoted_such_a_gate_is_met() {
    let gate = after_promotion("model.accuracy >= model.accuracy@production", 1, |project| {
        project.promoted.clear();
    });
    assert_eq!(gate["passed"], true);
    assert_eq!(gate["reason"], "nothing is promoted as `production` yet");
}

#[test]
fn a_promoted_version_on_other_golden_rows_is_not_compared_with() {
    let gate = after_promotion("model.accuracy >= model.accuracy@production", 1, |project| {
        let golden = GOLDEN.replace("오늘 슬프다,슬픔", "오늘 슬프다,분노");
        std::fs::write(project.folder.path().join("golden.csv"), golden).unwrap();
    });
    assert_eq!(gate["passed"], false);
    assert_eq!(
        gate["reason"],
        "the golden set is not the one that `production` was measured on"
    );
}

#[test]
fn a_model_that_the_promoted_version_has_not_is_named() {
    let gate = after_promotion("model.accuracy >= modle.accuracy@production", 1, |_| ());
    assert_eq!(gate["passed"], false);
    assert_eq!(
        gate["reason"],
        "the version promoted as `production` has no model `modle`; did you mean `model@production`?"
    );
}

#[test]
fn a_promoted_version_without_predictions_is_not_compared_with() {
    let gate = after_promotion("model.accuracy >= model.accuracy@production", 1, |project| {
        let models = project.folder.path().join("promoted/models/model");
        std::fs::remove_file(models.join("predictions.parquet")).unwrap();
    });
    assert_eq!(gate["passed"], false);
    assert!(
        gate["reason"].as_str().unwrap().contains("kept no predictions"),
        "{gate}"
    );
}

fn table(project: &Project, file: &str) -> dataset::Table {
    let path = project.folder.path().join("out").join(file);
    dataset::inspect::open(&path, file, None).unwrap().all().unwrap()
}

#[test]
fn predictions_are_a_row_for_every_golden_row_in_order() {
    let project = Project::new().model("model", 1);
    project.run().unwrap();
    let table = table(&project, "models/model/predictions.parquet");
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    for name in ["id", "label", "pred_emotion", "pred_conf", "pred_margin", "probs"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let ids: Vec<String> = table.rows.iter().map(|row| row[0].display()).collect();
    let expected: Vec<String> = (0..6).map(|row| format!("golden-{row}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn suspected_rows_are_listed_and_counted_and_stay_in_the_figures() {
    let project = Project::new().model("teacher", 1).model("student", 2);
    project.run().unwrap();
    let report = project.report();
    let noise = &report["golden_noise"];
    let suspects = table(&project, "suspects.parquet");
    let names: Vec<&str> = suspects
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let wanted = [
        "id",
        "text",
        "source",
        "label",
        "suggested",
        "self_confidence",
        "suggested_confidence",
        "margin",
    ];
    assert_eq!(names, wanted);
    assert_eq!(noise["suspected"], suspects.rows.len());
    assert_eq!(
        (&noise["rows"], &noise["by"]),
        (&json!(6), &json!(["teacher", "student"]))
    );
    assert_eq!(noise["by_class"]["기쁨"]["rows"], 2);
    let student = &noise["models"]["student"];
    assert_eq!(student["macro_f1"], report["models"]["student"]["macro_f1"]);
    assert!(student["macro_f1_without_suspected"].is_f64());
}

#[test]
fn flips_are_the_rows_that_came_out_differently() {
    let project = Project::new().model("teacher", 1).model("student", 2);
    project.run().unwrap();
    let columns = table(&project, "flips.parquet").columns;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "id",
            "text",
            "source",
            "label",
            "baseline",
            "baseline_conf",
            "candidate",
            "candidate_conf",
            "change"
        ]
    );
    let comparison = &project.report()["comparison"];
    let rows = table(&project, "flips.parquet").rows;
    let said = |model: &str| table(&project, &format!("models/{model}/predictions.parquet")).rows;
    let (teacher, student) = (said("teacher"), said("student"));
    let differ = teacher
        .iter()
        .zip(&student)
        .filter(|(one, other)| one[2] != other[2]);
    assert_eq!(rows.len(), differ.count());
    let count = |change: &str| rows.iter().filter(|row| row[8].display() == change).count();
    assert_eq!(json!(count("fixed")), comparison["fixed"]);
    assert_eq!(json!(count("broken")), comparison["broken"]);
    for row in rows {
        let [label, baseline, candidate] = [3, 4, 6].map(|column| row[column].display());
        let change = match (baseline == label, candidate == label) {
            (false, true) => "fixed",
            (true, false) => "broken",
            _ => "both_wrong_changed",
        };
        assert_eq!(row[8].display(), change);
        assert_ne!(baseline, candidate);
    }
}

#[test]
fn one_model_has_no_flips() {
    let project = Project::new().model("model", 1);
    project.run().unwrap();
    assert!(!project.folder.path().join("out/flips.parquet").exists());
}

#[test]
fn both_reports_say_whether_golden_rows_are_guarded() {
    let with = |guard: Guard| {
        let mut project = Project::new().model("model", 1);
        project.guard = guard;
        project.run().unwrap();
        (project.report()["guard"].clone(), project.read("report.html"))
    };
    let reasons = vec!["`golden.csv` is an input of stage `teacher`".to_owned()];
    let (entry, html) = with(Guard::Unguarded {
        reasons: reasons.clone(),
    });
    assert_eq!(entry, json!({"guarded": false, "reasons": reasons}));
    assert!(html.contains("Unguarded.") && html.contains("<code>golden.csv</code> is an input"));
    let (entry, html) = with(Guard::Guarded);
    assert_eq!(entry, json!({"guarded": true, "reasons": []}));
    assert!(!html.contains("Unguarded."));
    assert_eq!(with(Guard::Unknown).0["guarded"], Value::Null);
}

#[test]
fn slices_cover_all_rows() {
    let golden = format!("{GOLDEN}{},기쁨\n", "기쁘다 ".repeat(30));
    let project = Project::new()
        .model("teacher", 1)
        .model("student", 2)
        .golden(&golden);
    project.run().unwrap();
    let slices = project.report()["slices"]["length"].clone();
    let slices = slices.as_array().unwrap();
    let rows: u64 = slices.iter().map(|slice| slice["rows"].as_u64().unwrap()).sum();
    assert_eq!((rows, slices.len()), (7, 3));
    assert_eq!(slices[2]["slice"], "81–160");
    assert!(slices[0]["models"]["student"]["ci95"].is_array());
}
