//! The loop itself.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use model::{Batch, ModelError, SequenceClassifier};

use crate::batches::epoch_batches;
use crate::seed::{Stream, derive};
use crate::selection::Selection;
use crate::{
    CrossEntropy, EvalEvery, Evaluation, Examples, Gradients, Observation, Optimizer, Record, Schedule,
    TrainingError, TrainingOptions,
};

/// What a model learns from and is measured on.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// To learn from.
    pub train: &'a Examples,
    /// To choose the best model by; absent: the last one is taken.
    pub validation: Option<&'a Examples>,
    /// Number of classes.
    pub classes: usize,
    /// The token that fills up batches.
    pub pad_id: u32,
}

/// A model after training.
#[derive(Debug)]
pub struct Trained {
    /// The best model, without autodiff.
    pub model: SequenceClassifier,
    /// Its evaluation, if there were validation examples.
    pub validation: Option<Evaluation>,
    /// What happened.
    pub summary: Summary,
}

/// What happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Epoch of the best model, 1-based.
    pub best_epoch: usize,
    /// Step of the best model, 1-based.
    pub best_step: usize,
    /// Whether training ended before its last epoch was done.
    pub stopped_early: bool,
    /// Epochs that were at least begun.
    pub epochs_run: usize,
    /// Optimizer steps done.
    pub steps: usize,
    /// Seconds in optimizer steps, evaluation not counted.
    pub seconds: f64,
    /// Examples seen in those seconds, repeated ones counted.
    pub examples: u64,
    /// Their tokens, padding not counted.
    pub tokens: u64,
}

/// Trains `model`, whose parameters are on `device`, an autodiff device.
pub fn train(
    model: SequenceClassifier,
    data: &Data<'_>,
    options: &TrainingOptions,
    device: &Device,
    observe: &mut dyn FnMut(Observation),
) -> Result<Trained, TrainingError> {
    check(&model, data, options)?;
    let mut run = Run::new(data, options, device, observe);
    let mut model = model;
    'epochs: for epoch in 0..options.epochs {
        run.summary.epochs_run = epoch + 1;
        device.seed(derive(options.seed, Stream::Dropout, epoch));
        let batches = epoch_batches(&run.lengths, options.batch_size, options.seed, epoch);
        for batches in batches.chunks(options.gradient_accumulation_steps) {
            model = run.step(model, batches)?;
            if run.evaluation_due() && run.evaluate(&model)? {
                run.summary.stopped_early = run.summary.steps < run.schedule.total;
                break 'epochs;
            }
        }
    }
    Ok(run.finish(model))
}

fn check(
    model: &SequenceClassifier,
    data: &Data<'_>,
    options: &TrainingOptions,
) -> Result<(), TrainingError> {
    if data.train.is_empty() || options.epochs == 0 {
        return Err(TrainingError::NoExamples);
    }
    for examples in [Some(data.train), data.validation].into_iter().flatten() {
        if examples.ids.len() != examples.len() || examples.encodings.len() != examples.len() {
            return Err(TrainingError::Mismatch(
                "ids, texts and labels differ in number".into(),
            ));
        }
        let limit = model.max_length();
        if let Some(row) = examples
            .encodings
            .iter()
            .position(|encoding| encoding.ids.len() > limit)
        {
            let length = examples.encodings[row].ids.len();
            return Err(ModelError::TooLong { row, length, limit }.into());
        }
        if let Some(label) = examples.labels.iter().find(|label| **label >= data.classes) {
            return Err(TrainingError::Mismatch(format!(
                "there is no class {label} of {}",
                data.classes
            )));
        }
    }
    match &options.class_weights {
        Some(weights) if weights.len() != data.classes => Err(TrainingError::Mismatch(format!(
            "{} weights for {} classes",
            weights.len(),
            data.classes
        ))),
        _ => Ok(()),
    }
}

