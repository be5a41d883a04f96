//! Forty steps beside PyTorch's: losses, gradient norms and the logits afterwards, of all that learns.
//!
//! `PARITY_FIXTURES` names another folder of reference checkpoints of the same shape.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use classification::{LabelIds, LabelSet, Task};
use model::{BaseOptions, Choice, Precision, SequenceClassifier};
use serde::Deserialize;
use serde_json::Value;
use tokenizer::Encoding;
use training::{Decay, DeviceLearner, Learner, NativeLearner, Objective, Optimizer, Rule, Schedule};

#[derive(Deserialize)]
struct Reference {
    settings: Settings,
    steps: Vec<Step>,
    after: After,
}

#[derive(Deserialize)]
struct Settings {
    steps: usize,
    learning_rate: f64,
    warmup_steps: usize,
    weight_decay: f64,
    max_grad_norm: f64,
    label_smoothing: f64,
    class_weights: Option<Vec<f32>>,
}

#[derive(Deserialize)]
struct Step {
    learning_rate: f64,
    loss: f64,
    grad_norm: f64,
    labels: Targets,
    input_ids: Vec<Vec<u32>>,
    attention_mask: Vec<Vec<u32>>,
}

/// What the texts of a batch are to be given.
#[derive(Deserialize)]
#[serde(untagged)]
enum Targets {
    Classes(Vec<usize>),
    /// 1 for each label that a text has, else 0.
    Labels(Vec<Vec<f32>>),
}

#[derive(Deserialize)]
struct After {
    input_ids: Vec<Vec<u32>>,
    attention_mask: Vec<Vec<u32>>,
    logits: Vec<Vec<f32>>,
}

#[test]
fn electra_trains_as_pytorch() {
    assert_trains_as_pytorch("electra");
}

#[test]
fn electra_with_narrow_embeddings_trains_as_pytorch() {
    assert_trains_as_pytorch("electra-factorized");
}

#[test]
fn roberta_trains_as_pytorch() {
    assert_trains_as_pytorch("roberta");
}

#[test]
fn bert_trains_as_pytorch() {
    assert_trains_as_pytorch("bert");
}

#[test]
fn distilbert_trains_as_pytorch() {
    assert_trains_as_pytorch("distilbert");
}

#[test]
fn electra_with_several_labels_trains_as_pytorch() {
    assert_trains_as_pytorch("electra-multilabel");
}

fn assert_trains_as_pytorch(name: &str) {
    let device = Device::flex().autodiff();
    let tolerance = Tolerance {
        loss: 1e-4,
        norm: 1e-3,
        logits: 1e-3,
    };
    assert_learner_trains_as_pytorch(
        name,
        "native",
        &device,
        &tolerance,
        |model, objective, optimizer, _| Box::new(NativeLearner::new(&model, objective, optimizer).unwrap()),
    );
}

/// How far a run on a device may be off PyTorch's in f32: losses and gradient norms relatively, logits absolutely.
struct Tolerance {
    loss: f64,
    norm: f64,
    logits: f32,
}

const NAMES: [&str; 6] = [
    "electra",
    "electra-factorized",
    "roberta",
    "bert",
    "distilbert",
    "electra-multilabel",
];

/// Every device that this build can use here.
fn devices() -> Vec<(String, Device)> {
    let places = [("cpu", "flex"), ("cpu", "tch"), ("cuda", "tch"), ("cuda", "cuda")];
    let found = places.into_iter().filter_map(|(device, backend)| {
        let choice = Choice::of(device, backend, "f32").ok()?;
        Some((choice.to_string(), choice.open().unwrap().autodiff()))
    });
    found.collect()
}

#[test]
fn a_learner_on_every_device_trains_as_pytorch() {
    for (place, device) in devices() {
        // GPUs multiply in TF32.
        let on_gpu = place.contains("GPU");
        let tolerance = Tolerance {
            loss: if on_gpu { 5e-3 } else { 1e-4 },
            norm: if on_gpu { 2e-2 } else { 1e-3 },
            logits: if on_gpu { 2e-2 } else { 1e-3 },
        };
        for name in NAMES {
            assert_learner_trains_as_pytorch(name, &place, &device, &tolerance, on(&device, Precision::F32));
        }
    }
}

#[test]
fn a_learner_in_bf16_stays_close_to_pytorch() {
    // The norm wanders most: after thirty steps the weights are no longer the same.
    let tolerance = Tolerance {
        loss: 2e-2,
        norm: 0.1,
        logits: 2e-2,
    };
    for (place, device) in devices() {
        for name in NAMES {
            let place = format!("{place} in bf16");
            assert_learner_trains_as_pytorch(name, &place, &device, &tolerance, on(&device, Precision::Bf16));
        }
    }
}

/// What learns by burn on `device`.
fn on(
    device: &Device,
    precision: Precision,
) -> impl FnOnce(SequenceClassifier, Objective, Optimizer, u32) -> Box<dyn Learner> {
    move |model, objective, optimizer, pad_id| {
        let model = model.in_precision(precision);
        Box::new(DeviceLearner::new(model, objective, optimizer, pad_id, device))
    }
}

