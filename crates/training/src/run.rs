//! A run as far as it has come: steps, records, evaluations, the best model.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use model::{Batch, ModelError, SequenceClassifier};

use crate::objective::Objective;
use crate::selection::Selection;
use crate::{
    Data, EvalEvery, Evaluation, Gradients, Observation, Optimizer, Record, Schedule, Summary, Trained,
    TrainingError, TrainingOptions,
};

/// A run as far as it has come.
pub(crate) struct Run<'a> {
    data: &'a Data<'a>,
    options: &'a TrainingOptions,
    device: &'a Device,
    observe: &'a mut dyn FnMut(Observation),
    /// Tokens of each training example.
    pub(crate) lengths: Vec<usize>,
    loss: Objective,
    pub(crate) schedule: Schedule,
    optimizer: Optimizer,
    steps_per_epoch: usize,
    selection: Selection,
    best: Option<(SequenceClassifier, Evaluation)>,
    pub(crate) summary: Summary,
    /// Losses since the last record.
    losses: Vec<f64>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
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
            loss: Objective::new(
                data.task,
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
    pub(crate) fn step(
        &mut self,
        model: SequenceClassifier,
        batches: &[Vec<usize>],
    ) -> Result<SequenceClassifier, TrainingError> {
        let start = Instant::now();
        let rows = || batches.iter().flatten().copied();
        let weight = self.loss.weight(&self.data.train.targets(rows()));
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
        let targets = self.data.train.targets(rows.iter().copied());
        let batch = Batch::new(&encodings, self.data.pad_id, self.device);
        let loss = self
            .loss
            .sum(model.forward(&batch), &targets, self.device)
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

    pub(crate) fn evaluation_due(&self) -> bool {
        let step = self.summary.steps;
        let due = match self.options.eval_every {
            EvalEvery::Epoch => step.is_multiple_of(self.steps_per_epoch),
            EvalEvery::Steps(steps) => step.is_multiple_of(steps) || step == self.schedule.total,
        };
        due && self.data.validation.is_some()
    }

    /// Evaluates and keeps `model` if it is the best; true: training is to end.
    pub(crate) fn evaluate(&mut self, model: &SequenceClassifier) -> Result<bool, TrainingError> {
        let Some(validation) = self.data.validation else {
            return Ok(false);
        };
        let snapshot = model.valid();
        let device = self.device.clone().without_autodiff();
        let evaluation = Evaluation::run(&snapshot, validation, self.data, &device);
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
        let mut figures = vec![
            ("loss", evaluation.loss),
            ("accuracy", metrics.accuracy),
            ("macro_f1", metrics.macro_f1),
            ("weighted_f1", metrics.weighted_f1),
        ];
        if let Some(several) = metrics.multi_label {
            figures.extend([
                ("micro_f1", several.micro_f1),
                ("samples_f1", several.samples_f1),
                ("hamming_loss", several.hamming_loss),
            ]);
        }
        self.record("validation", &figures);
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

    pub(crate) fn finish(mut self, last: SequenceClassifier) -> Trained {
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
