//! What a model computes, apart from its weights: logits from token ids, and gradients from those of the logits.

use std::ops::Range;

use super::arrangement::{Parts, Presence};
use super::embeddings::{Embeddings, EmbeddingsGradient};
use super::head::Head;
use super::layer::{Layer, LayerMasks};
use super::product::compute;
use super::tape::Tape;
use crate::{Activation, DropoutMask};

/// An encoder with a classification head, without its weights.
///
/// Parameters are vectors, in this order: words, positions, token types if there are any, the norm of the embeddings
/// (gamma, beta); where embeddings are narrower than hidden states, what widens them (weight, bias); for each layer
/// query, key, value, attention output, attention norm, intermediate, output, output norm; the head's dense layer and
/// its output layer. Weights of linear layers are `[inputs, outputs]`, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Number of token ids.
    pub vocabulary: usize,
    /// Rows of the position embedding.
    pub positions: usize,
    /// The row of the first token of a text.
    pub position_offset: usize,
    /// Rows of the token type embedding, of which the first is used; 0: there is none.
    pub token_types: usize,
    /// Width of the embeddings.
    pub embedding: usize,
    /// Width of the hidden states.
    pub hidden: usize,
    /// Encoder layers, at least one.
    pub layers: usize,
    /// Attention heads per layer.
    pub heads: usize,
    /// Width of the feed-forward network.
    pub inner: usize,
    /// Number of logits.
    pub labels: usize,
    /// Within the feed-forward network.
    pub activation: Activation,
    /// Within the head.
    pub head_activation: Activation,
    /// Added to the variance in norms.
    pub epsilon: f32,
    /// Dropout of embeddings and sublayer outputs, in [0, 1).
    pub hidden_dropout: f64,
    /// Dropout of attention probabilities, in [0, 1).
    pub attention_dropout: f64,
    /// Dropout in the head, in [0, 1).
    pub head_dropout: f64,
    /// Whether the head's first layer has dropout before it, too.
    pub head_drops_input: bool,
}

/// A vector of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Number of its values.
    pub values: usize,
    /// Whether weight decay applies: not to biases and norms.
    pub decays: bool,
}

/// What is done with gradients that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// They are overwritten, whatever they are: the first batch of a step.
    Replace,
    /// They are added to: the batches after it.
    Add,
}

impl Network {
    /// The vectors of parameters, in order.
    pub fn parameters(&self) -> Vec<Parameter> {
        let (embedding, hidden, inner) = (self.embedding, self.hidden, self.inner);
        let matrix = |rows: usize, columns: usize| Parameter {
            values: rows * columns,
            decays: true,
        };
        let vector = |values| Parameter {
            values,
            decays: false,
        };
        let linear = |inputs, outputs| [matrix(inputs, outputs), vector(outputs)];
        let mut parameters = vec![
            matrix(self.vocabulary, embedding),
            matrix(self.positions, embedding),
        ];
        if self.token_types > 0 {
            parameters.push(matrix(self.token_types, embedding));
        }
        parameters.extend([vector(embedding); 2]);
        if embedding != hidden {
            parameters.extend(linear(embedding, hidden));
        }
        for _ in 0..self.layers {
            parameters.extend([linear(hidden, hidden); 4].as_flattened());
            parameters.extend([vector(hidden); 2]);
            parameters.extend(linear(hidden, inner));
            parameters.extend(linear(inner, hidden));
            parameters.extend([vector(hidden); 2]);
        }
        parameters.extend(linear(hidden, hidden));
        parameters.extend(linear(hidden, self.labels));
        parameters
    }

