//! Inputs that are read a piece at a time: the same rows, the same mistakes.

use std::ops::ControlFlow;

use classification::{LabelIds, Prediction, Task};
use dataset::{
    Cell, DatasetError, Normalize, OptionalColumns, Raw, ReadOptions, ScoredWriter, concat_scored,
    count_rows, inspect, read_in_chunks, write_scored,
};
use stage::{ArtifactType, InputItem};

use crate::{Folder, labels, options, raw};

fn read_options(labels: &classification::LabelSet) -> ReadOptions<'_> {
    ReadOptions {
        input_name: "raw",
        ..options(labels)
    }
}

fn count(items: &[InputItem]) -> Result<u64, DatasetError> {
    count_rows(items, &read_options(&labels()))
}

fn chunks(items: &[InputItem], first: u64, size: usize) -> Vec<Raw> {
    let mut chunks = Vec::new();
    let take = &mut |chunk| {
        chunks.push(chunk);
        ControlFlow::Continue(())
    };
    read_in_chunks(items, &read_options(&labels()), first, size, take).unwrap();
    chunks
}

fn csv(rows: usize) -> String {
    format!(
        "text\n{}",
        (0..rows).map(|row| format!("문장 {row}\n")).collect::<String>()
    )
}

/// A file and an artifact of several row groups.
fn two_tables(folder: &Folder) -> [InputItem; 2] {
    let rows = raw(&[folder.file("many.csv", csv(70_000))]).unwrap();
    dataset::write_raw(&folder.path("many.parquet"), &rows).unwrap();
    [
        folder.file("few.csv", csv(10)),
        folder.item("many.parquet", ArtifactType::Raw),
    ]
}

#[test]
fn chunks_hold_the_rows_of_the_whole_table_in_order() {
    let folder = Folder::new();
    let items = two_tables(&folder);
    let whole = dataset::read_every_row(&items, &read_options(&labels())).unwrap();
    assert_eq!(count(&items).unwrap(), 70_010);
    let chunks = chunks(&items, 0, 30_000);
    let sizes: Vec<usize> = chunks.iter().map(Raw::len).collect();
    assert_eq!(sizes, [30_000, 30_000, 10_010]);
    assert!(chunks.iter().flat_map(|chunk| &chunk.ids).eq(&whole.ids));
    assert!(chunks.iter().flat_map(|chunk| &chunk.texts).eq(&whole.texts));
    assert!(chunks.iter().flat_map(|chunk| &chunk.sources).eq(&whole.sources));
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk.notes.normalize == Some(Normalize::Nfc))
    );
}

#[test]
fn rows_keep_their_ids_wherever_the_reading_begins() {
    let folder = Folder::new();
    let items = [folder.file("a.csv", csv(3)), folder.file("b.csv", csv(4))];
    assert_eq!(chunks(&items, 4, 2)[0].ids, ["raw-4", "raw-5"]);
    assert_eq!(chunks(&items, 6, 2)[0].ids, ["raw-6"]);
    assert!(chunks(&items, 7, 2).is_empty());
}

#[test]
fn rows_without_text_are_rows() {
    let folder = Folder::new();
    let items = [folder.file("a.csv", "id,text\na,좋다\nb,\nc,  \n")];
    assert_eq!((count(&items).unwrap(), chunks(&items, 0, 5)[0].len()), (3, 3));
}

#[test]
fn reading_stops_where_it_is_told_to() {
    let folder = Folder::new();
    let mut taken = 0;
    let take = &mut |chunk: Raw| {
        taken += chunk.len();
        ControlFlow::Break(())
    };
    let items = [folder.file("a.csv", csv(9)), folder.file("b.csv", csv(9))];
    read_in_chunks(&items, &read_options(&labels()), 0, 4, take).unwrap();
    assert_eq!(taken, 4);
}

#[test]
fn counting_finds_the_mistakes_that_reading_finds() {
    let folder = Folder::new();
    let tables = [
        ("id,text\na,하나\nb,둘\n,셋\n", "id,text\nz,하나\n"),
        ("id,text\na,하나\nb,둘,\n", "id,text\nz,하나\n"),
        ("id,text\na,하나\nb,둘\n", "id,text\nc,셋\nb,넷\na,다섯\n"),
        ("text\n하나\n둘\n", "id,text\nraw-1,셋\n"),
        ("id,text\n", "id,text\na,하나\n"),
    ];
    for (first, second) in tables {
        let items = [folder.file("a.csv", first), folder.file("b.csv", second)];
        let expected = raw(&items).unwrap_err().to_string();
        assert_eq!(count(&items).unwrap_err().to_string(), expected);
    }
}

