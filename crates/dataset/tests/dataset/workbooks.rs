//! Workbooks: sheets, the row with the names, cells, and what can be wrong with them. The files are made by
//! `fixtures/make_workbooks.py`.

use std::path::Path;

use dataset::inspect;
use stage::{ArtifactType, Format, InputItem, Sheet, SourceOptions};

use crate::{Folder, classes, labelled, message, raw};

fn workbook(name: &str, sheet: &str, header_row: u64) -> InputItem {
    InputItem {
        path: Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
        name: name.to_owned(),
        artifact_type: ArtifactType::File,
        options: SourceOptions {
            sheet: Some(Sheet::Name(sheet.to_owned())),
            header_row: Some(header_row),
            ..SourceOptions::default()
        },
    }
}

fn dialogue(name: &str) -> InputItem {
    let mut item = workbook(name, "대화", 2);
    item.options.text_column = Some("발화".to_owned());
    item.options.label_column = Some("감정".to_owned());
    item
}

#[test]
fn both_kinds_of_workbook_give_the_same_table() {
    for name in ["emotions.xlsx", "emotions.xls"] {
        let table = labelled(&[dialogue(name)]).unwrap();
        assert_eq!(
            table.texts,
            ["오늘 정말 기뻐", "그건 좀 불안한데", "왜 그렇게 화를 내"]
        );
        assert_eq!(classes(&table), [2, 1, 0], "{name}");
    }
}

#[test]
fn the_first_sheet_with_cells_is_read_if_none_is_named() {
    let mut item = dialogue("emotions.xlsx");
    item.options.sheet = None;
    assert_eq!(labelled(&[item]).unwrap().len(), 3);
}

#[test]
fn a_sheet_may_be_named_by_number() {
    let mut item = dialogue("emotions.xlsx");
    item.options.sheet = Some(Sheet::Number(1));
    assert_eq!(labelled(std::slice::from_ref(&item)).unwrap().len(), 3);
    item.options.sheet = Some(Sheet::Number(9));
    assert_eq!(
        message(labelled(&[item])),
        "`emotions.xlsx`: no sheet 9; the sheets are `대화`, `값`, `병합`, `오류`, `2024`"
    );
}

#[test]
fn a_number_that_is_too_high_may_be_a_name() {
    let mut item = dialogue("emotions.xlsx");
    item.options.sheet = Some(Sheet::Number(2024));
    assert!(message(labelled(&[item])).contains("row 2 of sheet `2024`"));
}

#[test]
fn an_unknown_sheet_names_those_there_are() {
    assert_eq!(
        message(labelled(&[workbook("emotions.xls", "대회", 1)])),
        "`emotions.xls`: no sheet `대회`; the sheets are `대화`"
    );
}

#[test]
fn values_become_text_as_a_person_reads_it() {
    let table = raw(&[workbook("emotions.xlsx", "값", 1)]).unwrap();
    assert_eq!(table.ids, ["1", "둘", "3"]);
    assert_eq!(table.texts, ["문장 하나", "2024", "2024-01-31 12:30:00"]);
}

#[test]
fn an_empty_cell_is_no_text() {
    let table = raw(&[workbook("emotions.xlsx", "값", 1)]).unwrap();
    assert_eq!((table.notes.rows, table.notes.dropped.len()), (4, 1));
    assert_eq!(table.notes.dropped[0].id, "4");
}

#[test]
fn names_in_a_lower_row_are_found_for_the_hint() {
    let mut item = dialogue("emotions.xlsx");
    item.options.header_row = None;
    let error = labelled(&[item]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`emotions.xlsx`: no column `발화` in row 1 of sheet `대화`; the columns are `연속적 대화`"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("`발화` stands in row 2: give `header_row: 2`")
    );
}

#[test]
fn a_column_that_no_row_names_points_to_the_other_sheets() {
    let error = raw(&[workbook("emotions.xlsx", "대화", 2)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`emotions.xlsx`: no column `text` in row 2 of sheet `대화`; the columns are `대화 번호`, `발화`, `감정`"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some(
            "name the column that takes its place, `text_column: COLUMN`, or give another `sheet`: `값`, `병합`, `오류`, `2024`"
        )
    );
}

