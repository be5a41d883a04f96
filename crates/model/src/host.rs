//! The parameters of a model as vectors in the computer's memory, and what the crate `native` computes with them.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use native::training::Network;

use crate::head;
use crate::{ModelConfig, ModelError, SequenceClassifier};

/// What a model of `config` computes.
pub(crate) fn network(config: &ModelConfig, labels: usize) -> Network {
    Network {
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings,
        position_offset: config.position_offset(),
        token_types: config.type_vocab_size,
        embedding: config.embedding_size,
        hidden: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        inner: config.intermediate_size,
        labels,
        activation: config.hidden_act,
        head_activation: head::activation(config.architecture),
        epsilon: config.layer_norm_eps as f32,
        hidden_dropout: config.hidden_dropout_prob,
        attention_dropout: config.attention_probs_dropout_prob,
        head_dropout: head::dropout(config),
        head_drops_input: head::drops_input(config.architecture),
    }
}

impl SequenceClassifier {
    /// The parameters as [`Network::parameters`] orders them, which is the order in which burn visits them.
    pub fn parameters(&self) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut reader = Reader {
            parameters: Vec::new(),
            error: None,
        };
        self.visit(&mut reader);
        reader.error.map_or(Ok(reader.parameters), Err)
    }

    /// The model with other values for its parameters, on the same device; in the order of [`SequenceClassifier::parameters`].
    pub fn with_parameters(self, parameters: Vec<Vec<f32>>) -> Result<Self, ModelError> {
        let mut writer = Writer {
            parameters: parameters.into_iter(),
            error: None,
        };
        let model = self.map(&mut writer);
        match (writer.error, writer.parameters.len()) {
            (Some(error), _) => Err(error),
            (None, 0) => Ok(model),
            (None, left) => Err(ModelError::Config(format!("{left} parameters too many"))),
        }
    }
}

struct Reader {
    parameters: Vec<Vec<f32>>,
    error: Option<ModelError>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        match parameter.val().into_data().try_into_vec_as::<f32>() {
            Ok(values) => self.parameters.push(values),
            Err(error) => {
                self.error = Some(ModelError::Config(format!(
                    "a parameter cannot be read: {error:?}"
                )));
            }
        }
    }
}

struct Writer {
    parameters: std::vec::IntoIter<Vec<f32>>,
    error: Option<ModelError>,
}

impl ModuleMapper for Writer {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = parameter.shape();
        let values = self.parameters.next().unwrap_or_default();
        if values.len() != shape.num_elements() {
            let (found, expected) = (values.len(), shape.num_elements());
            self.error.get_or_insert(ModelError::Config(format!(
                "a parameter has {found} values instead of {expected}"
            )));
            return parameter;
        }
        let (id, tensor, mapper) = parameter.consume();
        let (device, tracked) = (tensor.device(), tensor.is_require_grad());
        let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), &device);
        let tensor = if tracked { tensor.require_grad() } else { tensor };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
