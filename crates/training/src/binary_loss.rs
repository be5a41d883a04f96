//! Binary cross entropy with logits, as `torch.nn.BCEWithLogitsLoss` computes it.

use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use classification::LabelIds;

/// Binary cross entropy over the labels of a task whose texts have any number of them.
///
/// With smoothing `a` and positive weights `p`, the loss of a label that is (`y` = 1) or is not (`y` = 0) so is
/// `-(p t log σ(x) + (1 - t) log(1 - σ(x)))` with `t = y (1 - a) + a / 2`; a batch's loss is the mean over its texts
/// and labels. Positive weights do not change the divisor, as in PyTorch.
#[derive(Clone, Debug)]
pub struct BinaryCrossEntropy {
    smoothing: f32,
    positive_weights: Vec<f32>,
}

impl BinaryCrossEntropy {
    /// For `classes` labels; without weights all positives weigh 1.
    pub fn new(classes: usize, smoothing: f64, positive_weights: Option<&[f32]>) -> Self {
        let positive_weights = positive_weights.map_or_else(|| vec![1.0; classes], <[f32]>::to_vec);
        Self {
            smoothing: smoothing as f32,
            positive_weights,
        }
    }

    /// What [`BinaryCrossEntropy::sum`] over `texts` texts is to be divided by.
    pub fn weight(&self, texts: usize) -> f64 {
        (texts * self.positive_weights.len()) as f64
    }

    /// The loss of a batch times its divisor.
    ///
    /// # Shapes
    /// - logits: `[batch, labels]`
    /// - labels: those of each of the `batch` texts
    /// - returns `[1]`
    pub fn sum(&self, logits: Tensor<2>, labels: &[&LabelIds], device: &Device) -> Tensor<1> {
        let target = |text: usize, class: usize| {
            if labels[text].contains(class) {
                1.0 - self.smoothing / 2.0
            } else {
                self.smoothing / 2.0
            }
        };
        self.sum_of(logits, self.targets(labels.len(), target), device)
    }

    /// As [`BinaryCrossEntropy::sum`], where the targets are probabilities: `y` lies between 0 and 1.
    ///
    /// # Shapes
    /// - logits: `[batch, labels]`
    /// - targets: for each of the `batch` texts one probability per label
    /// - returns `[1]`
    pub fn sum_soft(&self, logits: Tensor<2>, targets: &[&[f32]], device: &Device) -> Tensor<1> {
        let target =
            |text: usize, class: usize| targets[text][class] * (1.0 - self.smoothing) + self.smoothing / 2.0;
        self.sum_of(logits, self.targets(targets.len(), target), device)
    }

    fn sum_of(
        &self,
        logits: Tensor<2>,
        (is, is_not): (TensorData, TensorData),
        device: &Device,
    ) -> Tensor<1> {
        let is = Tensor::<2>::from_data(is, device) * log_sigmoid(logits.clone());
        let is_not = Tensor::<2>::from_data(is_not, device) * log_sigmoid(logits.neg());
        (is + is_not).sum().neg()
    }

    /// `p t` and `1 - t`, both as `[batch, labels]`, given `t` by text and label.
    fn targets(&self, texts: usize, target: impl Fn(usize, usize) -> f32) -> (TensorData, TensorData) {
        let classes = self.positive_weights.len();
        let (mut is, mut is_not) = (Vec::new(), Vec::new());
        for text in 0..texts {
            for (class, weight) in self.positive_weights.iter().enumerate() {
                let target = target(text, class);
                is.push(weight * target);
                is_not.push(1.0 - target);
            }
        }
        let shape = [texts, classes];
        (TensorData::new(is, shape), TensorData::new(is_not, shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loss of two texts with labels {0, 2} and {}.
    fn loss(smoothing: f64, weights: Option<&[f32]>) -> f32 {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[1.0, -0.5, 2.0], [0.25, 0.0, -30.0]], &device);
        let entropy = BinaryCrossEntropy::new(3, smoothing, weights);
        let labels = [LabelIds::from(vec![0, 2]), LabelIds::default()];
        let sum: f32 = entropy
            .sum(logits, &[&labels[0], &labels[1]], &device)
            .into_scalar();
        sum / entropy.weight(2) as f32
    }

    fn reference(smoothing: f64, weights: [f64; 3]) -> f32 {
        let rows = [
            ([1.0f64, -0.5, 2.0], [1.0, 0.0, 1.0]),
            ([0.25, 0.0, -30.0], [0.0; 3]),
        ];
        let mut sum = 0.0;
        for (logits, labels) in rows {
            for ((x, y), weight) in logits.into_iter().zip(labels).zip(weights) {
                let target: f64 = y * (1.0 - smoothing) + smoothing / 2.0;
                let probability = 1.0 / (1.0 + (-x).exp());
                sum -= weight * target * probability.ln() + (1.0 - target) * (1.0 - probability).ln();
            }
        }
        (sum / 6.0) as f32
    }

    #[test]
    fn plain_loss_is_the_mean_over_texts_and_labels() {
        assert!((loss(0.0, None) - reference(0.0, [1.0; 3])).abs() < 1e-6);
    }

    #[test]
    fn smoothing_draws_both_sides_towards_one_half() {
        assert!((loss(0.1, None) - reference(0.1, [1.0; 3])).abs() < 1e-6);
    }

    #[test]
    fn positive_weights_weigh_what_is_so() {
        let weights = [0.5, 2.0, 3.0];
        let expected = reference(0.0, weights.map(f64::from));
        assert!((loss(0.0, Some(&weights)) - expected).abs() < 1e-6);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[500.0, -500.0]], &device);
        let entropy = BinaryCrossEntropy::new(2, 0.0, None);
        let sum: f32 = entropy.sum(logits, &[&1.into()], &device).into_scalar();
        assert!((sum - 1000.0).abs() < 0.1, "{sum}");
    }
}
