//! Tables whose rows have any number of labels.

use classification::{Decision, LabelIds, Task};
use dataset::{
    Cap, Column, DatasetError, DropReason, Funnel, Labelled, LeakGuard, Normalize, OptionalColumns, Policy,
    ReadOptions, Request, Rule, ScoredWriter, Splits, Teaching, Threshold, inspect,
};
use stage::{ArtifactType, InputItem};

use crate::{Folder, labels, map, options, raw};

fn read(items: &[InputItem]) -> Result<Labelled, DatasetError> {
    let labels = labels();
    let options = ReadOptions {
        task: Task::MultiLabel,
        ..options(&labels)
    };
    dataset::read_labelled(items, &options)
}

fn sets(rows: &Labelled) -> Vec<&[usize]> {
    rows.labels.iter().map(LabelIds::ids).collect()
}

fn message(result: Result<Labelled, DatasetError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn labels_of_a_cell_stand_between_commas() {
    let folder = Folder::new();
    let csv = "text,labels\n하나,\"행복, 분노\"\n둘,\n셋,\"불안,불안\"\n넷,\" 기쁨 ,\"\n";
    let rows = read(&[folder.file("a.csv", csv)]).unwrap();
    assert_eq!(sets(&rows), [&[0, 2][..], &[], &[1], &[2]]);
}

#[test]
fn an_unknown_label_is_named_with_its_row_and_the_nearest() {
    let folder = Folder::new();
    let text = message(read(&[
        folder.file("a.csv", "text,labels\n하나,분노\n둘,\"분노, 기뿜\"\n")
    ]));
    assert!(text.contains("row 1 (line 3)"), "{text}");
    assert!(
        text.contains("unknown label `기뿜`, did you mean `기쁨`?"),
        "{text}"
    );
}

#[test]
fn lists_of_json_may_hold_any_number_of_labels() {
    let folder = Folder::new();
    let jsonl = "{\"text\": \"하나\", \"labels\": [\"행복\", \"분노\"]}\n{\"text\": \"둘\", \"labels\": []}\n{\"text\": \"셋\", \"labels\": null}\n{\"text\": \"넷\", \"labels\": \"불안, 기쁨\"}\n";
    let rows = read(&[folder.file("a.jsonl", jsonl)]).unwrap();
    assert_eq!(sets(&rows), [&[0, 2][..], &[], &[], &[1, 2]]);
}

#[test]
fn columns_of_zero_and_one_stand_in_for_labels() {
    let folder = Folder::new();
    let csv = "text,happy,분노,불안\n하나,1,0,1\n둘,False,0,0\n셋,true,1,\n";
    let rows = read(&[folder.file("a.csv", csv)]).unwrap();
    assert_eq!(sets(&rows), [&[1, 2][..], &[], &[0, 2]]);
}

#[test]
fn fields_of_zero_and_one_stand_in_for_labels() {
    let folder = Folder::new();
    let jsonl = "{\"text\": \"하나\", \"행복\": 1, \"분노\": 0, \"불안\": true}\n";
    let rows = read(&[folder.file("a.jsonl", jsonl)]).unwrap();
    assert_eq!(sets(&rows), [[1, 2]]);
}

#[test]
fn columns_of_zero_and_one_are_read_from_parquet() {
    let folder = Folder::new();
    let columns = vec![
        Column::Str("text".into(), vec![Some("하나".into()), Some("둘".into())]),
        Column::Bool("분노".into(), vec![true, false]),
        Column::F64("불안".into(), vec![1.0, 0.0]),
        Column::I64("기쁨".into(), vec![0, 1]),
    ];
    dataset::write_columns(&folder.path("a.parquet"), columns).unwrap();
    let rows = read(&[folder.item("a.parquet", ArtifactType::File)]).unwrap();
    assert_eq!(sets(&rows), [&[0, 1][..], &[2]]);
}

#[test]
fn a_column_of_something_else_is_refused() {
    let folder = Folder::new();
    let text = message(read(&[folder.file("a.csv", "text,기쁨,분노,불안\n하나,2,0,1\n")]));
    assert!(text.contains("`기쁨` is `2`, neither 0 nor 1"), "{text}");
}

#[test]
fn a_star_asks_for_columns_of_zero_and_one() {
    let folder = Folder::new();
    let item = |csv: &str| {
        let mut item = folder.file("a.csv", csv);
        item.options.label_column = Some("*".into());
        item
    };
    let rows = read(&[item("text,labels,기쁨,분노,불안\n하나,분노,1,0,0\n")]).unwrap();
    assert_eq!(sets(&rows), [[2]]);
    let text = message(read(&[item("text,기쁨,분노\n하나,1,0\n")]));
    assert!(text.contains("no column `불안`"), "{text}");
}

#[test]
fn without_any_labels_the_column_that_is_missing_is_named() {
    let folder = Folder::new();
    let text = message(read(&[folder.file("a.csv", "text,기쁨\n하나,1\n")]));
    assert!(text.contains("no column `labels`"), "{text}");
}

#[test]
fn map_applies_to_each_label() {
    let folder = Folder::new();
    let mut item = folder.file("a.csv", "text,labels\n하나,\"joy, neutral\"\n둘,neutral\n");
    item.options.map = map(&[("joy", "기쁨"), ("neutral", "drop")]);
    assert_eq!(sets(&read(&[item]).unwrap()), [&[2][..], &[]]);
}

#[test]
fn written_tables_come_back() {
    let folder = Folder::new();
    let rows = read(&[folder.file("a.csv", "text,labels\n하나,\"행복, 분노\"\n둘,\n")]).unwrap();
    dataset::write_labelled(&folder.path("a.parquet"), &rows, &labels(), Task::MultiLabel).unwrap();
    let schema = inspect::open(&folder.path("a.parquet"), "a", None)
        .unwrap()
        .schema()
        .unwrap();
    assert_eq!(
        (schema[2].name.as_str(), schema[2].dtype.as_str()),
        ("labels", "list<string>")
    );
    let back = read(&[folder.item("a.parquet", ArtifactType::Labelled)]).unwrap();
    assert_eq!((back.labels, back.ids), (rows.labels, rows.ids));
}

#[test]
fn equal_texts_with_other_labels_all_go() {
    let folder = Folder::new();
    let csv = "text,labels\n하나,\"분노,기쁨\"\n하나!,\"기쁨, 분노\"\n둘,분노\n둘,\"분노,기쁨\"\n";
    let mut splits = Splits {
        train: Some(read(&[folder.file("a.csv", csv)]).unwrap()),
        ..Splits::default()
    };
    crate::leaks::separate(LeakGuard::Near, &mut splits);
    let train = splits.train.unwrap();
    assert_eq!(train.ids, ["train-0"]);
    let reasons: Vec<DropReason> = train.notes.dropped.iter().map(|row| row.reason).collect();
    assert_eq!(
        reasons,
        [
            DropReason::Duplicate,
            DropReason::ConflictingLabels,
            DropReason::ConflictingLabels
        ]
    );
}

#[test]
fn tables_say_how_their_texts_were_normalised() {
    let folder = Folder::new();
    let labels = labels();
    let read = ReadOptions {
        normalize: Normalize::Kcelectra,
        ..options(&labels)
    };
    let rows = dataset::read_raw(&[folder.file("a.csv", "text\n하나\n")], &read).unwrap();
    dataset::write_raw(&folder.path("a.parquet"), &rows).unwrap();
    let item = |artifact_type| [folder.item("a.parquet", artifact_type)];
    let stated = |artifact_type| dataset::stated_normalize(&item(artifact_type)).unwrap();
    assert_eq!(stated(ArtifactType::Raw), Some(Normalize::Kcelectra));
    assert_eq!(stated(ArtifactType::File), None);
}

/// Scores `rows` of probabilities; the thresholds of all labels are 0.5.
fn write_scored(folder: &Folder, rows: &[[f32; 3]]) -> std::path::PathBuf {
    let path = folder.path("scored.parquet");
    let csv: String = (0..rows.len()).map(|row| format!("문장 {row}\n")).collect();
    let table = raw(&[folder.file("raw.csv", format!("text\n{csv}"))]).unwrap();
    let decisions: Vec<Decision> = rows
        .iter()
        .map(|row| Decision::from_probabilities(row.to_vec(), &[0.5; 3]))
        .collect();
    let scored = ScoredWriter {
        rows: &table,
        decisions: &decisions,
        labels: &labels(),
        task: Task::MultiLabel,
        truth: None,
        optional: OptionalColumns::default(),
    };
    dataset::write_scored(&path, &scored).unwrap();
    path
}

/// Selects, and reads what is kept with its soft labels.
fn select(
    folder: &Folder,
    rows: &[[f32; 3]],
    max_per_class: Option<u64>,
) -> (dataset::Rows<dataset::Target>, Funnel) {
    let threshold = Threshold {
        min_confidence: 0.75,
        min_margin: 0.2,
    };
    let policy = Policy {
        rule: Rule::Fixed,
        classes: vec![threshold; 3],
        max_disagreement: None,
        cap: max_per_class.map(Cap::MaxPerClass),
        balance: None,
        teaching: Teaching::Soft,
    };
    write_scored(folder, rows);
    let (scored, labels) = (folder.item("scored.parquet", ArtifactType::Scored), labels());
    let selection = dataset::select(&Request {
        scored: &scored,
        validation: None,
        overrides: None,
        policy: &policy,
        labels: &labels,
        task: Task::MultiLabel,
    })
    .unwrap();
    selection.write_kept(&folder.path("kept.parquet")).unwrap();
    selection.write_decided(&folder.path("decided.parquet")).unwrap();
    let decided = inspect::open(&folder.path("decided.parquet"), "decided", None).unwrap();
    assert_eq!(decided.rows().unwrap(), rows.len() as u64);
    let options = ReadOptions {
        task: Task::MultiLabel,
        ..options(&labels)
    };
    let kept = [folder.item("kept.parquet", ArtifactType::Kept)];
    (
        dataset::read_targets(&kept, &options).unwrap(),
        selection.funnel.clone(),
    )
}

#[test]
fn a_row_is_kept_if_every_label_is_decided() {
    let folder = Folder::new();
    let rows = [
        [0.875, 0.125, 0.875],
        [0.875, 0.625, 0.125],
        [0.125, 0.125, 0.125],
    ];
    let (kept, funnel) = select(&folder, &rows, None);
    let soft: Vec<&[f32]> = kept
        .labels
        .iter()
        .map(|target| target.soft.as_deref().unwrap())
        .collect();
    assert_eq!(soft, [rows[0], rows[2]]);
    assert_eq!(sets(&kept.into_labelled()), [&[0, 2][..], &[]]);
    assert_eq!(funnel.drops["confidence"], 1);
    let joy = &funnel.classes[2].1;
    assert_eq!((joy.candidates, joy.kept), (1, 1));
}

#[test]
fn a_row_needs_room_in_each_of_its_classes() {
    let folder = Folder::new();
    let rows = [[0.8, 0.125, 0.8], [0.125, 0.125, 0.875], [0.875, 0.125, 0.125]];
    let (kept, funnel) = select(&folder, &rows, Some(1));
    assert_eq!(sets(&kept.into_labelled()), [[2], [0]]);
    assert_eq!(funnel.drops["class_cap"], 1);
}
