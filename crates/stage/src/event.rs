//! What a running stage tells the engine: one JSON object per line on its standard output.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{Completion, Failure};

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth a line.
    Info,
    /// The user should look at it.
    Warn,
}

/// One line of a stage's event stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Work done so far within one activity ("training", "scoring").
    Progress {
        /// What is being done.
        activity: String,
        /// Units done.
        done: u64,
        /// Units in all, when known.
        total: Option<u64>,
        /// The unit's name in the plural ("rows", "steps").
        unit: String,
        /// A few words that change ("epoch 2/5, loss 1.32").
        detail: Option<String>,
    },
    /// A message for the user.
    Message {
        /// How serious it is.
        level: Level,
        /// The message.
        text: String,
    },
    /// The stage is done; its files are complete.
    Finished(Completion),
    /// The stage could not be done.
    Failed(Failure),
}

/// Where events go. Progress is thinned out to ten a second; everything else passes.
pub struct EventSink {
    inner: Mutex<Inner>,
}

struct Inner {
    writer: Box<dyn Write + Send>,
    last_progress: Option<Instant>,
}

impl EventSink {
    /// Events as JSON lines to `writer`.
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                writer,
                last_progress: None,
            }),
        }
    }

    /// Sends one event. A reader that has gone away is not an error of the stage: it dies with its parent anyway.
    pub fn send(&self, event: &Event) {
        let mut inner = self
            .inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Event::Progress { done, total, .. } = event {
            let complete = Some(*done) == *total;
            let recent = inner
                .last_progress
                .is_some_and(|at| at.elapsed() < Duration::from_millis(100));
            if recent && !complete {
                return;
            }
            inner.last_progress = Some(Instant::now());
        }
        if let Ok(mut line) = serde_json::to_vec(event) {
            line.push(b'\n');
            // One write per line, so that lines of several threads never mix.
            if inner
                .writer
                .write_all(&line)
                .and_then(|()| inner.writer.flush())
                .is_err()
            {
                tracing::debug!("nobody reads the events of this stage");
            }
        }
    }
}
