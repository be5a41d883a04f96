//! What learns: the parameters of a model, their gradients and the optimizer's running averages.

mod device;
mod flat;
mod native;

use std::borrow::Cow;

use model::SequenceClassifier;
use tokenizer::Encoding;

use crate::TrainingError;
use crate::examples::Targets;

pub use self::device::DeviceLearner;
pub use self::native::NativeLearner;

/// What learns. A step is one `backward` per batch, then `norm`, then `update`.
pub trait Learner {
    /// The loss of a batch, divided by `weight`; its gradient is added to that of the step. `seed` decides dropout.
    fn backward(
        &mut self,
        texts: &[&[u32]],
        targets: &Targets<'_>,
        weight: f64,
        seed: u64,
    ) -> Result<f64, TrainingError>;

    /// The Euclidean norm of the step's gradient over all parameters.
    fn norm(&mut self) -> Result<f64, TrainingError>;

    /// Ends the step: the parameters move by its gradient times `scale`.
    fn update(&mut self, learning_rate: f64, scale: f32) -> Result<(), TrainingError>;

    /// What the model says about texts now, without dropout.
    fn logits(&self, encodings: &[Encoding]) -> Result<Vec<Vec<f32>>, TrainingError>;

    /// Remembers the present parameters as the best so far.
    fn keep_best(&mut self) -> Result<(), TrainingError>;

    /// All numbers between two steps.
    fn state(&self) -> Result<State<'_>, TrainingError>;

    /// Goes on from `state`, which is of a learner of the same model.
    fn restore(&mut self, state: State<'_>) -> Result<(), TrainingError>;

    /// The best model, or the present one if none was kept; on a plain device.
    fn into_model(self: Box<Self>) -> Result<SequenceClassifier, TrainingError>;
}

/// The numbers of a learner between two steps. One vector per parameter tensor, in the order in which the model visits
/// them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State<'a> {
    /// Updates made.
    pub updates: usize,
    /// The parameters.
    pub parameters: Cow<'a, [Vec<f32>]>,
    /// Running averages of the gradients; empty vectors where the optimizer keeps none.
    pub first_moments: Cow<'a, [Vec<f32>]>,
    /// Running averages of the gradients' squares; empty vectors where the optimizer keeps none.
    pub second_moments: Cow<'a, [Vec<f32>]>,
    /// The best parameters so far, if some were kept.
    pub best: Option<Cow<'a, [Vec<f32>]>>,
}
