//! The same weights for prediction.

use super::Network;
use super::arrangement::{LayerParts, Pair};
use crate::{Classifier, Head, Layer, LayerNorm, Linear, Precision};

impl Network {
    /// The model of `parameters`, for prediction only.
    ///
    /// # Panics
    /// If there are fewer vectors than [`Network::parameters`] says.
    pub fn classifier(&self, parameters: &[Vec<f32>]) -> Classifier {
        let weights = self.arrange(parameters.iter().map(Vec::as_slice));
        let mut positions = weights.positions[self.position_offset * self.embedding..].to_vec();
        if let Some(types) = weights.token_types {
            for position in positions.chunks_exact_mut(self.embedding) {
                for (value, added) in position.iter_mut().zip(types) {
                    *value += added;
                }
            }
        }
        Classifier {
            words: weights.words.to_vec(),
            positions,
            embedding_norm: self.norm(weights.embedding_norm),
            projection: weights.projection.map(linear),
            layers: weights
                .layers
                .iter()
                .map(|parts| self.prediction_layer(parts))
                .collect(),
            head: Head {
                dense: linear(weights.head_dense),
                activation: self.head_activation,
                output: linear(weights.head_output),
            },
        }
    }

    fn prediction_layer(&self, parts: &LayerParts<&[f32]>) -> Layer {
        Layer {
            query: linear(parts.query),
            key_value: side_by_side(parts.key, parts.value, self.hidden),
            attention_output: linear(parts.attention_output),
            attention_norm: self.norm(parts.attention_norm),
            intermediate: linear(parts.intermediate),
            output: linear(parts.output),
            output_norm: self.norm(parts.output_norm),
            activation: self.activation,
            heads: self.heads,
        }
    }

    fn norm(&self, parts: Pair<&[f32]>) -> LayerNorm {
        LayerNorm {
            gamma: parts.weight.to_vec(),
            beta: parts.bias.to_vec(),
            epsilon: self.epsilon,
        }
    }
}

fn linear(parts: Pair<&[f32]>) -> Linear {
    Linear::new(parts.weight.to_vec(), parts.bias.to_vec(), Precision::F32)
}

/// Two layers as one that gives the outputs of both, one after the other.
fn side_by_side(first: Pair<&[f32]>, second: Pair<&[f32]>, outputs: usize) -> Linear {
    let rows = first
        .weight
        .chunks_exact(outputs)
        .zip(second.weight.chunks_exact(outputs));
    let weight = rows
        .flat_map(|(first, second)| [first, second].concat())
        .collect();
    Linear::new(weight, [first.bias, second.bias].concat(), Precision::F32)
}
