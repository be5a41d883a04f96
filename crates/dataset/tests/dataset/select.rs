//! Selection: thresholds as 32-bit floats, inclusive; the cap; the files.

use classification::Task;
use dataset::{Cell, Column, DatasetError, Selection, Threshold, Thresholds, inspect};

use crate::{Folder, labels};

/// A scored table of (label, confidence, margin).
fn scored(folder: &Folder, rows: &[(&str, f32, f32)]) -> std::path::PathBuf {
    let path = folder.path("scored.parquet");
    let strings = |name: &str, value: &dyn Fn(usize) -> String| {
        Column::Str(
            name.to_owned(),
            (0..rows.len()).map(|row| Some(value(row))).collect(),
        )
    };
    let columns = vec![
        strings("id", &|row| format!("raw-{row}")),
        strings("text", &|row| format!("문장 {row}")),
        strings("source", &|_| "test".into()),
        strings("pred_emotion", &|row| rows[row].0.to_owned()),
        Column::F32("pred_conf".into(), rows.iter().map(|row| row.1).collect()),
        Column::F32("pred_margin".into(), rows.iter().map(|row| row.2).collect()),
        strings("pred_second", &|_| "불안".into()),
        Column::ListF32("probs".into(), rows.iter().map(|row| vec![row.1]).collect()),
    ];
    dataset::write_columns(&path, columns).unwrap();
    path
}

fn thresholds(min_confidence: f32, min_margin: f32, max_per_class: Option<u64>) -> Thresholds {
    Thresholds {
        classes: vec![
            Threshold {
                min_confidence,
                min_margin
            };
            3
        ],
        max_per_class,
    }
}

fn select(
    folder: &Folder,
    rows: &[(&str, f32, f32)],
    thresholds: &Thresholds,
) -> Result<Selection, DatasetError> {
    dataset::select(
        &scored(folder, rows),
        "scored",
        thresholds,
        &labels(),
        Task::SingleLabel,
    )
}

fn kept_ids(folder: &Folder, selection: &Selection) -> Vec<String> {
    let path = folder.path("kept.parquet");
    selection.write_kept(&path).unwrap();
    let table = inspect::open(&path, "kept", None).unwrap().all().unwrap();
    table.rows.iter().map(|row| row[0].display()).collect()
}

#[test]
fn thresholds_are_inclusive_in_32_bits() {
    let folder = Folder::new();
    let rows = [
        ("분노", 0.9, 0.2),
        ("분노", 0.9_f32.next_down(), 0.2),
        ("분노", 0.9, 0.2_f32.next_down()),
    ];
    let selection = select(&folder, &rows, &thresholds(0.9, 0.2, None)).unwrap();
    assert_eq!(kept_ids(&folder, &selection), ["raw-0"]);
}

#[test]
fn the_first_reason_counts() {
    let folder = Folder::new();
    let rows = [
        ("분노", 0.1, 0.0),
        ("분노", 0.9, 0.0),
        ("분노", 0.8, 0.5),
        ("분노", 0.9, 0.5),
    ];
    let selection = select(&folder, &rows, &thresholds(0.75, 0.2, Some(1))).unwrap();
    let path = folder.path("decided.parquet");
    selection.write_decided(&path).unwrap();
    let table = inspect::open(&path, "decided", None).unwrap().all().unwrap();
    let rows: Vec<String> = table
        .rows
        .iter()
        .map(|row| row.iter().map(Cell::display).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        [
            "raw-0 false confidence",
            "raw-1 false margin",
            "raw-2 false class_cap",
            "raw-3 true "
        ]
    );
}

#[test]
fn the_cap_takes_the_most_confident_and_of_equals_the_first() {
    let folder = Folder::new();
    let rows = [
        ("분노", 0.8, 0.5),
        ("분노", 0.9, 0.5),
        ("기쁨", 0.8, 0.5),
        ("분노", 0.8, 0.5),
        ("분노", 0.95, 0.5),
    ];
    let selection = select(&folder, &rows, &thresholds(0.5, 0.0, Some(3))).unwrap();
    assert_eq!(
        kept_ids(&folder, &selection),
        ["raw-0", "raw-1", "raw-2", "raw-4"]
    );
}

#[test]
fn a_class_may_have_thresholds_of_its_own() {
    let folder = Folder::new();
    let mut thresholds = thresholds(0.75, 0.2, None);
    thresholds.classes[2].min_confidence = 0.5;
    let selection = select(&folder, &[("분노", 0.6, 0.5), ("기쁨", 0.6, 0.5)], &thresholds).unwrap();
    assert_eq!(kept_ids(&folder, &selection), ["raw-1"]);
}

