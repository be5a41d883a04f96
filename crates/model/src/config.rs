//! What determines an encoder's shape and behaviour, independent of the file it was read from.

use tokenizer::SpecialTokens;

use crate::{Activation, ModelError};

/// A family of encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// KcELECTRA, KoELECTRA: embeddings may be narrower than the hidden states.
    Electra,
    /// klue/roberta: positions start after the padding id.
    Roberta,
    /// klue/bert, KoBERT: the head's first layer is the encoder's pooler.
    Bert,
    /// Multilingual DistilBERT, DistilKoBERT: no token types, and names of its own.
    Distilbert,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Electra, Self::Roberta, Self::Bert, Self::Distilbert];

    /// The name in `config.json`'s `model_type` and in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Electra => "electra",
            Self::Roberta => "roberta",
            Self::Bert => "bert",
            Self::Distilbert => "distilbert",
        }
    }

    /// The architecture called `name`.
    pub fn parse(name: &str) -> Result<Self, ModelError> {
        Self::ALL
            .into_iter()
            .find(|known| known.name() == name)
            .ok_or_else(|| {
                ModelError::Config(format!(
                    "architecture `{name}` is not supported; known are {}",
                    Self::known()
                ))
            })
    }

    /// The names of all, for messages.
    pub(crate) fn known() -> String {
        Self::ALL.map(|known| format!("`{}`", known.name())).join(", ")
    }

    /// The order of the special tokens in a new vocabulary.
    pub fn special_tokens(self) -> SpecialTokens {
        match self {
            Self::Electra | Self::Bert | Self::Distilbert => SpecialTokens::Bert,
            Self::Roberta => SpecialTokens::Roberta,
        }
    }
}

/// The sizes of an encoder that is trained from scratch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of the word embedding: at least as many as the tokenizer has tokens.
    pub vocab_size: usize,
    /// Width of the embeddings; absent: `hidden_size`. ELECTRA only.
    pub embedding_size: Option<usize>,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Encoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads per layer; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward network.
    pub intermediate_size: usize,
    /// Rows of the position embedding.
    pub max_position_embeddings: usize,
}

/// Everything about an encoder but its weights. Field names are those of `config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// The family.
    pub architecture: Architecture,
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width of the embeddings.
    pub embedding_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Encoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads per layer.
    pub num_attention_heads: usize,
    /// Width of the feed-forward network.
    pub intermediate_size: usize,
    /// Rows of the position embedding.
    pub max_position_embeddings: usize,
    /// Rows of the token type embedding, of which only the first is used; 0: there is none, as in DistilBERT.
    pub type_vocab_size: usize,
    /// The id of `[PAD]`.
    pub pad_token_id: usize,
    /// What stands between the layers of the feed-forward network.
    pub hidden_act: Activation,
    /// Added to the variance in LayerNorm.
    pub layer_norm_eps: f64,
    /// Dropout of embeddings and sublayer outputs, in [0, 1).
    pub hidden_dropout_prob: f64,
    /// Dropout of attention probabilities, in [0, 1).
    pub attention_probs_dropout_prob: f64,
    /// Dropout in the classification head, DistilBERT's `seq_classif_dropout`; absent: `hidden_dropout_prob`.
    pub classifier_dropout: Option<f64>,
    /// Standard deviation of new weights.
    pub initializer_range: f64,
}

impl ModelConfig {
    /// An encoder to train from scratch, with the family's usual settings.
    pub fn from_scratch(architecture: Architecture, sizes: &Sizes) -> Result<Self, ModelError> {
        let roberta = architecture == Architecture::Roberta;
        let distilbert = architecture == Architecture::Distilbert;
        let config = Self {
            architecture,
            vocab_size: sizes.vocab_size,
            embedding_size: sizes.embedding_size.unwrap_or(sizes.hidden_size),
            hidden_size: sizes.hidden_size,
            num_hidden_layers: sizes.num_hidden_layers,
            num_attention_heads: sizes.num_attention_heads,
            intermediate_size: sizes.intermediate_size,
            max_position_embeddings: sizes.max_position_embeddings,
            type_vocab_size: if distilbert {
                0
            } else if roberta {
                1
            } else {
                2
            },
            pad_token_id: if roberta { 1 } else { 0 },
            hidden_act: Activation::Gelu,
            layer_norm_eps: if roberta { 1e-5 } else { 1e-12 },
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            classifier_dropout: distilbert.then_some(0.2),
            initializer_range: 0.02,
        };
        config.check()?;
        Ok(config)
    }

