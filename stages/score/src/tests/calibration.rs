//! Temperatures: what they change in the tables, and what they leave.

use classification::Task;
use dataset::Cell;
use serde_json::{Value, json};

use super::project::{LABELS, Project, Random};
use super::runs::RAW;

/// Sixty different texts out of words that the model knows.
fn texts() -> Vec<String> {
    let words = [
        "좋아", "정말", "좋다", "오늘", "하루", "싫어", "밉다", "우리", "모두",
    ];
    (0..60)
        .map(|row| {
            let word = |place: usize| words[(row * (place + 2) + place * place) % words.len()];
            (0..3 + row % 5).map(word).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// A validation table on which the model is right in three of four rows, and the project around it.
fn three_of_four_right() -> Project {
    let csv = |labels: Option<&[String]>| {
        let mut text = String::from(if labels.is_some() {
            "id,text,label\n"
        } else {
            "id,text\n"
        });
        for (row, sentence) in texts().iter().enumerate() {
            let label = labels
                .map(|labels| format!(",{}", labels[row]))
                .unwrap_or_default();
            text.push_str(&format!("v{row},{sentence}{label}\n"));
        }
        text
    };
    let asked = Project::new().table("raw", &csv(None));
    asked.run().unwrap();
    let mut labels = asked.strings("scored.parquet", "pred_emotion");
    for label in labels.iter_mut().step_by(4) {
        let at = LABELS.iter().position(|name| name == label).unwrap();
        LABELS[(at + 1) % 3].clone_into(label);
    }
    Project::new()
        .table("raw", RAW)
        .table("validation", &csv(Some(&labels)))
}

#[test]
fn a_temperature_makes_confidences_mean_what_they_say() {
    let project = three_of_four_right();
    project.run().unwrap();
    let report = project.report();
    let calibration = &report["calibration"];
    let figure = |when: &str, name: &str| calibration[when][name].as_f64().unwrap();
    assert_eq!(calibration["method"], "temperature");
    assert_eq!(calibration["rows"], 60);
    let temperature = report["temperature"].as_f64().unwrap();
    assert!(temperature > 0.06 && temperature < 19.0, "{report}");
    assert_eq!(report["temperature"], calibration["temperature"]);
    assert!(figure("after", "nll") < figure("before", "nll"));
    assert!(figure("after", "ece") < figure("before", "ece"));
    assert_eq!(report["ece_before"], calibration["before"]["ece"]);
    assert_eq!(report["ece_after"], calibration["after"]["ece"]);
    for when in ["before", "after"] {
        let bins = calibration[when]["reliability"].as_array().unwrap();
        let rows: u64 = bins.iter().map(|bin| bin["count"].as_u64().unwrap()).sum();
        assert_eq!((bins.len(), rows), (15, 60));
        assert!(figure(when, "ece_adaptive") >= 0.0 && figure(when, "brier") > 0.0);
    }
    let alone = &calibration["models"][0];
    assert_eq!(alone["name"], "model-0");
    assert!(alone["nll_after"].as_f64().unwrap() < alone["nll_before"].as_f64().unwrap());
    assert!((alone["nll_after"].as_f64().unwrap() - figure("after", "nll")).abs() < 1e-5);
}

#[test]
fn what_was_predicted_stays_and_the_confidence_before_is_kept() {
    let plain = three_of_four_right().params(json!({"calibrate": "none"}));
    plain.run().unwrap();
    let calibrated = three_of_four_right();
    calibrated.run().unwrap();
    for (file, last) in [
        ("scored.parquet", "raw_conf"),
        ("validation_scored.parquet", "label"),
    ] {
        for column in ["id", "text", "source", "pred_emotion", "pred_second"] {
            assert_eq!(
                plain.column(file, column),
                calibrated.column(file, column),
                "{column}"
            );
        }
        assert_eq!(
            plain.numbers(file, "pred_conf"),
            calibrated.numbers(file, "raw_conf")
        );
        assert!(!plain.columns(file).contains(&"raw_conf".to_owned()));
        assert_eq!(calibrated.columns(file).last().unwrap(), last);
        let probabilities = calibrated.lists(file, "probs");
        for (row, confidence) in calibrated.numbers(file, "pred_conf").into_iter().enumerate() {
            let highest = probabilities[row].iter().copied().fold(0.0, f64::max);
            assert_eq!(confidence, highest);
            let cooled = calibrated.report()["temperature"].as_f64().unwrap() > 1.0;
            assert_eq!(confidence < calibrated.numbers(file, "raw_conf")[row], cooled);
            assert!((probabilities[row].iter().sum::<f64>() - 1.0).abs() < 1e-6);
        }
    }
    let report = plain.report();
    assert_eq!(
        (&report["temperature"], &report["ece_after"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(report["calibration"]["method"], "none");
    assert_eq!(report["calibration"]["after"], Value::Null);
    assert!(report["ece_before"].as_f64().is_some());
}

#[test]
fn little_validation_is_a_warning_and_what_it_lacks_is_named() {
    let outcome = Project::new()
        .table("raw", RAW)
        .table("validation", "text,label\n좋다,기쁨\n밉다,분노\n")
        .run_for(LABELS);
    outcome.result.unwrap();
    let said = |part: &str| outcome.messages.iter().any(|message| message.contains(part));
    assert!(
        said("fitted on 2 rows of input `validation` only"),
        "{:?}",
        outcome.messages
    );
    assert!(said("has no row of `불안`"), "{:?}", outcome.messages);
    let enough = three_of_four_right().run_for(LABELS);
    assert!(
        !enough
            .messages
            .iter()
            .any(|message| message.contains("before you rely"))
    );
}

#[test]
fn a_temperature_that_has_no_optimum_stops_and_says_so() {
    let asked = Project::new().table("raw", "text\n좋아 정말\n밉다\n");
    asked.run().unwrap();
    let labels = asked.strings("scored.parquet", "pred_emotion");
    let right = format!("text,label\n좋아 정말,{}\n밉다,{}\n", labels[0], labels[1]);
    let project = Project::new().table("raw", RAW).table("validation", &right);
    let outcome = project.run_for(LABELS);
    outcome.result.unwrap();
    assert_eq!(project.report()["temperature"], 0.05);
    let bound = "`model-0`: the rows of input `validation` ask for a temperature beyond 0.05";
    assert!(
        outcome.messages.iter().any(|message| message.starts_with(bound)),
        "{:?}",
        outcome.messages
    );
}

#[test]
fn several_labels_keep_their_decisions_and_their_thresholds_move() {
    let validation = || {
        let rows = texts().into_iter().enumerate().map(|(row, text)| {
            let labels: Vec<&str> = (0..3)
                .filter(|at| (row >> at) % 4 == 0)
                .map(|at| LABELS[at])
                .collect();
            format!("{text},\"{}\"\n", labels.join(", "))
        });
        format!("text,labels\n{}", rows.collect::<String>())
    };
    let project = |calibrate: &str| {
        let model = Random {
            thresholds: Some(vec![0.5, 0.49, 0.51]),
            ..Random::default()
        };
        let project = Project::for_task(Task::MultiLabel)
            .model(&model)
            .table("raw", RAW)
            .table("validation", &validation())
            .params(json!({"calibrate": calibrate}));
        project.run().unwrap();
        project
    };
    let (plain, calibrated) = (project("none"), project("temperature"));
    let file = "validation_scored.parquet";
    assert_eq!(
        plain.column(file, "pred_emotion"),
        calibrated.column(file, "pred_emotion")
    );
    assert_eq!(calibrated.columns(file).last().unwrap(), "labels");
    let report = calibrated.report();
    assert_ne!(report["temperature"], 1.0);
    let after = report["calibration"]["after"]["nll"].as_f64().unwrap();
    assert!(after < report["calibration"]["before"]["nll"].as_f64().unwrap());
    let thresholds = &report["calibration"]["thresholds"];
    assert_eq!(thresholds["기쁨"], 0.5);
    let given = calibrated.column(file, "pred_emotion");
    let margins = calibrated.numbers(file, "pred_margin");
    for (row, probabilities) in calibrated.lists(file, "probs").iter().enumerate() {
        let mut least = 1.0f64;
        for (at, probability) in probabilities.iter().enumerate() {
            let threshold = thresholds[LABELS[at]].as_f64().unwrap();
            least = least.min((probability - threshold).abs());
            let Cell::List(labels) = &given[row] else {
                panic!("{given:?}")
            };
            assert_eq!(*probability >= threshold, labels.contains(&LABELS[at].into()));
        }
        assert!((margins[row] - least).abs() < 1e-6);
    }
}
