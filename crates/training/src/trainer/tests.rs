//! Whole runs of a tiny model on texts that can be learnt.

use std::sync::Mutex;

use burn::module::Module;

use model::{Architecture, ModelConfig, Sizes};
use tokenizer::Encoding;

use super::*;
use crate::{EarlyStopping, EvalEvery, Metric, Rule};

/// The backend has one random generator per process.
static ALONE: Mutex<()> = Mutex::new(());

fn model(dropout: f64) -> SequenceClassifier {
    let sizes = Sizes {
        vocab_size: 20,
        embedding_size: None,
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 32,
        max_position_embeddings: 12,
    };
    let config = ModelConfig::from_scratch(Architecture::Electra, &sizes).unwrap();
    let config = config.with_dropout(Some(dropout), Some(dropout));
    SequenceClassifier::init(&config, 2, &Device::flex().autodiff(), 7).unwrap()
}

/// Texts of several lengths whose class is their second token.
fn examples(count: usize) -> Examples {
    let mut examples = Examples::default();
    for row in 0..count {
        let label = row % 2;
        let mut ids = vec![2, 5 + label as u32];
        ids.extend((0..row % 5).map(|position| 10 + (row + position) as u32 % 8));
        ids.push(3);
        examples.ids.push(format!("row-{row}"));
        examples.encodings.push(Encoding { ids });
        examples.labels.push(label.into());
    }
    examples
}

fn options() -> TrainingOptions {
    TrainingOptions {
        epochs: 4,
        batch_size: 8,
        learning_rate: 1e-2,
        ..TrainingOptions::default()
    }
}

fn run(
    dropout: f64,
    train_on: &Examples,
    validation: Option<&Examples>,
    options: &TrainingOptions,
) -> Result<Trained, TrainingError> {
    run_task(Task::SingleLabel, dropout, train_on, validation, options)
}

fn run_task(
    task: Task,
    dropout: f64,
    train_on: &Examples,
    validation: Option<&Examples>,
    options: &TrainingOptions,
) -> Result<Trained, TrainingError> {
    run_from(None, task, dropout, train_on, validation, options, &mut ())
}

fn run_from(
    checkpoint: Option<Checkpoint<'static>>,
    task: Task,
    dropout: f64,
    train_on: &Examples,
    validation: Option<&Examples>,
    options: &TrainingOptions,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainingError> {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let data = Data {
        train: train_on,
        validation,
        task,
        classes: 2,
        thresholds: &Thresholds::Tuned,
        pad_id: 0,
    };
    let device = Device::flex().autodiff();
    train(model(dropout), &data, options, &device, checkpoint, observer)
}

fn weights(trained: &Trained) -> Vec<u32> {
    struct Bits(Vec<u32>);
    impl burn::module::ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<burn::tensor::Tensor<D>>) {
            let values = param.val().into_data().try_into_vec_as::<f32>().unwrap();
            self.0.extend(values.into_iter().map(f32::to_bits));
        }
    }
    let mut bits = Bits(Vec::new());
    trained.model.visit(&mut bits);
    bits.0
}

fn validation_values(trained: &Trained, wanted: &str) -> Vec<f64> {
    let wanted = trained
        .records
        .iter()
        .filter(|record| record.split == "validation" && record.name == wanted);
    wanted.map(|record| record.value).collect()
}

mod resuming;

#[test]
fn learns_what_can_be_learnt() {
    let (train_on, validation) = (examples(64), examples(20));
    let trained = run(0.0, &train_on, Some(&validation), &options());
    assert_eq!(trained.unwrap().validation.unwrap().metrics.accuracy, 1.0);
}

/// Texts that have label 0, label 1, both or none, each said by a token.
fn examples_with_several_labels(count: usize) -> Examples {
    let mut examples = Examples::default();
    for row in 0..count {
        let has = [row % 2 == 0, row % 3 == 0];
        let ids = vec![2, 5 + u32::from(has[0]), 7 + u32::from(has[1]), 3];
        examples.ids.push(format!("row-{row}"));
        examples.encodings.push(Encoding { ids });
        examples.labels.push((0..2).filter(|label| has[*label]).collect());
    }
    examples
}