#[test]
fn ids_of_artifacts_may_repeat() {
    let folder = Folder::new();
    let rows = raw(&[folder.file("a.csv", csv(3))]).unwrap();
    dataset::write_raw(&folder.path("a.parquet"), &rows).unwrap();
    let artifact = folder.item("a.parquet", ArtifactType::Raw);
    assert_eq!(count(&[artifact.clone(), artifact.clone()]).unwrap(), 6);
    assert!(count(&[folder.item("a.parquet", ArtifactType::File), artifact]).is_ok());
}

#[test]
fn a_parquet_file_is_checked_to_its_last_row() {
    let folder = Folder::new();
    let ids = (0..70_000)
        .map(|row| Some(format!("r{}", row % 69_999)))
        .collect();
    let texts = vec![Some("글".to_owned()); 70_000];
    let columns = vec![
        dataset::Column::Str("id".into(), ids),
        dataset::Column::Str("text".into(), texts),
    ];
    dataset::write_columns(&folder.path("a.parquet"), columns).unwrap();
    let error = count(&[folder.item("a.parquet", ArtifactType::File)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "repeated id `r0`: `a.parquet` row 0 and `a.parquet` row 69999"
    );
}

fn scored(folder: &Folder, name: &str, rows: &Raw, votes: &[Vec<LabelIds>]) -> std::path::PathBuf {
    let decision = |row: usize| Prediction::from_logits(&[row as f32 % 7.0, 1.5, 0.0]).into();
    let labels = labels();
    let confidences: Vec<f32> = (0..rows.len()).map(|row| row as f32 / 1e6).collect();
    let decisions: Vec<_> = (0..rows.len()).map(decision).collect();
    let table = ScoredWriter {
        rows,
        decisions: &decisions,
        labels: &labels,
        task: Task::SingleLabel,
        truth: None,
        optional: OptionalColumns {
            raw_confidence: Some(&confidences),
            disagreement: Some(&confidences),
            votes: Some(votes),
        },
    };
    let path = folder.path(name);
    write_scored(&path, &table).unwrap();
    path
}

#[test]
fn parts_become_one_table() {
    let folder = Folder::new();
    let items = [folder.file("a.csv", csv(70_000))];
    let votes = vec![vec![LabelIds::from(0), vec![1, 2].into(), LabelIds::default()]; 70_000];
    let parts: Vec<_> = chunks(&items, 0, 30_000)
        .iter()
        .enumerate()
        .map(|(at, rows)| scored(&folder, &format!("part-{at}.parquet"), rows, &votes[..rows.len()]))
        .collect();
    assert_eq!(
        concat_scored(&folder.path("all.parquet"), &parts).unwrap(),
        70_000
    );
    concat_scored(&folder.path("again.parquet"), &parts).unwrap();
    let bytes = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(bytes("all.parquet") == bytes("again.parquet"));

    let open = |name: &str| inspect::open(&folder.path(name), name, None).unwrap();
    let (all, last) = (open("all.parquet"), open("part-2.parquet"));
    assert_eq!(all.schema().unwrap(), last.schema().unwrap());
    let names: Vec<String> = all
        .schema()
        .unwrap()
        .into_iter()
        .map(|column| column.name)
        .collect();
    assert_eq!(names[8..], ["raw_conf", "disagreement", "votes"]);
    let rows = all.all().unwrap().rows;
    assert_eq!(rows[60_000..], last.all().unwrap().rows);
    assert_eq!(
        rows[0][10],
        Cell::List(vec!["분노".into(), "불안, 기쁨".into(), "".into()])
    );
    let item = folder.item("all.parquet", ArtifactType::Scored);
    assert_eq!(dataset::stated_normalize(&[item]).unwrap(), Some(Normalize::Nfc));
}

#[test]
fn no_parts_are_no_table() {
    let folder = Folder::new();
    assert!(concat_scored(&folder.path("all.parquet"), &[]).is_err());
}
