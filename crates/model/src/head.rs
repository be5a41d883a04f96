//! Classification heads: the first token's hidden state to one logit per label.

use burn::module::Module;
use burn::nn::{Dropout, Linear};
use burn::tensor::Tensor;
use crate::activation::gelu;

use crate::build::{Builder, Export, dropout};
use crate::{Architecture, ModelConfig, ModelError};

/// `ElectraClassificationHead` and `RobertaClassificationHead` of transformers, which differ in the activation.
/// Names as in the checkpoint (`classifier.dense`, `classifier.out_proj`).
#[derive(Module, Debug)]
pub(crate) struct ClassificationHead {
    dense: Linear,
    out_proj: Linear,
    dropout: Dropout,
    /// tanh (RoBERTa) instead of gelu (ELECTRA).
    tanh: bool,
}

impl ClassificationHead {
    pub(crate) fn build(config: &ModelConfig, labels: usize, builder: &mut Builder<'_>) -> Result<Self, ModelError> {
        let hidden = config.hidden_size;
        Ok(Self {
            dense: builder.linear("classifier.dense", hidden, hidden)?,
            out_proj: builder.linear("classifier.out_proj", hidden, labels)?,
            dropout: dropout(config.classifier_dropout.unwrap_or(config.hidden_dropout_prob)),
            tanh: config.architecture == Architecture::Roberta,
        })
    }

    pub(crate) fn export(&self, export: &mut Export) {
        export.linear("classifier.dense", &self.dense);
        export.linear("classifier.out_proj", &self.out_proj);
    }

    /// # Shapes
    /// - first: `[rows, hidden]`, the hidden state of each text's first token
    /// - returns logits: `[rows, labels]`
    pub(crate) fn forward(&self, first: Tensor<2>) -> Tensor<2> {
        let dense = self.dense.forward(self.dropout.forward(first));
        let activated = if self.tanh { dense.tanh() } else { gelu(dense) };
        self.out_proj.forward(self.dropout.forward(activated))
    }

    pub(crate) fn labels(&self) -> usize {
        self.out_proj.weight.shape()[1]
    }
}
