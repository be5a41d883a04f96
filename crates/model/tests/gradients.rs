//! Training in the crate `native` beside burn's automatic differentiation: logits and gradients of the same model.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use model::{Activation, Architecture, Batch, ModelConfig, SequenceClassifier, Sizes};
use native::training::{Accumulate, Network, Tape};

const LABELS: usize = 5;

/// Three layers of odd sizes.
fn config(architecture: Architecture, embedding_size: Option<usize>, activation: Activation) -> ModelConfig {
    let sizes = Sizes {
        vocab_size: 37,
        embedding_size,
        hidden_size: 36,
        num_hidden_layers: 3,
        num_attention_heads: 3,
        intermediate_size: 50,
        max_position_embeddings: 40,
    };
    let config = ModelConfig::from_scratch(architecture, &sizes).unwrap();
    ModelConfig {
        hidden_act: activation,
        // Large enough for every part to matter.
        initializer_range: 0.3,
        ..config
    }
    .with_dropout(Some(0.0), Some(0.0))
}

/// Every family with every activation, and narrow embeddings.
fn configs() -> Vec<ModelConfig> {
    let families = Architecture::ALL.into_iter().map(|family| (family, None));
    let families: Vec<_> = families.chain([(Architecture::Electra, Some(20))]).collect();
    let activations =
        |(family, embedding)| Activation::ALL.map(|activation| config(family, embedding, activation));
    families.into_iter().flat_map(activations).collect()
}

fn text(length: usize, salt: usize) -> Vec<u32> {
    (0..length)
        .map(|token| ((token * 7 + salt * 13 + token * token) % 37) as u32)
        .collect()
}

/// Texts of one token, of a vector's width, and of others.
fn batches() -> Vec<Vec<Vec<u32>>> {
    let lengths: [&[usize]; 4] = [&[5, 1, 17, 16, 33], &[1], &[1, 1], &[38]];
    let texts = |lengths: &&[usize]| {
        lengths
            .iter()
            .enumerate()
            .map(|(salt, length)| text(*length, salt))
            .collect()
    };
    lengths.iter().map(texts).collect()
}

/// What the logits of `texts` are weighted with in the sum that is differentiated.
fn weights(texts: usize) -> Vec<f32> {
    (0..texts * LABELS)
        .map(|index| ((index * 5 % 11) as f32 - 4.5) / 7.0)
        .collect()
}

struct Computed {
    logits: Vec<f32>,
    gradients: Vec<Vec<f32>>,
}

fn by_burn(model: &SequenceClassifier, texts: &[Vec<u32>]) -> Computed {
    let device = Device::flex().autodiff();
    let rows: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let logits = model.forward(&Batch::new(&rows, 0, &device));
    let values = logits.clone().inner().into_data().try_into_vec::<f32>().unwrap();
    let weights = Tensor::<2>::from_data(
        TensorData::new(weights(texts.len()), [texts.len(), LABELS]),
        &device,
    );
    let mut collector = Collector {
        found: (logits * weights).sum().backward(),
        gradients: Vec::new(),
    };
    model.visit(&mut collector);
    Computed {
        logits: values,
        gradients: collector.gradients,
    }
}

struct Collector {
    found: Gradients,
    gradients: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad_remove(&mut self.found).unwrap();
        self.gradients
            .push(gradient.into_data().try_into_vec::<f32>().unwrap());
    }
}

fn by_native(
    network: &Network,
    parameters: &[Vec<f32>],
    texts: &[Vec<u32>],
    tape: &mut Tape,
    gradients: &mut [Vec<f32>],
    accumulate: Accumulate,
) -> Vec<f32> {
    let rows: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let logits = network.forward(parameters, &rows, Some(1), tape);
    network.backward(parameters, &weights(texts.len()), tape, gradients, accumulate);
    logits
}

/// Where gradients do not belong: what `Accumulate::Replace` must overwrite.
fn dirty(network: &Network) -> Vec<Vec<f32>> {
    let parameters = network.parameters();
    parameters
        .iter()
        .map(|parameter| vec![9.0; parameter.values])
        .collect()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().map(|value| value.abs()).fold(0.0, f32::max)
}

