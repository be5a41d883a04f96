//! Classification heads: the first token's hidden state to one logit per label.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::activation::activate;
use crate::build::{Builder, Export};
use crate::dropout::Dropout;
use crate::{Activation, Architecture, ModelConfig, ModelError};

/// A dense layer, an activation and the layer that gives the logits, as transformers' `...ForSequenceClassification` has
/// them; the families differ in the activation, the names, and in whether the first layer's input is dropped, too.
#[derive(Module, Debug)]
pub(crate) struct ClassificationHead {
    dense: Linear,
    out_proj: Linear,
    dropout: Dropout,
    drops_input: bool,
    #[module(skip)]
    activation: Activation,
}

/// What stands between the head's two layers.
pub(crate) fn activation(architecture: Architecture) -> Activation {
    match architecture {
        Architecture::Electra => Activation::Gelu,
        Architecture::Roberta | Architecture::Bert => Activation::Tanh,
        Architecture::Distilbert => Activation::Relu,
    }
}

/// Dropout in the head.
pub(crate) fn dropout(config: &ModelConfig) -> f64 {
    config.classifier_dropout.unwrap_or(config.hidden_dropout_prob)
}

/// Whether the first layer's input is dropped, too.
pub(crate) fn drops_input(architecture: Architecture) -> bool {
    matches!(architecture, Architecture::Electra | Architecture::Roberta)
}

impl ClassificationHead {
    pub(crate) fn build(
        config: &ModelConfig,
        labels: usize,
        builder: &mut Builder<'_>,
    ) -> Result<Self, ModelError> {
        let (hidden, (dense, out_proj)) = (config.hidden_size, config.architecture.head_names());
        Ok(Self {
            dense: builder.linear(dense, hidden, hidden)?,
            out_proj: builder.linear(out_proj, hidden, labels)?,
            dropout: Dropout::new(dropout(config)),
            drops_input: drops_input(config.architecture),
            activation: activation(config.architecture),
        })
    }

    pub(crate) fn export(&self, architecture: Architecture, export: &mut Export) {
        let (dense, out_proj) = architecture.head_names();
        export.linear(dense, &self.dense);
        export.linear(out_proj, &self.out_proj);
    }

    /// # Shapes
    /// - first: `[rows, hidden]`, the hidden state of each text's first token
    /// - returns logits: `[rows, labels]`
    pub(crate) fn forward(&self, mut first: Tensor<2>) -> Tensor<2> {
        if self.drops_input {
            first = self.dropout.forward(first);
        }
        let activated = activate(self.activation, self.dense.forward(first));
        self.out_proj.forward(self.dropout.forward(activated))
    }

    pub(crate) fn labels(&self) -> usize {
        self.out_proj.weight.shape()[1]
    }
}
