//! What the check of the params says.

use std::collections::BTreeSet;
use std::path::Path;

use classification::Task;
use serde_json::{Value, json};
use stage::{ArtifactType, CheckContext, StageKind};

use super::{check, check_task, labels, with};
use crate::FineTune;

fn resolved(params: Value) -> Value {
    check(params, &["train"]).unwrap().params
}

/// Path, message and hint of the only problem.
fn problem(params: Value) -> (String, String, String) {
    let problems = check(params, &["train"]).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}")
    };
    (
        problem.path.join("."),
        problem.message.clone(),
        problem.hint.clone().unwrap_or_default(),
    )
}

fn scratch(more: Value) -> Value {
    with(json!({"base_model": {"architecture": "electra"}}), more)
}

#[test]
fn defaults_are_those_of_the_contract() {
    let params = resolved(scratch(json!({})));
    let expected = json!({
        "base_model": {
            "architecture": "electra", "vocab_size": 8000, "hidden_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 512, "max_position_embeddings": 130
        },
        "max_length": 128, "batch_size": 32, "gradient_accumulation_steps": 1, "epochs": 3, "learning_rate": 2e-5,
        "warmup_ratio": 0.1, "warmup_steps": null, "lr_scheduler": "linear", "optimizer": "adamw",
        "weight_decay": 0.01, "max_grad_norm": 1.0, "label_smoothing": 0.05, "class_weights": "none",
        "dropout": null, "classifier_dropout": null, "eval_every": "epoch",
        "early_stopping": {"metric": "macro_f1", "patience": 2, "min_delta": 0.0},
        "logging_steps": 10, "checkpoint_every": {"minutes": 5.0}, "normalize": null, "precision": null, "seed": null
    });
    assert_eq!(params, expected);
}

#[test]
fn resolved_params_resolve_to_themselves() {
    let given =
        json!({"class_weights": {"기쁨": 2.0}, "eval_every": 50, "early_stopping": "none", "dropout": 0.2});
    let params = resolved(scratch(given));
    assert_eq!(resolved(params.clone()), params);
}

#[test]
fn trainer_names_are_aliases() {
    let params = resolved(json!({
        "model_name_or_path": {"architecture": "roberta"}, "max_seq_length": 64, "num_train_epochs": 7,
        "per_device_train_batch_size": 16, "lr_scheduler_type": "cosine", "optim": "adamw_torch",
        "label_smoothing_factor": 0.1, "eval_steps": 20
    }));
    let picked = [
        "max_length",
        "epochs",
        "batch_size",
        "lr_scheduler",
        "optimizer",
        "label_smoothing",
        "eval_every",
    ];
    let picked: Vec<&Value> = picked.iter().map(|name| &params[name]).collect();
    assert_eq!(json!(picked), json!([64, 7, 16, "cosine", "adamw", 0.1, 20]));
}

#[test]
fn a_directory_becomes_an_input() {
    let found = check(json!({"base_model": "../pretrained/ko-mini"}), &["train"])
        .unwrap()
        .inputs;
    let [input] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (input.name, input.path.as_str()),
        ("base_model", "../pretrained/ko-mini")
    );
    assert_eq!(input.artifact_type, ArtifactType::Model);
}

#[test]
fn a_hub_name_becomes_an_input() {
    for written in ["klue/roberta-base@main", "hf://klue/roberta-base@main"] {
        let found = check(json!({"base_model": written}), &["train"]).unwrap().inputs;
        assert_eq!(found[0].path, "hf://klue/roberta-base@main");
    }
}

#[test]
fn a_malformed_hub_name_shows_how_to_write_one() {
    let (path, message, _) = problem(json!({"base_model": "klue/roberta/base"}));
    assert_eq!(path, "base_model");
    assert!(message.contains("write `owner/name`"), "{message}");
}

#[test]
fn a_bare_name_is_neither_directory_nor_hub() {
    let (_, message, hint) = problem(json!({"base_model": "ko-mini"}));
    assert!(message.contains("neither a directory nor"), "{message}");
    assert_eq!(
        hint,
        "a directory beside the pipeline file is written `./ko-mini`"
    );
}

#[test]
fn an_encoder_must_come_from_somewhere() {
    assert_eq!(
        problem(json!({})).1,
        "there is no encoder to start from: `base_model` is missing"
    );
    assert!(check(json!({}), &["train", "base"]).is_ok());
    assert!(check(scratch(json!({})), &["train", "base"]).is_err());
}

#[test]
fn an_unknown_size_is_named() {
    let (path, message, _) = problem(json!({"base_model": {"architecture": "electra", "hiden_size": 4}}));
    assert_eq!(path, "base_model");
    assert!(message.contains("unknown field `hiden_size`"), "{message}");
}

#[test]
fn an_impossible_shape_is_refused() {
    let base = json!({"architecture": "electra", "num_attention_heads": 3});
    let (_, message, _) = problem(json!({"base_model": base}));
    assert_eq!(
        message,
        "`hidden_size` 128 is not a multiple of `num_attention_heads` 3"
    );
}

#[test]
fn a_length_beyond_the_positions_is_refused() {
    let base = json!({"architecture": "roberta", "max_position_embeddings": 66});
    let (path, message, _) = problem(json!({"base_model": base, "max_length": 65}));
    assert_eq!(
        (path.as_str(), message.as_str()),
        (
            "max_length",
            "65 tokens do not fit into the encoder's 64 positions"
        )
    );
}

