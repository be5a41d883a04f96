//! One encoder layer: attention and a feed-forward network, each followed by a residual sum and LayerNorm.
//!
//! Hidden states are two-dimensional, `[rows * width, hidden]`: with three dimensions the backend would multiply
//! one small matrix per text (measured: 3.4 times slower).

use burn::module::Module;
use burn::nn::{Dropout, LayerNorm, Linear};
use burn::tensor::Tensor;
use crate::activation::gelu;

use crate::attention::SelfAttention;
use crate::build::{Builder, Export, dropout};
use crate::{Batch, ModelConfig, ModelError};

/// `BertLayer` and its twins in ELECTRA and RoBERTa. The comments give the names in the checkpoint.
#[derive(Module, Debug)]
pub(crate) struct EncoderLayer {
    attention: SelfAttention,     // attention.self
    attention_output: Linear,     // attention.output.dense
    attention_norm: LayerNorm,    // attention.output.LayerNorm
    intermediate: Linear,         // intermediate.dense
    output: Linear,               // output.dense
    output_norm: LayerNorm,       // output.LayerNorm
    dropout: Dropout,
}

impl EncoderLayer {
    pub(crate) fn build(name: &str, config: &ModelConfig, builder: &mut Builder<'_>) -> Result<Self, ModelError> {
        let (hidden, inner, epsilon) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        Ok(Self {
            attention: SelfAttention::build(&format!("{name}.attention.self"), config, builder)?,
            attention_output: builder.linear(&format!("{name}.attention.output.dense"), hidden, hidden)?,
            attention_norm: builder.layer_norm(&format!("{name}.attention.output.LayerNorm"), hidden, epsilon)?,
            intermediate: builder.linear(&format!("{name}.intermediate.dense"), hidden, inner)?,
            output: builder.linear(&format!("{name}.output.dense"), inner, hidden)?,
            output_norm: builder.layer_norm(&format!("{name}.output.LayerNorm"), hidden, epsilon)?,
            dropout: dropout(config.hidden_dropout_prob),
        })
    }

    pub(crate) fn export(&self, name: &str, export: &mut Export) {
        self.attention.export(&format!("{name}.attention.self"), export);
        export.linear(&format!("{name}.attention.output.dense"), &self.attention_output);
        export.layer_norm(&format!("{name}.attention.output.LayerNorm"), &self.attention_norm);
        export.linear(&format!("{name}.intermediate.dense"), &self.intermediate);
        export.linear(&format!("{name}.output.dense"), &self.output);
        export.layer_norm(&format!("{name}.output.LayerNorm"), &self.output_norm);
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
        let first = hidden.clone().reshape([rows, width, size]).narrow(1, 0, 1).reshape([rows, size]);
        let context = self.attention.forward(first.clone(), hidden, batch);
        self.feed_forward(first, context)
    }

    fn feed_forward(&self, hidden: Tensor<2>, context: Tensor<2>) -> Tensor<2> {
        let attended = self.dropout.forward(self.attention_output.forward(context));
        let hidden = self.attention_norm.forward(hidden + attended);
        let inner = gelu(self.intermediate.forward(hidden.clone()));
        let outer = self.dropout.forward(self.output.forward(inner));
        self.output_norm.forward(hidden + outer)
    }
}
