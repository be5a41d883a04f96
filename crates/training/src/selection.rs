//! Which evaluation was the best, and when to give up.

use serde::{Deserialize, Serialize};

use crate::{EarlyStopping, Metric};

/// What an evaluation means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// This is the best model so far.
    pub(crate) best: bool,
    /// Training is to end.
    pub(crate) stop: bool,
}

/// The best value so far and how long it has stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    best: Option<f64>,
    /// Evaluations in a row without gain.
    misses: usize,
}

/// As transformers' `EarlyStoppingCallback`: any gain makes a model the best, but only one beyond `min_delta` renews
/// patience.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    metric: Metric,
    stopping: Option<EarlyStopping>,
}

impl Selection {
    /// Without `stopping` the best macro-F1 is kept and training goes on to the end.
    pub(crate) fn new(stopping: Option<EarlyStopping>) -> Self {
        let metric = stopping.map_or_else(Metric::default, |stopping| stopping.metric);
        Self { metric, stopping }
    }

    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// Takes the value of one more evaluation.
    pub(crate) fn observe(&self, standing: &mut Standing, value: f64) -> Verdict {
        let better = standing.best.is_none_or(|best| self.metric.improves(value, best));
        let gain = standing.best.map_or(f64::INFINITY, |best| (value - best).abs());
        if better {
            standing.best = Some(value);
        }
        let Some(stopping) = self.stopping else {
            return Verdict {
                best: better,
                stop: false,
            };
        };
        let renews = better && gain > stopping.min_delta;
        standing.misses = if renews { 0 } else { standing.misses + 1 };
        Verdict {
            best: better,
            stop: standing.misses >= stopping.patience,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(metric: Metric, patience: usize, min_delta: f64, values: &[f64]) -> Vec<(bool, bool)> {
        let selection = Selection::new(Some(EarlyStopping {
            metric,
            patience,
            min_delta,
        }));
        let mut standing = Standing::default();
        values
            .iter()
            .map(|value| selection.observe(&mut standing, *value))
            .map(|verdict| (verdict.best, verdict.stop))
            .collect()
    }

    #[test]
    fn stops_after_patience_evaluations_without_gain() {
        let seen = verdicts(Metric::MacroF1, 2, 0.0, &[0.3, 0.4, 0.4, 0.35]);
        assert_eq!(
            seen,
            [(true, false), (true, false), (false, false), (false, true)]
        );
    }

    #[test]
    fn a_gain_renews_patience() {
        let seen = verdicts(Metric::MacroF1, 2, 0.0, &[0.3, 0.2, 0.4, 0.3]);
        assert_eq!(
            seen,
            [(true, false), (false, false), (true, false), (false, false)]
        );
    }

    #[test]
    fn a_small_gain_is_kept_but_does_not_renew_patience() {
        let seen = verdicts(Metric::Accuracy, 1, 0.1, &[0.3, 0.35]);
        assert_eq!(seen, [(true, false), (true, true)]);
    }

    #[test]
    fn lower_loss_is_better() {
        let seen = verdicts(Metric::Loss, 1, 0.0, &[1.0, 0.9, 0.95]);
        assert_eq!(seen, [(true, false), (true, false), (false, true)]);
    }

    #[test]
    fn without_early_stopping_training_goes_on() {
        let (selection, mut standing) = (Selection::new(None), Standing::default());
        let stops = [0.5, 0.4, 0.3, 0.2].map(|value| selection.observe(&mut standing, value).stop);
        assert_eq!(stops, [false; 4]);
    }
}