#[test]
fn several_labels_are_learnt_side_by_side() {
    let (train_on, validation) = (examples_with_several_labels(96), examples_with_several_labels(24));
    let settings = TrainingOptions {
        epochs: 15,
        learning_rate: 3e-3,
        ..options()
    };
    let trained = run_task(Task::MultiLabel, 0.0, &train_on, Some(&validation), &settings).unwrap();
    let losses = validation_values(&trained, "hamming_loss");
    let evaluation = trained.validation.unwrap();
    // By chance a quarter of the texts would have both labels right.
    assert!(evaluation.metrics.accuracy > 0.8, "{:?}", evaluation.metrics);
    assert_eq!(evaluation.thresholds.unwrap().len(), 2);
    assert!(
        losses.len() == 15 && losses.iter().any(|loss| *loss < 0.1),
        "{losses:?}"
    );
}

#[test]
fn a_text_without_a_label_is_refused_where_each_has_one() {
    let train_on = examples_with_several_labels(8);
    let error = run(0.0, &train_on, None, &options()).unwrap_err();
    assert!(error.to_string().contains("exactly one label"), "{error}");
}

#[test]
fn equal_runs_give_equal_weights() {
    let train_on = examples(50);
    let twice = [0, 1].map(|_| weights(&run(0.1, &train_on, None, &options()).unwrap()));
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (train_on, validation) = (examples(50), examples(20));
    let alone = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    let outcomes = [1, 3].map(|threads| {
        let trained = alone(threads).install(|| run(0.1, &train_on, Some(&validation), &options()));
        let trained = trained.unwrap();
        (weights(&trained), trained.records)
    });
    assert!(outcomes[0] == outcomes[1]);
}

#[test]
fn another_seed_gives_other_weights() {
    let train_on = examples(50);
    let seeds = [1, 2].map(|seed| {
        let options = TrainingOptions { seed, ..options() };
        weights(&run(0.1, &train_on, None, &options).unwrap())
    });
    assert_ne!(seeds[0], seeds[1]);
}

#[test]
fn accumulated_batches_make_the_step_of_one_large_batch() {
    let train_on = examples(32);
    let loss_of = |batch_size, gradient_accumulation_steps| {
        let settings = TrainingOptions {
            batch_size,
            gradient_accumulation_steps,
            class_weights: Some(vec![0.5, 3.0]),
            rule: Rule::Sgd,
            epochs: 2,
            ..options()
        };
        let trained = run(0.0, &train_on, Some(&train_on), &settings);
        trained.unwrap().validation.unwrap().loss
    };
    assert!((loss_of(32, 1) - loss_of(4, 8)).abs() < 1e-6);
}

#[test]
fn the_best_model_is_returned_not_the_last() {
    let train_on = examples(64);
    let stopping = EarlyStopping {
        metric: Metric::Loss,
        patience: 50,
        min_delta: 0.0,
    };
    let settings = TrainingOptions {
        learning_rate: 0.3,
        early_stopping: Some(stopping),
        epochs: 6,
        ..options()
    };
    let trained = run(0.0, &train_on, Some(&train_on), &settings).unwrap();
    let losses = validation_values(&trained, "loss");
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let data = Data {
        train: &train_on,
        validation: None,
        task: Task::SingleLabel,
        classes: 2,
        thresholds: &Thresholds::Tuned,
        pad_id: 0,
    };
    let logits = model::infer(
        &trained.model,
        &train_on.encodings,
        0,
        4096,
        &Device::flex(),
        &mut |_, _| {},
    );
    let again = Evaluation::of(&logits.unwrap().logits, &train_on, &data);
    assert_eq!(losses[trained.summary.best_epoch - 1], lowest);
    // Predicted by burn here.
    assert!((again.loss - lowest).abs() < 1e-5, "{} {lowest}", again.loss);
}

