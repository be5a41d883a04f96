//! Fault points, for crash tests.
//!
//! With `PIPELINE_FAULT=POINT:N` in the environment the program kills itself (SIGKILL: nothing is flushed, nothing
//! cleaned up) when it comes to POINT for the Nth time; `any:N` counts all points together; `:N` may be left out
//! (first time). Points, in the order in which a run comes to them:
//!
//! `locked`, `leftovers-cleared`, `run-recorded`, `set-aside`, `output-folder-made`, `work-folder-made`,
//! `invocation-written`, `child-started`, `child-ended`, `outputs-checked`, `files-synced`, `timings-written`,
//! `manifest-written`, `folder-synced`, `renamed`, `parent-synced`, `latest-linked`, `latest-replaced`,
//! `work-folder-removed`, `run-ended`.
//!
//! A stage's process counts for itself. Points of a training: `step` after each, and where it leaves a checkpoint
//! `checkpoint-written`, `checkpoint-synced`, `checkpoint-renamed`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that names the fault.
const VARIABLE: &str = "PIPELINE_FAULT";

struct Fault {
    point: String,
    countdown: AtomicU64,
}

/// Ends the program here if the environment says so.
pub fn point(name: &str) {
    static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
    let Some(fault) = FAULT.get_or_init(|| Fault::parse(&std::env::var(VARIABLE).ok()?)) else {
        return;
    };
    let hit = fault.point == name || fault.point == "any";
    if hit && fault.countdown.fetch_sub(1, Ordering::SeqCst) == 1 {
        if let Err(error) =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        {
            tracing::error!(%error, "the fault could not be brought about");
        }
        std::process::abort();
    }
}

impl Fault {
    fn parse(text: &str) -> Option<Self> {
        let (point, number) = text.split_once(':').unwrap_or((text, "1"));
        let number = number.parse().ok().filter(|number| *number > 0)?;
        Some(Self {
            point: point.to_owned(),
            countdown: AtomicU64::new(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_point_and_a_number() {
        let parse = |text| Fault::parse(text).map(|fault| (fault.point, fault.countdown.into_inner()));
        assert_eq!(parse("renamed:3"), Some(("renamed".to_owned(), 3)));
        assert_eq!(parse("renamed"), Some(("renamed".to_owned(), 1)));
        assert_eq!(parse("renamed:0"), None);
        assert_eq!(parse("renamed:x"), None);
    }
}
