//! Linear layers, `y = x W + b`, and their gradients, as products to be computed.

use super::arrangement::Pair;
use super::product::{Product, Then, View};
use super::tile::Tile;
use crate::Activation;

/// A linear layer: `[inputs, outputs]` and `[outputs]`.
pub(crate) type Weights<'a> = Pair<&'a [f32]>;

impl<'a> Pair<&'a [f32]> {
    pub(crate) fn outputs(self) -> usize {
        self.bias.len()
    }

    pub(crate) fn inputs(self) -> usize {
        self.weight.len() / self.bias.len()
    }

    fn matrix(self) -> View<'a> {
        View::new(self.weight, self.outputs())
    }

    /// `output = input W + b`.
    pub(crate) fn forward(self, input: &'a [f32], output: &'a mut [f32]) -> Product<'a> {
        self.product(input, output, Then::Bias(self.bias))
    }

    /// `output = input W`.
    pub(crate) fn forward_without_bias(self, input: &'a [f32], output: &'a mut [f32]) -> Product<'a> {
        self.product(input, output, Then::Nothing)
    }

    /// `output = activation(input W + b)`, `slopes` the activation's derivatives.
    pub(crate) fn activated(
        self,
        input: &'a [f32],
        activation: Activation,
        output: &'a mut [f32],
        slopes: &'a mut [f32],
    ) -> Product<'a> {
        let slopes = Tile::new(slopes, self.outputs());
        let then = Then::Activate {
            bias: self.bias,
            activation,
            slopes,
        };
        self.product(input, output, then)
    }

    fn product(self, input: &'a [f32], output: &'a mut [f32], then: Then<'a>) -> Product<'a> {
        Product {
            left: View::new(input, self.inputs()),
            right: self.matrix(),
            output: Tile::new(output, self.outputs()),
            add: false,
            then,
        }
    }

    /// `input_gradient`, of the layer's input, from that of its output.
    pub(crate) fn input_gradient(
        self,
        output_gradient: &'a [f32],
        input_gradient: &'a mut [f32],
        add: bool,
    ) -> Product<'a> {
        Product {
            left: View::new(output_gradient, self.outputs()),
            right: self.matrix().transposed(),
            output: Tile::new(input_gradient, self.inputs()),
            add,
            then: Then::Nothing,
        }
    }

    /// As [`Weights::input_gradient`], on through the activation before the layer, whose derivatives are `slopes`.
    pub(crate) fn activated_input_gradient(
        self,
        output_gradient: &'a [f32],
        slopes: &'a [f32],
        input_gradient: &'a mut [f32],
    ) -> Product<'a> {
        let slopes = View::new(slopes, self.inputs());
        Product {
            then: Then::Slope(slopes),
            ..self.input_gradient(output_gradient, input_gradient, false)
        }
    }
}

impl<'a> Pair<&'a mut [f32]> {
    /// Replaces the gradient of a layer, or adds to it, where `input` went in.
    pub(crate) fn weight_gradient(
        self,
        input: &'a [f32],
        output_gradient: &'a [f32],
        add: bool,
    ) -> Product<'a> {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs;
        Product {
            left: View::new(input, inputs).transposed(),
            right: View::new(output_gradient, outputs),
            output: Tile::new(self.weight, outputs),
            add,
            then: Then::ColumnSums { sums: self.bias, add },
        }
    }
}
