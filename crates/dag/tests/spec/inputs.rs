//! Mistakes in inputs, and between stages.

use crate::{errors, with};

#[test]
fn an_unknown_artifact_gets_the_closest() {
    let expected = r#"
error: stage `score`: input `raw` names unknown artifact `prepare.rwa`
  --> pipeline.yaml:13:41
   |
13 |     inputs: {model: teacher.model, raw: prepare.rwa}
   |                                         ^^^^^^^^^^^
hint: did you mean `prepare.raw`?"#;
    assert_eq!(
        format!("\n{}", errors(&with("raw: prepare.raw", "raw: prepare.rwa"))),
        expected
    );
}

#[test]
fn an_artifact_that_is_far_from_all_gets_the_list() {
    let expected = r#"
error: stage `score`: input `raw` names unknown artifact `prepare.validation`
  --> pipeline.yaml:13:41
   |
13 |     inputs: {model: teacher.model, raw: prepare.validation}
   |                                         ^^^^^^^^^^^^^^^^^^
hint: artifacts of `prepare` are: train, golden, raw"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("raw: prepare.raw", "raw: prepare.validation"))
        ),
        expected
    );
}

#[test]
fn a_stem_of_two_files_is_refused() {
    let expected = r#"
error: stage `evaluate`: input `golden` names `score.report`: `report` could be report.json or report.html
  --> pipeline.yaml:16:46
   |
16 |     inputs: {teacher: teacher.model, golden: score.report}
   |                                              ^^^^^^^^^^^^
hint: give the full name, e.g. `score.report.json`"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("golden: prepare.golden", "golden: score.report"))
        ),
        expected
    );
}

#[test]
fn an_unknown_stage_gets_the_closest() {
    let expected = r#"
error: stage `teacher`: input `train` names unknown stage `prepar`
 --> pipeline.yaml:9:21
  |
9 |     inputs: {train: prepar.train}
  |                     ^^^^^^^^^^^^
hint: did you mean `prepare.train`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("train: prepare.train", "train: prepar.train"))
        ),
        expected
    );
}

#[test]
fn a_stage_alone_is_no_artifact() {
    let expected = r#"
error: stage `teacher`: input `train`: there is no file `prepare`
 --> pipeline.yaml:9:21
  |
9 |     inputs: {train: prepare}
  |                     ^^^^^^^
hint: name an artifact of stage `prepare`: train, golden, raw"#;
    assert_eq!(
        format!("\n{}", errors(&with("train: prepare.train", "train: prepare"))),
        expected
    );
}

#[test]
fn a_missing_file_gets_the_closest() {
    let expected = r#"
error: stage `prepare`: input `raw`: there is no file `data/rwa.csv`
 --> pipeline.yaml:6:67
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: data/rwa.csv}
  |                                                                   ^^^^^^^^^^^^
hint: did you mean `data/raw.csv`?"#;
    assert_eq!(
        format!("\n{}", errors(&with("data/raw.csv", "data/rwa.csv"))),
        expected
    );
}

#[test]
fn a_missing_folder_is_named() {
    let expected = r#"
error: stage `prepare`: input `raw`: there is no file `dta/raw.csv`
 --> pipeline.yaml:6:67
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: dta/raw.csv}
  |                                                                   ^^^^^^^^^^^
hint: there is no directory `dta`"#;
    assert_eq!(
        format!("\n{}", errors(&with("data/raw.csv", "dta/raw.csv"))),
        expected
    );
}

#[test]
fn a_missing_file_is_marked_by_columns_not_characters() {
    let expected = r#"
error: stage `prepare`: input `raw`: there is no file `데이터/원본.csv`
 --> pipeline.yaml:6:68
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: [데이터/원본.csv, 없음.csv]}
  |                                                                    ^^^^^^^^^^^^^^^
hint: there is no directory `데이터`

error: stage `prepare`: input `raw`: there is no file `없음.csv`
 --> pipeline.yaml:6:80
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: [데이터/원본.csv, 없음.csv]}
  |                                                                                     ^^^^^^^^
hint: paths are relative to the pipeline file"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("raw: data/raw.csv", "raw: [데이터/원본.csv, 없음.csv]"))
        ),
        expected
    );
}

#[test]
fn a_directory_is_no_table() {
    let expected = r#"
error: stage `prepare`: input `raw` takes a table or a file, but `data` is a directory
 --> pipeline.yaml:6:67
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: data}
  |                                                                   ^^^^"#;
    assert_eq!(format!("\n{}", errors(&with("data/raw.csv", "data"))), expected);
}

