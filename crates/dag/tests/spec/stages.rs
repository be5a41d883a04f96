//! Mistakes of stages, as far as they can be seen one by one.

use crate::{errors, with};

#[test]
fn stages_are_needed() {
    let expected = r#"
error: `stages` is missing
 --> pipeline.yaml
hint: a pipeline has at least one stage"#;
    assert_eq!(format!("\n{}", errors("version: 1\nlabels: [a, b]\n")), expected);
}

#[test]
fn a_stage_name_has_small_letters() {
    let expected = r#"
error: `Teacher` cannot be the name of a stage
 --> pipeline.yaml:7:3
  |
7 |   Teacher:
  |   ^^^^^^^
hint: use small letters, digits and `_`, a letter first

error: stage `score`: input `model` names unknown stage `teacher`
  --> pipeline.yaml:13:21
   |
13 |     inputs: {model: teacher.model, raw: prepare.raw}
   |                     ^^^^^^^^^^^^^
hint: did you mean `Teacher.model`?

error: stage `evaluate`: input `teacher` names unknown stage `teacher`
  --> pipeline.yaml:16:23
   |
16 |     inputs: {teacher: teacher.model, golden: prepare.golden}
   |                       ^^^^^^^^^^^^^
hint: did you mean `Teacher.model`?"#;
    assert_eq!(
        format!("\n{}", errors(&with("  teacher:", "  Teacher:"))),
        expected
    );
}

#[test]
fn runs_is_no_stage_name() {
    let expected = r#"
error: `runs` cannot be the name of a stage
 --> pipeline.yaml:4:3
  |
4 |   runs: {kind: prepare, inputs: {train: data/train.csv}}
  |   ^^^^
hint: the artifact store keeps its run records under that name"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(
                "version: 1\nlabels: [a, b]\nstages:\n  runs: {kind: prepare, inputs: {train: data/train.csv}}\n"
            )
        ),
        expected
    );
}

#[test]
fn an_unknown_kind_gets_the_closest() {
    let expected = r#"
error: stage `teacher`: there is no kind `fine_tun`
 --> pipeline.yaml:8:11
  |
8 |     kind: fine_tun
  |           ^^^^^^^^
hint: did you mean `fine_tune`?"#;
    assert_eq!(
        format!("\n{}", errors(&with("kind: fine_tune", "kind: fine_tun"))),
        expected
    );
}

#[test]
fn a_missing_kind_lists_the_kinds() {
    let expected = r#"
error: stage `score`: `kind` is missing
  --> pipeline.yaml:11:3
   |
11 |   score:
   |   ^^^^^
hint: kinds are: prepare, fine_tune, score, evaluate"#;
    assert_eq!(format!("\n{}", errors(&with("    kind: score\n", ""))), expected);
}

#[test]
fn an_unknown_key_of_a_stage() {
    let expected = r#"
error: stage `teacher`: unknown key `param`
  --> pipeline.yaml:10:5
   |
10 |     param: {epochs: 5}
   |     ^^^^^
hint: did you mean `params`?"#;
    assert_eq!(
        format!("\n{}", errors(&with("    params:", "    param:"))),
        expected
    );
}

#[test]
fn a_stage_must_be_a_mapping() {
    let expected = r#"
error: stage `prepare` must be a mapping with `kind`, not `data/train.csv`
 --> pipeline.yaml:4:12
  |
4 |   prepare: data/train.csv
  |            ^^^^^^^^^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors("version: 1\nlabels: [a, b]\nstages:\n  prepare: data/train.csv\n")
        ),
        expected
    );
}
