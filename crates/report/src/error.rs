//! Why a document could not be written.

/// A template of this crate and its data do not fit.
#[derive(Debug, thiserror::Error)]
#[error("`{template}` cannot be rendered")]
pub struct ReportError {
    template: &'static str,
    #[source]
    source: minijinja::Error,
}

impl ReportError {
    pub(crate) fn new(template: &'static str, source: minijinja::Error) -> Self {
        Self { template, source }
    }
}
