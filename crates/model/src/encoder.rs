//! One encoder layer: attention and a feed-forward network, each followed by a residual sum and LayerNorm.
//!
//! Hidden states are two-dimensional, `[rows * width, hidden]`: with three dimensions the backend would multiply
//! one small matrix per text (measured: 3.4 times slower).

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;

use crate::activation::activate;
use crate::attention::SelfAttention;
use crate::build::{Builder, Export};
use crate::dropout::Dropout;
use crate::names::LayerNames;
use crate::{Activation, Batch, ModelConfig, ModelError};

/// The layer that all families share; their names for its parts stand in [`LayerNames`].
#[derive(Module, Debug)]
pub(crate) struct EncoderLayer {
    attention: SelfAttention,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
}

impl EncoderLayer {
    /// Layer number `index`.
    pub(crate) fn build(
        index: usize,
        config: &ModelConfig,
        builder: &mut Builder<'_>,
    ) -> Result<Self, ModelError> {
        let names = config.architecture.layer_names();
        let name = format!("{}.{index}", names.layers);
        let part = |part: &str| format!("{name}.{part}");
        let (hidden, inner, epsilon) = (
            config.hidden_size,
            config.intermediate_size,
            config.layer_norm_eps,
        );
        Ok(Self {
            attention: SelfAttention::build(&name, config, builder)?,
            attention_output: builder.linear(&part(names.attention_output), hidden, hidden)?,
            attention_norm: builder.layer_norm(&part(names.attention_norm), hidden, epsilon)?,
            intermediate: builder.linear(&part(names.intermediate), hidden, inner)?,
            output: builder.linear(&part(names.output), inner, hidden)?,
            output_norm: builder.layer_norm(&part(names.output_norm), hidden, epsilon)?,
            dropout: Dropout::new(config.hidden_dropout_prob),
            activation: config.hidden_act,
        })
    }

    pub(crate) fn export(&self, index: usize, names: &LayerNames, export: &mut Export) {
        let name = format!("{}.{index}", names.layers);
        let part = |part: &str| format!("{name}.{part}");
        self.attention.export(&name, names, export);
        export.linear(&part(names.attention_output), &self.attention_output);
        export.layer_norm(&part(names.attention_norm), &self.attention_norm);
        export.linear(&part(names.intermediate), &self.intermediate);
        export.linear(&part(names.output), &self.output);
        export.layer_norm(&part(names.output_norm), &self.output_norm);
    }

    /// # Shapes
    /// - hidden: `[rows * width, hidden]`
    /// - returns: `[rows * width, hidden]`
    pub(crate) fn forward(&self, hidden: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let context = self.attention.forward(hidden.clone(), hidden.clone(), batch);
        self.feed_forward(hidden, context)
    }

    /// The layer's output for the first token of each row only, which is all that a classification head reads.
    ///
    /// # Shapes
    /// - hidden: `[rows * width, hidden]`
    /// - returns: `[rows, hidden]`
    pub(crate) fn forward_first(&self, hidden: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let (rows, width) = (batch.rows(), batch.width());
        let size = hidden.dims()[1];
        let first = hidden
            .clone()
            .reshape([rows, width, size])
            .narrow(1, 0, 1)
            .reshape([rows, size]);
        let context = self.attention.forward(first.clone(), hidden, batch);
        self.feed_forward(first, context)
    }

    fn feed_forward(&self, hidden: Tensor<2>, context: Tensor<2>) -> Tensor<2> {
        let attended = self.dropout.forward(self.attention_output.forward(context));
        let hidden = self.attention_norm.forward(hidden + attended);
        let inner = activate(self.activation, self.intermediate.forward(hidden.clone()));
        let outer = self.dropout.forward(self.output.forward(inner));
        self.output_norm.forward(hidden + outer)
    }
}
