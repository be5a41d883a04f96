//! inspect: samples, conditions, SQL, wide and empty tables.

use std::sync::OnceLock;

use unicode_width::UnicodeWidthStr;

use crate::support::{Project, Said, command};

/// One finished run for all tests here: they only read.
fn project() -> &'static Project {
    static PROJECT: OnceLock<Project> = OnceLock::new();
    PROJECT.get_or_init(Project::finished)
}

fn inspect(arguments: &[&str]) -> Said {
    project().pipeline(&[&["inspect"], arguments].concat())
}

#[test]
fn a_sample_is_the_same_for_the_same_seed() {
    let sample = |seed: &str| {
        inspect(&["score.scored", "--sample", "5", "--seed", seed, "--csv"])
            .expect(0)
            .out
    };
    assert_eq!(sample("1").lines().count(), 6);
    assert_eq!(sample("1"), sample("1"));
    assert_ne!(sample("1"), sample("2"));
}

#[test]
fn a_sample_of_a_condition_holds_it() {
    let arguments = [
        "score.scored",
        "--sample",
        "7",
        "--where",
        "text LIKE '%신난다%'",
        "--json",
    ];
    let document = inspect(&arguments).expect(0).json();
    let rows = document["rows"].as_array().unwrap();
    assert!(
        !rows.is_empty()
            && rows
                .iter()
                .all(|row| row["text"].as_str().unwrap().contains("신난다"))
    );
}

#[test]
fn a_version_and_a_tag_name_an_artifact() {
    project()
        .pipeline(&["artifacts", "tag", "pseudo_label@1", "good"])
        .expect(0);
    for reference in [
        "pseudo_label@1.kept",
        "pseudo_label@good.kept",
        "pseudo_label.kept",
    ] {
        inspect(&[reference, "--head", "1"]).expect(0);
    }
    inspect(&["pseudo_label@2.kept"])
        .expect(4)
        .names(&["versions: 1"]);
    inspect(&["pseudo_label"]).expect(4).names(&["kept.parquet"]);
    inspect(&["evaluate.models/student/errors.parquet"]).expect(0);
    inspect(&["nowhere.csv"])
        .expect(4)
        .names(&["no file `nowhere.csv`"]);
    inspect(&["score.csv"])
        .expect(4)
        .names(&["`score@1` has no artifact `csv`"]);
}

#[test]
fn a_mistake_in_a_condition_is_shown_where_it_stands() {
    inspect(&["score.scored", "--where", "pred_cnf > 0.5"])
        .expect(2)
        .names(&[
            "no column `pred_cnf`\n  | pred_cnf > 0.5\n  | ^",
            "did you mean `pred_conf`?",
            "the columns are id,",
        ]);
    inspect(&["score.scored", "--where", "pred_conf > > 0.5"])
        .expect(2)
        .names(&["  | pred_conf > > 0.5\n  |             ^"]);
    inspect(&["score.scored", "--by", "emotion"])
        .expect(2)
        .names(&["no column `emotion`"]);
}

#[test]
fn a_query_reads_no_other_file() {
    inspect(&[
        "score.scored",
        "--sql",
        "SELECT * FROM read_parquet('raw.parquet')",
    ])
    .expect(2)
    .names(&["reads the table `t` alone"]);
}

#[test]
fn probabilities_are_shown_with_their_labels_and_kept_as_numbers_for_programs() {
    let said = inspect(&["score.scored", "--sql", "SELECT probs FROM t LIMIT 1"]).expect(0);
    let shown = said.out.lines().nth(1).unwrap();
    assert!(
        ["분노", "슬픔", "기쁨"]
            .iter()
            .any(|label| shown.starts_with(label)),
        "{shown}"
    );
    let document = inspect(&["score.scored", "--head", "1", "--json"])
        .expect(0)
        .json();
    assert_eq!(document["rows"][0]["probs"].as_array().unwrap().len(), 3);
}

#[test]
fn what_has_no_value_says_null() {
    let said = inspect(&["pseudo_label.decided", "--where", "kept", "--head", "1"]).expect(0);
    assert!(said.out.contains("null"), "{}", said.out);
}

#[test]
fn a_wide_table_is_cut_to_the_terminal() {
    let output = command(&project().path(""))
        .env("COLUMNS", "70")
        .args(["inspect", "score.scored", "--head", "3"])
        .output()
        .unwrap();
    let said = Said::from(output).expect(0);
    let table = said.out.lines().skip(3).take(4);
    assert!(table.clone().all(|line| line.width() <= 70), "{}", said.out);
    assert!(said.out.contains("more column"), "{}", said.out);
}

#[test]
fn answers_are_whole_for_programs_and_begun_for_people() {
    let lines: String = (0..250).map(|n| format!("{n}\n")).collect();
    project().write("numbers.csv", format!("n\n{lines}"));
    let query = ["numbers.csv", "--sql", "SELECT n FROM t ORDER BY n"];
    let said = inspect(&query).expect(0);
    assert_eq!(said.out.lines().count(), 102);
    assert!(
        said.out
            .ends_with("… more rows; --head N shows more, --csv and --json show all\n")
    );
    let csv = inspect(&[&query[..], &["--csv"]].concat()).expect(0);
    assert_eq!(csv.out.lines().count(), 251);
    let document = inspect(&[&query[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(document["rows"].as_array().unwrap().len(), 250);
    assert_eq!(document["rows"][249]["n"], 249);
    let few = inspect(&[&query[..], &["--head", "3", "--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(few["rows"].as_array().unwrap().len(), 3);
}

#[test]
fn a_table_without_rows_can_be_looked_at() {
    let arguments = ["prepare.raw", "--where", "text = 'nothing'", "--json"];
    let document = inspect(&arguments).expect(0).json();
    assert_eq!(
        (
            document["total_rows"].as_u64(),
            document["rows"].as_array().unwrap().len()
        ),
        (Some(0), 0)
    );
    inspect(&["prepare.raw", "--where", "text = 'nothing'", "--stats"]).expect(0);
    inspect(&["prepare.raw", "--where", "text = 'nothing'", "--by", "source"]).expect(0);
    project().write("empty.parquet", "");
    inspect(&["empty.parquet"]).expect(1).names(&["empty"]);
    project().write("wrong.parquet", "text\n하나\n");
    inspect(&["wrong.parquet"])
        .expect(1)
        .names(&["not a readable parquet file"]);
}
