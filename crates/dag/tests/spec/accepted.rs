//! What an accepted file comes to.

use std::path::Path;

use dag::{InputRef, RuntimeSpec};
use serde_json::Value;
use stage::ArtifactType::{self, Model, Raw};
use stage::{Sheet, SourceOptions};

use crate::kinds::KINDS;
use crate::{PIPELINE, errors, load, resolve_precision, with};

#[test]
fn a_missing_file_is_missing_not_invalid() {
    let found = dag::load(Path::new("no/such/pipeline.yaml"), &[], KINDS, &resolve_precision)
        .err()
        .unwrap();
    assert_eq!(found.kind, dag::DiagnosticsKind::Missing);
    let expected = "error: there is no pipeline file `no/such/pipeline.yaml`\n --> no/such/pipeline.yaml\nhint: name the file with `-f FILE`";
    assert_eq!(found.to_string(), expected);
}

#[test]
fn a_directory_is_unreadable() {
    let found = dag::load(Path::new("."), &[], KINDS, &resolve_precision)
        .err()
        .unwrap();
    assert_eq!(found.kind, dag::DiagnosticsKind::Unreadable);
}

#[test]
fn stages_are_ordered_by_what_they_read_and_otherwise_as_in_the_file() {
    let text = "
version: 1
labels: [a, b]
stages:
  second: {kind: fine_tune, inputs: {train: first.train}}
  other: {kind: prepare, inputs: {train: data/train.csv}}
  first: {kind: prepare, inputs: {train: data/train.csv}}
";
    let dag = load(text);
    let names: Vec<&str> = dag
        .order
        .iter()
        .map(|index| dag.stages[*index].name.as_str())
        .collect();
    assert_eq!(names, ["other", "first", "second"]);
}

#[test]
fn an_input_is_the_artifact_that_its_stem_names() {
    let dag = load(PIPELINE);
    let (name, items) = &dag.stages[2].inputs[1];
    let expected = InputRef::Artifact {
        stage: 0,
        file: "raw.parquet".to_owned(),
        artifact_type: Raw,
        written: "prepare.raw".to_owned(),
    };
    assert_eq!((name.as_str(), items.as_slice()), ("raw", [expected].as_slice()));
}

#[test]
fn a_file_may_stand_for_any_table_and_keeps_its_options() {
    let described =
        "raw: {path: ./data/raw.csv, format: csv, text_column: 문장, map: {0: 분노, joy: happy, 중립: drop}}";
    let dag = load(&with("raw: data/raw.csv", described));
    let (_, items) = &dag.stages[0].inputs[2];
    let [
        InputRef::Path {
            path,
            written,
            artifact_type,
            options,
        },
    ] = items.as_slice()
    else {
        panic!("not one path")
    };
    assert_eq!(path, &dag.base_dir.join("data/raw.csv"));
    assert_eq!(
        (written.as_str(), *artifact_type),
        ("./data/raw.csv", ArtifactType::File)
    );
    assert_eq!(options.text_column.as_deref(), Some("문장"));
    let map: Vec<(&str, &str)> = options
        .map
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    assert_eq!(map, [("0", "분노"), ("joy", "기쁨"), ("중립", "drop")]);
}

fn options(written: &str) -> SourceOptions {
    let dag = load(&with(
        "raw: data/raw.csv",
        &format!("raw: {{path: data/raw.csv, {written}}}"),
    ));
    match &dag.stages[0].inputs[2].1[..] {
        [InputRef::Path { options, .. }] => options.clone(),
        other => panic!("not one path: {other:?}"),
    }
}

#[test]
fn a_sheet_goes_by_name_or_by_number() {
    let read = options("format: xlsx, sheet: 3, header_row: 2");
    assert_eq!((read.sheet, read.header_row), (Some(Sheet::Number(3)), Some(2)));
    assert_eq!(
        options("format: xls, sheet: '3'").sheet,
        Some(Sheet::Name("3".to_owned()))
    );
}

#[test]
fn an_encoding_goes_by_its_own_name() {
    for name in ["cp949", "EUC-KR", "ms949", "windows-949", "uhc"] {
        assert_eq!(
            options(&format!("encoding: {name}")).encoding.as_deref(),
            Some("cp949")
        );
    }
}

#[test]
fn utf8_stays_as_it_is_written_so_that_results_keep_their_identity() {
    assert_eq!(options("encoding: UTF-8").encoding.as_deref(), Some("UTF-8"));
}

#[test]
fn a_model_may_be_a_directory() {
    let dag = load(&with("model: teacher.model", "model: models/small"));
    let [InputRef::Path { artifact_type, .. }] = dag.stages[2].inputs[0].1.as_slice() else {
        panic!("not one path")
    };
    assert_eq!(*artifact_type, Model);
}

#[test]
fn a_param_that_names_a_directory_becomes_an_input() {
    let dag = load(&with("{epochs: 5}", "{base_model: ./models/small}"));
    let (name, items) = dag.stages[1].inputs.last().unwrap();
    assert_eq!(name, "base_model");
    assert!(matches!(
        items.as_slice(),
        [InputRef::Path {
            artifact_type: Model,
            ..
        }]
    ));
}

#[test]
fn a_model_may_be_on_the_hub() {
    let dag = load(&with("model: teacher.model", "model: hf://klue/roberta-base"));
    let [input] = dag.hub_inputs(2).collect::<Vec<_>>()[..] else {
        panic!("not one model of the Hub")
    };
    assert_eq!(input.model.to_string(), "klue/roberta-base@main");
    assert_eq!((input.commit.as_deref(), input.path.as_deref()), (None, None));
    assert!(dag.needs(2).contains(&0));
}

