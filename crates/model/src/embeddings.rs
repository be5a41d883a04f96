//! Token ids to the first hidden states.

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm};
use burn::tensor::Tensor;

use crate::build::{Builder, Export, Fill};
use crate::dropout::Dropout;
use crate::{Architecture, Batch, ModelConfig, ModelError};

/// Word, position and token type embeddings. Names as in the checkpoint (`embeddings.*`).
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Option<Embedding>,
    layer_norm: LayerNorm,
    dropout: Dropout,
    position_offset: usize,
}

impl Embeddings {
    pub(crate) fn build(config: &ModelConfig, builder: &mut Builder<'_>) -> Result<Self, ModelError> {
        let width = config.embedding_size;
        let position_fill = match config.architecture {
            Architecture::Electra | Architecture::Bert | Architecture::Distilbert => Fill::Normal,
            Architecture::Roberta => Fill::NormalWithZeroRow(config.pad_token_id),
        };
        let token_type_embeddings = match config.type_vocab_size {
            0 => None,
            types => {
                Some(builder.embedding("embeddings.token_type_embeddings", types, width, Fill::Normal)?)
            }
        };
        let word_fill = Fill::NormalWithZeroRow(config.pad_token_id);
        Ok(Self {
            word_embeddings: builder.embedding(
                "embeddings.word_embeddings",
                config.vocab_size,
                width,
                word_fill,
            )?,
            position_embeddings: builder.embedding(
                "embeddings.position_embeddings",
                config.max_position_embeddings,
                width,
                position_fill,
            )?,
            token_type_embeddings,
            layer_norm: builder.layer_norm("embeddings.LayerNorm", width, config.layer_norm_eps)?,
            dropout: Dropout::new(config.hidden_dropout_prob),
            position_offset: config.position_offset(),
        })
    }

    pub(crate) fn export(&self, export: &mut Export) {
        export.embedding("embeddings.word_embeddings", &self.word_embeddings);
        export.embedding("embeddings.position_embeddings", &self.position_embeddings);
        if let Some(token_types) = &self.token_type_embeddings {
            export.embedding("embeddings.token_type_embeddings", token_types);
        }
        export.layer_norm("embeddings.LayerNorm", &self.layer_norm);
    }

    /// Positions and the token type are the same for every row, so they are slices that are broadcast:
    /// a lookup would cost a scatter in the backward pass. Padding gets other positions than in transformers'
    /// RoBERTa, which nothing can see, because attention never looks at padding.
    ///
    /// # Shapes
    /// - returns: `[rows * width, embedding]`
    pub(crate) fn forward(&self, batch: &Batch) -> Tensor<2> {
        let [rows, width] = batch.ids.dims();
        let words = self.word_embeddings.forward(batch.ids.clone()); // [rows, width, embedding]
        let embedding = words.dims()[2];
        let positions = self
            .position_embeddings
            .weight
            .val()
            .narrow(0, self.position_offset, width);
        let same_for_all_rows = match &self.token_type_embeddings {
            Some(token_types) => positions + token_types.weight.val().narrow(0, 0, 1),
            None => positions,
        };
        let sum = (words + same_for_all_rows.unsqueeze::<3>()).reshape([rows * width, embedding]);
        self.dropout.forward(self.layer_norm.forward(sum))
    }

    /// The most tokens that there are positions for.
    pub(crate) fn max_length(&self) -> usize {
        self.position_embeddings.weight.shape()[0] - self.position_offset
    }
}
