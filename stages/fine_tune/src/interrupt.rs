//! SIGINT and SIGTERM, put off until a checkpoint is written.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// While it lives, SIGINT and SIGTERM end the process no longer by themselves; afterwards they do again.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    /// The signal that came; 0: none.
    signal: Arc<AtomicUsize>,
    /// Whether signals take effect at once.
    at_once: Arc<AtomicBool>,
}

impl Interrupt {
    pub(crate) fn defer() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).map_err(io::Error::other)?;
            flag::register_conditional_default(signal, Arc::clone(&interrupt.at_once))?;
            flag::register_usize(signal, Arc::clone(&interrupt.signal), number)?;
        }
        Ok(interrupt)
    }

    /// Whether one of them came.
    pub(crate) fn came(&self) -> bool {
        self.signal.load(Ordering::SeqCst) != 0
    }
}

/// What was put off happens now.
impl Drop for Interrupt {
    fn drop(&mut self) {
        self.at_once.store(true, Ordering::SeqCst);
        let signal = i32::try_from(self.signal.load(Ordering::SeqCst)).unwrap_or_default();
        if signal != 0
            && let Err(error) = low_level::emulate_default_handler(signal)
        {
            tracing::error!(signal, %error, "the signal has no effect");
        }
    }
}
