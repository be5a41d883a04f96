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
use crate::products::raise;
use crate::{Activation, Batch, ModelConfig, ModelError, Precision};

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

    /// The same layer with weights in `precision`, for prediction.
    pub(crate) fn lowered(self, precision: Precision) -> Self {
        Self {
            attention: self.attention.lowered(precision),
            attention_output: precision.lowered(self.attention_output),
            intermediate: precision.lowered(self.intermediate),
            output: precision.lowered(self.output),
            ..self
        }
    }

    /// # Shapes
    /// - hidden: `[rows * width, hidden]`, f32
    /// - returns: `[rows * width, hidden]`, f32
    pub(crate) fn forward(&self, hidden: Tensor<2>, batch: &Batch, precision: Precision) -> Tensor<2> {
        let factor = precision.lower(hidden.clone());
        let context = self.attention.forward(factor.clone(), factor, batch, precision);
        self.feed_forward(hidden, context, precision)
    }

    /// The layer's output for the first token of each row only, which is all that a classification head reads.
    ///
    /// # Shapes
    /// - hidden: `[rows * width, hidden]`, f32
    /// - returns: `[rows, hidden]`, f32
    pub(crate) fn forward_first(&self, hidden: Tensor<2>, batch: &Batch, precision: Precision) -> Tensor<2> {
        let (rows, width) = (batch.rows(), batch.width());
        let size = hidden.dims()[1];
        let first = hidden
            .clone()
            .reshape([rows, width, size])
            .narrow(1, 0, 1)
            .reshape([rows, size]);
        let (asking, answering) = (precision.lower(first.clone()), precision.lower(hidden));
        let context = self.attention.forward(asking, answering, batch, precision);
        self.feed_forward(first, context, precision)
    }

    /// # Shapes
    /// - hidden: `[tokens, hidden]`, f32
    /// - context: `[tokens, hidden]`, what attention gave for them
    fn feed_forward(&self, hidden: Tensor<2>, context: Tensor<2>, precision: Precision) -> Tensor<2> {
        let attended = raise(precision.linear(&self.attention_output, context));
        let hidden = self
            .attention_norm
            .forward(hidden + self.dropout.forward(attended));
        let inner = precision.linear(&self.intermediate, precision.lower(hidden.clone()));
        let outer = raise(precision.linear(&self.output, activate(self.activation, inner)));
        self.output_norm.forward(hidden + self.dropout.forward(outer))
    }
}
