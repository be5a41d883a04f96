//! Room on the disk: warned of before a stage starts, said when one has run out of it.

use std::path::Path;

use stage::{Failure, FailureKind};

use crate::store::{Store, disk};

/// A warning if the disk has less room than the last version of `stage` took: the best guess at what it needs.
pub(super) fn shortage(store: &Store, stage: &str) -> Option<String> {
    let last = store.load(stage, &store.versions(stage).pop()?).ok()?;
    let (needed, free) = (last.manifest.bytes(), disk::free_bytes(store.root())?);
    let words = || {
        format!(
            "the last version took {}, and {} are free",
            disk::words(needed),
            disk::words(free)
        )
    };
    (needed > free).then(words)
}

/// Adds to the failure of a stage that could not write what it had written and what is free.
pub(super) fn with_figures(failure: Failure, work: &Path) -> Failure {
    if failure.kind != FailureKind::Storage {
        return failure;
    }
    let Some(free) = disk::free_bytes(work) else {
        return failure;
    };
    let written = disk::words(disk::size(work));
    failure.hint(format!(
        "it had written {written}; {} are free",
        disk::words(free)
    ))
}
