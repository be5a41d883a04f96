//! Scaled dot-product attention over the tokens of each row.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use crate::build::{Builder, Export};
use crate::dropout::Dropout;
use crate::names::LayerNames;
use crate::{Batch, ModelConfig, ModelError};

/// The part of an encoder layer in which tokens look at each other.
#[derive(Module, Debug)]
pub(crate) struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    dropout: Dropout,
    heads: usize,
}

impl SelfAttention {
    pub(crate) fn build(
        name: &str,
        config: &ModelConfig,
        builder: &mut Builder<'_>,
    ) -> Result<Self, ModelError> {
        let (hidden, names) = (config.hidden_size, config.architecture.layer_names());
        Ok(Self {
            query: builder.linear(&format!("{name}.{}", names.query), hidden, hidden)?,
            key: builder.linear(&format!("{name}.{}", names.key), hidden, hidden)?,
            value: builder.linear(&format!("{name}.{}", names.value), hidden, hidden)?,
            dropout: Dropout::new(config.attention_probs_dropout_prob),
            heads: config.num_attention_heads,
        })
    }

    pub(crate) fn export(&self, name: &str, names: &LayerNames, export: &mut Export) {
        export.linear(&format!("{name}.{}", names.query), &self.query);
        export.linear(&format!("{name}.{}", names.key), &self.key);
        export.linear(&format!("{name}.{}", names.value), &self.value);
    }

    /// # Shapes
    /// - queries: `[rows * q, hidden]`, `q` tokens of each row ask
    /// - hidden: `[rows * width, hidden]`, all tokens answer
    /// - returns: `[rows * q, hidden]`
    pub(crate) fn forward(&self, queries: Tensor<2>, hidden: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let rows = batch.rows();
        let [asking, size] = queries.dims();
        let head = size / self.heads;
        let split = |tensor: Tensor<2>| {
            let tokens = tensor.dims()[0] / rows;
            tensor.reshape([rows, tokens, self.heads, head]).swap_dims(1, 2) // [rows, heads, tokens, head]
        };
        let query = split(self.query.forward(queries));
        let key = split(self.key.forward(hidden.clone()));
        let value = split(self.value.forward(hidden));
        let mut scores = query
            .matmul(key.transpose())
            .mul_scalar((head as f32).sqrt().recip()); // [rows, heads, q, width]
        if let Some(bias) = &batch.attention_bias {
            scores = scores + bias.clone();
        }
        let probabilities = self.dropout.forward(softmax(scores, 3));
        probabilities
            .matmul(value)
            .swap_dims(1, 2)
            .reshape([asking, size])
    }
}
