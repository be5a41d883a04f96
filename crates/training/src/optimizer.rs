//! From gradients to new parameters: AdamW, Adam and SGD as PyTorch computes them.
//!
//! The update is one parallel pass over all parameters. As tensor operations it would be a dozen passes,
//! and an embedding, of which a step touches a few rows, would dominate a small encoder's training.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::learner::State;

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

    /// Updates `parameters` by `gradients` times `scale`; weight decay applies to those that `decays` says.
    pub(crate) fn update(
        &mut self,
        parameters: &mut [Vec<f32>],
        gradients: &[Vec<f32>],
        decays: &[bool],
        learning_rate: f64,
        scale: f32,
    ) {
        self.begin(parameters.len());
        let decayed = self.formula(learning_rate, scale, self.weight_decay);
        let undecayed = self.formula(learning_rate, scale, 0.0);
        let moments = self.first.par_iter_mut().zip(&mut self.second);
        let tensors = parameters.par_iter_mut().zip(gradients).zip(decays).zip(moments);
        tensors.for_each(|(((parameter, gradient), decays), (first, second))| {
            let update = if *decays { decayed } else { undecayed };
            update.apply(parameter, gradient, first, second);
        });
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

    fn formula(&self, learning_rate: f64, scale: f32, weight_decay: f64) -> Update {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A weight of 2 and a bias of 2 after a step with this gradient.
    fn stepped(optimizer: &mut Optimizer, parameters: &mut [Vec<f32>], gradient: f32) {
        let gradients = vec![vec![gradient]; 2];
        optimizer.update(parameters, &gradients, &[true, false], 0.1, 1.0);
    }

    fn weight_and_bias() -> Vec<Vec<f32>> {
        vec![vec![2.0]; 2]
    }

    #[track_caller]
    fn assert_close(parameters: &[Vec<f32>], expected: [f32; 2]) {
        let close = parameters
            .iter()
            .flatten()
            .zip(expected)
            .all(|(value, expected)| (value - expected).abs() < 1e-6);
        assert!(close, "{parameters:?} {expected:?}");
    }

    #[test]
    fn adamw_decays_weights_only() {
        let mut parameters = weight_and_bias();
        stepped(&mut Optimizer::new(Rule::AdamW, 0.5), &mut parameters, 0.0);
        assert_close(&parameters, [2.0 * 0.95, 2.0]);
    }

    #[test]
    fn first_adam_step_is_the_learning_rate() {
        let mut parameters = weight_and_bias();
        stepped(&mut Optimizer::new(Rule::Adam, 0.0), &mut parameters, 3.0);
        assert_close(&parameters, [1.9, 1.9]);
    }

    #[test]
    fn second_adam_step_remembers_the_first() {
        let (mut optimizer, mut parameters) = (Optimizer::new(Rule::Adam, 0.0), weight_and_bias());
        stepped(&mut optimizer, &mut parameters, 1.0);
        stepped(&mut optimizer, &mut parameters, -1.0);
        // First moment (0.9 * 0.1 - 0.1) / (1 - 0.81), second moment 1.
        let step = 0.1 * (0.09 - 0.1) / 0.19;
        assert_close(&parameters, [1.9 - step, 1.9 - step]);
    }

    #[test]
    fn sgd_adds_decay_to_the_gradient() {
        let mut parameters = weight_and_bias();
        stepped(&mut Optimizer::new(Rule::Sgd, 0.5), &mut parameters, 3.0);
        assert_close(&parameters, [2.0 - 0.1 * (3.0 + 1.0), 1.7]);
    }

    #[test]
    fn long_parameters_are_updated_to_their_end() {
        let count = 3 * CHUNK + 5;
        let (mut parameters, gradients) = (vec![vec![2.0; count]], vec![vec![3.0; count]]);
        let mut optimizer = Optimizer::new(Rule::AdamW, 0.0);
        optimizer.update(&mut parameters, &gradients, &[true], 0.1, 1.0);
        assert!(parameters[0].iter().all(|value| (value - 1.9).abs() < 1e-6));
    }
}