#[test]
fn every_value_out_of_range_is_reported_at_once() {
    let wrong = json!({"batch_size": 0, "learning_rate": -1.0, "label_smoothing": 1.0, "dropout": 1.0,
                       "early_stopping": {"patience": 0}, "precision": "int8"});
    let problems = check(scratch(wrong), &["train"]).unwrap_err();
    let paths: Vec<String> = problems.iter().map(|problem| problem.path.join(".")).collect();
    let expected = [
        "batch_size",
        "learning_rate",
        "label_smoothing",
        "dropout",
        "early_stopping.patience",
        "precision",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_weight_for_an_unknown_label_names_the_nearest() {
    let labels_in_latin = json!({"class_weights": {"기쁨 ": 1.5, "분노함": 1.0}});
    let (path, message, hint) = problem(scratch(labels_in_latin));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("class_weights", "unknown label `분노함`")
    );
    assert_eq!(hint, "did you mean `분노`?");
}

#[test]
fn a_weight_must_be_above_zero() {
    let (_, message, _) = problem(scratch(json!({"class_weights": {"기쁨": 0.0}})));
    assert_eq!(message, "the weight of `기쁨` must be above 0");
}

#[test]
fn words_that_are_no_choice_say_the_choices() {
    assert_eq!(
        problem(scratch(json!({"eval_every": "steps"}))).1,
        "must be `epoch` or a number of steps, 1 or more"
    );
    assert!(
        problem(scratch(json!({"class_weights": "equal"})))
            .1
            .starts_with("must be `none`, `balanced` or")
    );
    assert!(
        problem(scratch(json!({"early_stopping": true})))
            .1
            .starts_with("must be `none` or a map")
    );
}

#[test]
fn thresholds_are_for_several_labels() {
    let params = scratch(json!({"thresholds": 0.25}));
    assert!(check_task(params.clone(), &["train"], Task::MultiLabel).is_ok());
    let problems = check_task(params, &["train"], Task::SingleLabel).unwrap_err();
    assert_eq!(problems[0].path, ["thresholds"]);
}

#[test]
fn thresholds_are_tuned_on_validation_texts() {
    let params = scratch(json!({"thresholds": "tuned"}));
    assert!(check_task(params.clone(), &["train", "validation"], Task::MultiLabel).is_ok());
    assert!(check_task(params, &["train"], Task::MultiLabel).is_err());
}

#[test]
fn thresholds_are_of_labels_and_between_zero_and_one() {
    let params = scratch(json!({"thresholds": {"기뿜": 0.5, "분노": 1.5}}));
    let problems = check_task(params, &["train"], Task::MultiLabel).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `기쁨`?"));
}

#[test]
fn whole_numbers_of_eight_bits_are_not_for_training() {
    let inputs = BTreeSet::from(["train".to_owned()]);
    let labels = labels();
    let check = |precision: &str, params: Value| {
        let ctx = CheckContext {
            inputs: &inputs,
            other_inputs: &[],
            labels: &labels,
            task: Task::SingleLabel,
            precision,
            base_dir: Path::new("/nowhere"),
        };
        FineTune.check(&params, &ctx)
    };
    assert!(check("int8", scratch(json!({}))).is_err());
    assert!(check("int8", scratch(json!({"precision": "f32"}))).is_ok());
}

#[test]
fn a_fold_is_checked_and_otherwise_absent() {
    assert_eq!(resolved(scratch(json!({"fold": "2/5"})))["fold"], json!("2/5"));
    assert!(resolved(scratch(json!({}))).get("fold").is_none());
    let (path, message, _) = problem(scratch(json!({"fold": "6/5"})));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("fold", "`6/5` is not a fold; `2/5` is the second of five")
    );
}

#[test]
fn a_fold_is_validated_without_an_input() {
    let inputs = BTreeSet::from(["train".to_owned()]);
    let outputs = FineTune.outputs(&json!({"fold": "1/2"}), &inputs);
    assert_eq!(outputs[4].file, "validation_predictions.parquet");
}

#[test]
fn validation_decides_about_the_predictions_file() {
    let files = |inputs: &[&str]| -> Vec<String> {
        let inputs = inputs.iter().map(|name| (*name).to_owned()).collect();
        FineTune
            .outputs(&Value::Null, &inputs)
            .into_iter()
            .map(|output| output.file)
            .collect()
    };
    assert_eq!(
        files(&["train"]),
        ["model", "metrics.json", "metrics.jsonl", "curves.svg"]
    );
    assert_eq!(
        files(&["train", "validation"])[4],
        "validation_predictions.parquet"
    );
}

#[test]
fn checkpoints_come_by_minutes_or_by_steps() {
    let every =
        |value: Value| resolved(scratch(json!({"checkpoint_every": value})))["checkpoint_every"].clone();
    assert_eq!(every(json!({"minutes": 2})), json!({"minutes": 2.0}));
    assert_eq!(every(json!(500)), json!(500));
    assert_eq!(
        resolved(scratch(json!({"save_steps": 7})))["checkpoint_every"],
        json!(7)
    );
    for wrong in [
        json!(0),
        json!({"minutes": 0}),
        json!({"steps": 5}),
        json!("5min"),
    ] {
        let (path, message, _) = problem(scratch(json!({"checkpoint_every": wrong})));
        assert_eq!(path, "checkpoint_every");
        assert!(message.starts_with("must be a number of steps"), "{message}");
    }
}