    /// Logits of `texts`, `[texts, labels]`. `seed` is that of this step's dropout; None: no dropout. `tape` keeps what
    /// [`Network::backward`] needs.
    ///
    /// # Panics
    /// If there is no text, one without a token or with more than there are positions, an id that is not in the
    /// vocabulary, or parameters of other sizes than [`Network::parameters`] says.
    pub fn forward(
        &self,
        parameters: &[Vec<f32>],
        texts: &[&[u32]],
        seed: Option<u64>,
        tape: &mut Tape,
    ) -> Vec<f32> {
        self.check(parameters);
        let longest = self.positions - self.position_offset;
        assert!(!texts.is_empty(), "a batch has texts");
        assert!(
            texts.iter().all(|text| (1..=longest).contains(&text.len())),
            "a text has a token, and at most {longest}"
        );
        tape.seed = seed;
        tape.read(texts);
        // On a thread of the pool, so that its parts are not handed over one by one.
        rayon::scope(|_| self.forward_in_pool(parameters, texts, tape))
    }

    fn forward_in_pool(&self, parameters: &[Vec<f32>], texts: &[&[u32]], tape: &mut Tape) -> Vec<f32> {
        let weights = self.arrange(parameters.iter().map(Vec::as_slice));
        let dropout = self.dropout(tape.seed);
        let Tape {
            ranges,
            embeddings,
            narrow,
            layers,
            head,
            layer_work,
            ..
        } = tape;
        layers.resize_with(self.layers, Default::default);
        let Some(first) = layers.first_mut() else {
            return Vec::new();
        };
        let embed = self.embeddings(&weights, &dropout);
        match weights.projection {
            None => embed.forward(texts, embeddings, &mut first.input),
            Some(projection) => {
                embed.forward(texts, embeddings, narrow);
                let tokens = embeddings.tokens.len();
                compute([projection.forward(narrow, first.input.sized(tokens * self.hidden))]);
            }
        }
        for (index, weights) in weights.layers.iter().enumerate() {
            let layer = self.layer(index, ranges, &dropout);
            let (before, after) = layers.split_at_mut(index + 1);
            let output = after.first_mut().map_or(&mut head.input, |next| &mut next.input);
            layer.forward(weights, &mut before[index], layer_work, output);
        }
        self.head(&weights, &dropout).forward(head)
    }

    /// Puts into `gradients`, as many and as large as the parameters, what `logit_gradient` `[texts, labels]` gives
    /// for the last batch of [`Network::forward`] with the same `parameters`.
    ///
    /// # Panics
    /// If `tape` holds no batch, or sizes do not fit.
    pub fn backward(
        &self,
        parameters: &[Vec<f32>],
        logit_gradient: &[f32],
        tape: &mut Tape,
        gradients: &mut [Vec<f32>],
        accumulate: Accumulate,
    ) {
        self.check(parameters);
        self.check(gradients);
        assert_eq!(logit_gradient.len(), tape.ranges.len() * self.labels);
        let add = accumulate == Accumulate::Add;
        rayon::scope(|_| self.backward_in_pool(parameters, logit_gradient, tape, gradients, add));
    }

    fn backward_in_pool(
        &self,
        parameters: &[Vec<f32>],
        logit_gradient: &[f32],
        tape: &mut Tape,
        gradients: &mut [Vec<f32>],
        add: bool,
    ) {
        let weights = self.arrange(parameters.iter().map(Vec::as_slice));
        let gradients = self.arrange(gradients.iter_mut().map(Vec::as_mut_slice));
        let dropout = self.dropout(tape.seed);
        let Tape {
            ranges,
            embeddings,
            narrow,
            layers,
            head,
            layer_work,
            gradient,
            narrow_gradient,
            ..
        } = tape;
        let (dense, output) = (gradients.head_dense, gradients.head_output);
        self.head(&weights, &dropout)
            .backward(logit_gradient, head, dense, output, add, gradient);
        let reversed = weights.layers.iter().zip(gradients.layers).enumerate().rev();
        for (index, (weights, parameters)) in reversed {
            let layer = self.layer(index, ranges, &dropout);
            layer.backward(weights, &layers[index], layer_work, gradient, parameters, add);
        }
        let embeddings_gradient = match (weights.projection, gradients.projection) {
            (Some(projection), Some(parameters)) => {
                let narrow_gradient = narrow_gradient.sized(narrow.len());
                compute([
                    projection.input_gradient(gradient, narrow_gradient, false),
                    parameters.weight_gradient(narrow, gradient, add),
                ]);
                narrow_gradient
            }
            _ => gradient,
        };
        let parameters = EmbeddingsGradient {
            words: gradients.words,
            positions: gradients.positions,
            token_types: gradients.token_types,
            norm: gradients.embedding_norm,
        };
        self.embeddings(&weights, &dropout).backward(
            embeddings_gradient,
            embeddings,
            parameters,
            add,
            &mut layer_work.partial,
        );
    }

