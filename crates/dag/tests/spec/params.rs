//! Mistakes in params.

use crate::{errors, with};

#[test]
fn an_unknown_param_gets_the_closest() {
    let expected = r#"
error: stage `teacher`: unknown param `epoch`
  --> pipeline.yaml:10:14
   |
10 |     params: {epoch: 5}
   |              ^^^^^
hint: did you mean `epochs`?"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{epoch: 5}"))),
        expected
    );
}

#[test]
fn a_param_of_the_wrong_type() {
    let expected = r#"
error: stage `teacher`: param `epochs`: must be a whole number from 0, not `many`
  --> pipeline.yaml:10:22
   |
10 |     params: {epochs: many, learning_rate: [1]}
   |                      ^^^^

error: stage `teacher`: param `learning_rate`: must be a number, not a list
  --> pipeline.yaml:10:43
   |
10 |     params: {epochs: many, learning_rate: [1]}
   |                                           ^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("{epochs: 5}", "{epochs: many, learning_rate: [1]}"))
        ),
        expected
    );
}

#[test]
fn a_param_out_of_range() {
    let expected = r#"
error: stage `teacher`: param `epochs`: must be at most 100
  --> pipeline.yaml:10:22
   |
10 |     params: {epochs: 500}
   |                      ^^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{epochs: 500}"))),
        expected
    );
}

#[test]
fn an_alias_is_named_as_written() {
    let expected = r#"
error: stage `teacher`: param `num_train_epochs`: must be at most 100
  --> pipeline.yaml:10:32
   |
10 |     params: {num_train_epochs: 500}
   |                                ^^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{num_train_epochs: 500}"))),
        expected
    );
}

#[test]
fn a_param_given_under_two_names() {
    let expected = r#"
error: stage `teacher`: `num_train_epochs` and `epochs` are the same param; give one
  --> pipeline.yaml:10:43
   |
10 |     params: {epochs: 5, num_train_epochs: 5}
   |                                           ^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("{epochs: 5}", "{epochs: 5, num_train_epochs: 5}"))
        ),
        expected
    );
}

#[test]
fn an_unknown_key_within_a_param() {
    let expected = r#"
error: stage `teacher`: param `early_stopping`: unknown key `patiense`
  --> pipeline.yaml:10:31
   |
10 |     params: {early_stopping: {patiense: 2}}
   |                               ^^^^^^^^
hint: did you mean `patience`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("{epochs: 5}", "{early_stopping: {patiense: 2}}"))
        ),
        expected
    );
}

#[test]
fn an_unknown_value_within_a_param() {
    let expected = r#"
error: stage `teacher`: param `early_stopping`: `macro-f1` is not one of macro_f1, accuracy
  --> pipeline.yaml:10:39
   |
10 |     params: {early_stopping: {metric: macro-f1}}
   |                                       ^^^^^^^^
hint: did you mean `macro_f1`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("{epochs: 5}", "{early_stopping: {metric: macro-f1}}"))
        ),
        expected
    );
}

#[test]
fn a_wrong_type_within_a_param() {
    let expected = r#"
error: stage `teacher`: param `early_stopping`: must be a whole number from 0, not `soon`
  --> pipeline.yaml:10:59
   |
10 |     params: {early_stopping: {metric: macro_f1, patience: soon}}
   |                                                           ^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "{epochs: 5}",
                "{early_stopping: {metric: macro_f1, patience: soon}}"
            ))
        ),
        expected
    );
}

#[test]
fn an_unknown_label_in_a_param() {
    let expected = r#"
error: stage `teacher`: unknown label `기쁭`
  --> pipeline.yaml:10:37
   |
10 |     params: {class_weights: {분노: 2, 기쁭: 1}}
   |                                       ^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("{epochs: 5}", "{class_weights: {분노: 2, 기쁭: 1}}"))
        ),
        expected
    );
}

#[test]
fn params_must_be_a_mapping() {
    let expected = r#"
error: stage `teacher`: params: must be a mapping of names to values
  --> pipeline.yaml:10:13
   |
10 |     params: [epochs]
   |             ^^^^^^^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "[epochs]"))),
        expected
    );
}

#[test]
fn a_number_that_is_none() {
    let expected = r#"
error: stage `teacher`: param `learning_rate`: must be a number, not `.nan`
  --> pipeline.yaml:10:29
   |
10 |     params: {learning_rate: .nan}
   |                             ^^^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{learning_rate: .nan}"))),
        expected
    );
}

#[test]
fn a_missing_directory_of_a_param() {
    let expected = r#"
error: stage `teacher`: param `base_model`: there is no directory `./models/smal`
  --> pipeline.yaml:10:26
   |
10 |     params: {base_model: ./models/smal}
   |                          ^^^^^^^^^^^^^
hint: did you mean `models/small`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("{epochs: 5}", "{base_model: ./models/smal}"))
        ),
        expected
    );
}

#[test]
fn a_precision_that_cannot_be_had() {
    let expected = r#"
error: stage `teacher`: param `precision`: the backend has no bf16
  --> pipeline.yaml:10:25
   |
10 |     params: {precision: bf16}
   |                         ^^^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{precision: bf16}"))),
        expected
    );
}

#[test]
fn a_precision_of_the_runtime_that_cannot_be_had_is_reported_once() {
    let expected = r#"
error: `runtime.precision`: the backend has no int8
 --> pipeline.yaml:2:22
  |
2 | runtime: {precision: int8}
  |                      ^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(
                &with("version: 1", "version: 1\nruntime: {precision: int8}")
                    .replace("kind: score", "kind: fine_tune")
                    .replace(
                        "{model: teacher.model, raw: prepare.raw}",
                        "{train: prepare.train}"
                    )
            )
        ),
        expected
    );
}
