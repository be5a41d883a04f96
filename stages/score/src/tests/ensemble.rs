//! Several models.

use classification::Task;
use serde_json::{Value, json};

use super::project::{LABELS, Project, Random};
use super::runs::RAW;

const FILE: &str = "scored.parquet";

fn of_seeds(seeds: &[u64]) -> Project {
    let project = seeds
        .iter()
        .fold(Project::for_task(Task::SingleLabel), |project, seed| {
            project.model(&Random {
                seed: *seed,
                ..Random::default()
            })
        });
    project.table("raw", RAW)
}

#[test]
fn the_mean_of_two_models_is_the_mean_of_each() {
    let alone = [7, 8].map(|seed| {
        let project = of_seeds(&[seed]);
        project.run().unwrap();
        project
    });
    let both = of_seeds(&[7, 8]);
    both.run().unwrap();
    let [first, second] = alone.each_ref().map(|project| project.lists(FILE, "probs"));
    for (row, probabilities) in both.lists(FILE, "probs").iter().enumerate() {
        for (class, probability) in probabilities.iter().enumerate() {
            let mean = (first[row][class] + second[row][class]) / 2.0;
            assert!((probability - mean).abs() < 1e-6);
        }
    }
    let own = alone
        .each_ref()
        .map(|project| project.strings(FILE, "pred_emotion"));
    let labels = both.strings(FILE, "pred_emotion");
    for (row, votes) in both.strings(FILE, "votes").iter().enumerate() {
        assert_eq!(*votes, format!("[{}, {}]", own[0][row], own[1][row]));
        let others = own.iter().filter(|own| own[row] != labels[row]).count();
        assert_eq!(both.numbers(FILE, "disagreement")[row], others as f64 / 2.0);
    }
    let report = both.report();
    assert_eq!(report["models"], json!(["model-0", "model-1"]));
    assert_eq!(report["combine"], "mean");
    let tokens = |project: &Project| project.report()["tokens"].as_u64().unwrap();
    assert_eq!(tokens(&both), tokens(&alone[0]) + tokens(&alone[1]));
}

#[test]
fn one_model_twice_is_the_model() {
    let (once, twice) = (of_seeds(&[7]), of_seeds(&[7, 7]));
    once.run().unwrap();
    twice.run().unwrap();
    for column in ["pred_emotion", "pred_conf", "pred_margin", "pred_second", "probs"] {
        assert_eq!(once.column(FILE, column), twice.column(FILE, column), "{column}");
    }
    assert_eq!(twice.numbers(FILE, "disagreement"), [0.0; 3]);
    assert!(!once.columns(FILE).contains(&"votes".to_owned()));
}

#[test]
fn the_majority_decides_a_vote() {
    let seeds = [7, 8, 9];
    let project = of_seeds(&seeds).params(json!({"combine": "vote"}));
    project.run().unwrap();
    let own = seeds.map(|seed| {
        let project = of_seeds(&[seed]);
        project.run().unwrap();
        project.strings(FILE, "pred_emotion")
    });
    for (row, label) in project.strings(FILE, "pred_emotion").iter().enumerate() {
        let votes = |label: &str| own.iter().filter(|own| own[row] == label).count();
        assert!(LABELS.iter().all(|other| votes(other) <= votes(label)));
    }
    assert_eq!(project.report()["combine"], "vote");
}

#[test]
fn every_model_has_its_own_temperature() {
    let validation = "text,label\n좋아,기쁨\n밉다,분노\n정말 좋다,불안\n우리 모두,기쁨\n싫어 싫어,분노\n";
    let project = of_seeds(&[7, 8]).table("validation", validation);
    project.run().unwrap();
    let report = project.report();
    let models = report["calibration"]["models"].as_array().unwrap();
    assert_ne!(models[0]["temperature"], models[1]["temperature"]);
    for model in models {
        assert!(model["nll_after"].as_f64() <= model["nll_before"].as_f64());
    }
    assert_eq!(report["temperature"], Value::Null);
    let columns = project.columns("validation_scored.parquet");
    assert_eq!(columns[8..], ["raw_conf", "disagreement", "votes", "label"]);
}

#[test]
fn a_model_that_cleans_more_does_so_on_its_own() {
    let project = |normalize| {
        let model = Random {
            normalize,
            ..Random::default()
        };
        let other = Random {
            seed: 8,
            ..Random::default()
        };
        let raw = "id,text\na,좋아 https://example.com 정말ㅋㅋㅋㅋㅋ\n";
        let project = Project::for_task(Task::SingleLabel).model(&model).model(&other);
        let project = project.table("raw", raw);
        project.run().unwrap();
        project
    };
    let (plain, cleaned) = (project("nfc"), project("kcelectra"));
    assert_eq!(plain.column(FILE, "text"), cleaned.column(FILE, "text"));
    assert!(cleaned.report()["tokens"].as_u64() < plain.report()["tokens"].as_u64());
}

#[test]
fn models_of_different_tasks_are_refused_by_name() {
    let message = of_seeds(&[7])
        .model(&Random {
            task: Some(Task::MultiLabel),
            ..Random::default()
        })
        .run()
        .unwrap_err()
        .message;
    assert!(
        message.contains("`model-1` is a model for `task: multi_label`"),
        "{message}"
    );
}