#[test]
fn a_file_is_no_model() {
    let expected = r#"
error: stage `score`: input `model` takes a model, but `data/raw.csv` is a file
  --> pipeline.yaml:13:21
   |
13 |     inputs: {model: data/raw.csv, raw: prepare.raw}
   |                     ^^^^^^^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("model: teacher.model", "model: data/raw.csv"))
        ),
        expected
    );
}

#[test]
fn a_directory_without_config_is_no_model() {
    let expected = r#"
error: stage `score`: input `model`: `models/empty` is not a model: it has no config.json
  --> pipeline.yaml:13:21
   |
13 |     inputs: {model: models/empty, raw: prepare.raw}
   |                     ^^^^^^^^^^^^
hint: a model is a directory with config.json, model.safetensors and tokenizer.json"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("model: teacher.model", "model: models/empty"))
        ),
        expected
    );
}

#[test]
fn a_malformed_name_of_the_hub_shows_how_to_write_one() {
    let expected = r#"
error: stage `score`: input `model`: `hf://roberta-base` does not name a model of the Hub: write `owner/name` or `owner/name@revision`
  --> pipeline.yaml:13:21
   |
13 |     inputs: {model: hf://roberta-base, raw: prepare.raw}
   |                     ^^^^^^^^^^^^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("model: teacher.model", "model: hf://roberta-base"))
        ),
        expected
    );
}

#[test]
fn a_model_of_the_hub_is_no_table() {
    let expected = r#"
error: stage `score`: input `raw` takes a table of raw texts or a file, but `hf://klue/roberta-base` is a model of the Hub
  --> pipeline.yaml:13:41
   |
13 |     inputs: {model: teacher.model, raw: hf://klue/roberta-base}
   |                                         ^^^^^^^^^^^^^^^^^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("raw: prepare.raw", "raw: hf://klue/roberta-base"))
        ),
        expected
    );
}

#[test]
fn an_artifact_that_does_not_fit_names_one_that_does() {
    let expected = r#"
error: stage `score`: input `raw` takes a table of raw texts or a file, but `prepare.train` is a labelled table
  --> pipeline.yaml:13:41
   |
13 |     inputs: {model: teacher.model, raw: prepare.train}
   |                                         ^^^^^^^^^^^^^
hint: did you mean `prepare.raw`?"#;
    assert_eq!(
        format!("\n{}", errors(&with("raw: prepare.raw", "raw: prepare.train"))),
        expected
    );
}

#[test]
fn a_table_given_as_a_model_names_the_input_that_takes_it() {
    let expected = r#"
error: stage `evaluate`: input `golden` is missing
  --> pipeline.yaml:14:3
   |
14 |   evaluate:
   |   ^^^^^^^^
hint: `golden`: what it is

error: stage `evaluate`: input `goldn` takes a model, but `prepare.golden` is a labelled table
  --> pipeline.yaml:16:45
   |
16 |     inputs: {teacher: teacher.model, goldn: prepare.golden}
   |                                             ^^^^^^^^^^^^^^
hint: did you mean the input `golden`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "teacher: teacher.model, golden: prepare.golden",
                "teacher: teacher.model, goldn: prepare.golden"
            ))
        ),
        expected
    );
}

#[test]
fn an_unknown_input_gets_the_closest() {
    let expected = r#"
error: stage `teacher`: unknown input `trian`
 --> pipeline.yaml:9:14
  |
9 |     inputs: {trian: prepare.train}
  |              ^^^^^
hint: did you mean `train`?"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "inputs: {train: prepare.train}",
                "inputs: {trian: prepare.train}"
            ))
        ),
        expected
    );
}

#[test]
fn an_input_that_is_far_from_all_gets_the_list() {
    let expected = r#"
error: stage `teacher`: unknown input `dev`
 --> pipeline.yaml:9:36
  |
9 |     inputs: {train: prepare.train, dev: prepare.golden}
  |                                    ^^^
hint: inputs are: train, base, corpus"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "inputs: {train: prepare.train}",
                "inputs: {train: prepare.train, dev: prepare.golden}"
            ))
        ),
        expected
    );
}

#[test]
fn a_required_input_is_missing() {
    let expected = r#"
error: stage `score`: input `raw` is missing
  --> pipeline.yaml:11:3
   |
11 |   score:
   |   ^^^^^
hint: `raw`: what it is"#;
    assert_eq!(format!("\n{}", errors(&with(", raw: prepare.raw", ""))), expected);
}

