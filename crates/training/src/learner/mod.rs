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

/// What learns. A step is one `backward` per batch, then `update`.
pub trait Learner {
    /// Adds the gradient of a batch's loss, divided by `weight`, to that of the step. `seed` decides dropout.
    fn backward(
        &mut self,
        texts: &[&[u32]],
        targets: &Targets<'_>,
        weight: f64,
        seed: u64,
    ) -> Result<(), TrainingError>;

    /// Ends the step: the parameters move by its gradient, whose norm is brought down to `max_norm` if it is larger, as
    /// `torch.nn.utils.clip_grad_norm_` does.
    fn update(&mut self, learning_rate: f64, max_norm: Option<f64>) -> Result<(), TrainingError>;

    /// Figures of the steps that were not told yet, in order: of all of them, or of none as long as asking would only
    /// hold a device up.
    fn figures(&mut self, all: bool) -> Result<Vec<Figures>, TrainingError>;

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

/// What a step was like.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The loss of each batch, divided by the weight of the step.
    pub losses: Vec<f64>,
    /// The Euclidean norm of the gradient over all parameters, before it was brought down.
    pub norm: f64,
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
