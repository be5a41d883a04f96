//! What the caller hears while files come in, and how hf-hub's news gets there.

use std::sync::mpsc::Sender;

use hf_hub::progress::{DownloadEvent, ProgressEvent, ProgressHandler};

/// How far a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its name.
    pub file: String,
    /// Bytes that are here.
    pub done: u64,
    /// Bytes in all, if the Hub said so.
    pub total: Option<u64>,
}

/// Who waits for the Hub.
pub trait Watch {
    /// Hears of progress, many times a second.
    fn progress(&mut self, progress: &Progress);

    /// Asked many times a second: whether to give up.
    fn is_interrupted(&mut self) -> bool {
        false
    }
}

/// Nobody watches.
impl Watch for () {
    fn progress(&mut self, _: &Progress) {}
}

/// What a request's thread tells the one that waits for it.
#[derive(Debug)]
pub(crate) enum News {
    /// The file's size as the Hub gives it; 0 if it does not.
    Size(u64),
    /// Bytes that are here.
    Bytes(u64),
}

/// Sends on what hf-hub says.
pub(crate) struct Reporter(pub(crate) Sender<News>);

impl ProgressHandler for Reporter {
    fn on_progress(&self, event: &ProgressEvent) {
        let ProgressEvent::Download(event) = event else {
            return;
        };
        let news = match event {
            DownloadEvent::Start { total_bytes, .. } => News::Size(*total_bytes),
            DownloadEvent::Progress { files } => {
                News::Bytes(files.iter().map(|file| file.bytes_completed).sum())
            }
            DownloadEvent::AggregateProgress { bytes_completed, .. } => News::Bytes(*bytes_completed),
            DownloadEvent::Complete => return,
        };
        // Nobody listens any more after an interrupt.
        drop(self.0.send(news));
    }
}
