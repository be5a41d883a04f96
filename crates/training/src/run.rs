//! A run as far as it has come: steps, records, evaluations, the best model.

use std::borrow::Cow;
use std::time::Instant;

use model::ModelError;

use crate::batches::epoch_batches;
use crate::seed::{Stream, derive};
use crate::selection::Selection;
use crate::{
    Checkpoint, Data, EvalEvery, Evaluation, Learner, Objective, Observer, Progress, Record, Schedule, Step,
    Trained, TrainingError, TrainingOptions, Wish,
};

/// A run as far as it has come. The steps done say where it stands; all else that changes is `progress`, the best
/// evaluation, and what the learner has.
pub(crate) struct Run<'a> {
    data: &'a Data<'a>,
    options: &'a TrainingOptions,
    objective: Objective,
    observer: &'a mut dyn Observer,
    learner: Box<dyn Learner>,
    /// Tokens of each training example.
    lengths: Vec<usize>,
    schedule: Schedule,
    steps_per_epoch: usize,
    selection: Selection,
    /// The batches of an epoch, and which one.
    batches: Option<(usize, Vec<Vec<usize>>)>,
    /// What the best model said about the validation examples.
    best: Option<Best>,
    progress: Progress,
}

struct Best {
    /// One text after the other.
    logits: Vec<f32>,
    evaluation: Evaluation,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        data: &'a Data<'a>,
        options: &'a TrainingOptions,
        objective: Objective,
        learner: Box<dyn Learner>,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let steps_per_epoch = options.steps_per_epoch(data.train.len());
        let total = steps_per_epoch * options.epochs;
        Self {
            lengths: data.train.lengths(),
            objective,
            schedule: Schedule {
                peak: options.learning_rate,
                decay: options.decay,
                warmup: options.warmup.steps(total),
                total,
            },
            selection: Selection::new(options.early_stopping),
            batches: None,
            best: None,
            progress: Progress::default(),
            data,
            options,
            observer,
            learner,
            steps_per_epoch,
        }
    }

    /// Goes on from `checkpoint`, which was [checked](Checkpoint::check).
    pub(crate) fn restore(&mut self, checkpoint: Checkpoint<'static>) -> Result<(), TrainingError> {
        if checkpoint.progress.summary.steps > self.schedule.total {
            return Err(TrainingError::Checkpoint(
                "it has more steps than this training".into(),
            ));
        }
        if let (Some(_), Some(validation)) = (&checkpoint.state.best, self.data.validation) {
            let logits = checkpoint.best_logits.into_owned();
            let rows: Vec<Vec<f32>> = logits.chunks(self.data.classes).map(<[f32]>::to_vec).collect();
            let evaluation = Evaluation::of(&rows, validation, self.data);
            self.best = Some(Best { logits, evaluation });
        }
        self.learner.restore(checkpoint.state)?;
        self.progress = checkpoint.progress.into_owned();
        Ok(())
    }

    /// Trains on, to the last step or until nothing improves.
    pub(crate) fn complete(mut self) -> Result<Trained, TrainingError> {
        let mut begun = false;
        while self.progress.summary.steps < self.schedule.total || self.evaluation_due() {
            if begun {
                self.heed_observer()?;
            }
            begun = true;
            if !self.evaluation_due() {
                self.step()?;
            } else if self.evaluate()? {
                self.progress.summary.stopped_early = self.progress.summary.steps < self.schedule.total;
                break;
            }
        }
        self.finish()
    }

    fn heed_observer(&mut self) -> Result<(), TrainingError> {
        let step = self.progress.summary.steps;
        let wish = self.observer.wish(step);
        if wish != Wish::GoOn {
            self.observer.keep(&Checkpoint {
                progress: Cow::Borrowed(&self.progress),
                state: self.learner.state()?,
                best_logits: self.best.as_ref().map_or(&[][..], |best| &best.logits).into(),
            });
        }
        match wish {
            Wish::End => Err(TrainingError::Interrupted { step }),
            Wish::GoOn | Wish::Checkpoint => Ok(()),
        }
    }

    /// One optimizer step.
    fn step(&mut self) -> Result<(), TrainingError> {
        let start = Instant::now();
        let steps = self.progress.summary.steps;
        self.progress.summary.epochs_run = steps / self.steps_per_epoch + 1;
        let (first_batch, batches) = self.next_batches();
        let rows = || batches.iter().flatten().copied();
        let weight = self.objective.weight(&self.data.train.targets(rows()));
        let mut loss = 0.0;
        for (number, batch) in batches.iter().enumerate() {
            let seed = derive(self.options.seed, Stream::Dropout, first_batch + number);
            loss += self.backward(batch, weight, seed)?;
        }
        let norm = self.learner.norm()?;
        self.finite("the gradient norm", norm, rows())?;
        let learning_rate = self.schedule.at(steps);
        self.learner.update(learning_rate, self.clipping(norm))?;
        let summary = &mut self.progress.summary;
        summary.steps += 1;
        summary.examples += rows().count() as u64;
        summary.tokens += rows().map(|row| self.lengths[row] as u64).sum::<u64>();
        summary.seconds += start.elapsed().as_secs_f64();
        self.record_step(loss, norm, learning_rate);
        Ok(())
    }

    /// The batches of the next step, and the number of the first one, counted over all epochs.
    fn next_batches(&mut self) -> (usize, Vec<Vec<usize>>) {
        let epoch = self.progress.summary.steps / self.steps_per_epoch;
        let (options, lengths) = (self.options, &self.lengths);
        let batches = match self.batches.take() {
            Some((of, batches)) if of == epoch => batches,
            _ => epoch_batches(lengths, options.batch_size, options.seed, epoch),
        };
        let first = self.progress.summary.steps % self.steps_per_epoch * options.gradient_accumulation_steps;
        let last = (first + options.gradient_accumulation_steps).min(batches.len());
        let next = (epoch * batches.len() + first, batches[first..last].to_vec());
        self.batches = Some((epoch, batches));
        next
    }

    /// The loss of a batch, divided by the whole step's `weight`.
    fn backward(&mut self, rows: &[usize], weight: f64, seed: u64) -> Result<f64, TrainingError> {
        let train = self.data.train;
        let texts: Vec<&[u32]> = rows
            .iter()
            .map(|row| train.encodings[*row].ids.as_slice())
            .collect();
        let targets = train.targets(rows.iter().copied());
        let loss = self.learner.backward(&texts, &targets, weight, seed)?;
        self.finite("the loss", loss, rows.iter().copied())?;
        Ok(loss)
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
            step: self.progress.summary.steps + 1,
            epoch: self.progress.summary.epochs_run,
            rows,
        }
    }

    fn record_step(&mut self, loss: f64, norm: f64, learning_rate: f64) {
        self.progress.losses.push(loss);
        let step = self.progress.summary.steps;
        if step.is_multiple_of(self.options.log_every) || step == self.schedule.total {
            let losses = std::mem::take(&mut self.progress.losses);
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            self.record(
                "train",
                &[
                    ("loss", mean),
                    ("learning_rate", learning_rate),
                    ("grad_norm", norm),
                ],
            );
        }
        self.observer.step(Step {
            step,
            total: self.schedule.total,
            epoch: self.progress.summary.epochs_run,
            epochs: self.options.epochs,
            loss,
        });
    }

    fn evaluation_due(&self) -> bool {
        let step = self.progress.summary.steps;
        let due = match self.options.eval_every {
            EvalEvery::Epoch => step.is_multiple_of(self.steps_per_epoch),
            EvalEvery::Steps(steps) => step.is_multiple_of(steps) || step == self.schedule.total,
        };
        due && step != self.progress.evaluated && self.data.validation.is_some()
    }

    /// Evaluates, and keeps the model if it is the best; true: training is to end.
    fn evaluate(&mut self) -> Result<bool, TrainingError> {
        let Some(validation) = self.data.validation else {
            return Ok(false);
        };
        let logits = match self.learner.logits(&validation.encodings) {
            Err(TrainingError::Model(ModelError::NotFinite { row })) => {
                let rows = vec![validation.ids[row].clone()];
                return Err(self.not_finite("a validation logit", f64::NAN, rows));
            }
            logits => logits?,
        };
        let evaluation = Evaluation::of(&logits, validation, self.data);
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
        let value = evaluation.value(self.selection.metric());
        let Progress {
            summary,
            standing,
            evaluated,
            ..
        } = &mut self.progress;
        *evaluated = summary.steps;
        let verdict = self.selection.observe(standing, value);
        if verdict.best {
            summary.best_epoch = summary.epochs_run;
            summary.best_step = summary.steps;
            self.learner.keep_best()?;
            let logits = logits.concat();
            self.best = Some(Best { logits, evaluation });
        }
        Ok(verdict.stop)
    }

    fn record(&mut self, split: &str, figures: &[(&str, f64)]) {
        let step = self.progress.summary.steps;
        let epoch = step as f64 / self.steps_per_epoch as f64;
        let record = |(name, value): &(&str, f64)| Record {
            step,
            epoch,
            split: split.to_owned(),
            name: (*name).to_owned(),
            value: *value,
        };
        self.progress.records.extend(figures.iter().map(record));
    }

    fn finish(self) -> Result<Trained, TrainingError> {
        let Progress {
            mut summary, records, ..
        } = self.progress;
        if self.best.is_none() {
            summary.best_epoch = summary.epochs_run;
            summary.best_step = summary.steps;
        }
        Ok(Trained {
            model: self.learner.into_model()?,
            validation: self.best.map(|best| best.evaluation),
            summary,
            records,
        })
    }
}
