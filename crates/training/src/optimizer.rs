//! From gradients to new parameters: AdamW, Adam and SGD as PyTorch computes them.
//!
//! The update is one parallel pass over all parameters on the host. As tensor operations it would be a dozen passes,
//! and an embedding, of which a step touches a few rows, would dominate a small encoder's training.

use std::borrow::Cow;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::learner::State;
use crate::{Gradients, TrainingError};

pub(crate) const BETA_1: f64 = 0.9;
pub(crate) const BETA_2: f64 = 0.999;
pub(crate) const EPSILON: f32 = 1e-8;

/// Values that one task updates.
const CHUNK: usize = 16 * 1024;

/// How a gradient becomes an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Adam with decoupled weight decay: `torch.optim.AdamW`.
    #[default]
    AdamW,
    /// Adam, weight decay added to the gradient: `torch.optim.Adam`.
    Adam,
    /// Plain gradient descent, weight decay added to the gradient: `torch.optim.SGD` without momentum.
    Sgd,
}

/// A rule with its running averages.
#[derive(Debug)]
pub struct Optimizer {
    rule: Rule,
    weight_decay: f64,
    updates: usize,
    /// Running averages of each parameter's gradient; empty before its first update, and for SGD.
    first: Vec<Vec<f32>>,
    /// The same of the gradient's square.
    second: Vec<Vec<f32>>,
}

impl Optimizer {
    /// An optimizer that has not made a step. Weight decay spares biases and layer norms.
    pub fn new(rule: Rule, weight_decay: f64) -> Self {
        Self {
            rule,
            weight_decay,
            updates: 0,
            first: Vec::new(),
            second: Vec::new(),
        }
    }

    /// How a gradient becomes an update.
    pub(crate) fn rule(&self) -> Rule {
        self.rule
    }

    /// Share of a parameter that decays, per unit of the learning rate.
    pub(crate) fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Updates the parameters of `module` by `gradients` times `scale`.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: &Gradients,
        learning_rate: f64,
        scale: f32,
    ) -> Result<M, TrainingError> {
        self.begin(gradients.tensors.len());
        let mut updater = Updater {
            decayed: self.update(learning_rate, scale, self.weight_decay),
            undecayed: self.update(learning_rate, scale, 0.0),
            slots: gradients
                .tensors
                .iter()
                .zip(self.first.iter_mut().zip(&mut self.second)),
            fields: Vec::new(),
            error: None,
        };
        let module = module.map(&mut updater);
        match updater.error {
            Some(error) => Err(error),
            None => Ok(module),
        }
    }

    /// Updates and running averages so far, for a checkpoint.
    pub(crate) fn state(&self) -> State<'_> {
        State {
            updates: self.updates,
            first_moments: Cow::Borrowed(&self.first),
            second_moments: Cow::Borrowed(&self.second),
            ..State::default()
        }
    }

    /// Goes on from a checkpoint.
    pub(crate) fn restore(&mut self, state: State<'_>) {
        self.updates = state.updates;
        self.first = state.first_moments.into_owned();
        self.second = state.second_moments.into_owned();
    }

    /// Counts one more update, of so many parameters.
    fn begin(&mut self, parameters: usize) {
        self.updates += 1;
        self.first.resize_with(parameters, Vec::new);
        self.second.resize_with(parameters, Vec::new);
    }

    fn update(&self, learning_rate: f64, scale: f32, weight_decay: f64) -> Update {
        let decoupled = self.rule == Rule::AdamW;
        let updates = i32::try_from(self.updates).unwrap_or(i32::MAX);
        let correction = |beta: f64| 1.0 - beta.powi(updates);
        let step_size = match self.rule {
            Rule::AdamW | Rule::Adam => learning_rate / correction(BETA_1),
            Rule::Sgd => learning_rate,
        };
        Update {
            adaptive: self.rule != Rule::Sgd,
            scale,
            added_decay: if decoupled { 0.0 } else { weight_decay as f32 },
            kept: if decoupled {
                (1.0 - learning_rate * weight_decay) as f32
            } else {
                1.0
            },
            step_size: step_size as f32,
            second_scale: (1.0 / correction(BETA_2).sqrt()) as f32,
        }
    }
}

/// The formula of one step for one group of parameters.
#[derive(Clone, Copy)]
struct Update {
    adaptive: bool,
    /// Of the gradient.
    scale: f32,
    /// Share of the parameter that is added to its gradient.
    added_decay: f32,
    /// Share of the parameter that is left by decoupled decay.
    kept: f32,
    step_size: f32,
    /// Bias correction of the root of the second moment.
    second_scale: f32,
}

impl Update {
    fn apply(self, parameter: &mut [f32], gradient: &[f32], first: &mut Vec<f32>, second: &mut Vec<f32>) {
        let chunks = parameter.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
        if !self.adaptive {
            chunks.for_each(|(parameter, gradient)| self.descend(parameter, gradient));
            return;
        }
        first.resize(gradient.len(), 0.0);
        second.resize(gradient.len(), 0.0);
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        chunks
            .zip(moments)
            .for_each(|((parameter, gradient), (first, second))| {
                self.adam(parameter, gradient, first, second);
            });
    }

    fn descend(self, parameter: &mut [f32], gradient: &[f32]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (value, gradient) in parameter.iter_mut().zip(gradient) {
                    *value -= self.step_size * (gradient * self.scale + self.added_decay * *value);
                }
            },
        );
    }

    fn adam(self, parameter: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                let values = parameter
                    .iter_mut()
                    .zip(gradient)
                    .zip(first.iter_mut().zip(second));
                for ((value, gradient), (first, second)) in values {
                    let gradient = gradient * self.scale + self.added_decay * *value;
                    *first += (gradient - *first) * (1.0 - BETA_1) as f32;
                    *second = *second * BETA_2 as f32 + gradient * gradient * (1.0 - BETA_2) as f32;
                    let denominator = second.sqrt() * self.second_scale + EPSILON;
                    *value = *value * self.kept - self.step_size * *first / denominator;
                }
            },
        );
    }
}

