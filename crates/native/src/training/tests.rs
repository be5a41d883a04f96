//! The whole network: finite differences with dropout, threads, memory. What it computes without dropout is held against
//! automatic differentiation in `crates/model/tests/gradients.rs`.

use super::{Accumulate, Network, Tape};
use crate::Activation;

fn network() -> Network {
    Network {
        vocabulary: 11,
        positions: 12,
        position_offset: 2,
        token_types: 1,
        embedding: 6,
        hidden: 10,
        layers: 2,
        heads: 2,
        inner: 14,
        labels: 3,
        activation: Activation::Gelu,
        head_activation: Activation::Tanh,
        epsilon: 1e-5,
        hidden_dropout: 0.2,
        attention_dropout: 0.3,
        head_dropout: 0.1,
        head_drops_input: true,
    }
}

/// Values between -0.5 and 0.5 that look random; norms scale by about 1.
fn parameters(network: &Network) -> Vec<Vec<f32>> {
    let value = |index: usize| (index as u32).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5;
    let vectors = network.parameters().into_iter().enumerate();
    let vectors = vectors.map(|(number, parameter)| {
        (0..parameter.values)
            .map(|index| value(index + 1000 * number))
            .collect()
    });
    vectors.collect()
}

fn gradients(network: &Network) -> Vec<Vec<f32>> {
    let parameters = network.parameters();
    parameters
        .iter()
        .map(|parameter| vec![0.0; parameter.values])
        .collect()
}

const TEXTS: [&[u32]; 3] = [&[1, 4, 4, 9, 0], &[3], &[10, 2, 7]];

/// What is differentiated: a weighted sum of the logits.
fn weights(network: &Network) -> Vec<f32> {
    (0..TEXTS.len() * network.labels)
        .map(|index| (index % 4) as f32 - 1.2)
        .collect()
}

fn loss(network: &Network, parameters: &[Vec<f32>], seed: u64) -> f64 {
    let logits = network.forward(parameters, &TEXTS, Some(seed), &mut Tape::default());
    let products = logits.iter().zip(weights(network));
    products
        .map(|(logit, weight)| f64::from(*logit) * f64::from(weight))
        .sum()
}

#[test]
fn gradients_with_dropout_are_differences_over_distances() {
    let network = network();
    let mut values = parameters(&network);
    for seed in [7, 8] {
        let (mut tape, mut gradients) = (Tape::default(), gradients(&network));
        network.forward(&values, &TEXTS, Some(seed), &mut tape);
        network.backward(
            &values,
            &weights(&network),
            &mut tape,
            &mut gradients,
            Accumulate::Replace,
        );
        let distance = 1.0 / 256.0;
        for (vector, gradients) in gradients.iter().enumerate() {
            for index in (0..gradients.len()).step_by(3) {
                let value = values[vector][index];
                let mut at = |offset: f32| {
                    values[vector][index] = value + offset;
                    loss(&network, &values, seed)
                };
                let expected = (at(distance) - at(-distance)) / f64::from(2.0 * distance);
                values[vector][index] = value;
                let found = f64::from(gradients[index]);
                assert!(
                    (found - expected).abs() < 3e-3 * expected.abs().max(1.0),
                    "parameter {vector}, value {index}: {found} instead of {expected}"
                );
            }
        }
    }
}

#[test]
fn dropout_depends_on_the_seed_and_changes_something() {
    let network = network();
    let parameters = parameters(&network);
    assert_eq!(loss(&network, &parameters, 7), loss(&network, &parameters, 7));
    assert_ne!(loss(&network, &parameters, 7), loss(&network, &parameters, 8));
}

/// A network of which every operation is shared by several threads, and its logits and gradients.
fn large(threads: usize) -> (Vec<f32>, Vec<Vec<f32>>) {
    let network = Network {
        vocabulary: 50,
        positions: 140,
        embedding: 72,
        hidden: 264,
        inner: 600,
        heads: 4,
        ..network()
    };
    let parameters = parameters(&network);
    let texts: Vec<Vec<u32>> = [1, 70, 33, 129, 16, 90]
        .map(|length| (0..length).map(|token| token * token % 50).collect())
        .into();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let (mut tape, mut gradients) = (Tape::default(), gradients(&network));
        let logits = network.forward(&parameters, &texts, Some(5), &mut tape);
        let weights: Vec<f32> = (0..logits.len()).map(|index| index as f32 - 8.5).collect();
        network.backward(&parameters, &weights, &mut tape, &mut gradients, Accumulate::Add);
        (logits, gradients)
    })
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let (logits, gradients) = large(1);
    for threads in [2, 3] {
        let (other_logits, other_gradients) = large(threads);
        assert_eq!(logits, other_logits);
        for (index, (one, other)) in gradients.iter().zip(&other_gradients).enumerate() {
            assert!(one == other, "gradient {index} with {threads} threads");
        }
    }
    assert!(gradients.iter().flatten().all(|value| value.is_finite()));
}

#[test]
fn a_tape_that_was_used_for_other_batches_gives_the_same() {
    let network = network();
    let parameters = parameters(&network);
    let compute = |tape: &mut Tape| {
        let mut gradients = gradients(&network);
        let logits = network.forward(&parameters, &TEXTS, Some(3), tape);
        network.backward(
            &parameters,
            &weights(&network),
            tape,
            &mut gradients,
            Accumulate::Replace,
        );
        (logits, gradients)
    };
    let mut tape = Tape::default();
    let expected = compute(&mut tape);
    network.forward(
        &parameters,
        &[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].as_slice(); 7],
        Some(9),
        &mut tape,
    );
    network.forward(&parameters, &[&[1]], None, &mut tape);
    assert_eq!(compute(&mut tape), expected);
}

#[test]
#[should_panic(expected = "at most 10")]
fn a_text_longer_than_there_are_positions_is_refused() {
    let network = network();
    network.forward(&parameters(&network), &[&[1; 11]], None, &mut Tape::default());
}
