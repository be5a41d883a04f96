//! Mistakes of the file as YAML text.

use crate::{errors, errors_of_bytes, with};

#[test]
fn an_empty_file() {
    let expected = r#"
error: the pipeline file is empty
 --> pipeline.yaml
hint: keys are: version, name, seed, task, labels, runtime, stages"#;
    assert_eq!(format!("\n{}", errors("")), expected);
}

#[test]
fn a_file_of_comments_only() {
    let expected = r#"
error: the pipeline file is empty
 --> pipeline.yaml
hint: keys are: version, name, seed, task, labels, runtime, stages"#;
    assert_eq!(format!("\n{}", errors("# nothing\n")), expected);
}

#[test]
fn a_list_is_not_a_pipeline() {
    let expected = r#"
error: a pipeline file is a mapping of keys to values, not a list
 --> pipeline.yaml:1:1
  |
1 | - prepare
  | ^^^^^^^^^
hint: keys are: version, name, seed, task, labels, runtime, stages"#;
    assert_eq!(format!("\n{}", errors("- prepare\n")), expected);
}

#[test]
fn a_file_that_is_not_utf8_names_the_byte() {
    let expected = r#"
error: the file is not UTF-8: byte 0xB0 at offset 17
 --> pipeline.yaml:2:7
  |
2 | name: ��
  |       ^
hint: it may be CP949 or Latin-1; save it as UTF-8"#;
    assert_eq!(
        format!("\n{}", errors_of_bytes(b"version: 1\nname: \xb0\xa1\n", &[])),
        expected
    );
}

#[test]
fn a_utf16_file_is_recognised() {
    let expected = r#"
error: the file is not UTF-8: byte 0xFF at offset 0
 --> pipeline.yaml:1:1
  |
1 | ��v�e�
  | ^
hint: it may be UTF-16; save it as UTF-8"#;
    assert_eq!(format!("\n{}", errors_of_bytes(b"\xff\xfev\0e\0", &[])), expected);
}

#[test]
fn a_missing_bracket_is_placed() {
    let expected = r#"
error: not valid YAML: did not find expected ',' or '}', while parsing a flow mapping at line 10 column 13
  --> pipeline.yaml:11:8
   |
11 |   score:
   |        ^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{epochs: 5"))),
        expected
    );
}

#[test]
fn a_tab_in_the_indentation() {
    let expected = r#"
error: a tab in the indentation
 --> pipeline.yaml:7:1
  |
7 |     teacher:
  | ^
hint: indent with spaces"#;
    assert_eq!(
        format!("\n{}", errors(&with("  teacher:", "\tteacher:"))),
        expected
    );
}

#[test]
fn a_repeated_key_names_the_first() {
    let expected = r#"
error: the key `teacher` is given twice
  --> pipeline.yaml:11:3
   |
11 |   teacher:
   |   ^^^^^^^
hint: the first one is on line 7"#;
    assert_eq!(format!("\n{}", errors(&with("  score:", "  teacher:"))), expected);
}

#[test]
fn all_repeated_keys_are_reported() {
    let expected = r#"
error: the key `epochs` is given twice
  --> pipeline.yaml:10:25
   |
10 |     params: {epochs: 5, epochs: 6, learning_rate: 1, learning_rate: 2}
   |                         ^^^^^^
hint: the first one is on line 10

error: the key `learning_rate` is given twice
  --> pipeline.yaml:10:54
   |
10 |     params: {epochs: 5, epochs: 6, learning_rate: 1, learning_rate: 2}
   |                                                      ^^^^^^^^^^^^^
hint: the first one is on line 10"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with(
                "{epochs: 5}",
                "{epochs: 5, epochs: 6, learning_rate: 1, learning_rate: 2}"
            ))
        ),
        expected
    );
}

#[test]
fn a_merge_key_is_refused() {
    let expected = r#"
error: merge keys (`<<`) are not supported
  --> pipeline.yaml:10:5
   |
10 |     <<: {params: {epochs: 5}}
   |     ^^
hint: repeat the values, or use an alias (`*name`) for the whole value"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("    params: {epochs: 5}", "    <<: {params: {epochs: 5}}"))
        ),
        expected
    );
}

#[test]
fn a_missing_space_after_a_colon() {
    let expected = r#"
error: not valid YAML: found unexpected ':', while scanning a plain scalar at line 9 column 14
 --> pipeline.yaml:9:19
  |
9 |     inputs: {train:}
  |                   ^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{train: prepare.train}", "{train:}"))),
        expected
    );
}

#[test]
fn a_quote_that_is_never_closed() {
    let expected = r#"
error: not valid YAML: found unexpected end of stream, while scanning a quoted scalar at line 12 column 11
  --> pipeline.yaml:17:1
   |
17 | 
   | ^"#;
    assert_eq!(
        format!("\n{}", errors(&with("kind: score", r#"kind: "score"#))),
        expected
    );
}

#[test]
fn a_wrong_indentation() {
    let expected = r#"
error: not valid YAML: mapping values are not allowed in this context
  --> pipeline.yaml:13:7
   |
13 |      x: 1
   |       ^"#;
    assert_eq!(
        format!(
            "\n{}",
            errors(&with("    kind: score", "   kind: score\n     x: 1"))
        ),
        expected
    );
}

#[test]
fn a_tag_is_refused() {
    let expected = r#"
error: the YAML tag `!five` has no meaning here
  --> pipeline.yaml:10:28
   |
10 |     params: {epochs: !five 5}
   |                            ^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{epochs: !five 5}"))),
        expected
    );
}

#[test]
fn a_second_document_is_refused() {
    let expected = r#"
error: a second YAML document begins here; there must be one only
 --> pipeline.yaml:4:1
  |
4 | stages:
  | ^"#;
    assert_eq!(
        format!("\n{}", errors(&with("stages:", "---\nstages:"))),
        expected
    );
}

#[test]
fn an_unknown_anchor_is_placed() {
    let expected = r#"
error: not valid YAML: unknown anchor
  --> pipeline.yaml:10:22
   |
10 |     params: {epochs: *five}
   |                      ^"#;
    assert_eq!(
        format!("\n{}", errors(&with("{epochs: 5}", "{epochs: *five}"))),
        expected
    );
}

#[test]
fn an_unknown_key_gets_the_closest() {
    let expected = r#"
error: unknown key `label`
 --> pipeline.yaml:2:1
  |
2 | label: [분노, 불안, {name: 기쁨, slug: happy, aliases: [행복, joy]}]
  | ^^^^^
hint: did you mean `labels`?"#;
    assert_eq!(format!("\n{}", errors(&with("labels:", "label:"))), expected);
}
