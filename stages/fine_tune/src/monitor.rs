//! Looks at a training: passes on how far it is, and keeps what the next run goes on from.

use std::time::Instant;

use model::SequenceClassifier;
use stage::{Context, Failure, fault, grouped};
use training::{Checkpoint, Data, Observer, Step, TrainingOptions, Wish};

use crate::checkpoints::Checkpoints;
use crate::choices::CheckpointEvery;
use crate::interrupt::Interrupt;

pub(crate) struct Monitor<'a> {
    ctx: &'a Context,
    /// None where nobody keeps a folder for the next run: then signals take effect at once, too.
    keeping: Option<Keeping>,
}

/// The order matters: the last checkpoint is whole before a signal that was put off takes effect.
struct Keeping {
    checkpoints: Checkpoints,
    interrupt: Interrupt,
    every: CheckpointEvery,
    /// When and after which step the last checkpoint was written.
    last: (Instant, usize),
    /// For which training waited.
    seconds: f64,
}

impl<'a> Monitor<'a> {
    pub(crate) fn new(ctx: &'a Context, every: CheckpointEvery) -> Result<Self, Failure> {
        let Some(checkpoints) = Checkpoints::open(ctx)? else {
            return Ok(Self { ctx, keeping: None });
        };
        let interrupt = Interrupt::defer()
            .map_err(|error| Failure::storage(format!("cannot listen to signals: {error}")))?;
        let keeping = Keeping {
            checkpoints,
            interrupt,
            every,
            last: (Instant::now(), 0),
            seconds: 0.0,
        };
        Ok(Self {
            ctx,
            keeping: Some(keeping),
        })
    }

    /// What an earlier run left of this training.
    pub(crate) fn checkpoint(
        &mut self,
        model: &SequenceClassifier,
        data: &Data<'_>,
        options: &TrainingOptions,
    ) -> Option<Checkpoint<'static>> {
        let keeping = self.keeping.as_mut()?;
        let fits = |checkpoint: &Checkpoint<'static>| checkpoint.check(model, data);
        let checkpoint = keeping.checkpoints.newest(self.ctx, fits)?;
        let steps = checkpoint.progress.summary.steps;
        let steps_per_epoch = options.steps_per_epoch(data.train.len());
        self.ctx.info(format!(
            "resumes after step {} of {} (epoch {} of {})",
            grouped(steps as u64),
            grouped((steps_per_epoch * options.epochs) as u64),
            (steps / steps_per_epoch + 1).min(options.epochs),
            options.epochs
        ));
        keeping.last = (Instant::now(), steps);
        Some(checkpoint)
    }

    /// The training is done; returns the seconds for which it waited for checkpoints.
    pub(crate) fn end(self) -> f64 {
        self.keeping.map_or(0.0, |keeping| keeping.seconds)
    }
}

impl Observer for Monitor<'_> {
    fn step(&mut self, step: Step) {
        let Step {
            step,
            total,
            epoch,
            epochs,
            loss,
        } = step;
        let detail = format!("epoch {epoch}/{epochs}, loss {loss:.2}");
        self.ctx
            .progress_with("training", step as u64, Some(total as u64), "steps", Some(detail));
        fault::point("step");
    }

    fn wish(&mut self, steps: usize) -> Wish {
        let Some(keeping) = &self.keeping else {
            return Wish::GoOn;
        };
        if keeping.interrupt.came() {
            return Wish::End;
        }
        let (at, step) = keeping.last;
        let due = match keeping.every {
            // A disk that is slower than checkpoints are asked for gets fewer of them.
            CheckpointEvery::Minutes(minutes) => {
                at.elapsed().as_secs_f64() >= 60.0 * minutes && !keeping.checkpoints.busy()
            }
            CheckpointEvery::Steps(every) => steps.is_multiple_of(every) && steps != step,
        };
        if due { Wish::Checkpoint } else { Wish::GoOn }
    }

    fn keep(&mut self, checkpoint: &Checkpoint<'_>) {
        let Some(keeping) = &mut self.keeping else { return };
        let (start, steps) = (Instant::now(), checkpoint.progress.summary.steps);
        let interrupted = keeping.interrupt.came();
        let mut written = keeping.checkpoints.write(checkpoint);
        if interrupted {
            written = written.and_then(|()| keeping.checkpoints.finish());
        }
        keeping.last = (Instant::now(), steps);
        let seconds = start.elapsed().as_secs_f64();
        keeping.seconds += seconds;
        match written {
            Ok(()) if interrupted => self.ctx.info(format!(
                "interrupted after step {}; the next run goes on from there",
                grouped(steps as u64)
            )),
            Ok(()) => tracing::info!(step = steps, seconds, "a checkpoint is written"),
            Err(error) => self.ctx.warn(format!(
                "there is no checkpoint of step {}: {error}",
                grouped(steps as u64)
            )),
        }
    }
}