struct Run<'a> {
    data: &'a Data<'a>,
    options: &'a TrainingOptions,
    device: &'a Device,
    observe: &'a mut dyn FnMut(Observation),
    lengths: Vec<usize>,
    loss: CrossEntropy,
    schedule: Schedule,
    optimizer: Optimizer,
    steps_per_epoch: usize,
    selection: Selection,
    best: Option<(SequenceClassifier, Evaluation)>,
    summary: Summary,
    /// Losses since the last record.
    losses: Vec<f64>,
}

impl<'a> Run<'a> {
    fn new(
        data: &'a Data<'a>,
        options: &'a TrainingOptions,
        device: &'a Device,
        observe: &'a mut dyn FnMut(Observation),
    ) -> Self {
        let batches = data.train.len().div_ceil(options.batch_size);
        let steps_per_epoch = batches.div_ceil(options.gradient_accumulation_steps);
        let total = steps_per_epoch * options.epochs;
        let warmup = options.warmup.steps(total);
        Self {
            lengths: data.train.lengths(),
            loss: CrossEntropy::new(
                data.classes,
                options.label_smoothing,
                options.class_weights.as_deref(),
            ),
            schedule: Schedule {
                peak: options.learning_rate,
                decay: options.decay,
                warmup,
                total,
            },
            optimizer: Optimizer::new(options.rule, options.weight_decay),
            selection: Selection::new(options.early_stopping),
            best: None,
            summary: Summary {
                best_epoch: 0,
                best_step: 0,
                stopped_early: false,
                epochs_run: 0,
                steps: 0,
                seconds: 0.0,
                examples: 0,
                tokens: 0,
            },
            losses: Vec::new(),
            data,
            options,
            device,
            observe,
            steps_per_epoch,
        }
    }

    /// One optimizer step over `batches`.
    fn step(
        &mut self,
        model: SequenceClassifier,
        batches: &[Vec<usize>],
    ) -> Result<SequenceClassifier, TrainingError> {
        let start = Instant::now();
        let rows = || batches.iter().flatten().copied();
        let weight = self.loss.weight(rows().map(|row| self.data.train.labels[row]));
        let mut loss = 0.0;
        let mut gradients: Option<Gradients> = None;
        for batch in batches {
            let (batch_loss, more) = self.backward(&model, batch, weight)?;
            loss += batch_loss;
            match gradients.as_mut() {
                Some(gradients) => gradients.add(more),
                None => gradients = Some(more),
            }
        }
        let gradients = gradients.unwrap_or_default();
        let norm = gradients.norm();
        self.finite("the gradient norm", norm, rows())?;
        let learning_rate = self.schedule.at(self.summary.steps);
        let model = self
            .optimizer
            .step(model, &gradients, learning_rate, self.clipping(norm))?;
        self.summary.steps += 1;
        self.summary.examples += rows().count() as u64;
        self.summary.tokens += rows().map(|row| self.lengths[row] as u64).sum::<u64>();
        self.summary.seconds += start.elapsed().as_secs_f64();
        self.record_step(loss, norm, learning_rate);
        Ok(model)
    }

    /// The loss of a batch, divided by the whole step's `weight`, and its gradient.
    fn backward(
        &self,
        model: &SequenceClassifier,
        rows: &[usize],
        weight: f64,
    ) -> Result<(f64, Gradients), TrainingError> {
        let encodings: Vec<&[u32]> = rows
            .iter()
            .map(|row| self.data.train.encodings[*row].ids.as_slice())
            .collect();
        let labels: Vec<usize> = rows.iter().map(|row| self.data.train.labels[*row]).collect();
        let batch = Batch::new(&encodings, self.data.pad_id, self.device);
        let loss = self
            .loss
            .sum(model.forward(&batch), &labels, self.device)
            .div_scalar(weight);
        let value: f32 = loss.clone().try_into_scalar().map_err(TrainingError::tensor)?;
        self.finite("the loss", f64::from(value), rows.iter().copied())?;
        Ok((f64::from(value), Gradients::collect(model, loss.backward())?))
    }

