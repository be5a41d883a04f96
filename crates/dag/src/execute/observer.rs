//! What a run tells whoever shows it.

use std::path::Path;

use stage::{Event, Failure};

use super::StageReport;
use crate::identity::Reason;

/// Hears what happens in a run, in the order in which it happens.
pub trait Observer {
    /// Called on the thread that executes.
    fn observe(&mut self, news: &News<'_>);
}

/// Something happened.
#[derive(Debug)]
pub enum News<'a> {
    /// The run has an id.
    RunStarted {
        /// Its id.
        run: &'a str,
    },
    /// A stage's process runs.
    StageStarted {
        /// The stage.
        stage: &'a str,
        /// Position in the plan, from 1.
        position: usize,
        /// Stages in the plan.
        of: usize,
        /// Why.
        reasons: &'a [Reason],
        /// How long it will take, from its last version.
        estimated_seconds: Option<f64>,
    },
    /// A stage said something.
    StageEvent {
        /// The stage.
        stage: &'a str,
        /// What.
        event: &'a Event,
    },
    /// A stage is up to date: it ran, or a version that was there is what is asked for.
    StageDone {
        /// All about it.
        report: &'a StageReport,
        /// Position in the plan, from 1.
        position: usize,
        /// Stages in the plan.
        of: usize,
    },
    /// A stage failed.
    StageFailed {
        /// The stage.
        stage: &'a str,
        /// Why.
        failure: &'a Failure,
        /// Its log, if it got so far.
        log: Option<&'a Path>,
    },
    /// A stage cannot run.
    StageBlocked {
        /// All about it.
        report: &'a StageReport,
    },
    /// Something that the user should look at.
    Warning {
        /// The stage that it concerns.
        stage: &'a str,
        /// In words.
        text: &'a str,
    },
    /// A signal came; stages are being ended.
    Interrupted {
        /// Its number.
        signal: i32,
    },
}

/// Nobody listens.
impl Observer for () {
    fn observe(&mut self, _: &News<'_>) {}
}
