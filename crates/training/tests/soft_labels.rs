//! Losses of targets that are probabilities, and their gradients, beside PyTorch's (`fixtures/make_soft_labels.py`).

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use training::{BinaryCrossEntropy, CrossEntropy};

#[derive(Deserialize)]
struct Fixture {
    cross_entropy: Vec<Case>,
    binary_cross_entropy: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    classes: usize,
    smoothing: f64,
    weights: Option<Vec<f32>>,
    logits: Vec<f32>,
    targets: Vec<f32>,
    loss: f32,
    gradient: Vec<f32>,
}

fn fixture() -> Fixture {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/soft_labels.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Case {
    /// Holds `loss` (of logits and targets, with its divisor) against PyTorch's.
    fn assert(&self, loss: impl Fn(Tensor<2>, &[&[f32]], &Device) -> (Tensor<1>, f64)) {
        let device = Device::flex().autodiff();
        let shape = [self.logits.len() / self.classes, self.classes];
        let logits =
            Tensor::<2>::from_data(TensorData::new(self.logits.clone(), shape), &device).require_grad();
        let targets: Vec<&[f32]> = self.targets.chunks(self.classes).collect();
        let (sum, divisor) = loss(logits.clone(), &targets, &device);
        let loss = sum.div_scalar(divisor);
        let value: f32 = loss.clone().into_scalar();
        assert!(
            (value - self.loss).abs() < 2e-6 * self.loss.max(1.0),
            "{value}, PyTorch {}",
            self.loss
        );
        let gradients = loss.backward();
        let gradient = logits.grad(&gradients).unwrap().into_data();
        let gradient = gradient.try_into_vec_as::<f32>().unwrap();
        for (ours, theirs) in gradient.iter().zip(&self.gradient) {
            assert!(
                (ours - theirs).abs() < 2e-6,
                "{gradient:?}, PyTorch {:?}",
                self.gradient
            );
        }
    }
}

#[test]
fn cross_entropy_of_probabilities_equals_pytorchs() {
    let cases = fixture().cross_entropy;
    assert!(
        cases
            .iter()
            .any(|case| case.weights.is_some() && case.smoothing > 0.0)
    );
    for case in cases {
        case.assert(|logits, targets, device| {
            let loss = CrossEntropy::new(case.classes, case.smoothing, case.weights.as_deref());
            (loss.sum_soft(logits, targets, device), targets.len() as f64)
        });
    }
}

#[test]
fn binary_cross_entropy_of_probabilities_equals_pytorchs() {
    for case in fixture().binary_cross_entropy {
        case.assert(|logits, targets, device| {
            let loss = BinaryCrossEntropy::new(case.classes, case.smoothing, case.weights.as_deref());
            let divisor = loss.weight(targets.len());
            (loss.sum_soft(logits, targets, device), divisor)
        });
    }
}
