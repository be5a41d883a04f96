//! The stage process: reads its invocation, does the work, says how it ended.

use std::path::Path;

use crate::{Completion, Context, Event, EventSink, Failure, Invocation, StageKind};

/// Runs the stage of the invocation file at `path`; events go to standard output.
///
/// The process dies with its parent: an orphan must never go on writing.
pub fn run_child(path: &Path, kinds: &[&dyn StageKind]) -> Result<(), Failure> {
    let invocation = Invocation::read(path)?;
    if let Some(parent) = invocation.parent {
        die_with_parent(parent)?;
    }
    let context = Context::new(invocation, EventSink::new(Box::new(std::io::stdout())));
    match run_in_process(&context, kinds) {
        Ok(completion) => {
            context.send(&Event::Finished(completion));
            Ok(())
        }
        Err(failure) => {
            context.send(&Event::Failed(failure.clone()));
            Err(failure)
        }
    }
}

/// Runs the stage of `context` in this process.
pub fn run_in_process(context: &Context, kinds: &[&dyn StageKind]) -> Result<Completion, Failure> {
    let invocation = context.invocation();
    if invocation.format != Invocation::FORMAT {
        return Err(Failure::stage(format!(
            "invocation format {} is not known",
            invocation.format
        )));
    }
    let kind = kinds.iter().find(|kind| kind.name() == invocation.kind);
    let kind = kind.ok_or_else(|| Failure::stage(format!("no stage kind `{}`", invocation.kind)))?;
    kind.run(context)
}

fn die_with_parent(parent: u32) -> Result<(), Failure> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| {
        Failure::storage(format!("cannot bind the stage's life to its parent's: {error}"))
    })?;
    // The parent may have died before the line above took effect.
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == Some(parent) {
        Ok(())
    } else {
        Err(Failure::storage("the parent process is gone"))
    }
}
