//! Reading: what is accepted, what is refused, and in which words.

use classification::Task;
use dataset::{DropReason, LeakGuard, Normalize, ReadOptions};
use stage::{ArtifactType, Failure, FailureKind, Format};

use crate::{Folder, classes, labelled, labels, map, message, options, raw};

const NFD: &str = "\u{1100}\u{1175}\u{1108}\u{1173}\u{11b7}";

#[test]
fn rows_without_ids_are_numbered_over_all_items() {
    let folder = Folder::new();
    let items = [
        folder.file("a.csv", "text,label\n하나,분노\n둘,기쁨\n"),
        folder.file("b.csv", "text,label\n셋,불안\n"),
    ];
    let rows = labelled(&items).unwrap();
    assert_eq!(rows.ids, ["train-0", "train-1", "train-2"]);
    assert_eq!(classes(&rows), [0, 2, 1]);
    assert_eq!(
        rows.sources.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["a.csv", "a.csv", "b.csv"]
    );
}

#[test]
fn own_ids_and_sources_are_kept() {
    let folder = Folder::new();
    let rows = raw(&[folder.file("a.csv", "source,id,text\nweb,x1,하나\n,x2,둘\n")]).unwrap();
    assert_eq!(rows.ids, ["x1", "x2"]);
    assert_eq!(
        rows.sources.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["web", "a.csv"]
    );
}

#[test]
fn all_formats_give_the_same_table() {
    let folder = Folder::new();
    let csv = labelled(&[folder.file("a.csv", "id,text,label\n1,\"하나, 둘\",분노\n2,셋,기쁨\n")]).unwrap();
    let tsv = labelled(&[folder.file("a.tsv", "id\ttext\tlabel\n1\t하나, 둘\t분노\n2\t셋\t기쁨\n")]).unwrap();
    let jsonl = "{\"id\": 1, \"text\": \"하나, 둘\", \"label\": \"분노\"}\n\n{\"id\": \"2\", \"text\": \"셋\", \"label\": \"기쁨\"}\n";
    let jsonl = labelled(&[folder.file("a.jsonl", jsonl)]).unwrap();
    dataset::write_labelled(&folder.path("a.parquet"), &csv, &labels(), Task::SingleLabel).unwrap();
    let parquet = labelled(&[folder.item("a.parquet", ArtifactType::File)]).unwrap();
    for other in [&tsv, &jsonl, &parquet] {
        assert_eq!(
            (&other.ids, &other.texts, &other.labels),
            (&csv.ids, &csv.texts, &csv.labels)
        );
    }
}

