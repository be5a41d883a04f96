//! A training step without its optimizer, and its parts: `cargo bench -p native --bench training`.

use divan::Bencher;
use native::Activation;
use native::training::{Accumulate, Network, Tape};

fn main() {
    divan::main();
}

/// A two-layer encoder of width 128.
fn small() -> Network {
    Network {
        vocabulary: 8000,
        positions: 128,
        position_offset: 0,
        token_types: 2,
        embedding: 128,
        hidden: 128,
        layers: 2,
        heads: 4,
        inner: 512,
        labels: 6,
        activation: Activation::Gelu,
        head_activation: Activation::Gelu,
        epsilon: 1e-12,
        hidden_dropout: 0.1,
        attention_dropout: 0.1,
        head_dropout: 0.1,
        head_drops_input: true,
    }
}

/// BERT-base's width, as many layers as are asked for.
fn base(layers: usize) -> Network {
    Network {
        vocabulary: 32000,
        positions: 514,
        embedding: 768,
        hidden: 768,
        layers,
        heads: 12,
        inner: 3072,
        ..small()
    }
}

/// Lengths of 16 comments, 33 tokens on average.
const COMMENTS: [usize; 16] = [5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 35, 39, 44, 50, 60, 115];

/// A network with parameters, texts, and memory for gradients.
struct Step {
    network: Network,
    parameters: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    texts: Vec<Vec<u32>>,
    tape: Tape,
}

impl Step {
    fn new(network: Network, lengths: &[usize]) -> Self {
        let vectors = network.parameters();
        let value = |index: usize| ((index * 7919 % 1009) as f32 / 1009.0 - 0.5) * 0.1;
        let fill = |values| (0..values).map(value).collect();
        let id = |token: usize| (token * 7919 % network.vocabulary) as u32;
        Self {
            parameters: vectors.iter().map(|vector| fill(vector.values)).collect(),
            gradients: vectors.iter().map(|vector| vec![0.0; vector.values]).collect(),
            texts: lengths
                .iter()
                .map(|length| (0..*length).map(|token| id(token + length)).collect())
                .collect(),
            tape: Tape::default(),
            network,
        }
    }

    fn forward(&mut self) -> Vec<f32> {
        let texts: Vec<&[u32]> = self.texts.iter().map(Vec::as_slice).collect();
        self.network
            .forward(&self.parameters, &texts, Some(1), &mut self.tape)
    }

    fn backward(&mut self, logits: &[f32]) {
        let Self {
            network,
            parameters,
            gradients,
            tape,
            ..
        } = self;
        network.backward(parameters, logits, tape, gradients, Accumulate::Replace);
    }

    fn run(&mut self) {
        let logits = self.forward();
        self.backward(&logits);
    }
}

#[divan::bench]
fn small_step(bencher: Bencher<'_, '_>) {
    let mut step = Step::new(small(), &[20; 32]);
    bencher.bench_local(|| step.run());
}

#[divan::bench]
fn small_forward(bencher: Bencher<'_, '_>) {
    let mut step = Step::new(small(), &[20; 32]);
    bencher.bench_local(|| step.forward());
}

/// Two layers, of which the last is computed for first tokens only; the difference of two and three is one whole layer.
#[divan::bench(args = [2, 3], sample_count = 12)]
fn base_step(bencher: Bencher<'_, '_>, layers: usize) {
    let mut step = Step::new(base(layers), &COMMENTS);
    bencher.bench_local(|| step.run());
}

#[divan::bench(args = [2, 3], sample_count = 12)]
fn base_forward(bencher: Bencher<'_, '_>, layers: usize) {
    let mut step = Step::new(base(layers), &COMMENTS);
    bencher.bench_local(|| step.forward());
}

/// The whole of klue/roberta-base; only on demand, since it needs a gigabyte of memory.
#[divan::bench(sample_count = 5, ignore)]
fn whole_base_step(bencher: Bencher<'_, '_>) {
    let mut step = Step::new(base(12), &COMMENTS);
    bencher.bench_local(|| step.run());
}
