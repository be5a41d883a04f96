//! Predictions on labelled texts, and how good they are.

use classification::{
    Decision, DecisionRule, LabelIds, Metrics, MultiLabelMetrics, Tally, Task, tuned_thresholds,
};

use crate::{Data, Examples, Metric};

/// The probabilities from which labels are given, where texts have any number of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Thresholds {
    /// One per label, in id order.
    Fixed(Vec<f32>),
    /// At each evaluation those with each label's highest F1 on its texts.
    Tuned,
}

/// Predictions on labelled texts, and how good they are.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean cross entropy, without class weights and smoothing: comparable between runs. Multi-label: mean binary
    /// cross entropy over texts and labels.
    pub loss: f64,
    /// Figures of the decisions.
    pub metrics: Metrics,
    /// In the order of the examples.
    pub decisions: Vec<Decision>,
    /// Multi-label: those of the decisions, in id order.
    pub thresholds: Option<Vec<f32>>,
}

impl Evaluation {
    /// Of a model that gave these logits to `examples`, treating them as `data` says.
    pub fn of(logits: &[Vec<f32>], examples: &Examples, data: &Data<'_>) -> Self {
        let rows = logits.iter().zip(&examples.labels);
        let losses = rows.map(|(logits, labels)| loss(data.task, logits, labels));
        let loss = losses.sum::<f64>() / examples.len().max(1) as f64;
        let thresholds = match (data.task, data.thresholds) {
            (Task::SingleLabel, _) => None,
            (Task::MultiLabel, Thresholds::Fixed(thresholds)) => Some(thresholds.clone()),
            (Task::MultiLabel, Thresholds::Tuned) => {
                let decisions = decide(logits, data, None);
                Some(tuned_thresholds(&decisions, &examples.labels, data.classes))
            }
        };
        let decisions = decide(logits, data, thresholds.as_deref());
        let given = decisions.iter().map(|decision| &decision.labels);
        let tally = Tally::count(data.task, data.classes, examples.labels.iter(), given);
        Self {
            loss,
            metrics: tally.metrics(),
            decisions,
            thresholds,
        }
    }

    /// The figure that `metric` names.
    pub fn value(&self, metric: Metric) -> f64 {
        match metric {
            Metric::MacroF1 => self.metrics.macro_f1,
            Metric::WeightedF1 => self.metrics.weighted_f1,
            Metric::Accuracy => self.metrics.accuracy,
            Metric::MicroF1 => self.several(|figures| figures.micro_f1),
            Metric::SamplesF1 => self.several(|figures| figures.samples_f1),
            Metric::Loss => self.loss,
        }
    }

    /// A figure of texts with any number of labels. Where each has exactly one, these are the accuracy.
    fn several(&self, figure: fn(MultiLabelMetrics) -> f64) -> f64 {
        self.metrics.multi_label.map_or(self.metrics.accuracy, figure)
    }
}

fn decide(logits: &[Vec<f32>], data: &Data<'_>, thresholds: Option<&[f32]>) -> Vec<Decision> {
    let rule = DecisionRule::new(data.task, data.classes, thresholds);
    logits.iter().map(|logits| rule.decide(logits)).collect()
}

fn loss(task: Task, logits: &[f32], labels: &LabelIds) -> f64 {
    match task {
        Task::SingleLabel => cross_entropy(logits, labels.first().unwrap_or_default()),
        Task::MultiLabel => binary_cross_entropy(logits, labels),
    }
}

/// Minus the mean log probability of what is so of each label.
fn binary_cross_entropy(logits: &[f32], labels: &LabelIds) -> f64 {
    let surprise = |(id, &logit): (usize, &f32)| {
        let against = f64::from(if labels.contains(id) { -logit } else { logit });
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    };
    logits.iter().enumerate().map(surprise).sum::<f64>() / logits.len() as f64
}

/// Minus the log probability of `label`.
fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|logit| f64::from(logit - highest).exp()).sum();
    total.ln() - f64::from(logits[label] - highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_of_equal_logits_is_the_log_of_their_number() {
        assert!((cross_entropy(&[3.0; 4], 2) - 4f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn binary_cross_entropy_is_the_mean_over_the_labels() {
        let loss = binary_cross_entropy(&[0.0, 1000.0, 1000.0], &1.into());
        assert!((loss - (2f64.ln() + 1000.0) / 3.0).abs() < 1e-9, "{loss}");
    }

    #[test]
    fn cross_entropy_of_large_logits_is_finite() {
        assert!((cross_entropy(&[1000.0, 0.0], 1) - 1000.0).abs() < 1e-9);
    }
}
