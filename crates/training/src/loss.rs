//! Cross entropy with label smoothing and class weights, as `torch.nn.CrossEntropyLoss` computes it.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// Cross entropy over the classes of a task.
///
/// With smoothing `a`, weights `w` and `K` classes, the loss of a text with label `y` is
/// `-Σ_c w_c ((1 - a) [c = y] + a / K) log p_c`; a batch's loss is the sum over its texts divided by `Σ w_y`.
/// The divisor is a matter of labels alone, so it is computed apart ([`CrossEntropy::weight`]): the sums of several
/// batches over their common divisor have the gradient of one large batch.
///
/// With probabilities `q` in place of a label it is `-Σ_c w_c ((1 - a) q_c + a / K) log p_c`, and a batch's divisor is
/// the number of its texts ([`CrossEntropy::sum_soft`]); so it is in PyTorch.
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    smoothing: f32,
    weights: Vec<f32>,
}

impl CrossEntropy {
    /// For `classes` classes; without `weights` all weigh 1.
    pub fn new(classes: usize, smoothing: f64, weights: Option<&[f32]>) -> Self {
        let weights = weights.map_or_else(|| vec![1.0; classes], <[f32]>::to_vec);
        Self {
            smoothing: smoothing as f32,
            weights,
        }
    }

    /// `Σ w_y` over `labels`: what [`CrossEntropy::sum`] is to be divided by.
    pub fn weight(&self, labels: impl IntoIterator<Item = usize>) -> f64 {
        labels
            .into_iter()
            .map(|label| f64::from(self.weights[label]))
            .sum()
    }

    /// The loss of a batch times its divisor.
    ///
    /// # Shapes
    /// - logits: `[batch, classes]`
    /// - labels: `batch` class ids
    /// - returns `[1]`
    pub fn sum(&self, logits: Tensor<2>, labels: &[usize], device: &Device) -> Tensor<1> {
        let targets = Tensor::<2>::from_data(self.targets(labels), device);
        (log_softmax(logits, 1) * targets).sum().neg()
    }

    /// The loss of a batch times the number of its texts, where the targets are probabilities.
    ///
    /// # Shapes
    /// - logits: `[batch, classes]`
    /// - targets: for each of the `batch` texts one probability per class
    /// - returns `[1]`
    pub fn sum_soft(&self, logits: Tensor<2>, targets: &[&[f32]], device: &Device) -> Tensor<1> {
        let spread = self.smoothing / self.weights.len() as f32;
        let smooth = |probability: &f32| (1.0 - self.smoothing) * probability + spread;
        let weighted = targets.iter().flat_map(|row| {
            let pairs = row.iter().zip(&self.weights);
            pairs.map(|(probability, weight)| weight * smooth(probability))
        });
        let data = TensorData::new(
            weighted.collect::<Vec<f32>>(),
            [targets.len(), self.weights.len()],
        );
        (log_softmax(logits, 1) * Tensor::<2>::from_data(data, device))
            .sum()
            .neg()
    }

    /// `w_c ((1 - a) [c = y] + a / K)` as `[batch, classes]`.
    fn targets(&self, labels: &[usize]) -> TensorData {
        let classes = self.weights.len();
        let spread = self.smoothing / classes as f32;
        let mut targets = Vec::with_capacity(labels.len() * classes);
        for label in labels {
            let target = |class: usize| {
                if class == *label {
                    1.0 - self.smoothing + spread
                } else {
                    spread
                }
            };
            targets.extend(
                self.weights
                    .iter()
                    .enumerate()
                    .map(|(class, weight)| weight * target(class)),
            );
        }
        TensorData::new(targets, [labels.len(), classes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.nn.functional.cross_entropy(logits, [0, 2], weight, label_smoothing)` of PyTorch 2.9.
    fn loss(smoothing: f64, weights: Option<&[f32]>) -> f32 {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[1.0, -0.5, 2.0], [0.25, 0.0, -1.0]], &device);
        let entropy = CrossEntropy::new(3, smoothing, weights);
        let sum: f32 = entropy.sum(logits, &[0, 2], &device).into_scalar();
        sum / entropy.weight([0, 2]) as f32
    }

    fn reference(smoothing: f64, weights: [f64; 3]) -> f32 {
        let logits = [[1.0f64, -0.5, 2.0], [0.25, 0.0, -1.0]];
        let (mut sum, mut divisor) = (0.0, 0.0);
        for (row, label) in logits.iter().zip([0usize, 2]) {
            let log_total = row.iter().map(|x| x.exp()).sum::<f64>().ln();
            sum -= (1.0 - smoothing) * weights[label] * (row[label] - log_total);
            sum -= smoothing / 3.0 * (0..3).map(|c| weights[c] * (row[c] - log_total)).sum::<f64>();
            divisor += weights[label];
        }
        (sum / divisor) as f32
    }

    #[test]
    fn plain_loss_is_the_mean_negative_log_probability() {
        assert!((loss(0.0, None) - reference(0.0, [1.0; 3])).abs() < 1e-6);
    }

    #[test]
    fn smoothing_and_weights_follow_torch() {
        let weights = [0.5, 2.0, 3.0];
        let expected = reference(0.1, weights.map(f64::from));
        assert!((loss(0.1, Some(&weights)) - expected).abs() < 1e-6);
    }
}