/// Gradients of all parameters. Some may only be rounding: adding the same to all keys changes nothing, so that the
/// gradient of their bias is 0.
fn assert_all_close(found: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let floor = expected.iter().map(|values| largest(values)).fold(0.0, f32::max) * 0.05;
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_close(found, expected, floor, &format!("{what}, gradient {index}"));
    }
}

fn assert_close(found: &[f32], expected: &[f32], floor: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = largest(expected).max(floor);
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= 2e-5 * size,
            "{what}, value {index}: {found} instead of {expected}"
        );
    }
}

#[test]
fn logits_and_gradients_are_those_of_automatic_differentiation() {
    let mut tape = Tape::default();
    for config in configs() {
        let name = format!(
            "{} {:?} {}",
            config.architecture.name(),
            config.hidden_act,
            config.embedding_size
        );
        let model = SequenceClassifier::init(&config, LABELS, &Device::flex().autodiff(), 3).unwrap();
        let (network, parameters) = (model.network(), model.parameters().unwrap());
        let sizes: Vec<usize> = parameters.iter().map(Vec::len).collect();
        let expected: Vec<usize> = network
            .parameters()
            .iter()
            .map(|parameter| parameter.values)
            .collect();
        assert_eq!(sizes, expected, "{name}");
        for (number, texts) in batches().iter().enumerate() {
            let expected = by_burn(&model, texts);
            let mut gradients = dirty(&network);
            let logits = by_native(
                &network,
                &parameters,
                texts,
                &mut tape,
                &mut gradients,
                Accumulate::Replace,
            );
            let name = format!("{name}, batch {number}");
            assert_close(&logits, &expected.logits, 0.0, &name);
            assert_all_close(&gradients, &expected.gradients, &name);
        }
    }
}

#[test]
fn gradients_of_two_batches_add_up() {
    let config = config(Architecture::Electra, Some(20), Activation::Gelu);
    let model = SequenceClassifier::init(&config, LABELS, &Device::flex().autodiff(), 3).unwrap();
    let (network, parameters) = (model.network(), model.parameters().unwrap());
    let (mut tape, mut gradients) = (Tape::default(), dirty(&network));
    let batches = batches();
    by_native(
        &network,
        &parameters,
        &batches[0],
        &mut tape,
        &mut gradients,
        Accumulate::Replace,
    );
    by_native(
        &network,
        &parameters,
        &batches[3],
        &mut tape,
        &mut gradients,
        Accumulate::Add,
    );
    let (first, second) = (by_burn(&model, &batches[0]), by_burn(&model, &batches[3]));
    let add = |(first, second): (&Vec<f32>, &Vec<f32>)| -> Vec<f32> {
        first
            .iter()
            .zip(second)
            .map(|(first, second)| first + second)
            .collect()
    };
    let expected: Vec<Vec<f32>> = first.gradients.iter().zip(&second.gradients).map(add).collect();
    assert_all_close(&gradients, &expected, "two batches");
}

#[test]
fn parameters_come_back_as_they_were() {
    let config = config(Architecture::Roberta, None, Activation::Gelu);
    let device = Device::flex();
    let model = SequenceClassifier::init(&config, LABELS, &device, 3).unwrap();
    let other = SequenceClassifier::init(&config, LABELS, &device, 4).unwrap();
    let parameters = model.parameters().unwrap();
    assert_ne!(other.parameters().unwrap(), parameters);
    let other = other.with_parameters(parameters.clone()).unwrap();
    assert_eq!(other.parameters().unwrap(), parameters);
    let fewer = parameters[1..].to_vec();
    assert!(model.with_parameters(fewer).is_err());
}

#[test]
fn the_classifier_for_prediction_gives_the_same_logits() {
    for config in configs() {
        let model = SequenceClassifier::init(&config, LABELS, &Device::flex(), 3).unwrap();
        let (network, parameters) = (model.network(), model.parameters().unwrap());
        let classifier = network.classifier(&parameters);
        for texts in batches() {
            let rows: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
            let trained = network.forward(&parameters, &rows, None, &mut Tape::default());
            let predicted = classifier.logits(&rows, &mut native::Scratch::default());
            assert_close(&predicted, &trained, 0.0, config.architecture.name());
        }
    }
}