#[test]
fn an_empty_row_cannot_name_the_columns() {
    assert_eq!(
        message(labelled(&[workbook("emotions.xlsx", "2024", 1)])),
        "`emotions.xlsx`: row 1 of sheet `2024` is empty, so it cannot name the columns"
    );
    assert_eq!(
        message(labelled(&[workbook("emotions.xlsx", "대화", 40)])),
        "`emotions.xlsx`: row 40 of sheet `대화` is empty, so it cannot name the columns"
    );
}

#[test]
fn a_bad_row_is_named_as_the_spreadsheet_program_counts() {
    let mut item = dialogue("emotions.xlsx");
    item.options.map = crate::map(&[("분노", "drop"), ("행복", "기쁨")]);
    item.options.label_column = Some("대화 번호".to_owned());
    let error = message(labelled(&[item]));
    assert!(
        error.contains("row 2 (row 6 of the sheet): unknown label `3`"),
        "{error}"
    );
}

#[test]
fn a_merged_value_stands_in_its_first_cell_alone() {
    assert_eq!(
        message(labelled(&[workbook("emotions.xlsx", "병합", 1)])),
        "`emotions.xlsx`: 1 bad row: row 1 (row 3 of the sheet): no label"
    );
}

#[test]
fn the_error_of_a_formula_is_a_bad_row() {
    assert_eq!(
        message(labelled(&[workbook("emotions.xlsx", "오류", 1)])),
        "`emotions.xlsx`: 1 bad row: row 1 (row 3 of the sheet): cell B3 (`label`) holds the error `#N/A`"
    );
}

#[test]
fn a_workbook_under_the_wrong_name_is_recognised() {
    let folder = Folder::new();
    let bytes = std::fs::read(dialogue("emotions.xlsx").path).unwrap();
    let error = raw(&[folder.file("a.xls", &bytes)]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`a.xls`: not a readable workbook: "),
        "{error}"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("it begins like a workbook of the other kind: give `format: xlsx`")
    );
    let mut item = folder.item("a.xls", ArtifactType::File);
    item.options = SourceOptions {
        format: Some(Format::Xlsx),
        ..dialogue("a.xls").options
    };
    assert_eq!(labelled(&[item]).unwrap().len(), 3);
}

#[test]
fn text_that_is_called_a_workbook_is_refused() {
    let folder = Folder::new();
    for name in ["a.xlsx", "a.xls"] {
        let error = raw(&[folder.file(name, "<table><tr><td>text</td></tr></table>")]).unwrap_err();
        assert!(error.to_string().contains("not a readable workbook"), "{error}");
        assert!(error.hint().unwrap().contains("save it anew"));
        assert_eq!(
            raw(&[folder.file(name, "")]).unwrap_err().to_string(),
            format!("`{name}`: the file is empty")
        );
    }
}

#[test]
fn a_truncated_workbook_is_refused() {
    let folder = Folder::new();
    for name in ["emotions.xlsx", "emotions.xls"] {
        let bytes = std::fs::read(dialogue(name).path).unwrap();
        for kept in [8, 600, bytes.len() / 2] {
            let mut item = folder.file(name, &bytes[..kept]);
            item.options = dialogue(name).options;
            let error = message(labelled(&[item]));
            assert!(
                error.contains("not a readable workbook"),
                "{name} {kept}: {error}"
            );
        }
    }
}

#[test]
fn a_sheet_can_be_inspected() {
    let item = workbook("emotions.xlsx", "값", 1);
    let opened = inspect::open_with(&item.path, "emotions.xlsx", &item.options).unwrap();
    let columns: Vec<String> = opened
        .schema()
        .unwrap()
        .iter()
        .map(|column| format!("{} {}", column.name, column.dtype))
        .collect();
    assert_eq!(
        columns,
        [
            "id string",
            "text string",
            "label string",
            "비고 string",
            "E string"
        ]
    );
    assert_eq!(opened.rows().unwrap(), 4);
}
