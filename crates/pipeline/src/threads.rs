//! The number of threads of this process.

use crate::error::{CliError, Exit};

/// Sets the size of rayon's global pool; 0 leaves all cores.
pub(crate) fn limit(threads: usize) -> Result<(), CliError> {
    if threads == 0 {
        return Ok(());
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| {
            CliError::new(
                Exit::StageFailed,
                format!("cannot start {threads} threads: {error}"),
            )
        })
}
