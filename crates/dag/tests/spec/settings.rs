//! Mistakes in `--set` and in the environment.

use crate::{PIPELINE, errors, errors_with, set, variable, with};

#[test]
fn a_setting_of_an_unknown_param() {
    let expected = r#"
error: stage `teacher`: unknown param `epoch`
 --> --set stages.teacher.params.epoch
hint: did you mean `epochs`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(PIPELINE, &[set("stages.teacher.params.epoch=2")])
        ),
        expected
    );
}

#[test]
fn a_setting_of_an_unknown_stage() {
    let expected = r#"
error: unknown stage `techer`
 --> --set stages.techer.params.epochs
hint: did you mean `teacher`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(PIPELINE, &[set("stages.techer.params.epochs=2")])
        ),
        expected
    );
}

#[test]
fn a_setting_of_an_unknown_key() {
    let expected = r#"
error: unknown key `stage`
 --> --set stage.teacher.params.epochs
hint: did you mean `stages`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(PIPELINE, &[set("stage.teacher.params.epochs=2")])
        ),
        expected
    );
}

#[test]
fn a_setting_of_an_unknown_key_of_a_stage() {
    let expected = r#"
error: unknown key `parms`
 --> --set stages.teacher.parms.epochs
hint: did you mean `params`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(PIPELINE, &[set("stages.teacher.parms.epochs=2")])
        ),
        expected
    );
}

#[test]
fn a_setting_of_an_unknown_key_of_runtime() {
    let expected = r#"
error: unknown key `devise`
 --> --set runtime.devise
hint: did you mean `device`?"#;
    assert_eq!(
        format!("\n{}", errors_with(PIPELINE, &[set("runtime.devise=cpu")])),
        expected
    );
}

#[test]
fn a_setting_of_the_wrong_type() {
    let expected = r#"
error: stage `teacher`: param `epochs`: must be a whole number from 0, not `two`
 --> --set stages.teacher.params.epochs"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(PIPELINE, &[set("stages.teacher.params.epochs=two")])
        ),
        expected
    );
}

#[test]
fn a_setting_that_is_not_yaml() {
    let expected = r#"
error: not valid YAML: did not find expected ',' or '}', while parsing a flow mapping
 --> --set stages.teacher.params"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(PIPELINE, &[set("stages.teacher.params={epochs: 2")])
        ),
        expected
    );
}

#[test]
fn a_setting_below_a_scalar() {
    let expected = r#"
error: there is no `major` in `1`
 --> --set version.major
hint: set the whole value"#;
    assert_eq!(
        format!("\n{}", errors_with(PIPELINE, &[set("version.major=2")])),
        expected
    );
}

#[test]
fn a_setting_of_a_missing_file() {
    let expected = r#"
error: stage `prepare`: input `train`: there is no file `data/trian.csv`
 --> --set stages.prepare.inputs.train
hint: did you mean `data/train.csv`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(PIPELINE, &[set("stages.prepare.inputs.train=data/trian.csv")])
        ),
        expected
    );
}

#[test]
fn a_setting_beyond_a_list() {
    let expected = r#"
error: `3` is not an index of this list of 3
 --> --set labels.3
hint: indices begin at 0; or set the whole list"#;
    assert_eq!(
        format!("\n{}", errors_with(PIPELINE, &[set("labels.3=놀람")])),
        expected
    );
}

#[test]
fn a_variable_of_an_unknown_param_is_named() {
    let expected = r#"
error: stage `teacher`: unknown param `epochz`
 --> PIPELINE_SET__STAGES__TEACHER__PARAMS__EPOCHZ
hint: did you mean `epochs`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors_with(
                PIPELINE,
                &[variable("PIPELINE_SET__STAGES__TEACHER__PARAMS__EPOCHZ", "2")]
            )
        ),
        expected
    );
}

#[test]
fn a_variable_without_a_key_is_named() {
    let expected = r#"
error: `` is not a key
 --> PIPELINE_SET__
hint: write e.g. `stages.teacher.params.epochs`"#;
    assert_eq!(
        format!("\n{}", errors_with(PIPELINE, &[variable("PIPELINE_SET__", "2")])),
        expected
    );
}

#[test]
fn all_mistakes_come_in_one_go() {
    let expected = r#"
error: `version` must be 1, not `3`
 --> pipeline.yaml:1:10
  |
1 | version: 3
  |          ^

error: stage `prepare`: input `raw`: there is no file `data/rwa.csv`
 --> pipeline.yaml:6:67
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: data/rwa.csv}
  |                                                                   ^^^^^^^^^^^^
hint: did you mean `data/raw.csv`?

error: stage `teacher`: param `epochs`: must be a whole number from 0, not `x`
  --> pipeline.yaml:10:22
   |
10 |     params: {epochs: x}
   |                      ^

error: stage `score`: there is no kind `scor`
  --> pipeline.yaml:12:11
   |
12 |     kind: scor
   |           ^^^^
hint: did you mean `score`?

error: stage `evaluate`: input `golden` names unknown artifact `prepare.gold`
  --> pipeline.yaml:16:46
   |
16 |     inputs: {teacher: teacher.model, golden: prepare.gold}
   |                                              ^^^^^^^^^^^^
hint: did you mean `prepare.golden`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(
                &with("version: 1", "version: 3")
                    .replace("kind: score", "kind: scor")
                    .replace("epochs: 5", "epochs: x")
                    .replace("data/raw", "data/rwa")
                    .replace("golden: prepare.golden", "golden: prepare.gold")
            )
        ),
        expected
    );
}