#[test]
fn a_commit_of_the_hub_needs_no_resolving() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let dag = load(&with(
        "{epochs: 5}",
        &format!("{{base_model: hf://klue/roberta-base@{commit}}}"),
    ));
    let input = dag.hub_inputs(1).next().unwrap();
    assert_eq!(input.commit.as_deref(), Some(commit));
}

#[test]
fn a_nested_output_has_its_whole_name() {
    let judged = "  again:\n    kind: prepare\n    inputs: {train: [evaluate.models/teacher/errors, evaluate.errors.parquet]}\n";
    let found = errors(&format!("{PIPELINE}{judged}"));
    assert!(
        found.contains("hint: artifacts of `evaluate` are: models/teacher/errors"),
        "{found}"
    );
    let dag = load(&format!(
        "{PIPELINE}{}",
        judged.replace(", evaluate.errors.parquet", "")
    ));
    assert_eq!(dag.needs(4), [3]);
}

#[test]
fn defaults_are_filled_in() {
    let dag = load(PIPELINE);
    assert_eq!((dag.seed, dag.runtime.clone()), (42, RuntimeSpec::default()));
    assert_eq!(dag.stages[1].params["learning_rate"], 0.0);
    assert_eq!(dag.stages[1].precision, "f32");
}

#[test]
fn a_seed_of_the_stage_takes_the_place_of_the_pipelines() {
    let dag = load(&with("{epochs: 5}", "{seed: 7}"));
    assert_eq!((dag.stages[0].seed, dag.stages[1].seed), (42, 7));
}

#[test]
fn a_precision_of_the_stage_takes_the_place_of_the_runtimes() {
    let text = with("{epochs: 5}", "{precision: f32}").replacen(
        "version: 1",
        "version: 1\nruntime: {precision: bf16}",
        1,
    );
    assert_eq!(load(&text).stages[1].precision, "f32");
}

#[test]
fn labels_are_compared_in_nfc() {
    let decomposed = "\u{1107}\u{116e}\u{11ab}\u{1102}\u{1169}";
    let dag = load(
        &with("[분노,", &format!("[{decomposed},"))
            .replace("{epochs: 5}", &format!("{{class_weights: {{{decomposed}: 2}}}}")),
    );
    assert_eq!(dag.labels.name(0), "분노");
    assert_eq!(dag.stages[1].params["class_weights"]["분노"], 2.0);
}

#[test]
fn an_alias_of_yaml_repeats_a_value() {
    let text = with("{epochs: 5}", "&settings {epochs: 5}")
        .replace("kind: score", "kind: fine_tune\n    params: *settings");
    let dag = load(&text.replace(
        "{model: teacher.model, raw: prepare.raw}",
        "{train: prepare.train}",
    ));
    assert_eq!(dag.stages[2].params["epochs"], 5);
}

#[test]
fn a_mistake_below_a_yaml_alias_is_placed_at_the_alias() {
    let text = with("{epochs: 5}", "&settings {epochz: 5}")
        .replace("kind: score", "kind: fine_tune\n    params: *settings");
    let found = errors(&text.replace(
        "{model: teacher.model, raw: prepare.raw}",
        "{train: prepare.train}",
    ));
    assert!(
        found.contains("13 |     params: *settings\n   |             ^^^^^^^^^"),
        "{found}"
    );
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    load(&format!("\u{feff}{PIPELINE}"));
}

#[test]
fn windows_line_ends_are_no_mistake() {
    load(&PIPELINE.replace('\n', "\r\n"));
}

#[test]
fn a_hundred_lines_of_comments_are_no_mistake() {
    load(&with(
        "stages:\n",
        &format!("stages:\n{}", "  # a comment\n".repeat(200)),
    ));
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (inner, outer) in "abcdefghij".chars().zip("bcdefghijk".chars()) {
        text.push_str(&format!(
            "{outer}: &{outer} [{}]\n",
            vec![format!("*{inner}"); 9].join(", ")
        ));
    }
    let found = errors(&text);
    assert!(
        found.starts_with("error: not valid YAML: repetition limit exceeded"),
        "{found}"
    );
}

#[test]
fn deep_nesting_is_refused() {
    let found = errors(&format!("a: {}", "[".repeat(100_000)));
    assert!(
        found.starts_with("error: lists and mappings are nested too deeply"),
        "{found}"
    );
}

#[test]
fn two_yaml_parsers_read_an_accepted_file_alike() {
    let folded = "
version: 1
name: \"a: # b\"
labels: ['no', \"1\", a b, \"\\uAE30\\uC068\"]   # comment
stages:
  prepare: &prepare
    kind: prepare
    inputs:
      train: >-
        data/train.csv
    params: {limit: {'raw': 0x10}}
  again: *prepare
";
    let accepted = [
        PIPELINE.to_owned(),
        folded.to_owned(),
        with(
            "{epochs: 5}",
            "{learning_rate: 2.0e-5, seed: 18446744073709551615}",
        ),
    ];
    for text in &accepted {
        load(text);
        let one: Value = serde_yaml::from_str(text).unwrap();
        let options = serde_saphyr::options! { strict_booleans: true };
        let other: Value = serde_saphyr::from_str_with_options(text, options).unwrap();
        assert_eq!(one, other, "{text}");
    }
}
