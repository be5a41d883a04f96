//! What texts are to teach: labels, and probabilities where a table has them.

use dataset::{Column, DatasetError, Rows, Target};
use stage::{ArtifactType, InputItem};

use crate::{Folder, labels, options};

fn texts(name: &str, values: &[&str]) -> Column {
    Column::Str(
        name.into(),
        values.iter().map(|value| Some((*value).to_owned())).collect(),
    )
}

/// Pseudo-labelled rows; the second has no text.
fn kept(folder: &Folder, soft: Vec<Vec<f32>>) -> InputItem {
    let columns = vec![
        texts("id", &["a", "b", "c"]),
        texts("text", &["하나", " ", "셋"]),
        texts("label", &["기쁨", "분노", "불안"]),
        Column::ListF32("soft_label".into(), soft),
    ];
    dataset::write_columns(&folder.path("kept.parquet"), columns).unwrap();
    folder.item("kept.parquet", ArtifactType::Kept)
}

fn read(items: &[InputItem]) -> Result<Rows<Target>, DatasetError> {
    let labels = labels();
    dataset::read_targets(items, &options(&labels))
}

#[test]
fn soft_labels_stay_with_their_rows_whatever_is_left_out() {
    let folder = Folder::new();
    let soft = vec![
        vec![0.25, 0.25, 0.5],
        vec![1.0, 0.0, 0.0],
        vec![0.125, 0.75, 0.125],
    ];
    let items = [
        folder.file("train.csv", "id,text,label\nx,넷,분노\n"),
        kept(&folder, soft.clone()),
    ];
    let rows = read(&items).unwrap();
    assert_eq!(rows.ids, ["x", "a", "c"]);
    let found: Vec<Option<Vec<f32>>> = rows.labels.iter().map(|target| target.soft.clone()).collect();
    assert_eq!(found, [None, Some(soft[0].clone()), Some(soft[2].clone())]);
    let labels = rows.into_labelled().labels;
    assert_eq!(labels, [0.into(), 2.into(), 1.into()]);
}

#[test]
fn soft_labels_that_are_no_probabilities_of_the_labels_are_refused() {
    let folder = Folder::new();
    let uniform = || vec![0.25, 0.25, 0.5];
    let error = |wrong: Vec<f32>| {
        let item = kept(&folder, vec![uniform(), uniform(), wrong]);
        read(&[item]).err().unwrap().to_string()
    };
    let short = error(vec![0.5, 0.5]);
    assert!(
        short.contains("row 2: `soft_label` is [0.5, 0.5], not 3 numbers"),
        "{short}"
    );
    let sum = error(vec![0.5, 0.5, 0.5]);
    assert!(
        sum.contains("row 2") && sum.contains("whose sum is 1.5000, not 1"),
        "{sum}"
    );
    let negative = error(vec![-0.5, 0.5, 1.0]);
    assert!(
        negative.contains("not probabilities between 0 and 1"),
        "{negative}"
    );
}
