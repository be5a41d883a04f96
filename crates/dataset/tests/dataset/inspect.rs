//! Inspection: head, conditions, SQL, counts, statistics, and mistakes in words.

use dataset::inspect::{self, Inspector};
use dataset::{Cell, Column, Table};

use crate::Folder;

fn open(folder: &Folder) -> Inspector {
    let path = folder.path("t.parquet");
    let strings =
        |name: &str, values: [&str; 4]| Column::Str(name.into(), values.map(|v| Some(v.into())).into());
    let columns = vec![
        strings("text", ["하나", "둘둘", "셋", "넷넷넷"]),
        strings("pred_emotion", ["기쁨", "분노", "기쁨", "불안"]),
        Column::F32("pred_conf".into(), vec![0.5, 0.9, 0.7, 0.1]),
    ];
    dataset::write_columns(&path, columns).unwrap();
    inspect::open(&path, "t.parquet", None).unwrap()
}

fn lines(table: &Table) -> Vec<String> {
    table
        .rows
        .iter()
        .map(|row| row.iter().map(Cell::display).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn rows_and_schema_are_known_without_reading() {
    let folder = Folder::new();
    let opened = open(&folder);
    assert_eq!(opened.rows().unwrap(), 4);
    let schema = opened.schema().unwrap();
    assert_eq!(
        schema
            .iter()
            .map(|column| column.dtype.as_str())
            .collect::<Vec<_>>(),
        ["string", "string", "f32"]
    );
}

#[test]
fn head_gives_the_first_rows() {
    let folder = Folder::new();
    assert_eq!(
        lines(&open(&folder).head(2).unwrap()),
        ["하나 기쁨 0.5000", "둘둘 분노 0.9000"]
    );
}

#[test]
fn a_condition_filters() {
    let folder = Folder::new();
    let found = open(&folder)
        .filter("pred_conf >= 0.5 AND pred_emotion = '기쁨'")
        .unwrap();
    assert_eq!(found.rows().unwrap(), 2);
    assert_eq!(
        lines(&found.all().unwrap()),
        ["하나 기쁨 0.5000", "셋 기쁨 0.7000"]
    );
}

#[test]
fn sql_answers_over_table_t() {
    let folder = Folder::new();
    let query =
        "SELECT pred_emotion, COUNT(*) AS n FROM t GROUP BY pred_emotion ORDER BY n DESC, pred_emotion";
    assert_eq!(
        lines(&open(&folder).sql(query).unwrap().all().unwrap()),
        ["기쁨 2", "분노 1", "불안 1"]
    );
}

#[test]
fn counts_come_with_shares_and_mean_confidence() {
    let folder = Folder::new();
    let table = open(&folder).by("pred_emotion").unwrap();
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["pred_emotion", "rows", "share", "mean_pred_conf"]);
    assert_eq!(
        lines(&table),
        [
            "기쁨 2 0.5000 0.6000",
            "분노 1 0.2500 0.9000",
            "불안 1 0.2500 0.1000"
        ]
    );
}

#[test]
fn statistics_have_a_line_per_column() {
    let folder = Folder::new();
    let table = open(&folder).stats().unwrap();
    assert_eq!(
        lines(&table),
        [
            "text string 0 4    [1, 2, 2, 2, 3, 3] [넷넷넷 (1), 둘둘 (1), 셋 (1), 하나 (1)]",
            "pred_emotion string 0 3    [2, 2, 2, 2, 2, 2] [기쁨 (2), 분노 (1), 불안 (1)]",
            "pred_conf f32 0 4 0.1000 0.9000 0.5500  ",
        ]
    );
}

#[test]
fn an_unknown_column_is_named_with_the_nearest() {
    let folder = Folder::new();
    let opened = open(&folder);
    for error in [
        opened.filter("pred_cnf > 0.5").err().unwrap(),
        opened.sql("SELECT pred_cnf FROM t").err().unwrap(),
        opened.by("pred_cnf").err().unwrap(),
    ] {
        assert_eq!(error.to_string(), "no column `pred_cnf`");
        assert_eq!(error.hint().unwrap(), "did you mean `pred_conf`?");
    }
}

#[test]
fn a_mistake_in_a_query_is_told_in_a_line() {
    let folder = Folder::new();
    let opened = open(&folder);
    let sql = |query: &str| opened.sql(query).err().unwrap();
    assert!(
        sql("SELEC * FROM t")
            .to_string()
            .contains("found: SELEC at Line: 1, Column: 1")
    );
    assert_eq!(
        sql("SELECT * FROM other").hint().unwrap(),
        "the table is called `t`"
    );
    assert_eq!(
        sql("SELECT foo(text) FROM t").to_string(),
        "unsupported function 'foo'"
    );
    assert_eq!(
        opened.filter("pred_conf >").err().unwrap().to_string(),
        "not a condition: `pred_conf >`"
    );
    let double_quotes = opened.filter("pred_emotion = \"기쁨\"").err().unwrap();
    assert!(double_quotes.hint().unwrap().contains("single quotes"));
}

#[test]
fn a_condition_that_is_no_condition_is_refused() {
    let folder = Folder::new();
    let found = open(&folder).filter("pred_conf");
    assert!(found.and_then(|found| found.all()).is_err());
}

#[test]
fn text_files_are_tables_with_all_their_columns() {
    let folder = Folder::new();
    folder.file("a.csv", "code,n,x,text\n007,1,0.5,하나\n010,,1.5,둘\n");
    let opened = inspect::open(&folder.path("a.csv"), "a.csv", None).unwrap();
    let types: Vec<String> = opened
        .schema()
        .unwrap()
        .into_iter()
        .map(|column| column.dtype)
        .collect();
    assert_eq!(types, ["string", "i64", "f64", "string"]);
    assert_eq!(
        lines(&opened.all().unwrap()),
        ["007 1 0.5000 하나", "010  1.5000 둘"]
    );
    folder.file("a.jsonl", "{\"a\": 1, \"b\": true}\n{\"a\": 2.5, \"c\": [1]}\n");
    let opened = inspect::open(&folder.path("a.jsonl"), "a.jsonl", None).unwrap();
    assert_eq!(lines(&opened.all().unwrap()), ["1.0000 true ", "2.5000  [1]"]);
}