fn assert_learner_trains_as_pytorch(
    name: &str,
    place: &str,
    device: &Device,
    tolerance: &Tolerance,
    learner: impl FnOnce(SequenceClassifier, Objective, Optimizer, u32) -> Box<dyn Learner>,
) {
    let Some(directory) = fixture(name) else { return };
    let text = std::fs::read_to_string(directory.join("training.json")).unwrap();
    let Reference {
        settings,
        steps,
        after,
    } = serde_json::from_str(&text).unwrap();
    let options = BaseOptions {
        seed: 0,
        dropout: Some(0.0),
        classifier_dropout: Some(0.0),
    };
    let known = labels(&directory);
    let loaded = model::load_base(&directory, &known, &options, device).unwrap();
    let task = match steps[0].labels {
        Targets::Classes(_) => Task::SingleLabel,
        Targets::Labels(_) => Task::MultiLabel,
    };
    let (smoothing, weights) = (settings.label_smoothing, settings.class_weights.as_deref());
    let objective = Objective::new(task, known.len(), smoothing, weights);
    let optimizer = Optimizer::new(Rule::AdamW, settings.weight_decay);
    let (model, pad_id) = (loaded.classifier, loaded.tokenizer.pad_id());
    let mut learner = learner(model, objective.clone(), optimizer, pad_id);
    let schedule = Schedule {
        peak: settings.learning_rate,
        decay: Decay::Linear,
        warmup: settings.warmup_steps,
        total: settings.steps,
    };
    assert_eq!(steps.len(), settings.steps);
    let what = |figure: &str, step: usize| format!("{name} with {place}: {figure} of step {step}");
    for (number, step) in steps.iter().enumerate() {
        let texts = unpadded(&step.input_ids, &step.attention_mask);
        let given = label_ids(&step.labels);
        let targets = training::Targets::Labels(given.iter().collect());
        let weight = objective.weight(&targets);
        learner.backward(&texts, &targets, weight, 0).unwrap();
        let learning_rate = schedule.at(number);
        let difference = (learning_rate - step.learning_rate).abs();
        assert!(difference < 1e-12, "{}", what("learning rate", number));
        learner
            .update(learning_rate, Some(settings.max_grad_norm))
            .unwrap();
    }
    let figures = learner.figures(true).unwrap();
    assert_eq!(figures.len(), steps.len());
    for (number, (figures, step)) in figures.iter().zip(&steps).enumerate() {
        let (loss, norm) = (figures.losses[0], figures.norm);
        assert_relative(loss, step.loss, tolerance.loss, &what("loss", number));
        assert_relative(
            norm,
            step.grad_norm,
            tolerance.norm,
            &what("gradient norm", number),
        );
    }
    let encodings: Vec<Encoding> = unpadded(&after.input_ids, &after.attention_mask)
        .into_iter()
        .map(|ids| Encoding { ids: ids.to_vec() })
        .collect();
    let logits = learner.logits(&encodings).unwrap();
    let pairs = logits.iter().flatten().zip(after.logits.iter().flatten());
    let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(
        difference < tolerance.logits,
        "{name} with {place}: logits differ by {difference} after training"
    );
}

fn label_ids(targets: &Targets) -> Vec<LabelIds> {
    match targets {
        Targets::Classes(classes) => classes.iter().map(|class| (*class).into()).collect(),
        Targets::Labels(rows) => rows
            .iter()
            .map(|row| (0..row.len()).filter(|id| row[*id] == 1.0).collect())
            .collect(),
    }
}

fn assert_relative(measured: f64, expected: f64, tolerance: f64, what: &str) {
    let difference = (measured - expected).abs() / expected.abs();
    assert!(difference < tolerance, "{what}: {measured}, PyTorch {expected}");
}

fn unpadded<'a>(ids: &'a [Vec<u32>], masks: &[Vec<u32>]) -> Vec<&'a [u32]> {
    let length = |mask: &Vec<u32>| mask.iter().filter(|real| **real == 1).count();
    ids.iter()
        .zip(masks)
        .map(|(ids, mask)| &ids[..length(mask)])
        .collect()
}

fn labels(directory: &Path) -> LabelSet {
    let text = std::fs::read_to_string(directory.join("config.json")).unwrap();
    let config: Value = serde_json::from_str(&text).unwrap();
    let names = config["id2label"].as_object().unwrap();
    let name = |id: usize| names[&id.to_string()].as_str().unwrap().to_owned();
    LabelSet::from_names((0..names.len()).map(name)).unwrap()
}

fn fixture(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PARITY_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/fixtures"),
        PathBuf::from,
    );
    let directory = folder.join(name);
    if directory.join("training.json").is_file() {
        return Some(directory);
    }
    eprintln!("SKIPPED: `{}` is not there", directory.display());
    None
}