/// Gradient and running averages of each parameter in turn.
type Slots<'a> = std::iter::Zip<
    std::slice::Iter<'a, Option<Vec<f32>>>,
    std::iter::Zip<std::slice::IterMut<'a, Vec<f32>>, std::slice::IterMut<'a, Vec<f32>>>,
>;

/// One step over all parameters, in the order in which their gradients were collected.
struct Updater<'a> {
    decayed: Update,
    undecayed: Update,
    slots: Slots<'a>,
    /// Whether each field on the way to the parameter spares it from decay.
    fields: Vec<bool>,
    error: Option<TrainingError>,
}

impl ModuleMapper for Updater<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.fields
            .push(name == "bias" || container_type == "Struct:LayerNorm");
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.fields.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((Some(gradient), (first, second))) = self.slots.next() else {
            return param;
        };
        let update = if self.fields.last() == Some(&true) {
            self.undecayed
        } else {
            self.decayed
        };
        let (id, tensor, mapper) = param.consume();
        let (device, tracked) = (tensor.device(), tensor.is_require_grad());
        // The parameter has no other owner unless a snapshot of it was kept, so this is its own memory.
        let mut data = tensor.inner().into_data();
        match data.as_mut_slice::<f32>() {
            Ok(values) => update.apply(values, gradient, first, second),
            Err(error) => self.error = Some(TrainingError::tensor(error)),
        }
        let tensor = Tensor::<D>::from_data(data, &device);
        let tensor = if tracked { tensor.require_grad() } else { tensor };
        Param::from_mapped_value(id, tensor, mapper)
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    struct Small {
        linear: Linear,
        norm: LayerNorm,
    }

    fn small(value: f32) -> Small {
        let device = Device::flex().autodiff();
        let mut linear = LinearConfig::new(1, 1).init(&device);
        linear.weight = linear.weight.map(|weight| weight.full_like(value).require_grad());
        linear.bias = linear
            .bias
            .map(|bias| bias.map(|bias| bias.full_like(value).require_grad()));
        Small {
            linear,
            norm: LayerNormConfig::new(1).init(&device),
        }
    }

    /// Weight and bias of the linear layer, gamma and beta of the norm after a step with these gradients.
    fn stepped(optimizer: &mut Optimizer, module: Small, gradient: f32) -> (Small, [f32; 4]) {
        let gradients = Gradients {
            tensors: vec![Some(vec![gradient]); 4],
        };
        let module = optimizer.step(module, &gradients, 0.1, 1.0).unwrap();
        let read = |tensor: Tensor<1>| tensor.into_scalar::<f32>();
        let values = [
            read(module.linear.weight.val().reshape([1])),
            read(module.linear.bias.as_ref().unwrap().val()),
            read(module.norm.gamma.val()),
            read(module.norm.beta.as_ref().unwrap().val()),
        ];
        (module, values)
    }

    fn assert_close(values: [f32; 4], expected: [f32; 4]) {
        let close = values
            .iter()
            .zip(expected)
            .all(|(value, expected)| (value - expected).abs() < 1e-6);
        assert!(close, "{values:?} {expected:?}");
    }

    #[test]
    fn adamw_decays_weights_only() {
        let (_, values) = stepped(&mut Optimizer::new(Rule::AdamW, 0.5), small(2.0), 0.0);
        assert_close(values, [2.0 * 0.95, 2.0, 1.0, 0.0]);
    }

    #[test]
    fn first_adam_step_is_the_learning_rate() {
        let (_, values) = stepped(&mut Optimizer::new(Rule::Adam, 0.0), small(2.0), 3.0);
        assert_close(values, [1.9, 1.9, 0.9, -0.1]);
    }

    #[test]
    fn second_adam_step_remembers_the_first() {
        let mut optimizer = Optimizer::new(Rule::Adam, 0.0);
        let (module, _) = stepped(&mut optimizer, small(2.0), 1.0);
        let (_, values) = stepped(&mut optimizer, module, -1.0);
        // First moment (0.9 * 0.1 - 0.1) / (1 - 0.81), second moment 1.
        let step = 0.1 * (0.09 - 0.1) / 0.19;
        assert_close(values, [1.9 - step, 1.9 - step, 0.9 - step, -0.1 - step]);
    }

    #[test]
    fn sgd_adds_decay_to_the_gradient() {
        let (_, values) = stepped(&mut Optimizer::new(Rule::Sgd, 0.5), small(2.0), 3.0);
        assert_close(values, [2.0 - 0.1 * (3.0 + 1.0), 1.7, 0.7, -0.3]);
    }

    #[test]
    fn a_parameter_without_gradient_stays() {
        let gradients = Gradients {
            tensors: vec![None; 4],
        };
        let module = Optimizer::new(Rule::AdamW, 0.5)
            .step(small(2.0), &gradients, 0.1, 1.0)
            .unwrap();
        assert_eq!(module.linear.weight.val().into_scalar::<f32>(), 2.0);
    }

    #[test]
    fn parameters_stay_trainable() {
        let (module, _) = stepped(&mut Optimizer::new(Rule::AdamW, 0.0), small(2.0), 1.0);
        assert!(module.linear.weight.val().is_require_grad());
    }
}
