//! Standard output: results only. A reader that goes away (`| head`) is not an error.

use std::io::Write;

use crate::error::{CliError, Exit};

/// Writes `text` as it is.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::new(Exit::Storage, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes `text` and a line break.
pub(crate) fn print_line(text: &str) -> Result<(), CliError> {
    print(&format!("{text}\n"))
}

/// Writes one pretty JSON document.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from);
    match written
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::new(Exit::Storage, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// `path` as seen from the working directory, if it lies below it.
pub(crate) fn relative(path: &std::path::Path) -> &std::path::Path {
    let below = std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path)
}
