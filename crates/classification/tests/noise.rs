//! Suspected label errors against those of cleanlab (`fixtures/make_noise.py`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use classification::{ConfidentJoint, LabelIds, LabelNoise, Suspect, Task};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    single_label: Vec<SingleLabel>,
    multi_label: Vec<MultiLabel>,
}

#[derive(Deserialize)]
struct SingleLabel {
    labels: Vec<usize>,
    /// In thousandths.
    probabilities: Vec<Vec<u16>>,
    thresholds: Vec<Option<f64>>,
    joint: Vec<Vec<u64>>,
    suspects: Vec<usize>,
    /// Of the suspects.
    margins: Vec<f64>,
}

#[derive(Deserialize)]
struct MultiLabel {
    labels: Vec<Vec<usize>>,
    probabilities: Vec<Vec<u16>>,
    suspects: Vec<usize>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/noise.json")).unwrap()
}

fn probabilities(thousandths: &[Vec<u16>]) -> Vec<Vec<f32>> {
    let row = |row: &Vec<u16>| row.iter().map(|&count| f32::from(count) / 1000.0).collect();
    thousandths.iter().map(row).collect()
}

fn rows(noise: &LabelNoise) -> BTreeSet<usize> {
    noise.suspects.iter().map(|suspect| suspect.row).collect()
}

#[test]
fn suspects_equal_cleanlabs() {
    for case in fixture().single_label {
        let given: Vec<LabelIds> = case.labels.iter().map(|label| (*label).into()).collect();
        let classes = case.thresholds.len();
        let noise = LabelNoise::find(
            Task::SingleLabel,
            &given,
            &probabilities(&case.probabilities),
            classes,
        );
        assert_eq!(rows(&noise), case.suspects.iter().copied().collect());
        for suspect in &noise.suspects {
            let at = case.suspects.binary_search(&suspect.row).unwrap();
            assert!((suspect.margin - case.margins[at]).abs() < 1e-12);
        }
        let sorted = |a: &Suspect, b: &Suspect| a.self_confidence <= b.self_confidence;
        assert!(noise.suspects.is_sorted_by(sorted));
        let suspected: u64 = noise.classes.iter().map(|class| class.suspected).sum();
        assert_eq!(suspected, noise.suspects.len() as u64);
    }
}

#[test]
fn confident_joints_equal_cleanlabs() {
    for case in fixture().single_label {
        let of = probabilities(&case.probabilities);
        let probability = |row: usize, class: usize| f64::from(of[row][class]);
        let mut ours = ConfidentJoint::estimate(&case.labels, case.thresholds.len(), &probability);
        for (ours, theirs) in ours.thresholds.iter().zip(&case.thresholds) {
            let distance = ours.unwrap_or(2.0) - theirs.unwrap_or(2.0);
            assert!(distance.abs() < 1e-12, "{ours:?} is not {theirs:?}");
        }
        for (class, counts) in ours.counts.iter_mut().enumerate() {
            counts[class] = counts[class].max(1);
        }
        assert_eq!(ours.counts, case.joint);
    }
}

#[test]
fn multi_label_suspects_equal_cleanlabs() {
    for case in fixture().multi_label {
        let given: Vec<LabelIds> = case.labels.iter().map(|labels| labels.clone().into()).collect();
        let probabilities = probabilities(&case.probabilities);
        let classes = probabilities[0].len();
        let noise = LabelNoise::find(Task::MultiLabel, &given, &probabilities, classes);
        assert_eq!(rows(&noise), case.suspects.iter().copied().collect());
        for suspect in &noise.suspects {
            assert_ne!(suspect.suggested, given[suspect.row]);
        }
    }
}
