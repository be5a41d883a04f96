//! The figures of this crate against those of scikit-learn, scipy and statsmodels (`fixtures/make_metrics.py`; intervals
//! also by `fixtures/make_resamples.py`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use classification::{
    Bootstrap, Calibration, ConfusionMatrix, Decision, Interval, LabelIds, McNemar, Metrics, Prediction,
    Tally, Task, class_weights_balanced,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<T>,
}

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ids(text: &str) -> Vec<usize> {
    text.chars()
        .map(|digit| digit.to_digit(36).unwrap() as usize)
        .collect()
}

fn assert_close(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{ours} is not {theirs}");
}

#[derive(Deserialize)]
struct MetricsCase {
    classes: usize,
    truth: String,
    predicted: String,
    accuracy: f64,
    r#macro: [f64; 3],
    weighted: [f64; 3],
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
    confusion: Vec<Vec<u64>>,
}

#[test]
fn metrics_equal_scikit_learns() {
    for case in fixture::<Cases<MetricsCase>>("metrics.json").cases {
        let ours = Metrics::from_predictions(&ids(&case.truth), &ids(&case.predicted), case.classes);
        assert_close(ours.accuracy, case.accuracy, 1e-12);
        let macros = [ours.macro_precision, ours.macro_recall, ours.macro_f1];
        let weighted = [ours.weighted_precision, ours.weighted_recall, ours.weighted_f1];
        for (ours, theirs) in macros
            .iter()
            .chain(&weighted)
            .zip(case.r#macro.iter().chain(&case.weighted))
        {
            assert_close(*ours, *theirs, 1e-12);
        }
        for (class, figures) in ours.per_class.iter().enumerate() {
            assert_close(figures.precision, case.precision[class], 1e-12);
            assert_close(figures.recall, case.recall[class], 1e-12);
            assert_close(figures.f1, case.f1[class], 1e-12);
            assert_eq!(figures.support, case.support[class]);
        }
    }
}

#[test]
fn confusion_matrices_equal_scikit_learns() {
    for case in fixture::<Cases<MetricsCase>>("metrics.json").cases {
        let ours = ConfusionMatrix::from_predictions(&ids(&case.truth), &ids(&case.predicted), case.classes);
        assert!(ours.rows().eq(case.confusion.iter().map(Vec::as_slice)));
    }
}

/// One published table has a row that would fail.
#[test]
fn f1_is_the_harmonic_mean_in_every_row() {
    for case in fixture::<Cases<MetricsCase>>("metrics.json").cases {
        for class in
            Metrics::from_predictions(&ids(&case.truth), &ids(&case.predicted), case.classes).per_class
        {
            let sum = class.precision + class.recall;
            let harmonic = if sum == 0.0 {
                0.0
            } else {
                2.0 * class.precision * class.recall / sum
            };
            assert_close(class.f1, harmonic, 1e-12);
        }
    }
}

#[derive(Deserialize)]
struct SignificanceCase {
    fixed: u64,
    broken: u64,
    p_value: f64,
}

#[test]
fn mcnemar_equals_statsmodels() {
    for case in fixture::<Cases<SignificanceCase>>("significance.json").cases {
        assert_close(
            McNemar::from_counts(case.fixed, case.broken).p_value,
            case.p_value,
            1e-10,
        );
    }
}

#[derive(Deserialize)]
struct CalibrationCase {
    truth: String,
    probabilities: Vec<Vec<f32>>,
    ece: f64,
    nll: f64,
    brier: f64,
}

#[test]
fn calibration_equals_numpy_and_scikit_learn() {
    for case in fixture::<Cases<CalibrationCase>>("calibration.json").cases {
        let truth: Vec<LabelIds> = ids(&case.truth).into_iter().map(LabelIds::from).collect();
        let decisions: Vec<Decision> = case
            .probabilities
            .into_iter()
            .map(|probabilities| Prediction::from_probabilities(probabilities).into())
            .collect();
        let ours = Calibration::measure(Task::SingleLabel, &decisions, &truth);
        assert_close(ours.expected_error, case.ece, 1e-12);
        assert_close(ours.brier, case.brier, 1e-6);
        // scikit-learn divides each row of f32 probabilities by its sum first.
        assert_close(ours.negative_log_likelihood, case.nll, 1e-6);
    }
}

#[derive(Deserialize)]
struct IntervalCase {
    classes: usize,
    truth: String,
    baseline: String,
    candidate: String,
    macro_f1: Interval,
    difference: Interval,
}

#[test]
fn intervals_equal_scipys_but_for_chance() {
    let case: IntervalCase = fixture("intervals.json");
    let models = [ids(&case.baseline), ids(&case.candidate)];
    let bootstrap = Bootstrap::new(
        &ids(&case.truth),
        &[&models[0], &models[1]],
        case.classes,
        5000,
        42,
    );
    let ours = bootstrap.interval(0.95, |models| models[1].macro_f1).unwrap();
    assert_close(ours.low, case.macro_f1.low, 0.005);
    assert_close(ours.high, case.macro_f1.high, 0.005);
    let ours = bootstrap
        .interval(0.95, |models| models[1].macro_f1 - models[0].macro_f1)
        .unwrap();
    assert_close(ours.low, case.difference.low, 0.005);
    assert_close(ours.high, case.difference.high, 0.005);
}

#[derive(Deserialize)]
struct Resamples {
    resamples: usize,
    seed: u64,
    cases: Vec<ResamplesCase>,
}

#[derive(Deserialize)]
struct ResamplesCase {
    classes: usize,
    truth: String,
    models: [String; 2],
    accuracy: [Interval; 2],
    macro_f1: [Interval; 2],
    weighted_f1: [Interval; 2],
    class_f1: [Vec<Option<Interval>>; 2],
    difference: Interval,
}

/// Both on the same resamples (`fixtures/make_resamples.py`).
#[test]
fn intervals_equal_those_of_scikit_learn_and_numpy() {
    let close = |ours: Interval, theirs: Interval| {
        assert_close(ours.low, theirs.low, 1e-12);
        assert_close(ours.high, theirs.high, 1e-12);
    };
    let fixture: Resamples = fixture("resamples.json");
    for case in fixture.cases {
        let models = [ids(&case.models[0]), ids(&case.models[1])];
        let slices = [models[0].as_slice(), &models[1]];
        let (resamples, seed) = (fixture.resamples, fixture.seed);
        let bootstrap = Bootstrap::new(&ids(&case.truth), &slices, case.classes, resamples, seed);
        for model in 0..2 {
            let ours = bootstrap.intervals(model, 0.95).unwrap();
            close(ours.accuracy, case.accuracy[model]);
            close(ours.macro_f1, case.macro_f1[model]);
            close(ours.weighted_f1, case.weighted_f1[model]);
            for (ours, theirs) in ours.class_f1.iter().zip(&case.class_f1[model]) {
                assert_eq!(ours.is_some(), theirs.is_some());
                if let Some((ours, theirs)) = ours.zip(*theirs) {
                    close(ours, theirs);
                }
            }
        }
        let difference = bootstrap.interval(0.95, |models| models[1].macro_f1 - models[0].macro_f1);
        close(difference.unwrap(), case.difference);
    }
}

#[derive(Deserialize)]
struct WeightsCase {
    counts: Vec<u64>,
    weights: Vec<f64>,
}

#[test]
fn balanced_weights_equal_scikit_learns() {
    for case in fixture::<Cases<WeightsCase>>("weights.json").cases {
        for (ours, theirs) in class_weights_balanced(&case.counts).iter().zip(case.weights) {
            assert_close(f64::from(*ours), theirs, 1e-6 * theirs);
        }
    }
}

#[derive(Deserialize)]
struct MultiLabelCase {
    classes: usize,
    truth: Vec<String>,
    predicted: Vec<String>,
    accuracy: f64,
    hamming_loss: f64,
    micro: [f64; 3],
    r#macro: [f64; 3],
    weighted: [f64; 3],
    samples: [f64; 3],
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
    confusion: Vec<[[u64; 2]; 2]>,
}

#[test]
fn multi_label_metrics_equal_scikit_learns() {
    for case in fixture::<Cases<MultiLabelCase>>("multi_label.json").cases {
        let sets = |rows: &[String]| -> Vec<LabelIds> { rows.iter().map(|row| ids(row).into()).collect() };
        let (truth, predicted) = (sets(&case.truth), sets(&case.predicted));
        let tally = Tally::count(Task::MultiLabel, case.classes, truth.iter(), predicted.iter());
        let ours = tally.metrics();
        let several = ours.multi_label.unwrap();
        assert_close(ours.accuracy, case.accuracy, 1e-12);
        assert_close(several.hamming_loss, case.hamming_loss, 1e-12);
        let averages = [
            (several.micro_precision, case.micro[0]),
            (several.micro_recall, case.micro[1]),
            (several.micro_f1, case.micro[2]),
            (ours.macro_precision, case.r#macro[0]),
            (ours.macro_recall, case.r#macro[1]),
            (ours.macro_f1, case.r#macro[2]),
            (ours.weighted_precision, case.weighted[0]),
            (ours.weighted_recall, case.weighted[1]),
            (ours.weighted_f1, case.weighted[2]),
            (several.samples_precision, case.samples[0]),
            (several.samples_recall, case.samples[1]),
            (several.samples_f1, case.samples[2]),
        ];
        averages
            .iter()
            .for_each(|(ours, theirs)| assert_close(*ours, *theirs, 1e-12));
        for (class, figures) in ours.per_class.iter().enumerate() {
            assert_close(figures.precision, case.precision[class], 1e-12);
            assert_close(figures.recall, case.recall[class], 1e-12);
            assert_close(figures.f1, case.f1[class], 1e-12);
            assert_eq!(figures.support, case.support[class]);
        }
        assert_eq!(
            serde_json::to_value(&tally).unwrap(),
            serde_json::to_value(case.confusion).unwrap()
        );
    }
}
