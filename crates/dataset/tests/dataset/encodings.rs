//! Text files that are not UTF-8: read if the input says so, recognised for a hint if it does not.

use dataset::inspect;
use stage::{InputItem, SourceOptions};

use crate::{Folder, classes, labelled, raw};

/// `text,label`, `기뻐요,기쁨`, `똠방각하 펲시,분노` in CP949; 똠 and 펲 are not in EUC-KR proper.
const CP949: &[u8] =
    b"text,label\r\n\xb1\xe2\xbb\xb5\xbf\xe4,\xb1\xe2\xbb\xdd\r\n\x8c\x63\xb9\xe6\xb0\xa2\xc7\xcf \xbc\x84\xbd\xc3,\xba\xd0\xb3\xeb\r\n";

fn encoded(mut item: InputItem, encoding: &str) -> InputItem {
    item.options.encoding = Some(encoding.to_owned());
    item
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(unit)
        .collect()
}

#[test]
fn cp949_is_read_by_each_of_its_names() {
    let folder = Folder::new();
    for encoding in ["cp949", "EUC-KR", "ms949", "Windows-949", "uhc"] {
        let table = labelled(&[encoded(folder.file("a.csv", CP949), encoding)]).unwrap();
        assert_eq!(table.texts, ["기뻐요", "똠방각하 펲시"], "{encoding}");
        assert_eq!(classes(&table), [2, 0]);
    }
}

#[test]
fn without_encoding_cp949_is_an_error_that_says_what_it_looks_like() {
    let folder = Folder::new();
    let error = labelled(&[folder.file("a.csv", CP949)]).unwrap_err();
    assert_eq!(error.to_string(), "`a.csv`: not UTF-8 at line 2, byte 1");
    assert_eq!(
        error.hint().as_deref(),
        Some("it looks like CP949: add `encoding: cp949`")
    );
}

#[test]
fn what_looks_like_nothing_known_is_not_guessed() {
    let folder = Folder::new();
    let error = raw(&[folder.file("a.csv", b"text\ncaf\xe9s\n")]).unwrap_err();
    assert_eq!(
        error.hint().as_deref(),
        Some("save the file as UTF-8, or say its `encoding`")
    );
}

#[test]
fn a_byte_that_is_not_cp949_is_named_by_its_line() {
    let folder = Folder::new();
    let bytes = [CP949, b"\xff,\xb1\xe2\xbb\xdd\r\n"].concat();
    let error = labelled(&[encoded(folder.file("a.csv", bytes), "cp949")]).unwrap_err();
    assert_eq!(error.to_string(), "`a.csv`: not CP949 at line 4");
}

#[test]
fn utf8_that_is_called_cp949_is_recognised() {
    let folder = Folder::new();
    for text in ["text\n정말 슬퍼요\n", "\u{feff}text\nplain\n"] {
        let error = raw(&[encoded(folder.file("a.csv", text), "cp949")]).unwrap_err();
        assert!(error.to_string().contains("not CP949 at line "), "{error}");
        assert_eq!(
            error.hint().as_deref(),
            Some("it looks like UTF-8: leave out `encoding`")
        );
    }
}

#[test]
fn half_a_letter_at_the_end_is_refused() {
    let folder = Folder::new();
    let item = encoded(folder.file("a.csv", b"text\n\xb1\xe2\n\xb1"), "cp949");
    assert_eq!(
        raw(&[item]).unwrap_err().to_string(),
        "`a.csv`: not CP949 at line 3"
    );
}

#[test]
fn utf16_is_read_with_its_byte_order_mark() {
    let folder = Folder::new();
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let file = folder.file("a.tsv", utf16("text\tlabel\r\n기뻐요\t기쁨\r\n", unit));
        let table = labelled(&[encoded(file, "UTF-16")]).unwrap();
        assert_eq!(table.texts, ["기뻐요"]);
    }
}

#[test]
fn utf16_without_a_byte_order_mark_needs_the_order() {
    let folder = Folder::new();
    let bytes: Vec<u8> = "text\n기뻐요\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let file = folder.file("a.csv", bytes);
    let error = raw(&[encoded(file.clone(), "utf-16")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a.csv`: not UTF-16: no byte order mark at its beginning"
    );
    assert_eq!(raw(&[encoded(file, "utf-16le")]).unwrap().texts, ["기뻐요"]);
}

#[test]
fn utf16_without_encoding_is_an_error_that_says_what_it_looks_like() {
    let folder = Folder::new();
    let file = folder.file("a.tsv", utf16("text\n기뻐요\n", u16::to_le_bytes));
    assert_eq!(
        raw(&[file]).unwrap_err().hint().as_deref(),
        Some("it looks like UTF-16: add `encoding: utf-16`")
    );
}

#[test]
fn lines_of_objects_may_be_in_cp949_too() {
    let folder = Folder::new();
    let bytes = b"{\"text\": \"\xb1\xe2\xbb\xb5\xbf\xe4\"}\n";
    let item = encoded(folder.file("a.jsonl", bytes), "cp949");
    assert_eq!(raw(&[item]).unwrap().texts, ["기뻐요"]);
}

#[test]
fn a_long_file_is_decoded_in_pieces() {
    let folder = Folder::new();
    let bytes = [b"text\n".as_slice(), &b"\xb1\xe2\xbb\xb5a\n".repeat(30_000)].concat();
    let table = raw(&[encoded(folder.file("a.csv", bytes), "cp949")]).unwrap();
    assert_eq!(table.len(), 30_000);
    assert!(table.texts.iter().all(|text| text == "기뻐a"));
}

#[test]
fn an_empty_file_is_empty_in_every_encoding() {
    let folder = Folder::new();
    for encoding in ["cp949", "utf-16", "utf-16be"] {
        assert_eq!(
            raw(&[encoded(folder.file("a.csv", ""), encoding)])
                .unwrap_err()
                .to_string(),
            "`a.csv`: the file is empty"
        );
    }
}

#[test]
fn an_unknown_encoding_names_the_known_ones() {
    let folder = Folder::new();
    let error = raw(&[encoded(folder.file("a.csv", "text\na\n"), "latin-1")]).unwrap_err();
    assert_eq!(error.to_string(), "`a.csv`: unknown encoding `latin-1`");
    assert_eq!(
        error.hint().as_deref(),
        Some("the encodings are utf-8, cp949, utf-16, utf-16le, utf-16be")
    );
}

#[test]
fn an_encoded_file_can_be_inspected() {
    let folder = Folder::new();
    let options = SourceOptions {
        encoding: Some("cp949".to_owned()),
        ..SourceOptions::default()
    };
    let item = folder.file("a.csv", CP949);
    let opened = inspect::open_with(&item.path, "a.csv", &options).unwrap();
    assert_eq!(opened.by("label").unwrap().rows().unwrap(), 2);
}