#[test]
fn at_least_one_model_is_needed() {
    let expected = r#"
error: stage `evaluate` needs at least one model
  --> pipeline.yaml:14:3
   |
14 |   evaluate:
   |   ^^^^^^^^
hint: what it is"#;
    assert_eq!(
        format!("\n{}", errors(&with("teacher: teacher.model, ", ""))),
        expected
    );
}

#[test]
fn an_input_for_one_takes_no_list() {
    let expected = r#"
error: stage `score`: input `raw` takes one item, not a list
  --> pipeline.yaml:13:41
   |
13 |     inputs: {model: teacher.model, raw: [prepare.raw]}
   |                                         ^^^^^^^^^^^^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("raw: prepare.raw", "raw: [prepare.raw]"))),
        expected
    );
}

#[test]
fn an_empty_list_is_no_input() {
    let expected = r#"
error: stage `teacher`: input `train` is an empty list
 --> pipeline.yaml:9:21
  |
9 |     inputs: {train: []}
  |                     ^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("train: prepare.train", "train: []"))),
        expected
    );
}

#[test]
fn an_item_twice_in_a_list() {
    let expected = r#"
error: stage `teacher`: input `train` holds `prepare.train` twice
 --> pipeline.yaml:9:37
  |
9 |     inputs: {train: [prepare.train, prepare.train]}
  |                                     ^^^^^^^^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "train: prepare.train",
                "train: [prepare.train, prepare.train]"
            ))
        ),
        expected
    );
}

#[test]
fn a_list_in_a_list_is_no_input() {
    let expected = r#"
error: stage `teacher`: input `train` is a list within a list
 --> pipeline.yaml:9:22
  |
9 |     inputs: {train: [[prepare.train]]}
  |                      ^^^^^^^^^^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("train: prepare.train", "train: [[prepare.train]]"))
        ),
        expected
    );
}

#[test]
fn an_input_without_value() {
    let expected = r#"
error: stage `teacher`: input `train` must be an artifact or a path, not nothing
 --> pipeline.yaml:9:14
  |
9 |     inputs: {train: }
  |              ^^^^^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{train: prepare.train}", "{train: }"))),
        expected
    );
}

#[test]
fn an_input_name_becomes_a_path() {
    let expected = r#"
error: stage `evaluate`: `../x` cannot be the name of an input
  --> pipeline.yaml:16:14
   |
16 |     inputs: {../x: teacher.model, golden: prepare.golden}
   |              ^^^^
hint: use letters, digits, `_` and `-`"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("{teacher: teacher.model,", "{../x: teacher.model,"))
        ),
        expected
    );
}

#[test]
fn every_mistake_in_a_described_file_is_reported() {
    let expected = r#"
error: stage `prepare`: input `golden`: `format` must be one of csv, tsv, jsonl, json, parquet, xlsx, xls, not `ods`
 --> pipeline.yaml:6:77
  |
6 | …in: data/train.csv, golden: {path: data/golden.csv, format: ods, text_colum: a, label_column: 3, map: {중립: 기쁘, 0: drop, 1: }}, raw: data/raw.csv}
  |                                                              ^^^

error: stage `prepare`: input `golden`: unknown key `text_colum`
 --> pipeline.yaml:6:82
  |
6 | …ata/train.csv, golden: {path: data/golden.csv, format: ods, text_colum: a, label_column: 3, map: {중립: 기쁘, 0: drop, 1: }}, raw: data/raw.csv}
  |                                                              ^^^^^^^^^^
hint: did you mean `text_column`?

error: stage `prepare`: input `golden`: `label_column` must be a text, not `3`
 --> pipeline.yaml:6:111
  |
6 | … data/golden.csv, format: ods, text_colum: a, label_column: 3, map: {중립: 기쁘, 0: drop, 1: }}, raw: data/raw.csv}
  |                                                              ^
hint: write it in quotes: "3"

error: stage `prepare`: input `golden`: `map` sends `중립` to `기쁘`, which is no label
 --> pipeline.yaml:6:124
  |
6 | …v, format: ods, text_colum: a, label_column: 3, map: {중립: 기쁘, 0: drop, 1: }}, raw: data/raw.csv}
  |                                                              ^^^^
hint: did you mean `기쁨`?

error: stage `prepare`: input `golden`: `map` sends `1` to nothing, which is no label
 --> pipeline.yaml:6:137
  |
6 | … text_colum: a, label_column: 3, map: {중립: 기쁘, 0: drop, 1: }}, raw: data/raw.csv}
  |                                                              ^
