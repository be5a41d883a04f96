//! Why a training run could not be done.

use model::ModelError;

/// Why a training run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// There is nothing to learn from.
    #[error("there is no example to train on")]
    NoExamples,
    /// Columns of different lengths, or a label outside the task.
    #[error("examples do not fit together: {0}")]
    Mismatch(String),
    /// The loss or the gradient is NaN or infinite.
    #[error("{what} is {value} at step {step} (epoch {epoch}) in the rows {}", listed(.rows))]
    NotFinite {
        /// `the loss`, `the gradient norm` or `a validation logit`.
        what: &'static str,
        /// NaN or infinite.
        value: f64,
        /// 1-based.
        step: usize,
        /// 1-based.
        epoch: usize,
        /// Names of the rows that it was computed from.
        rows: Vec<String>,
    },
    /// The model could not be run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Training cannot go on from this checkpoint.
    #[error("the checkpoint cannot be taken: {0}")]
    Checkpoint(String),
    /// The observer wished for an end.
    #[error("training was interrupted after step {step}")]
    Interrupted {
        /// 1-based.
        step: usize,
    },
    /// A tensor could not be read back.
    #[error("a tensor could not be read from the device: {0}")]
    Tensor(String),
}

impl TrainingError {
    pub(crate) fn tensor(error: impl std::fmt::Display) -> Self {
        Self::Tensor(error.to_string())
    }
}

/// The first rows by name, the rest as a number.
fn listed(rows: &[String]) -> String {
    const SHOWN: usize = 16;
    let shown: Vec<String> = rows.iter().take(SHOWN).map(|row| format!("`{row}`")).collect();
    let names = shown.join(", ");
    match rows.len().saturating_sub(SHOWN) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_finite_names_step_and_rows() {
        let error = TrainingError::NotFinite {
            what: "the loss",
            value: f64::NAN,
            step: 7,
            epoch: 2,
            rows: vec!["train-3".into(), "train-9".into()],
        };
        assert_eq!(
            error.to_string(),
            "the loss is NaN at step 7 (epoch 2) in the rows `train-3`, `train-9`"
        );
    }

    #[test]
    fn long_batches_are_shortened() {
        let rows: Vec<String> = (0..20).map(|row| row.to_string()).collect();
        assert!(listed(&rows).ends_with("`15` and 4 more"));
    }
}