#[test]
fn kept_rows_have_the_predicted_label_in_the_last_column() {
    let folder = Folder::new();
    let selection = select(&folder, &[("기쁨", 0.9, 0.5)], &thresholds(0.75, 0.2, None)).unwrap();
    let path = folder.path("kept.parquet");
    selection.write_kept(&path).unwrap();
    let table = inspect::open(&path, "kept", None).unwrap().all().unwrap();
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "id",
            "text",
            "source",
            "pred_emotion",
            "pred_conf",
            "pred_margin",
            "pred_second",
            "probs",
            "label"
        ]
    );
    assert_eq!(table.rows[0][8], Cell::Text("기쁨".into()));
}

#[test]
fn an_empty_selection_is_a_table_without_rows() {
    let folder = Folder::new();
    let selection = select(&folder, &[("기쁨", 0.1, 0.0)], &thresholds(0.75, 0.2, None)).unwrap();
    assert!(kept_ids(&folder, &selection).is_empty());
    assert_eq!(selection.funnel.kept, 0);
}

#[test]
fn the_funnel_adds_up() {
    let folder = Folder::new();
    let rows = [("분노", 0.1, 0.0), ("분노", 0.9, 0.0), ("기쁨", 0.9, 0.5)];
    let funnel = select(&folder, &rows, &thresholds(0.75, 0.2, None))
        .unwrap()
        .funnel;
    let json = serde_json::to_string(&funnel).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"rows":3,"kept":1,"drops":{"class_cap":0,"confidence":1,"margin":1},"classes":{"#,
            r#""분노":{"candidates":2,"kept":0,"drops":{"class_cap":0,"confidence":1,"margin":1}},"#,
            r#""불안":{"candidates":0,"kept":0,"drops":{"class_cap":0,"confidence":0,"margin":0}},"#,
            r#""기쁨":{"candidates":1,"kept":1,"drops":{"class_cap":0,"confidence":0,"margin":0}}}}"#
        )
    );
}

#[test]
fn a_confidence_that_is_not_a_number_is_refused() {
    let folder = Folder::new();
    let error = select(
        &folder,
        &[("분노", 0.9, 0.5), ("분노", f32::NAN, 0.5)],
        &thresholds(0.75, 0.2, None),
    );
    assert_eq!(
        error.err().unwrap().to_string(),
        "`scored`: row 1: `pred_conf` is NaN"
    );
}

#[test]
fn a_label_of_another_pipeline_is_refused() {
    let folder = Folder::new();
    let error = select(&folder, &[("joy", 0.9, 0.5)], &thresholds(0.75, 0.2, None));
    assert!(
        error
            .err()
            .unwrap()
            .to_string()
            .contains("`joy` is no label of this pipeline")
    );
}

#[test]
fn a_table_without_predictions_is_refused() {
    let folder = Folder::new();
    let path = folder.path("raw.parquet");
    dataset::write_columns(&path, vec![Column::Str("id".into(), vec![Some("a".into())])]).unwrap();
    let error = dataset::select(
        &path,
        "raw",
        &thresholds(0.75, 0.2, None),
        &labels(),
        Task::SingleLabel,
    );
    assert!(
        error
            .err()
            .unwrap()
            .to_string()
            .contains("no column `text`; the columns are `id`")
    );
}

#[test]
fn validation_says_how_right_the_selection_would_be() {
    let folder = Folder::new();
    let path = folder.path("v.parquet");
    let strings =
        |name: &str, values: [&str; 3]| Column::Str(name.into(), values.map(|v| Some(v.into())).into());
    let columns = vec![
        strings("pred_emotion", ["분노", "기쁨", "기쁨"]),
        Column::F32("pred_conf".into(), vec![0.9, 0.9, 0.1]),
        Column::F32("pred_margin".into(), vec![0.9, 0.9, 0.1]),
        strings("label", ["분노", "분노", "기쁨"]),
    ];
    dataset::write_columns(&path, columns).unwrap();
    let found = dataset::validation_funnel(
        &path,
        "v",
        &thresholds(0.75, 0.2, None),
        &labels(),
        Task::SingleLabel,
    )
    .unwrap();
    assert_eq!(
        (found.rows, found.kept, found.correct, found.precision),
        (3, 2, 1, Some(0.5))
    );
}
