//! Decisions of a review as a file.

use classification::Task;
use dataset::{DatasetError, Found, Override, Overrides, Verdict};
use stage::InputItem;

use crate::{Folder, labels};

const NFD_ID: &str = "\u{1100}\u{1161}-1";

fn read(item: &InputItem) -> Result<Overrides, DatasetError> {
    Overrides::read(item, &labels(), Task::SingleLabel)
}

fn message(folder: &Folder, content: &str) -> String {
    read(&folder.file("review.csv", content)).unwrap_err().to_string()
}

fn decided(verdict: Verdict, text: &str) -> Override {
    Override {
        verdict,
        text: text.to_owned(),
        note: String::new(),
    }
}

#[test]
fn decisions_are_found_by_id_and_text() {
    let folder = Folder::new();
    let item = folder.file(
        "review.csv",
        "\u{feff}text,decision,id,label,pred_emotion,note\n\
         좋다,keep,a,,기쁨,\n\
         그렇다,keep,f,분노,기쁨,\n\
         \"싫다,\n정말\",DROP,\"b,\"\"1\"\"\",,분노,반어\n\
         행복하다,label,c,행복,불안,\n\
         무섭다,,d,불안,기쁨,\n\
         모르겠다,,e,,기쁨,\n\
         ,,,,,\n",
    );
    let overrides = read(&item).unwrap();
    assert_eq!(overrides.len(), 5);
    let found = |id: &str, text: &str| match overrides.get(id, text) {
        Found::Applies(decision) => Some(&decision.verdict),
        _ => None,
    };
    assert_eq!(found("a", "좋다"), Some(&Verdict::Keep));
    assert_eq!(found("b,\"1\"", "싫다,\r\n정말 "), Some(&Verdict::Drop));
    assert_eq!(found("c", "행복하다"), Some(&Verdict::Label(2.into())));
    assert_eq!(found("f", "그렇다"), Some(&Verdict::KeepAs(0.into())));
    // A label alone says what is meant.
    assert_eq!(found("d", "무섭다"), Some(&Verdict::Label(1.into())));
    assert_eq!(overrides.get("e", "모르겠다"), Found::None);
    assert_eq!(overrides.get("a", "좋지 않다"), Found::OtherText);
}

#[test]
fn composed_and_decomposed_hangul_are_the_same_id_and_text() {
    let folder = Folder::new();
    let item = folder.file(
        "review.csv",
        format!("id,decision,text\n{NFD_ID},keep,\u{1100}\u{1175}\u{1108}\u{1173}\u{11b7}\n"),
    );
    let overrides = read(&item).unwrap();
    assert!(matches!(overrides.get("가-1", "기쁨"), Found::Applies(_)));
    assert!(matches!(overrides.get(NFD_ID, "기쁨"), Found::Applies(_)));
}

#[test]
fn a_decision_without_a_text_is_about_any() {
    let folder = Folder::new();
    let item = folder.file("review.csv", "id,decision\na,drop\n");
    assert!(matches!(
        read(&item).unwrap().get("a", "무엇이든"),
        Found::Applies(_)
    ));
}

#[test]
fn what_is_written_is_what_is_read() {
    let folder = Folder::new();
    let long = "가".repeat(40_000);
    let overrides: Overrides = [
        ("-1", decided(Verdict::Keep, "=1+1")),
        ("a\nb", decided(Verdict::Drop, "'=x \"큰따옴표\"")),
        ("b", decided(Verdict::KeepAs(2.into()), "좋다")),
        ("c,d", decided(Verdict::Label(0.into()), &long)),
        ("e", decided(Verdict::Keep, " @앞뒤 ")),
        ("f", decided(Verdict::Keep, "줄\r\n바꿈")),
    ]
    .map(|(id, decision)| (id.to_owned(), decision))
    .into_iter()
    .collect();
    let csv = overrides.to_csv(&labels());
    assert!(csv.starts_with("\u{feff}id,decision,label,text,note\n'-1,keep,,'=1+1,\n".as_bytes()));
    assert_eq!(read(&folder.file("review.csv", csv)).unwrap(), overrides);
}

