//! Temperatures and adaptive errors against those of scipy and numpy (`fixtures/make_temperature.py`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use classification::{Calibration, Decision, LabelIds, Prediction, Task, Temperature};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    temperatures: Vec<TemperatureCase>,
    adaptive: Vec<AdaptiveCase>,
}

#[derive(Deserialize)]
struct TemperatureCase {
    task: Task,
    logits: Vec<Vec<f32>>,
    truth: Vec<String>,
    temperature: f64,
    loss: f64,
    loss_at_one: f64,
    determined: bool,
}

#[derive(Deserialize)]
struct AdaptiveCase {
    confidences: Vec<f32>,
    right: String,
    adaptive: f64,
}

fn fixture() -> Fixture {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/temperature.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl TemperatureCase {
    fn truth(&self) -> Vec<LabelIds> {
        let ids = |row: &String| {
            row.chars()
                .map(|digit| digit.to_digit(36).unwrap() as usize)
                .collect()
        };
        self.truth.iter().map(ids).collect()
    }
}

#[test]
fn temperatures_are_those_of_scipy() {
    let mut compared = 0;
    for (index, case) in fixture().temperatures.iter().enumerate() {
        let truth = case.truth();
        let ours = Temperature::fit(case.task, &case.logits, &truth);
        let loss = ours.negative_log_likelihood(case.task, &case.logits, &truth);
        assert!(
            (loss - case.loss).abs() < 1e-9,
            "case {index}: loss {loss} is not {}",
            case.loss
        );
        if case.determined {
            let distance = (ours.get() - case.temperature).abs();
            // Both ends of the range are reached but for scipy's tolerance, which is relative.
            assert!(
                distance < 1e-5 * case.temperature.max(1.0),
                "case {index}: {} is not {}",
                ours.get(),
                case.temperature
            );
            compared += 1;
        }
    }
    assert!(compared > 130, "only {compared} cases determine a temperature");
}

#[test]
fn no_temperature_raises_the_loss() {
    for (index, case) in fixture().temperatures.iter().enumerate() {
        let truth = case.truth();
        let loss =
            |temperature: Temperature| temperature.negative_log_likelihood(case.task, &case.logits, &truth);
        let fitted = loss(Temperature::fit(case.task, &case.logits, &truth));
        assert!(
            (loss(Temperature::ONE) - case.loss_at_one).abs() < 1e-9,
            "case {index}"
        );
        assert!(fitted <= loss(Temperature::ONE), "case {index}: {fitted}");
    }
}

#[test]
fn adaptive_errors_are_those_of_numpy() {
    for case in fixture().adaptive {
        let decision = |confidence: &f32| -> Decision {
            Prediction::from_probabilities(vec![*confidence, 1.0 - confidence]).into()
        };
        let decisions: Vec<Decision> = case.confidences.iter().map(decision).collect();
        let truth: Vec<LabelIds> = case
            .right
            .chars()
            .map(|right| usize::from(right == '0').into())
            .collect();
        let ours = Calibration::measure(Task::SingleLabel, &decisions, &truth).adaptive_error;
        assert!(
            (ours - case.adaptive).abs() < 1e-12,
            "{ours} is not {}",
            case.adaptive
        );
    }
}
