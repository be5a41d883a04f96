//! Writing: the contract's columns, the same bytes for the same rows.

use classification::{Prediction, Task};
use dataset::{Column, OptionalColumns, ScoredWriter, inspect, write_scored};

use crate::{Folder, labelled, labels, raw};

fn types(folder: &Folder, name: &str) -> Vec<String> {
    let schema = inspect::open(&folder.path(name), name, None)
        .unwrap()
        .schema()
        .unwrap();
    schema
        .iter()
        .map(|column| format!("{} {}", column.name, column.dtype))
        .collect()
}

#[test]
fn labelled_and_raw_tables_have_the_contract_s_columns() {
    let folder = Folder::new();
    let rows = labelled(&[folder.file("a.csv", "text,label\n하나,분노\n")]).unwrap();
    dataset::write_labelled(&folder.path("l.parquet"), &rows, &labels(), Task::SingleLabel).unwrap();
    assert_eq!(
        types(&folder, "l.parquet"),
        ["id string", "text string", "label string", "source string"]
    );
    let rows = raw(&[folder.file("b.csv", "text\n하나\n")]).unwrap();
    dataset::write_raw(&folder.path("r.parquet"), &rows).unwrap();
    assert_eq!(
        types(&folder, "r.parquet"),
        ["id string", "text string", "source string"]
    );
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let folder = Folder::new();
    let text = (0..70_000).map(|row| format!("문장 {row}\n")).collect::<String>();
    let rows = raw(&[folder.file("a.csv", format!("text\n{text}"))]).unwrap();
    let bytes = |name: &str| {
        dataset::write_raw(&folder.path(name), &rows).unwrap();
        std::fs::read(folder.path(name)).unwrap()
    };
    assert_eq!(bytes("a.parquet"), bytes("b.parquet"));
}

#[test]
fn a_table_of_several_row_groups_comes_back_in_order() {
    let folder = Folder::new();
    let text = (0..70_000).map(|row| format!("문장 {row}\n")).collect::<String>();
    let rows = raw(&[folder.file("a.csv", format!("text\n{text}"))]).unwrap();
    dataset::write_raw(&folder.path("a.parquet"), &rows).unwrap();
    let back = raw(&[folder.item("a.parquet", stage::ArtifactType::Raw)]).unwrap();
    assert_eq!((back.ids, back.texts), (rows.ids, rows.texts));
}

#[test]
fn scored_tables_have_the_contract_s_columns() {
    let folder = Folder::new();
    let rows = raw(&[folder.file("a.csv", "text\n하나\n둘\n")]).unwrap();
    let decisions = [
        Prediction::from_logits(&[2.0, 0.0, 1.0]).into(),
        Prediction::from_logits(&[0.0, 0.0, 0.5]).into(),
    ];
    let labels = labels();
    let scored = ScoredWriter {
        rows: &rows,
        decisions: &decisions,
        labels: &labels,
        task: Task::SingleLabel,
        truth: Some(&[1.into(), 2.into()]),
        optional: OptionalColumns::default(),
    };
    write_scored(&folder.path("s.parquet"), &scored).unwrap();
    assert_eq!(
        types(&folder, "s.parquet"),
        [
            "id string",
            "text string",
            "source string",
            "pred_emotion string",
            "pred_conf f32",
            "pred_margin f32",
            "pred_second string",
            "probs list<f32>",
            "label string"
        ]
    );
    let table = inspect::open(&folder.path("s.parquet"), "s", None)
        .unwrap()
        .all()
        .unwrap();
    let row: Vec<String> = table.rows[0].iter().map(dataset::Cell::display).collect();
    assert_eq!(
        row[3..],
        [
            "분노",
            "0.6652",
            "0.4205",
            "기쁨",
            "[0.6652, 0.0900, 0.2447]",
            "불안"
        ]
    );
}

#[test]
fn predictions_must_be_as_many_as_rows() {
    let folder = Folder::new();
    let rows = raw(&[folder.file("a.csv", "text\n하나\n")]).unwrap();
    let labels = labels();
    let scored = ScoredWriter {
        rows: &rows,
        decisions: &[],
        labels: &labels,
        task: Task::SingleLabel,
        truth: None,
        optional: OptionalColumns::default(),
    };
    assert!(write_scored(&folder.path("s.parquet"), &scored).is_err());
}

#[test]
fn any_columns_can_be_written() {
    let folder = Folder::new();
    let columns = vec![
        Column::Str("s".into(), vec![Some("a".into()), None]),
        Column::F32("f".into(), vec![0.1, 0.2]),
        Column::F64("d".into(), vec![0.1, 0.2]),
        Column::Bool("b".into(), vec![true, false]),
        Column::U64("u".into(), vec![1, 2]),
        Column::I64("i".into(), vec![-1, 2]),
        Column::ListF32("lf".into(), vec![vec![0.5], vec![]]),
        Column::ListStr("ls".into(), vec![vec!["a".into(), "b".into()], vec![]]),
    ];
    dataset::write_columns(&folder.path("c.parquet"), columns).unwrap();
    let table = inspect::open(&folder.path("c.parquet"), "c", None)
        .unwrap()
        .all()
        .unwrap();
    let rows: Vec<String> = table
        .rows
        .iter()
        .map(|row| {
            serde_json::to_string(&row.iter().map(dataset::Cell::to_json).collect::<Vec<_>>()).unwrap()
        })
        .collect();
    assert_eq!(
        rows,
        [
            r#"["a",0.1,0.1,true,1,-1,[0.5],["a","b"]]"#,
            r#"[null,0.2,0.2,false,2,2,[],[]]"#
        ]
    );
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let folder = Folder::new();
    let columns = vec![Column::U64("a".into(), vec![1]), Column::U64("b".into(), vec![])];
    assert!(dataset::write_columns(&folder.path("c.parquet"), columns).is_err());
}
