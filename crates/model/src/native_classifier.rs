//! Models that only predict, on the CPU, without burn: see the crate `native`.

use native::{Classifier, Head, Layer, LayerNorm, Linear, Precision};

use crate::build::{Fill, Source, transposed};
use crate::head;
use crate::{ModelConfig, ModelError};

/// Reads the parameters of a model from `source`. The head, and what brings embeddings to the hidden size, are a
/// thousandth of the work and stay in f32.
pub(crate) fn build(
    config: &ModelConfig,
    labels: usize,
    precision: Precision,
    source: &mut dyn Source,
) -> Result<Classifier, ModelError> {
    config.check()?;
    let mut builder = Builder {
        source,
        epsilon: config.layer_norm_eps as f32,
    };
    let (narrow, wide) = (config.embedding_size, config.hidden_size);
    let words = builder.values("embeddings.word_embeddings.weight", &[config.vocab_size, narrow])?;
    let positions = builder.positions(config)?;
    let embedding_norm = builder.layer_norm("embeddings.LayerNorm", narrow)?;
    let projection = (narrow != wide)
        .then(|| builder.linear("embeddings_project", narrow, wide, Precision::F32))
        .transpose()?;
    let layers = (0..config.num_hidden_layers).map(|index| builder.layer(index, config, precision));
    let layers = layers.collect::<Result<_, _>>()?;
    let (dense, output) = config.architecture.head_names();
    Ok(Classifier {
        words,
        positions,
        embedding_norm,
        projection,
        layers,
        head: Head {
            dense: builder.linear(dense, wide, wide, Precision::F32)?,
            activation: head::activation(config.architecture),
            output: builder.linear(output, wide, labels, Precision::F32)?,
        },
    })
}

struct Builder<'a> {
    source: &'a mut dyn Source,
    epsilon: f32,
}

impl Builder<'_> {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        self.source.values(name, shape, Fill::Zeros)
    }

    /// Rows that stand for the positions of a text, with the vector of the only token type.
    fn positions(&mut self, config: &ModelConfig) -> Result<Vec<f32>, ModelError> {
        let width = config.embedding_size;
        let shape = [config.max_position_embeddings, width];
        let mut positions = self.values("embeddings.position_embeddings.weight", &shape)?;
        positions.drain(..config.position_offset() * width);
        if config.type_vocab_size > 0 {
            let shape = [config.type_vocab_size, width];
            let types = self.values("embeddings.token_type_embeddings.weight", &shape)?;
            for position in positions.chunks_exact_mut(width) {
                for (value, added) in position.iter_mut().zip(&types) {
                    *value += added;
                }
            }
        }
        Ok(positions)
    }

    fn layer(
        &mut self,
        index: usize,
        config: &ModelConfig,
        precision: Precision,
    ) -> Result<Layer, ModelError> {
        let names = config.architecture.layer_names();
        let part = |part: &str| format!("{}.{index}.{part}", names.layers);
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Layer {
            query: self.linear(&part(names.query), hidden, hidden, precision)?,
            key_value: self.pair(&part(names.key), &part(names.value), hidden, precision)?,
            attention_output: self.linear(&part(names.attention_output), hidden, hidden, precision)?,
            attention_norm: self.layer_norm(&part(names.attention_norm), hidden)?,
            intermediate: self.linear(&part(names.intermediate), hidden, inner, precision)?,
            output: self.linear(&part(names.output), inner, hidden, precision)?,
            output_norm: self.layer_norm(&part(names.output_norm), hidden)?,
            activation: config.hidden_act,
            heads: config.num_attention_heads,
        })
    }

    fn linear(
        &mut self,
        name: &str,
        input: usize,
        output: usize,
        precision: Precision,
    ) -> Result<Linear, ModelError> {
        let weight = self.values(&format!("{name}.weight"), &[output, input])?;
        let bias = self.values(&format!("{name}.bias"), &[output])?;
        Ok(Linear::new(transposed(&weight, output, input), bias, precision))
    }

    /// Two square layers as one that gives the outputs of both, one after the other.
    fn pair(
        &mut self,
        first: &str,
        second: &str,
        width: usize,
        precision: Precision,
    ) -> Result<Linear, ModelError> {
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for name in [first, second] {
            weights.extend(self.values(&format!("{name}.weight"), &[width, width])?);
            biases.extend(self.values(&format!("{name}.bias"), &[width])?);
        }
        Ok(Linear::new(
            transposed(&weights, 2 * width, width),
            biases,
            precision,
        ))
    }

    fn layer_norm(&mut self, name: &str, width: usize) -> Result<LayerNorm, ModelError> {
        Ok(LayerNorm {
            gamma: self.values(&format!("{name}.weight"), &[width])?,
            beta: self.values(&format!("{name}.bias"), &[width])?,
            epsilon: self.epsilon,
        })
    }
}