    /// With other dropout probabilities: `dropout` of hidden states and attention, `classifier_dropout` of the head.
    #[must_use]
    pub fn with_dropout(mut self, dropout: Option<f64>, classifier_dropout: Option<f64>) -> Self {
        if let Some(probability) = dropout {
            self.hidden_dropout_prob = probability;
            self.attention_probs_dropout_prob = probability;
        }
        self.classifier_dropout = classifier_dropout.or(self.classifier_dropout);
        self
    }

    /// The most tokens that the position embedding has room for.
    pub fn max_length(&self) -> usize {
        self.max_position_embeddings
            .saturating_sub(self.position_offset())
    }

    /// The position of the first token.
    pub(crate) fn position_offset(&self) -> usize {
        match self.architecture {
            Architecture::Electra | Architecture::Bert | Architecture::Distilbert => 0,
            Architecture::Roberta => self.pad_token_id + 1,
        }
    }

    /// Says what no model can be built from.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("embedding_size", self.embedding_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(ModelError::Config(format!("`{name}` must be at least 1")));
        }
        if (self.type_vocab_size == 0) != (self.architecture == Architecture::Distilbert) {
            return Err(ModelError::Config(
                "`type_vocab_size` must be at least 1, and distilbert has none".to_owned(),
            ));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(ModelError::Config(format!(
                "`hidden_size` {} is not a multiple of `num_attention_heads` {}",
                self.hidden_size, self.num_attention_heads
            )));
        }
        if self.architecture != Architecture::Electra && self.embedding_size != self.hidden_size {
            return Err(ModelError::Config(format!(
                "`embedding_size` of a {} encoder is its `hidden_size`",
                self.architecture.name()
            )));
        }
        if self.max_length() < 3 {
            return Err(ModelError::Config(format!(
                "`max_position_embeddings` {} leaves no room for a token between [CLS] and [SEP]",
                self.max_position_embeddings
            )));
        }
        if self.pad_token_id >= self.vocab_size {
            return Err(ModelError::Config(format!(
                "`pad_token_id` {} is not an id below `vocab_size` {}",
                self.pad_token_id, self.vocab_size
            )));
        }
        let probabilities = [
            ("hidden_dropout_prob", Some(self.hidden_dropout_prob)),
            (
                "attention_probs_dropout_prob",
                Some(self.attention_probs_dropout_prob),
            ),
            ("classifier_dropout", self.classifier_dropout),
        ];
        match probabilities
            .iter()
            .find(|(_, value)| value.is_some_and(|value| !(0.0..1.0).contains(&value)))
        {
            Some((name, _)) => Err(ModelError::Config(format!(
                "`{name}` must be at least 0 and below 1"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two layers, eight wide.
    fn tiny(architecture: Architecture) -> ModelConfig {
        let sizes = Sizes {
            vocab_size: 11,
            embedding_size: None,
            hidden_size: 8,
            num_hidden_layers: 2,
            num_attention_heads: 2,
            intermediate_size: 16,
            max_position_embeddings: 12,
        };
        ModelConfig::from_scratch(architecture, &sizes).unwrap()
    }

    #[test]
    fn roberta_positions_start_after_the_padding_id() {
        assert_eq!(tiny(Architecture::Roberta).max_length(), 10);
        assert_eq!(tiny(Architecture::Electra).max_length(), 12);
    }

    #[test]
    fn heads_that_do_not_divide_the_width_are_refused() {
        let config = ModelConfig {
            num_attention_heads: 3,
            ..tiny(Architecture::Electra)
        };
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "`hidden_size` 8 is not a multiple of `num_attention_heads` 3"
        );
    }

    #[test]
    fn a_dropout_of_one_is_refused() {
        let config = tiny(Architecture::Electra).with_dropout(Some(1.0), None);
        assert!(
            config
                .check()
                .unwrap_err()
                .to_string()
                .contains("`hidden_dropout_prob`")
        );
    }

    #[test]
    fn an_unknown_architecture_names_the_known_ones() {
        let message = Architecture::parse("gpt2").unwrap_err().to_string();
        assert_eq!(
            message,
            "architecture `gpt2` is not supported; known are `electra`, `roberta`, `bert`, `distilbert`"
        );
    }
}