    fn check(&self, vectors: &[Vec<f32>]) {
        let expected = self.parameters();
        assert!(
            vectors.len() == expected.len()
                && vectors
                    .iter()
                    .zip(&expected)
                    .all(|(vector, expected)| vector.len() == expected.values),
            "vectors are those of another model"
        );
    }

    /// One thing for each parameter, by name; there are as many.
    pub(crate) fn arrange<T>(&self, mut things: impl Iterator<Item = T>) -> Parts<T> {
        let presence = Presence {
            token_types: self.token_types > 0,
            projection: self.embedding != self.hidden,
            layers: self.layers,
        };
        Parts::arrange(presence, || things.next().expect("their number was checked"))
    }

    fn embeddings<'a>(&self, weights: &Parts<&'a [f32]>, dropout: &Dropout<'_>) -> Embeddings<'a> {
        Embeddings {
            words: weights.words,
            positions: weights.positions,
            token_types: weights.token_types,
            norm: weights.embedding_norm,
            epsilon: self.epsilon,
            position_offset: self.position_offset,
            mask: dropout.embeddings(),
        }
    }

    fn layer<'a>(&self, index: usize, texts: &'a [Range<usize>], dropout: &Dropout<'_>) -> Layer<'a> {
        Layer {
            texts,
            first_only: index + 1 == self.layers,
            hidden: self.hidden,
            inner: self.inner,
            heads: self.heads,
            activation: self.activation,
            epsilon: self.epsilon,
            masks: dropout.layer(index),
        }
    }

    fn head<'a>(&self, weights: &Parts<&'a [f32]>, dropout: &Dropout<'_>) -> Head<'a> {
        let [input_mask, mask] = dropout.head();
        Head {
            dense: weights.head_dense,
            output: weights.head_output,
            activation: self.head_activation,
            input_mask,
            mask,
        }
    }

    fn dropout(&self, seed: Option<u64>) -> Dropout<'_> {
        Dropout { network: self, seed }
    }
}

/// The masks of a step.
struct Dropout<'a> {
    network: &'a Network,
    seed: Option<u64>,
}

impl Dropout<'_> {
    fn head(&self) -> [Option<DropoutMask>; 2] {
        let probability = self.network.head_dropout;
        [
            self.mask(0, probability)
                .filter(|_| self.network.head_drops_input),
            self.mask(1, probability),
        ]
    }

    fn embeddings(&self) -> Option<DropoutMask> {
        self.mask(2, self.network.hidden_dropout)
    }

    fn layer(&self, index: usize) -> LayerMasks {
        let place = 3 + 3 * index as u64;
        LayerMasks {
            probabilities: self.mask(place, self.network.attention_dropout),
            attention_output: self.mask(place + 1, self.network.hidden_dropout),
            output: self.mask(place + 2, self.network.hidden_dropout),
        }
    }

    /// Each place in the network has a mask of its own.
    fn mask(&self, place: u64, probability: f64) -> Option<DropoutMask> {
        let seed = self.seed.filter(|_| probability > 0.0)?;
        let seed = mix(mix(seed) ^ place);
        Some(DropoutMask::new(
            1.0 - probability,
            [seed as u32, (seed >> 32) as u32],
        ))
    }
}

/// The finalizer of SplitMix64: a bijection in which every input bit moves every output bit.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
