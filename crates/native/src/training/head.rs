//! Classification heads: the first token's hidden state to one logit per label.

use super::arrangement::Pair;
use super::buffer::Buffer;
use super::linear::Weights;
use super::product::compute;
use crate::{Activation, DropoutMask};

/// Dropout, a dense layer, an activation, dropout, and the layer that gives the logits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) dense: Weights<'a>,
    pub(crate) output: Weights<'a>,
    pub(crate) activation: Activation,
    /// Of the dense layer's input.
    pub(crate) input_mask: Option<DropoutMask>,
    /// Of the output layer's input.
    pub(crate) mask: Option<DropoutMask>,
}

/// What the backward pass needs.
#[derive(Debug, Default)]
pub(crate) struct HeadTape {
    /// `[texts, hidden]`.
    pub(crate) input: Buffer,
    activated: Buffer,
    slopes: Buffer,
    gradient: Buffer,
}

impl Head<'_> {
    /// `tape.input` to logits `[texts, labels]`.
    pub(crate) fn forward(&self, tape: &mut HeadTape) -> Vec<f32> {
        let HeadTape {
            input,
            activated,
            slopes,
            ..
        } = tape;
        drop_out(self.input_mask, input);
        let texts = input.len() / self.dense.inputs();
        let size = texts * self.dense.outputs();
        let (activated, slopes) = (activated.sized(size), slopes.sized(size));
        compute([self.dense.activated(input, self.activation, activated, slopes)]);
        drop_out(self.mask, activated);
        drop_out(self.mask, slopes);
        let mut logits = vec![0.0; texts * self.output.outputs()];
        compute([self.output.forward(activated, &mut logits)]);
        logits
    }

    /// `input_gradient` becomes that of the first tokens' hidden states.
    pub(crate) fn backward(
        &self,
        logit_gradient: &[f32],
        tape: &mut HeadTape,
        dense: Pair<&mut [f32]>,
        output: Pair<&mut [f32]>,
        add: bool,
        input_gradient: &mut Buffer,
    ) {
        let gradient = tape.gradient.sized(tape.slopes.len());
        compute([
            self.output
                .activated_input_gradient(logit_gradient, &tape.slopes, gradient),
            output.weight_gradient(&tape.activated, logit_gradient, add),
        ]);
        let input_gradient = input_gradient.sized(tape.input.len());
        compute([
            self.dense.input_gradient(gradient, input_gradient, false),
            dense.weight_gradient(&tape.input, gradient, add),
        ]);
        drop_out(self.input_mask, input_gradient);
    }
}

fn drop_out(mask: Option<DropoutMask>, values: &mut [f32]) {
    if let Some(mask) = mask {
        vectorized!({
            for (index, value) in values.iter_mut().enumerate() {
                *value *= mask.factor(index as u32);
            }
        });
    }
}
