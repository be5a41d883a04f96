//! JSON: objects per line and in a list, and fields within fields.

use dataset::inspect;
use stage::InputItem;

use crate::{Folder, classes, labelled, map, raw};

fn columns(mut item: InputItem, text: &str, label: Option<&str>) -> InputItem {
    item.options.text_column = Some(text.to_owned());
    item.options.label_column = label.map(str::to_owned);
    item
}

#[test]
fn a_path_leads_to_a_field_within_a_field() {
    let folder = Folder::new();
    let file = folder.file(
        "a.jsonl",
        r#"{"payload": {"user_input": "좋아요", "tags": [{"emotion": "기쁨"}]}}"#,
    );
    let table = labelled(&[columns(
        file,
        "payload.user_input",
        Some("payload.tags.0.emotion"),
    )])
    .unwrap();
    assert_eq!((table.texts[0].as_str(), classes(&table)), ("좋아요", vec![2]));
}

#[test]
fn a_row_that_lacks_a_part_of_the_path_is_named() {
    let folder = Folder::new();
    let file = folder.file(
        "a.jsonl",
        "{\"payload\": {\"user_input\": \"하나\"}}\n{\"payload\": {}}\n",
    );
    assert_eq!(
        raw(&[columns(file, "payload.user_input", None)])
            .unwrap_err()
            .to_string(),
        "`a.jsonl`: 1 bad row: row 1 (line 2): no `payload.user_input`: `payload` has no `user_input`"
    );
}

#[test]
fn a_path_that_leads_nowhere_in_any_row_lists_the_paths_there_are() {
    let folder = Folder::new();
    let file = folder.file(
        "a.jsonl",
        "{\"id\": \"a\", \"payload\": {\"user_input\": \"하나\"}}\n",
    );
    let error = raw(&[columns(file, "payload.user_inptu", None)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a.jsonl`: no column `payload.user_inptu`; the columns are `id`, `payload.user_input`"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("did you mean `payload.user_input`? then give `text_column: payload.user_input` on this input")
    );
}

#[test]
fn null_at_the_end_of_a_path_is_an_empty_text() {
    let folder = Folder::new();
    let file = folder.file("a.jsonl", "{\"a\": {\"b\": \"하나\"}}\n{\"a\": null}\n");
    let table = raw(&[columns(file, "a.b", None)]).unwrap();
    assert_eq!((table.len(), table.notes.dropped.len()), (1, 1));
}

#[test]
fn a_list_of_objects_is_a_table() {
    let folder = Folder::new();
    let content = r#"[
  {"profile": {"emotion": {"type": "E18"}}, "talk": {"content": {"HS01": "일은 왜 해도 해도 끝이 없을까?"}}},
  {"profile": {"emotion": {"type": "E65"}}, "talk": {"content": {"HS01": "정말 좋다"}}}
]"#;
    let mut item = columns(
        folder.file("a.json", content),
        "talk.content.HS01",
        Some("profile.emotion.type"),
    );
    item.options.map = map(&[("E18", "분노"), ("E65", "기쁨")]);
    let table = labelled(&[item]).unwrap();
    assert_eq!(classes(&table), [0, 2]);
    assert_eq!(table.texts[1], "정말 좋다");
}

#[test]
fn a_bad_item_of_a_list_is_named_by_row_and_line() {
    let folder = Folder::new();
    assert_eq!(
        raw(&[folder.file("a.json", "[\n {\"text\": \"하나\"},\n 7\n]\n")])
            .unwrap_err()
            .to_string(),
        "`a.json`: 1 bad row: row 1 (line 3): not a JSON object: it is a number"
    );
}

#[test]
fn what_is_not_json_is_named_by_line() {
    let folder = Folder::new();
    let problem = |content: &str| raw(&[folder.file("a.json", content)]).unwrap_err().to_string();
    assert_eq!(
        problem("[\n{\"text\": \"a\"},\n{\"text\" \"b\"}]"),
        "`a.json`: not JSON at line 3: expected `:`"
    );
    assert_eq!(
        problem("[{\"text\": \"a\"}\n{\"text\": \"b\"}]"),
        "`a.json`: not JSON at line 2: expected `,` or `]`"
    );
    assert_eq!(
        problem("[{\"text\": \"a\"},\n"),
        "`a.json`: not JSON at line 2: the list has no end"
    );
    assert_eq!(
        problem("[{\"text\": \"a\"}]\n[]"),
        "`a.json`: not JSON at line 2: there is more behind the list"
    );
}

#[test]
fn an_empty_list_is_empty() {
    let folder = Folder::new();
    for content in ["", "\u{feff} \n", "[ ]"] {
        assert_eq!(
            raw(&[folder.file("a.json", content)]).unwrap_err().to_string(),
            "`a.json`: the file is empty"
        );
    }
}

#[test]
fn lines_of_objects_under_the_name_of_a_list_are_recognised() {
    let folder = Folder::new();
    let error = raw(&[folder.file("a.json", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n")]).unwrap_err();
    assert_eq!(error.to_string(), "`a.json`: not a list of objects");
    assert_eq!(
        error.hint().as_deref(),
        Some("it has one object per line: give `format: jsonl`")
    );
    let error = raw(&[folder.file("a.json", "{\"data\": [\n]}")]).unwrap_err();
    assert_eq!(
        error.hint().as_deref(),
        Some("take the list out of the object around it: `jq .NAME IN > OUT`")
    );
}

#[test]
fn fields_within_fields_can_be_inspected() {
    let folder = Folder::new();
    let item = folder.file(
        "a.jsonl",
        "{\"payload\": {\"user_input\": \"하나\", \"turns\": [1]}}\n{\"payload\": {\"user_input\": \"하나\"}}\n",
    );
    let opened = inspect::open(&item.path, "a.jsonl", None).unwrap();
    let names: Vec<String> = opened
        .schema()
        .unwrap()
        .into_iter()
        .map(|column| column.name)
        .collect();
    assert_eq!(names, ["payload.turns", "payload.user_input"]);
    assert_eq!(opened.by("payload.user_input").unwrap().rows().unwrap(), 1);
}

#[test]
fn labels_and_the_keys_of_a_map_are_compared_without_spaces() {
    let folder = Folder::new();
    let mut item = folder.file("a.csv", "text,label\n하나,기쁨  \n둘, 상처\u{a0}\n");
    item.options.map = map(&[(" 상처 ", "불안")]);
    assert_eq!(classes(&labelled(&[item]).unwrap()), [2, 1]);
}
