//! What a run is asked to bring up to date, and how.

/// The stages that are asked for. The default: all, reusing what is current.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Stages to bring up to date with what they need; empty: all.
    pub targets: Vec<String>,
    /// The targets (empty: all) run anew.
    pub force: bool,
    /// This stage and what follows run anew; what precedes is taken as it is.
    pub from: Option<String>,
    /// This stage alone, on the newest complete inputs, stale or not.
    pub only: Option<String>,
    /// After a failure go on with stages that do not need the failed one.
    pub keep_going: bool,
}

impl Selection {
    /// These stages with what they need.
    pub fn targets<S: Into<String>>(targets: impl IntoIterator<Item = S>) -> Self {
        Self {
            targets: targets.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}
