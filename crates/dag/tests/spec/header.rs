//! Mistakes above `stages:`.

use crate::{errors, with};

#[test]
fn version_is_needed() {
    let expected = r#"
error: `version` is missing
 --> pipeline.yaml
hint: add `version: 1`"#;
    assert_eq!(format!("\n{}", errors(&with("version: 1\n", ""))), expected);
}

#[test]
fn a_later_version_is_refused() {
    let expected = r#"
error: `version` must be 1, not `2`
 --> pipeline.yaml:1:10
  |
1 | version: 2
  |          ^"#;
    assert_eq!(
        format!("\n{}", errors(&with("version: 1", "version: 2"))),
        expected
    );
}

#[test]
fn a_name_must_be_a_text() {
    let expected = r#"
error: `name` must be a text, not `2024`
 --> pipeline.yaml:2:7
  |
2 | name: 2024
  |       ^^^^
hint: write it in quotes: "2024""#;
    assert_eq!(
        format!("\n{}", errors(&with("version: 1", "version: 1\nname: 2024"))),
        expected
    );
}

#[test]
fn a_seed_must_be_a_whole_number() {
    let expected = r#"
error: `seed` must be a whole number from 0, not `-1`
 --> pipeline.yaml:2:7
  |
2 | seed: -1
  |       ^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("version: 1", "version: 1\nseed: -1"))),
        expected
    );
}

#[test]
fn an_unknown_task_gets_the_closest() {
    let expected = r#"
error: `task` must be one of single_label, multi_label, not `single-label`
 --> pipeline.yaml:2:7
  |
2 | task: single-label
  |       ^^^^^^^^^^^^
hint: did you mean `single_label`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("version: 1", "version: 1\ntask: single-label"))
        ),
        expected
    );
}

#[test]
fn every_mistake_in_runtime_is_reported() {
    let expected = r#"
error: `runtime.device` must be auto, cpu, cuda or cuda:N, not `gpu`
 --> pipeline.yaml:2:19
  |
2 | runtime: {device: gpu, backend: flexx, precision: fp16, threads: many, workers: 2}
  |                   ^^^

error: `runtime.backend` must be one of auto, flex, tch, cuda, not `flexx`
 --> pipeline.yaml:2:33
  |
2 | runtime: {device: gpu, backend: flexx, precision: fp16, threads: many, workers: 2}
  |                                 ^^^^^
hint: did you mean `flex`?

error: `runtime.precision` must be one of auto, f32, bf16, int8, not `fp16`
 --> pipeline.yaml:2:51
  |
2 | runtime: {device: gpu, backend: flexx, precision: fp16, threads: many, workers: 2}
  |                                                   ^^^^
hint: did you mean `bf16`?

error: `runtime.threads` must be a whole number, not `many`
 --> pipeline.yaml:2:66
  |
2 | runtime: {device: gpu, backend: flexx, precision: fp16, threads: many, workers: 2}
  |                                                                  ^^^^
hint: 0 = all cores

error: `runtime`: unknown key `workers`
 --> pipeline.yaml:2:72
  |
2 | runtime: {device: gpu, backend: flexx, precision: fp16, threads: many, workers: 2}
  |                                                                        ^^^^^^^
hint: keys are: device, backend, precision, threads"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "version: 1",
                "version: 1\nruntime: {device: gpu, backend: flexx, precision: fp16, threads: many, workers: 2}"
            ))
        ),
        expected
    );
}

#[test]
fn bare_words_that_read_as_something_else_are_no_labels() {
    let expected = r#"
error: `labels`: a label must be a text, and a bare `no` may be read as something else
 --> pipeline.yaml:2:10
  |
2 | labels: [no, 1, ~, "off", {name: 기쁨, aliases: [0]}]
  |          ^^
hint: write it in quotes: "no"

error: `labels`: a label must be a text, and a bare `1` may be read as something else
 --> pipeline.yaml:2:14
  |
2 | labels: [no, 1, ~, "off", {name: 기쁨, aliases: [0]}]
  |              ^
hint: write it in quotes: "1"

error: `labels`: a label must be a text, and a bare `~` may be read as something else
 --> pipeline.yaml:2:17
  |
2 | labels: [no, 1, ~, "off", {name: 기쁨, aliases: [0]}]
  |                 ^
hint: write it in quotes: "~"

error: `labels`: an alias must be a text, and a bare `0` may be read as something else
 --> pipeline.yaml:2:48
  |
2 | labels: [no, 1, ~, "off", {name: 기쁨, aliases: [0]}]
  |                                                  ^
hint: write it in quotes: "0""#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "[분노, 불안, {name: 기쁨, slug: happy, aliases: [행복, joy]}]",
                r#"[no, 1, ~, "off", {name: 기쁨, aliases: [0]}]"#
            ))
        ),
        expected
    );
}

#[test]
fn a_label_that_stands_twice_is_placed() {
    let expected = r#"
error: `labels`: the label `분노` is given twice
 --> pipeline.yaml:2:14
  |
2 | labels: [분노, 분노, {name: 기쁨, slug: happy, aliases: [행복, joy]}]
  |                ^^^^"#;
    assert_eq!(format!("\n{}", errors(&with("불안,", "분노,"))), expected);
}

#[test]
fn an_alias_of_two_labels_is_placed() {
    let expected = r#"
error: `labels`: `불안` already stands for the label `불안`
 --> pipeline.yaml:2:52
  |
2 | labels: [분노, 불안, {name: 기쁨, slug: happy, aliases: [불안, joy]}]
  |                                                          ^^^^"#;
    assert_eq!(format!("\n{}", errors(&with("행복", "불안"))), expected);
}

#[test]
fn one_label_is_too_few() {
    let expected = r#"
error: `labels`: a task needs at least two labels, not 1
 --> pipeline.yaml:2:1
  |
2 | labels: [분노]
  | ^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "[분노, 불안, {name: 기쁨, slug: happy, aliases: [행복, joy]}]",
                "[분노]"
            ))
        ),
        expected
    );
}

#[test]
fn a_label_needs_a_name() {
    let expected = r#"
error: `labels`: a label has no `name`
 --> pipeline.yaml:2:18
  |
2 | labels: [분노, 불안, {slug: happy, aliases: [행복, joy]}]
  |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
hint: write `{name: 기쁨, slug: happy, aliases: [joy]}`"#;
    assert_eq!(
        format!("\n{}", errors(&with("name: 기쁨, slug", "slug"))),
        expected
    );
}

#[test]
fn an_unknown_key_of_a_label() {
    let expected = r#"
error: `labels`: unknown key `alias`
 --> pipeline.yaml:2:42
  |
2 | labels: [분노, 불안, {name: 기쁨, slug: happy, alias: [행복, joy]}]
  |                                                ^^^^^
hint: did you mean `aliases`?"#;
    assert_eq!(format!("\n{}", errors(&with("aliases", "alias"))), expected);
}

#[test]
fn labels_are_needed() {
    let expected = r#"
error: unknown key `x-labels`
 --> pipeline.yaml:2:1
  |
2 | x-labels: [분노, 불안, {name: 기쁨, slug: happy, aliases: [행복, joy]}]
  | ^^^^^^^^
hint: did you mean `labels`?"#;
    assert_eq!(format!("\n{}", errors(&with("labels:", "x-labels:"))), expected);
}