#[test]
fn several_labels_stand_between_commas_and_none_is_an_empty_cell() {
    let folder = Folder::new();
    let item = folder.file(
        "review.csv",
        "id,decision,label\na,label,\"기쁨, 분노\"\nb,label,\n",
    );
    let overrides = Overrides::read(&item, &labels(), Task::MultiLabel).unwrap();
    let verdict = |id: &str| overrides.by_id(id).map(|decision| decision.verdict.clone());
    assert_eq!(verdict("a"), Some(Verdict::Label(vec![0, 2].into())));
    assert_eq!(verdict("b"), Some(Verdict::Label(vec![].into())));
    let again = folder.file("again.csv", overrides.to_csv(&labels()));
    assert_eq!(
        Overrides::read(&again, &labels(), Task::MultiLabel).unwrap(),
        overrides
    );
}

#[test]
fn every_mistake_is_named_with_its_line_and_column() {
    let folder = Folder::new();
    let text = message(
        &folder,
        "id,decision,label,text\n\
         a,kepe,,\"두\n줄\"\n\
         b,label,기뿜,\n\
         c,label,,\n\
         d,drop,기쁨,\n\
         ,keep,,\n\
         a,keep,,\n\
         e,keep\n",
    );
    assert_eq!(
        text,
        "`review.csv`: 7 mistakes:\n  \
         line 2, `decision`: unknown decision `kepe`, did you mean `keep`?\n  \
         line 4, `label`: unknown label `기뿜`, did you mean `기쁨`?\n  \
         line 5, `label`: no label, though the decision is `label`\n  \
         line 6, `label`: label `기쁨` beside the decision `drop`\n  \
         line 7, `id`: no id\n  \
         line 8, `id`: `a` stands in line 2 already\n  \
         line 9, `id`: 2 fields where the header has 4"
    );
}

#[test]
fn one_mistake_comes_with_its_remedy() {
    let folder = Folder::new();
    let error = read(&folder.file("review.csv", "id,decision\na,behalten\n")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`review.csv`: line 2, `decision`: unknown decision `behalten`"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("a decision is `keep`, `drop` or `label`; an empty cell is none")
    );
}

#[test]
fn a_file_that_holds_no_decisions_is_refused() {
    let folder = Folder::new();
    assert_eq!(
        message(&folder, "id,text\na,b\n"),
        "`review.csv`: no column `decision`; the columns are `id`, `text`"
    );
    assert_eq!(message(&folder, ""), "`review.csv`: the file is empty");
    let json = read(&folder.file("review.json", "[]")).unwrap_err();
    assert_eq!(
        json.to_string(),
        "`review.json`: decisions are read from csv files, not from json"
    );
    let cp949 = read(&folder.file("review.csv", b"id,decision\n\xb0\xa1\xc0\xe5,keep\n")).unwrap_err();
    assert_eq!(cp949.to_string(), "`review.csv`: not UTF-8 at line 2, byte 1");
}

#[test]
fn a_file_without_rows_decides_nothing() {
    let folder = Folder::new();
    assert!(
        read(&folder.file("review.csv", "id,decision\n"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_label_that_a_person_saw_comes_with_the_decision() {
    let folder = Folder::new();
    let item = folder.file("review.csv", "id,pred_emotion,decision\na,기쁨,keep\nb,,drop\n");
    let file = dataset::read_review(&item, &labels(), Task::SingleLabel).unwrap();
    let seen: Vec<_> = file.decisions.into_iter().map(|decided| decided.seen).collect();
    assert_eq!(seen, [Some(2.into()), None]);
}

#[test]
fn a_row_is_found_where_it_stands_in_its_file() {
    let folder = Folder::new();
    let one = folder.file("one.csv", "text,label\n\"가\n나\",분노\n다,불안\n");
    let two = folder.file("two.csv", "label,text\n기쁨,라\n기쁨,\"마\n\"\n");
    let own = folder.file(
        "own.jsonl",
        "{\"id\": \"x,1\", \"text\": \"바\", \"label\": \"행복\"}\n",
    );
    let items = [one, two, own];
    let find = |id: &str| dataset::locate(&items, "train", id, Some(Task::SingleLabel)).unwrap();
    let found = find("train-3").unwrap();
    assert_eq!(
        (found.item, found.place.to_string().as_str(), found.text.as_str()),
        (1, "row 1 (line 3)", "마\n")
    );
    assert_eq!(find("train-1").unwrap().place.to_string(), "row 1 (line 4)");
    let found = find("x,1").unwrap();
    assert_eq!((found.item, found.label.as_deref()), (2, Some("행복")));
    assert_eq!(find("train-4"), None);
}
