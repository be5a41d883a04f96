//! Prediction and its parts, on one thread: `cargo bench -p native --bench prediction`. The counter of matrix products
//! is of floating-point operations (or 8-bit ones), those of the others of elements and tokens.

use std::ops::Range;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use native::{Activation, Classifier, Head, Layer, LayerNorm, Linear, Precision, Scratch};

fn main() {
    divan::main();
}

/// (hidden, inner, heads) of BERT-base, of KoELECTRA-small and of a tiny encoder.
const SIZES: [(usize, usize, usize); 3] = [(768, 3072, 12), (256, 1024, 4), (128, 512, 2)];
/// (rows, inputs, outputs).
const PRODUCTS: [(usize, usize, usize); 5] = [
    (512, 768, 768),
    (512, 768, 3072),
    (512, 3072, 768),
    (512, 256, 1024),
    (32, 768, 768),
];
/// Lengths of comments, 512 tokens together.
const COMMENTS: [usize; 24] = [
    5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 26, 28, 32, 38, 47, 80,
];

/// Numbers between -1 and 1.
fn numbers(count: usize) -> Vec<f32> {
    (0..count)
        .map(|at| (at * 37 % 201) as f32 / 100.0 - 1.0)
        .collect()
}

fn linear(inputs: usize, outputs: usize, precision: Precision) -> Linear {
    Linear::new(numbers(inputs * outputs), numbers(outputs), precision)
}

fn norm(width: usize) -> LayerNorm {
    LayerNorm {
        gamma: vec![1.0; width],
        beta: vec![0.0; width],
        epsilon: 1e-12,
    }
}

fn layer((hidden, inner, heads): (usize, usize, usize), precision: Precision) -> Layer {
    Layer {
        query: linear(hidden, hidden, precision),
        key_value: linear(hidden, 2 * hidden, precision),
        attention_output: linear(hidden, hidden, precision),
        attention_norm: norm(hidden),
        intermediate: linear(hidden, inner, precision),
        output: linear(inner, hidden, precision),
        output_norm: norm(hidden),
        activation: Activation::Gelu,
        heads,
    }
}

fn product(bencher: Bencher<'_, '_>, (rows, inputs, outputs): (usize, usize, usize), precision: Precision) {
    let (linear, input) = (linear(inputs, outputs, precision), numbers(rows * inputs));
    let (mut output, mut scratch) = (Vec::new(), Scratch::default());
    bencher
        .counter(ItemsCount::new(2 * rows * inputs * outputs))
        .bench_local(|| linear.multiply(black_box(&input), &mut output, &mut scratch));
}

#[divan::bench(args = PRODUCTS)]
fn product_f32(bencher: Bencher<'_, '_>, shape: (usize, usize, usize)) {
    product(bencher, shape, Precision::F32);
}

#[divan::bench(args = PRODUCTS)]
fn product_int8(bencher: Bencher<'_, '_>, shape: (usize, usize, usize)) {
    product(bencher, shape, Precision::Int8);
}

#[divan::bench(args = Activation::ALL.map(Activation::name))]
fn activation(bencher: Bencher<'_, '_>, name: &str) {
    let mut values = numbers(1 << 14);
    let activation = Activation::ALL
        .into_iter()
        .find(|activation| activation.name() == name);
    let activation = activation.expect("one of all");
    bencher
        .counter(ItemsCount::new(values.len()))
        .bench_local(|| activation.apply(black_box(&mut values)));
}

#[divan::bench(args = [768, 256, 128])]
fn layer_norm(bencher: Bencher<'_, '_>, width: usize) {
    let (norm, mut hidden) = (norm(width), numbers(512 * width));
    bencher
        .counter(ItemsCount::new(hidden.len()))
        .bench_local(|| norm.apply(black_box(&mut hidden)));
}

/// Scores, softmax and weighted values, without the linear layers.
#[divan::bench(args = SIZES)]
fn attention(bencher: Bencher<'_, '_>, (hidden, inner, heads): (usize, usize, usize)) {
    let layer = layer((hidden, inner, heads), Precision::F32);
    let (queries, keys_values) = (numbers(512 * hidden), numbers(512 * 2 * hidden));
    let (sentences, mut hidden, mut scratch) = (sentences(), Vec::new(), Scratch::default());
    bencher.counter(ItemsCount::new(512usize)).bench_local(|| {
        layer.attention(
            black_box(&queries),
            black_box(&keys_values),
            &sentences,
            &mut hidden,
            &mut scratch,
        )
    });
}

fn sentences() -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |length: &usize| {
        end += length;
        end - length..end
    };
    COMMENTS.iter().map(range).collect()
}

fn encoder(bencher: Bencher<'_, '_>, size: (usize, usize, usize), precision: Precision) {
    let (hidden, _, _) = size;
    // Two layers: the last is computed for first tokens only.
    let classifier = Classifier {
        words: numbers(1000 * hidden),
        positions: numbers(128 * hidden),
        embedding_norm: norm(hidden),
        projection: None,
        layers: vec![layer(size, precision), layer(size, precision)],
        head: Head {
            dense: linear(hidden, hidden, Precision::F32),
            activation: Activation::Gelu,
            output: linear(hidden, 6, Precision::F32),
        },
    };
    let texts: Vec<Vec<u32>> = COMMENTS
        .iter()
        .map(|length| (0..*length as u32).map(|at| at * 7 % 1000).collect())
        .collect();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let mut scratch = Scratch::default();
    bencher
        .counter(ItemsCount::new(512usize))
        .bench_local(|| classifier.logits(black_box(&texts), &mut scratch));
}

#[divan::bench(args = SIZES)]
fn two_layers_f32(bencher: Bencher<'_, '_>, size: (usize, usize, usize)) {
    encoder(bencher, size, Precision::F32);
}

#[divan::bench(args = SIZES)]
fn two_layers_int8(bencher: Bencher<'_, '_>, size: (usize, usize, usize)) {
    encoder(bencher, size, Precision::Int8);
}
