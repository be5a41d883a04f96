//! Rows a part at a time, for what does not fit in memory.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

use polars::prelude::{DataFrame, Engine, LazyFrame, PlanCallback, PolarsError};

use super::{Inspector, convert};
use crate::{DatasetError, Table};

/// Rows of a part.
const PART: NonZeroUsize = NonZeroUsize::new(8192).expect("not zero");

impl Inspector {
    /// Shows `visit` the first `limit` rows, or all, in their order and a part at a time; at least one part, which may
    /// have no row.
    pub fn each(
        &self,
        limit: Option<usize>,
        visit: &mut dyn FnMut(Table) -> ControlFlow<()>,
    ) -> Result<(), DatasetError> {
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        let frame = match limit {
            Some(limit) => self.frame().slice(0, limit),
            None => self.frame(),
        };
        let mut seen = false;
        let mut show = |part: &DataFrame| {
            seen = true;
            visit(convert::table(part))
        };
        self.parts(frame, &mut show)?;
        if !seen {
            let empty = Table {
                columns: self.schema()?,
                rows: Vec::new(),
            };
            // There is nothing after it to break off.
            let _ = visit(empty);
        }
        Ok(())
    }

    /// Computes `frame` and shows `visit` its rows in order, until it has seen enough.
    pub(super) fn parts(
        &self,
        frame: LazyFrame,
        visit: &mut dyn FnMut(&DataFrame) -> ControlFlow<()>,
    ) -> Result<(), DatasetError> {
        let (sender, receiver) = sync_channel(1);
        let callback = PlanCallback::new(move |part| Ok::<bool, PolarsError>(sender.send(part).is_err()));
        let failed = |error: PolarsError| self.failed(error);
        let query = frame.sink_batches(callback, true, Some(PART)).map_err(failed)?;
        let ended = std::thread::scope(|scope| {
            let running = scope.spawn(move || query.collect_with_engine(Engine::Streaming).map(|_| ()));
            for part in receiver {
                if visit(&part).is_break() {
                    break;
                }
            }
            running.join()
        });
        match ended {
            Ok(result) => result.map_err(failed),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