    /// As `torch.nn.utils.clip_grad_norm_`.
    fn clipping(&self, norm: f64) -> f32 {
        let limit = self.options.max_grad_norm;
        if limit > 0.0 {
            (limit / (norm + 1e-6)).min(1.0) as f32
        } else {
            1.0
        }
    }

    fn finite(
        &self,
        what: &'static str,
        value: f64,
        rows: impl Iterator<Item = usize>,
    ) -> Result<(), TrainingError> {
        if value.is_finite() {
            return Ok(());
        }
        let rows = rows.map(|row| self.data.train.ids[row].clone()).collect();
        Err(self.not_finite(what, value, rows))
    }

    fn not_finite(&self, what: &'static str, value: f64, rows: Vec<String>) -> TrainingError {
        TrainingError::NotFinite {
            what,
            value,
            step: self.summary.steps + 1,
            epoch: self.summary.epochs_run,
            rows,
        }
    }

    fn record_step(&mut self, loss: f64, norm: f64, learning_rate: f64) {
        self.losses.push(loss);
        let step = self.summary.steps;
        if step.is_multiple_of(self.options.log_every) || step == self.schedule.total {
            let mean = self.losses.iter().sum::<f64>() / self.losses.len() as f64;
            self.losses.clear();
            self.record(
                "train",
                &[
                    ("loss", mean),
                    ("learning_rate", learning_rate),
                    ("grad_norm", norm),
                ],
            );
        }
        let (total, epoch, epochs) = (self.schedule.total, self.summary.epochs_run, self.options.epochs);
        (self.observe)(Observation::Step {
            step,
            total,
            epoch,
            epochs,
            loss,
        });
    }

    fn evaluation_due(&self) -> bool {
        let step = self.summary.steps;
        let due = match self.options.eval_every {
            EvalEvery::Epoch => step.is_multiple_of(self.steps_per_epoch),
            EvalEvery::Steps(steps) => step.is_multiple_of(steps) || step == self.schedule.total,
        };
        due && self.data.validation.is_some()
    }

    /// Evaluates and keeps `model` if it is the best; true: training is to end.
    fn evaluate(&mut self, model: &SequenceClassifier) -> Result<bool, TrainingError> {
        let Some(validation) = self.data.validation else {
            return Ok(false);
        };
        let snapshot = model.valid();
        let device = self.device.clone().without_autodiff();
        let evaluation = Evaluation::run(
            &snapshot,
            validation,
            self.data.classes,
            self.data.pad_id,
            &device,
        );
        let evaluation = match evaluation {
            Err(TrainingError::Model(ModelError::NotFinite { row })) => {
                return Err(self.not_finite(
                    "a validation logit",
                    f64::NAN,
                    vec![validation.ids[row].clone()],
                ));
            }
            evaluation => evaluation?,
        };
        let metrics = &evaluation.metrics;
        self.record(
            "validation",
            &[
                ("loss", evaluation.loss),
                ("accuracy", metrics.accuracy),
                ("macro_f1", metrics.macro_f1),
                ("weighted_f1", metrics.weighted_f1),
            ],
        );
        let verdict = self.selection.observe(evaluation.value(self.selection.metric()));
        if verdict.best {
            self.summary.best_epoch = self.summary.epochs_run;
            self.summary.best_step = self.summary.steps;
            self.best = Some((snapshot, evaluation));
        }
        Ok(verdict.stop)
    }

    fn record(&mut self, split: &str, figures: &[(&str, f64)]) {
        let step = self.summary.steps;
        let epoch = step as f64 / self.steps_per_epoch as f64;
        let record = |(name, value): &(&str, f64)| Record {
            step,
            epoch,
            split: split.to_owned(),
            name: (*name).to_owned(),
            value: *value,
        };
        (self.observe)(Observation::Records(figures.iter().map(record).collect()));
    }