#[test]
fn training_stops_when_nothing_improves() {
    let train_on = examples(64);
    let stopping = EarlyStopping {
        metric: Metric::Accuracy,
        patience: 2,
        min_delta: 0.0,
    };
    let settings = TrainingOptions {
        early_stopping: Some(stopping),
        epochs: 40,
        ..options()
    };
    let trained = run(0.0, &train_on, Some(&train_on), &settings);
    let summary = trained.unwrap().summary;
    assert!(summary.stopped_early && summary.epochs_run < 40);
    assert_eq!(summary.epochs_run, summary.best_epoch + 2);
}

#[test]
fn without_validation_the_last_model_is_returned() {
    let train_on = examples(16);
    let trained = run(0.0, &train_on, None, &options()).unwrap();
    assert_eq!((trained.summary.best_epoch, trained.summary.best_step), (4, 8));
    assert!(trained.validation.is_none());
}

#[test]
fn evaluation_by_steps_includes_the_last_step() {
    let train_on = examples(40);
    let settings = TrainingOptions {
        eval_every: EvalEvery::Steps(3),
        epochs: 2,
        ..options()
    };
    let trained = run(0.0, &train_on, Some(&train_on), &settings).unwrap();
    assert_eq!(validation_values(&trained, "macro_f1").len(), 4);
}

#[test]
fn an_infinite_loss_stops_with_step_and_rows() {
    let train_on = examples(8);
    let settings = TrainingOptions {
        learning_rate: 1e30,
        max_grad_norm: 0.0,
        warmup: crate::Warmup::Steps(0),
        rule: Rule::Sgd,
        ..options()
    };
    let trained = run(0.0, &train_on, None, &settings);
    let TrainingError::NotFinite { step, rows, .. } = trained.unwrap_err() else {
        panic!("another error")
    };
    assert_eq!((step, rows.len()), (2, 8));
}

#[test]
fn no_examples_are_refused() {
    let trained = run(0.0, &Examples::default(), None, &options());
    assert!(matches!(trained.unwrap_err(), TrainingError::NoExamples));
}

#[test]
fn texts_longer_than_the_model_are_refused() {
    let mut train_on = examples(4);
    train_on.encodings[2].ids = vec![4; 13];
    let error = run(0.0, &train_on, None, &options()).unwrap_err();
    assert!(
        matches!(error, TrainingError::Model(ModelError::TooLong { row: 2, .. })),
        "{error}"
    );
}

/// `examples(count)` whose classes are said by probabilities instead.
fn soft_examples(count: usize, certainty: f32) -> Examples {
    let mut examples = examples(count);
    let soft = |row: usize| {
        let mut soft = vec![1.0 - certainty; 2];
        soft[row % 2] = certainty;
        soft
    };
    examples.soft = Some((0..count).map(soft).collect());
    examples
}

#[test]
fn probabilities_are_learnt_in_place_of_the_labels() {
    let mut train_on = soft_examples(64, 0.9);
    // Labels that say the contrary have no part in it.
    train_on
        .labels
        .iter_mut()
        .for_each(|label| *label = (1 - label.first().unwrap()).into());
    let validation = examples(20);
    let trained = run(0.0, &train_on, Some(&validation), &options());
    assert_eq!(trained.unwrap().validation.unwrap().metrics.accuracy, 1.0);
}

#[test]
fn certain_probabilities_teach_what_labels_teach() {
    let validation = examples(20);
    let loss = |train_on: &Examples| {
        let trained = run(0.0, train_on, Some(&validation), &options());
        trained.unwrap().validation.unwrap().loss
    };
    let (hard, soft) = (loss(&examples(64)), loss(&soft_examples(64, 1.0)));
    assert!((hard - soft).abs() < 1e-3, "{hard} and {soft}");
}

#[test]
fn a_soft_label_of_another_task_is_an_error_that_names_the_row() {
    let mut train_on = soft_examples(8, 0.9);
    train_on.soft.as_mut().unwrap()[3] = vec![1.0, 0.0, 0.0];
    let trained = run(0.0, &train_on, None, &options());
    let message = trained.err().unwrap().to_string();
    assert!(
        message.contains("row `row-3` is not 2 probabilities"),
        "{message}"
    );
}
