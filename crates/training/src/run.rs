//! A run as far as it has come: steps, records, evaluations, the best model.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Instant;

use model::ModelError;

use crate::batches::epoch_batches;
use crate::seed::{Stream, derive};
use crate::selection::Selection;
use crate::{
    Checkpoint, Data, EvalEvery, Evaluation, Figures, Learner, Objective, Observer, Progress, Record,
    Schedule, Step, Trained, TrainingError, TrainingOptions, Wish,
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
    /// Steps done whose figures the learner has not told.
    untold: VecDeque<Untold>,
}

/// A step whose figures are not known yet.
struct Untold {
    step: usize,
    epoch: usize,
    learning_rate: f64,
    /// Rows of each batch.
    batches: Vec<Vec<usize>>,
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
            untold: VecDeque::new(),
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
                continue;
            }
            self.take_figures(true)?;
            if self.evaluate()? {
                self.progress.summary.stopped_early = self.progress.summary.steps < self.schedule.total;
                break;
            }
        }
        self.take_figures(true)?;
        self.finish()
    }

    fn heed_observer(&mut self) -> Result<(), TrainingError> {
        let step = self.progress.summary.steps;
        let wish = self.observer.wish(step);
        if wish != Wish::GoOn {
            self.take_figures(true)?;
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
        for (number, batch) in batches.iter().enumerate() {
            let seed = derive(self.options.seed, Stream::Dropout, first_batch + number);
            self.backward(batch, weight, seed)?;
        }
        let learning_rate = self.schedule.at(steps);
        let limit = Some(self.options.max_grad_norm).filter(|limit| *limit > 0.0);
        self.learner.update(learning_rate, limit)?;
        let summary = &mut self.progress.summary;
        summary.steps += 1;
        summary.examples += rows().count() as u64;
        summary.tokens += rows().map(|row| self.lengths[row] as u64).sum::<u64>();
        summary.seconds += start.elapsed().as_secs_f64();
        self.untold.push_back(Untold {
            step: summary.steps,
            epoch: summary.epochs_run,
            learning_rate,
            batches,
        });
        self.take_figures(false)
    }

    /// Records the steps that the learner tells: with `all` every one.
    fn take_figures(&mut self, all: bool) -> Result<(), TrainingError> {
        let start = Instant::now();
        let figures = self.learner.figures(all)?;
        self.progress.summary.seconds += start.elapsed().as_secs_f64();
        for figures in figures {
            let Some(step) = self.untold.pop_front() else {
                break;
            };
            self.check_finite(&step, &figures)?;
            self.record_step(&step, &figures);
        }
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

    /// Adds a batch to the step, which has this `weight` in all.
    fn backward(&mut self, rows: &[usize], weight: f64, seed: u64) -> Result<(), TrainingError> {
        let train = self.data.train;
        let texts: Vec<&[u32]> = rows
            .iter()
            .map(|row| train.encodings[*row].ids.as_slice())
            .collect();
        let targets = train.targets(rows.iter().copied());
        self.learner.backward(&texts, &targets, weight, seed)
    }

    fn check_finite(&self, step: &Untold, figures: &Figures) -> Result<(), TrainingError> {
        let fail = |what, value, rows: &[usize]| {
            Err(TrainingError::NotFinite {
                what,
                value,
                step: step.step,
                epoch: step.epoch,
                rows: rows.iter().map(|row| self.data.train.ids[*row].clone()).collect(),
            })
        };
        for (loss, rows) in figures.losses.iter().zip(&step.batches) {
            if !loss.is_finite() {
                return fail("the loss", *loss, rows);
            }
        }
        if figures.norm.is_finite() {
            Ok(())
        } else {
            fail("the gradient norm", figures.norm, &step.batches.concat())
        }
    }

    fn record_step(&mut self, done: &Untold, figures: &Figures) {
        let (step, loss) = (done.step, figures.losses.iter().sum());
        self.progress.losses.push(loss);
        if step.is_multiple_of(self.options.log_every) || step == self.schedule.total {
            let losses = std::mem::take(&mut self.progress.losses);
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            let figures = [
                ("loss", mean),
                ("learning_rate", done.learning_rate),
                ("grad_norm", figures.norm),
            ];
            self.record(step, "train", &figures);
        }
        self.observer.step(Step {
            step,
            total: self.schedule.total,
            epoch: done.epoch,
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
                return Err(TrainingError::NotFinite {
                    what: "a validation logit",
                    value: f64::NAN,
                    step: self.progress.summary.steps,
                    epoch: self.progress.summary.epochs_run,
                    rows: vec![validation.ids[row].clone()],
                });
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
        self.record(self.progress.summary.steps, "validation", &figures);
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

    fn record(&mut self, step: usize, split: &str, figures: &[(&str, f64)]) {
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
