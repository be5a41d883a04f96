//! Scaled dot-product attention over the tokens of each row.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;

use crate::build::{Builder, Export};
use crate::dropout::Dropout;
use crate::names::LayerNames;
use crate::products::raise;
use crate::{Batch, ModelConfig, ModelError, Precision};

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

    /// The same layer with weights in `precision`, for prediction.
    pub(crate) fn lowered(self, precision: Precision) -> Self {
        Self {
            query: precision.lowered(self.query),
            key: precision.lowered(self.key),
            value: precision.lowered(self.value),
            ..self
        }
    }

    /// # Shapes
    /// - queries: `[rows * q, hidden]`, `q` tokens of each row ask
    /// - hidden: `[rows * width, hidden]`, all tokens answer
    /// - returns: `[rows * q, hidden]`
    ///
    /// Input and output are in `precision`, softmax is in f32.
    pub(crate) fn forward(
        &self,
        queries: Tensor<2>,
        hidden: Tensor<2>,
        batch: &Batch,
        precision: Precision,
    ) -> Tensor<2> {
        let rows = batch.rows();
        let [asking, size] = queries.dims();
        let head = size / self.heads;
        let split = |tensor: Tensor<2>| {
            let tokens = tensor.dims()[0] / rows;
            tensor.reshape([rows, tokens, self.heads, head]).swap_dims(1, 2) // [rows, heads, tokens, head]
        };
        let query = split(precision.linear(&self.query, queries));
        let key = split(precision.linear(&self.key, hidden.clone()));
        let value = split(precision.linear(&self.value, hidden));
        let context = if batch.fuses_attention {
            attention(query, key, value, None, None, AttentionModuleOptions::default())
        } else {
            let scale = (head as f32).sqrt().recip();
            let mut scores = raise(query.matmul(key.transpose())).mul_scalar(scale); // [rows, heads, q, width]
            if let Some(bias) = &batch.attention_bias {
                scores = scores + bias.clone();
            }
            let probabilities = self.dropout.forward(softmax(scores, 3));
            precision.lower(probabilities).matmul(value)
        };
        context.swap_dims(1, 2).reshape([asking, size])
    }
}