hint: labels are: 분노, 불안, 기쁨; or `drop`"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "golden: data/golden.csv",
                "golden: {path: data/golden.csv, format: ods, text_colum: a, label_column: 3, map: {중립: 기쁘, 0: drop, 1: }}"
            ))
        ),
        expected
    );
}

#[test]
fn every_mistake_about_how_a_file_is_read_is_reported() {
    let expected = r#"
error: stage `prepare`: input `golden`: `encoding` must be one of utf-8, cp949, utf-16, utf-16le, utf-16be, not `cp94`
 --> pipeline.yaml:6:79
  |
6 |     inputs: {train: data/train.csv, golden: {path: data/golden.csv, encoding: cp94, sheet: 0, header_row: second}, raw: data/raw.csv}
  |                                                                               ^^^^
hint: did you mean `cp949`?

error: stage `prepare`: input `golden`: `sheet` must be a name or a number from 1, not `0`
 --> pipeline.yaml:6:92
  |
6 |     inputs: {train: data/train.csv, golden: {path: data/golden.csv, encoding: cp94, sheet: 0, header_row: second}, raw: data/raw.csv}
  |                                                                                            ^

error: stage `prepare`: input `golden`: `header_row` must be a whole number from 1, not `second`
 --> pipeline.yaml:6:107
  |
6 |     inputs: {train: data/train.csv, golden: {path: data/golden.csv, encoding: cp94, sheet: 0, header_row: second}, raw: data/raw.csv}
  |                                                                                                           ^^^^^^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "golden: data/golden.csv",
                "golden: {path: data/golden.csv, encoding: cp94, sheet: 0, header_row: second}"
            ))
        ),
        expected
    );
}

#[test]
fn a_format_has_only_what_belongs_to_it() {
    let wrong = |options: &str| {
        let file = format!("golden: {{path: data/golden.csv, {options}}}");
        let text = errors(&with("golden: data/golden.csv", &file));
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        wrong("sheet: 대화"),
        "error: stage `prepare`: input `golden`: `sheet`: csv has no sheets"
    );
    assert_eq!(
        wrong("format: jsonl, header_row: 2"),
        "error: stage `prepare`: input `golden`: `header_row`: jsonl has no row of column names"
    );
    assert_eq!(
        wrong("format: xlsx, encoding: euc-kr"),
        "error: stage `prepare`: input `golden`: `encoding`: xlsx has no encoding of its own"
    );
}

#[test]
fn a_described_file_needs_a_path() {
    let expected = r#"
error: stage `prepare`: input `golden` has no `path`
 --> pipeline.yaml:6:45
  |
6 |     inputs: {train: data/train.csv, golden: {text_column: a}, raw: data/raw.csv}
  |                                             ^^^^^^^^^^^^^^^^
hint: write `{path: FILE, text_column: NAME}`"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("golden: data/golden.csv", "golden: {text_column: a}"))
        ),
        expected
    );
}

#[test]
fn a_path_is_no_artifact() {
    let expected = r#"
error: stage `score`: input `raw` names the artifact `prepare.raw` as a `path`
  --> pipeline.yaml:13:48
   |
13 |     inputs: {model: teacher.model, raw: {path: prepare.raw}}
   |                                                ^^^^^^^^^^^
hint: an artifact stands alone: `raw: prepare.raw`"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("raw: prepare.raw", "raw: {path: prepare.raw}"))
        ),
        expected
    );
}

#[test]
fn a_cycle_is_shown_whole() {
    let expected = r#"
error: stage `prepare`: input `raw` takes a table or a file, but `score.scored` is a scored table
 --> pipeline.yaml:6:67
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: score.scored}
  |                                                                   ^^^^^^^^^^^^

error: stage `prepare`: input `raw` closes a cycle: prepare -> teacher -> score -> prepare
 --> pipeline.yaml:6:67
  |
6 |     inputs: {train: data/train.csv, golden: data/golden.csv, raw: score.scored}
  |                                                                   ^^^^^^^^^^^^
hint: a stage cannot need its own results"#;
    assert_eq!(
        format!("\n{}", errors(&with("raw: data/raw.csv", "raw: score.scored"))),
        expected
    );
}

#[test]
fn a_stage_that_reads_itself_is_a_cycle() {
    let expected = r#"
error: stage `teacher`: input `base` closes a cycle: teacher -> teacher
 --> pipeline.yaml:9:42
  |
9 |     inputs: {train: prepare.train, base: teacher.model}
  |                                          ^^^^^^^^^^^^^
hint: a stage cannot need its own results"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "train: prepare.train",
                "train: prepare.train, base: teacher.model"
            ))
        ),
        expected
    );
}