    fn finish(mut self, last: SequenceClassifier) -> Trained {
        match self.best {
            Some((model, evaluation)) => Trained {
                model,
                validation: Some(evaluation),
                summary: self.summary,
            },
            None => {
                self.summary.best_epoch = self.summary.epochs_run;
                self.summary.best_step = self.summary.steps;
                Trained {
                    model: last.valid(),
                    validation: None,
                    summary: self.summary,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use model::{Architecture, ModelConfig, Sizes};
    use tokenizer::Encoding;

    use super::*;
    use crate::{EarlyStopping, Metric, Rule};

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
            examples.labels.push(label);
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
    ) -> (Result<Trained, TrainingError>, Vec<Observation>) {
        let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let data = Data {
            train: train_on,
            validation,
            classes: 2,
            pad_id: 0,
        };
        let mut seen = Vec::new();
        let device = Device::flex().autodiff();
        let trained = train(model(dropout), &data, options, &device, &mut |observation| {
            seen.push(observation)
        });
        (trained, seen)
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

    fn validation_values(seen: &[Observation], wanted: &str) -> Vec<f64> {
        let records = seen.iter().filter_map(|observation| match observation {
            Observation::Records(records) => Some(records),
            Observation::Step { .. } => None,
        });
        let wanted = records
            .flatten()
            .filter(|record| record.split == "validation" && record.name == wanted);
        wanted.map(|record| record.value).collect()
    }

    #[test]
    fn learns_what_can_be_learnt() {
        let (train_on, validation) = (examples(64), examples(20));
        let (trained, _) = run(0.0, &train_on, Some(&validation), &options());
        assert_eq!(trained.unwrap().validation.unwrap().metrics.accuracy, 1.0);
    }

    #[test]
    fn equal_runs_give_equal_weights() {
        let train_on = examples(50);
        let twice = [0, 1].map(|_| weights(&run(0.1, &train_on, None, &options()).0.unwrap()));
        assert_eq!(twice[0], twice[1]);
    }

    #[test]
    fn another_seed_gives_other_weights() {
        let train_on = examples(50);
        let seeds = [1, 2].map(|seed| {
            let options = TrainingOptions { seed, ..options() };
            weights(&run(0.1, &train_on, None, &options).0.unwrap())
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
            let (trained, _) = run(0.0, &train_on, Some(&train_on), &settings);
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
        let (trained, seen) = run(0.0, &train_on, Some(&train_on), &settings);
        let trained = trained.unwrap();
        let losses = validation_values(&seen, "loss");
        let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let again = Evaluation::run(&trained.model, &train_on, 2, 0, &Device::flex()).unwrap();
        assert_eq!(
            (again.loss, losses[trained.summary.best_epoch - 1]),
            (lowest, lowest)
        );
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
        let (trained, _) = run(0.0, &train_on, Some(&train_on), &settings);
        let summary = trained.unwrap().summary;
        assert!(summary.stopped_early && summary.epochs_run < 40);
        assert_eq!(summary.epochs_run, summary.best_epoch + 2);
    }

    #[test]
    fn without_validation_the_last_model_is_returned() {
        let train_on = examples(16);
        let trained = run(0.0, &train_on, None, &options()).0.unwrap();
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
        let (_, seen) = run(0.0, &train_on, Some(&train_on), &settings);
        assert_eq!(validation_values(&seen, "macro_f1").len(), 4);
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
        let (trained, _) = run(0.0, &train_on, None, &settings);
        let TrainingError::NotFinite { step, rows, .. } = trained.unwrap_err() else {
            panic!("another error")
        };
        assert_eq!((step, rows.len()), (2, 8));
    }

    #[test]
    fn no_examples_are_refused() {
        let (trained, _) = run(0.0, &Examples::default(), None, &options());
        assert!(matches!(trained.unwrap_err(), TrainingError::NoExamples));
    }

    #[test]
    fn texts_longer_than_the_model_are_refused() {
        let mut train_on = examples(4);
        train_on.encodings[2].ids = vec![4; 13];
        let error = run(0.0, &train_on, None, &options()).0.unwrap_err();
        assert!(
            matches!(error, TrainingError::Model(ModelError::TooLong { row: 2, .. })),
            "{error}"
        );
    }
}