#[test]
fn a_format_that_is_given_beats_the_ending() {
    let folder = Folder::new();
    let mut item = folder.file("a.txt", "text\tlabel\n하나\t분노\n");
    assert!(message(labelled(std::slice::from_ref(&item))).contains("format"));
    item.options.format = Some(Format::Tsv);
    assert_eq!(labelled(&[item]).unwrap().texts, ["하나"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let folder = Folder::new();
    assert_eq!(
        labelled(&[folder.file("a.csv", "\u{feff}text,label\n하나,분노\n")])
            .unwrap()
            .texts,
        ["하나"]
    );
    let jsonl = "\u{feff}{\"text\": \"하나\", \"label\": \"분노\"}";
    assert_eq!(
        labelled(&[folder.file("a.jsonl", jsonl)]).unwrap().texts,
        ["하나"]
    );
}

#[test]
fn columns_may_have_other_names() {
    let folder = Folder::new();
    let mut item = folder.file("a.csv", "sentence,emotion\n하나,분노\n");
    item.options.text_column = Some("sentence".into());
    item.options.label_column = Some("emotion".into());
    assert_eq!(labelled(&[item]).unwrap().texts, ["하나"]);
}

#[test]
fn the_names_may_stand_below_a_title() {
    let folder = Folder::new();
    let mut item = folder.file("a.csv", "감정 대화\n\ntext,label\n기뻐요,기쁨\n");
    item.options.header_row = Some(3);
    assert_eq!(labelled(std::slice::from_ref(&item)).unwrap().texts, ["기뻐요"]);
    item.options.header_row = Some(9);
    assert_eq!(
        message(labelled(&[item])),
        "`a.csv`: row 9 is empty, so it cannot name the columns"
    );
}

#[test]
fn names_of_columns_are_compared_in_composed_form_and_without_spaces() {
    let folder = Folder::new();
    let decomposed = "\u{1106}\u{116e}\u{11ab}\u{110c}\u{1161}\u{11bc} ,label\n하나,기쁨\n";
    let mut item = folder.file("a.csv", decomposed);
    item.options.text_column = Some(" 문장".into());
    assert_eq!(labelled(&[item]).unwrap().texts, ["하나"]);
}

#[test]
fn a_missing_text_column_names_the_columns_there_are_and_the_nearest() {
    let folder = Folder::new();
    let error = labelled(&[folder.file("a.csv", "txet,label\n하나,분노\n")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a.csv`: no column `text`; the columns are `txet`, `label`"
    );
    assert!(error.hint().unwrap().contains("`text_column: txet`"));
}

#[test]
fn a_missing_label_column_is_found_in_every_format() {
    let folder = Folder::new();
    assert!(message(labelled(&[folder.file("a.csv", "text\n하나\n")])).contains("no column `label`"));
    assert!(
        message(labelled(&[folder.file("a.jsonl", "{\"text\": \"하나\"}")])).contains("no column `label`")
    );
    let rows = raw(&[folder.file("b.csv", "text\n하나\n")]).unwrap();
    dataset::write_raw(&folder.path("a.parquet"), &rows).unwrap();
    let parquet = labelled(&[folder.item("a.parquet", ArtifactType::File)]);
    assert!(message(parquet).contains("no column `label`; the columns are `id`, `text`, `source`"));
}

#[test]
fn a_column_that_stands_there_twice_is_refused() {
    let folder = Folder::new();
    assert!(
        message(labelled(&[folder.file("a.csv", "text,label,text\na,분노,b\n")]))
            .contains("`text` stands there twice")
    );
}

#[test]
fn an_unknown_label_names_row_line_label_nearest_and_the_way_to_map_it() {
    let folder = Folder::new();
    let error = labelled(&[folder.file("a.csv", "text,label\n\"하\n나\",분노\n둘,기뿜\n")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a.csv`: 1 bad row: row 1 (line 4): unknown label `기뿜`, did you mean `기쁨`?"
    );
    assert!(error.hint().unwrap().contains("`map: {기뿜: 기쁨}`"));
}

#[test]
fn of_many_bad_rows_the_first_five_are_shown_and_all_counted() {
    let folder = Folder::new();
    let error = message(labelled(&[
        folder.file("a.csv", format!("text,label\n{}", "하나,중립\n".repeat(12)))
    ]));
    assert!(error.starts_with("`a.csv`: 12 bad rows:\n  row 0 (line 2): unknown label `중립`"));
    assert_eq!(error.matches("unknown label").count(), 5);
    assert!(error.ends_with("and 7 more"));
}

#[test]
fn lines_are_counted_through_carriage_returns_blank_lines_and_quotes() {
    let folder = Folder::new();
    let csv = "text,label\r\n\r\n\"하\r\n나\",분노\r\n둘,분노\r\n셋,없음";
    assert!(message(labelled(&[folder.file("a.csv", csv)])).contains("row 2 (line 6)"));
    let jsonl = "\n{\"text\": \"하나\", \"label\": \"분노\"}\r\n\n{\"text\": \"둘\", \"label\": \"없음\"}";
    assert!(message(labelled(&[folder.file("a.jsonl", jsonl)])).contains("row 1 (line 4)"));
}

#[test]
fn lines_are_counted_beyond_the_read_buffer() {
    let folder = Folder::new();
    let csv = format!("text,label\n{}하나,없음\n", "하나,분노\n".repeat(100_000));
    assert!(message(labelled(&[folder.file("a.csv", csv)])).contains("row 100000 (line 100002)"));
}

#[test]
fn a_row_with_too_many_fields_is_refused() {
    let folder = Folder::new();
    let error = labelled(&[folder.file("a.csv", "text,label\n하나, 둘,분노\n")]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("row 0 (line 2): 3 fields where the header has 2")
    );
    assert!(error.hint().unwrap().contains("double quotes"));
}

#[test]
fn labels_are_found_by_alias_slug_and_in_decomposed_form() {
    let folder = Folder::new();
    let csv = format!("text,label\na,행복\nb,happy\nc, 기쁨 \nd,{NFD}\n");
    assert_eq!(
        classes(&labelled(&[folder.file("a.csv", csv)]).unwrap()),
        [2, 2, 2, 2]
    );
}

#[test]
fn map_turns_labels_into_others_or_drops_their_rows() {
    let folder = Folder::new();
    let mut item = folder.file("a.csv", "text,label\na,joy\nb,중립\nc,분노\n");
    item.options.map = map(&[("joy", "행복"), ("중립", "drop")]);
    let rows = labelled(&[item]).unwrap();
    assert_eq!(
        (classes(&rows), rows.ids),
        (vec![2, 0], vec!["train-0".to_owned(), "train-2".to_owned()])
    );
    assert_eq!(rows.notes.dropped[0].reason, DropReason::MappedToDrop);
}

#[test]
fn map_must_lead_to_a_label() {
    let folder = Folder::new();
    let mut item = folder.file("a.csv", "text,label\na,joy\n");
    item.options.map = map(&[("joy", "기쁨이")]);
    let error = labelled(&[item]).unwrap_err();
    assert!(error.to_string().contains("`map` turns `joy` into `기쁨이`"));
    assert_eq!(error.hint().unwrap(), "did you mean `기쁨`?");
}

#[test]
fn decomposed_text_equals_composed_text() {
    let folder = Folder::new();
    let rows = labelled(&[folder.file("a.csv", format!("text,label\n{NFD},분노\n기쁨,분노\n"))]).unwrap();
    assert_eq!(rows.texts, ["기쁨", "기쁨"]);
}

#[test]
fn normalize_none_leaves_texts_alone() {
    let folder = Folder::new();
    let labels = labels();
    let items = [folder.file("a.csv", format!("text\n \"{NFD} \n"))];
    let rows = dataset::read_raw(
        &items,
        &ReadOptions {
            normalize: Normalize::None,
            ..options(&labels)
        },
    )
    .unwrap();
    assert_eq!(rows.texts, [format!(" \"{NFD} ")]);
}

#[test]
fn rows_without_text_are_dropped_and_counted() {
    let folder = Folder::new();
    let jsonl = "{\"text\": null, \"label\": \"분노\"}\n{\"text\": \" \", \"label\": \"분노\"}\n{\"text\": \"a\", \"label\": \"분노\"}";
    let rows = labelled(&[folder.file("a.jsonl", jsonl)]).unwrap();
    assert_eq!((rows.ids, rows.notes.rows), (vec!["train-2".to_owned()], 3));
    assert!(
        rows.notes
            .dropped
            .iter()
            .all(|row| row.reason == DropReason::EmptyText)
    );
    let rows = raw(&[folder.file("a.csv", "n,text\n1,\n2,a\n")]).unwrap();
    assert_eq!(
        (rows.ids, rows.notes.dropped.len()),
        (vec!["raw-1".to_owned()], 1)
    );
}

#[test]
fn a_long_text_stays_whole() {
    let folder = Folder::new();
    let text = "가나".repeat(5_000);
    let rows = labelled(&[folder.file("a.csv", format!("text,label\n{text},분노\n"))]).unwrap();
    assert_eq!(rows.texts, [text]);
}

#[test]
fn an_empty_file_and_a_header_alone_are_told_apart() {
    let folder = Folder::new();
    for name in ["a.csv", "a.tsv", "a.jsonl", "a.parquet"] {
        assert_eq!(
            message(labelled(&[folder.file(name, "")])),
            format!("`{name}`: the file is empty")
        );
    }
    assert_eq!(
        message(labelled(&[folder.file("b.csv", "text,label\n")])),
        "`b.csv`: the table has no rows"
    );
}

#[test]
fn bytes_that_are_not_utf8_are_located() {
    let folder = Folder::new();
    let cp949 = [b"text,label\n".as_slice(), b"ok,\xec\x96\x91\n", b"a\xb1\xe2,x\n"].concat();
    let error = raw(&[folder.file("a.csv", cp949)]).unwrap_err();
    assert_eq!(error.to_string(), "`a.csv`: not UTF-8 at line 3, byte 2");
    assert!(error.hint().unwrap().contains("CP949"));
    let error = raw(&[folder.file("a.jsonl", b"{\"text\": \"\xff\"}")]).unwrap_err();
    assert_eq!(error.to_string(), "`a.jsonl`: not UTF-8 at line 1, byte 11");
}

#[test]
fn another_encoding_is_refused_by_name() {
    let folder = Folder::new();
    let mut item = folder.file("a.csv", "text,label\na,분노\n");
    item.options.encoding = Some("latin-1".into());
    assert!(message(labelled(std::slice::from_ref(&item))).contains("unknown encoding `latin-1`"));
    item.options.encoding = Some("UTF-8".into());
    assert!(labelled(&[item]).is_ok());
}

#[test]
fn a_repeated_id_names_both_rows() {
    let folder = Folder::new();
    let items = [
        folder.file("a.csv", "id,text\nx,하나\ny,둘\n"),
        folder.file("b.csv", "id,text\nz,셋\nx,넷\n"),
    ];
    assert_eq!(
        raw(&items).unwrap_err().to_string(),
        "repeated id `x`: `a.csv` row 0 (line 2) and `b.csv` row 1 (line 3)"
    );
}

#[test]
fn artifacts_may_share_ids() {
    let folder = Folder::new();
    let rows = raw(&[folder.file("a.csv", "id,text\nx,하나\n")]).unwrap();
    dataset::write_raw(&folder.path("a.parquet"), &rows).unwrap();
    let item = folder.item("a.parquet", ArtifactType::Raw);
    assert_eq!(raw(&[item.clone(), item]).unwrap().ids, ["x", "x"]);
}

#[test]
fn an_empty_artifact_is_no_mistake_beside_another() {
    let folder = Folder::new();
    let empty = dataset::Labelled::default();
    dataset::write_labelled(&folder.path("kept.parquet"), &empty, &labels(), Task::SingleLabel).unwrap();
    let kept = folder.item("kept.parquet", ArtifactType::Kept);
    let train = folder.file("train.csv", "text,label\n하나,분노\n");
    assert_eq!(labelled(&[kept.clone(), train]).unwrap().ids, ["train-0"]);
    assert_eq!(
        message(labelled(&[kept])),
        "`kept.parquet`: the table has no rows"
    );
    let file = folder.item("kept.parquet", ArtifactType::File);
    assert_eq!(
        message(labelled(&[file])),
        "`kept.parquet`: the table has no rows"
    );
}

#[test]
fn an_empty_id_is_a_bad_row() {
    let folder = Folder::new();
    assert!(
        raw(&[folder.file("a.csv", "id,text\n,하나\n")])
            .unwrap_err()
            .to_string()
            .contains("row 0 (line 2): no id")
    );
}

#[test]
fn a_missing_label_is_a_bad_row() {
    let folder = Folder::new();
    assert!(
        message(labelled(&[folder.file("a.csv", "text,label\n하나,\n")]))
            .contains("row 0 (line 2): no label")
    );
}

#[test]
fn a_line_that_is_no_object_is_a_bad_row() {
    let folder = Folder::new();
    let error =
        message(labelled(&[folder.file(
            "a.jsonl",
            "[1]\n{\"text\": 3, \"label\": \"분노\"}\n{\"text\"\n",
        )]));
    assert!(
        error.contains("row 0 (line 1): not a JSON object: it is a list"),
        "{error}"
    );
    assert!(
        error.contains("row 1 (line 2): `text` is a number, not a string"),
        "{error}"
    );
    assert!(
        error.contains("row 2 (line 3): not a JSON object: EOF while parsing an object at column 7"),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_missing() {
    let folder = Folder::new();
    let error = labelled(&[folder.item("a.csv", ArtifactType::File)]).unwrap_err();
    assert_eq!(Failure::from(error).kind, FailureKind::Missing);
}

#[test]
fn a_truncated_parquet_file_is_refused() {
    let folder = Folder::new();
    let rows = raw(&[folder.file("a.csv", "text\n하나\n")]).unwrap();
    dataset::write_raw(&folder.path("a.parquet"), &rows).unwrap();
    let bytes = std::fs::read(folder.path("a.parquet")).unwrap();
    let error = raw(&[folder.file("b.parquet", &bytes[..bytes.len() / 2])]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`b.parquet`: not a readable parquet file"),
        "{error}"
    );
}

#[test]
fn real_raw_comments_have_no_duplicates_across_splits() {
    let Some(data) = crate::shared("data/six") else {
        return;
    };
    let folder = Folder::new();
    let item = |name: &str| stage::InputItem {
        path: data.join(name),
        ..folder.item(name, ArtifactType::File)
    };
    let labels =
        classification::LabelSet::from_names(["분노", "불안", "슬픔", "평온", "당황", "기쁨"]).unwrap();
    let started = std::time::Instant::now();
    let read = |name| Some(dataset::read_labelled(&[item(name)], &options(&labels)).unwrap());
    let mut splits = dataset::Splits {
        train: read("train.csv"),
        validation: read("validation.csv"),
        golden: read("golden.csv"),
        raw: Some(dataset::read_raw(&[item("raw.parquet")], &options(&labels)).unwrap()),
    };
    crate::leaks::separate(LeakGuard::Near, &mut splits);
    eprintln!("read and compared in {:.1} s", started.elapsed().as_secs_f64());
    let raw = splits.raw.unwrap();
    assert_eq!((raw.len(), raw.notes.dropped.len()), (240_000, 0));
    assert_eq!(splits.train.unwrap().len(), 3_287);
}
