//! What may not stand in two tables: which row goes, which stays, and what is told about it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use classification::LabelIds;
use dataset::{
    DropReason, GoldenShare, Guard, ItemRows, Labelled, Leak, LeakGuard, Match, Notes, Raw, Rows, Split,
    Splits, Twin, duplicate_key, inspect,
};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use unicode_normalization::UnicodeNormalization;

use crate::Folder;

fn table<L: Clone>(name: &str, rows: &[(&str, L)]) -> Rows<L> {
    Rows {
        ids: (0..rows.len()).map(|row| format!("{name}-{row}")).collect(),
        texts: rows.iter().map(|(text, _)| (*text).to_owned()).collect(),
        labels: rows.iter().map(|(_, label)| label.clone()).collect(),
        sources: rows.iter().map(|_| Arc::from("test")).collect(),
        notes: Notes {
            items: vec![ItemRows {
                name: format!("{name}.csv"),
                rows: rows.len(),
            }],
            ..Notes::default()
        },
    }
}

fn labelled(name: &str, rows: &[(&str, usize)]) -> Labelled {
    let rows: Vec<(&str, LabelIds)> = rows
        .iter()
        .map(|(text, label)| (*text, (*label).into()))
        .collect();
    table(name, &rows)
}

fn raw(texts: &[&str]) -> Raw {
    table("raw", &texts.iter().map(|text| (*text, ())).collect::<Vec<_>>())
}

/// Cleans and protects the tables, golden first.
pub(crate) fn separate(guard: LeakGuard, splits: &mut Splits) -> (Vec<GoldenShare>, Vec<Leak>) {
    let mut guard = Guard::new(guard, 0.8);
    let mut shares = Vec::new();
    let Splits {
        golden,
        validation,
        train,
        raw,
    } = splits;
    for (split, rows) in [
        (Split::Golden, golden),
        (Split::Validation, validation),
        (Split::Train, train),
    ] {
        if let Some(rows) = rows {
            shares.extend(guard.clean(split, rows));
            guard.protect(split, rows);
        }
    }
    if let Some(raw) = raw {
        shares.extend(guard.clean(Split::Raw, raw));
    }
    (shares, guard.into_leaks())
}

fn reasons<L>(rows: &Rows<L>) -> Vec<(&str, DropReason)> {
    let dropped = rows.notes.dropped.iter();
    dropped.map(|row| (row.id.as_str(), row.reason)).collect()
}

const SAID: &str = "통장에 모르는 돈이 들어왔는데 이게 무슨 일이죠";

#[test]
fn golden_wins_over_validation_over_train_over_raw() {
    let mut splits = Splits {
        golden: Some(labelled("golden", &[("하나", 0)])),
        validation: Some(labelled("validation", &[("하나", 1), ("둘", 0)])),
        train: Some(labelled("train", &[("하나", 0), ("둘", 0), ("셋", 0)])),
        raw: Some(raw(&["셋", "둘", "하나", "넷"])),
    };
    let (_, leaks) = separate(LeakGuard::Exact, &mut splits);
    assert_eq!(splits.golden.unwrap().ids, ["golden-0"]);
    assert_eq!(splits.validation.unwrap().ids, ["validation-1"]);
    assert_eq!(splits.train.unwrap().ids, ["train-2"]);
    assert_eq!(splits.raw.unwrap().ids, ["raw-3"]);
    let kept: Vec<(&str, &str)> = leaks
        .iter()
        .map(|leak| (leak.id.as_str(), leak.kept.id.as_str()))
        .collect();
    let expected = [
        ("validation-0", "golden-0"),
        ("train-0", "golden-0"),
        ("train-1", "validation-1"),
        ("raw-0", "train-2"),
        ("raw-1", "validation-1"),
        ("raw-2", "golden-0"),
    ];
    assert_eq!(kept, expected);
    assert!(
        leaks
            .iter()
            .all(|leak| leak.matched == Match::Exact && leak.similarity == 1.0)
    );
}

#[test]
fn a_text_that_golden_lost_to_a_conflict_may_train() {
    let mut splits = Splits {
        golden: Some(labelled("golden", &[("하나", 0), ("하나", 1)])),
        train: Some(labelled("train", &[("하나", 0)])),
        ..Splits::default()
    };
    separate(LeakGuard::Near, &mut splits);
    assert_eq!(splits.train.unwrap().ids, ["train-0"]);
}

#[test]
fn without_a_guard_leaks_are_told_and_stay() {
    let mut splits = Splits {
        golden: Some(labelled("golden", &[("하나", 0)])),
        train: Some(labelled("train", &[("하나", 0), ("하나", 0)])),
        ..Splits::default()
    };
    let (_, leaks) = separate(LeakGuard::Off, &mut splits);
    assert_eq!(
        (leaks.len(), splits.train.unwrap().ids),
        (2, vec!["train-0".to_owned()])
    );
}

#[test]
fn similar_texts_go_from_the_tables_after_golden_and_validation() {
    let longer = format!("아 {SAID}??");
    let other = "헤어지고 나니까 마음이 너무 아프고 보고 싶어";
    let others = "헤어지고 나니까 마음이 너무 아프고 보고 싶어요";
    let mut splits = Splits {
        golden: Some(labelled("golden", &[(SAID, 0)])),
        validation: Some(labelled("validation", &[(&longer, 0), (other, 1)])),
        train: Some(labelled(
            "train",
            &[(&longer, 0), (others, 1), ("처음 보는 말이라고 생각했어", 2)],
        )),
        raw: Some(raw(&[
            &longer,
            others,
            "처음 보는 말이라고 생각했어요",
            "전혀 다른 이야기",
        ])),
    };
    let (_, leaks) = separate(LeakGuard::Near, &mut splits);
    assert_eq!(splits.validation.unwrap().ids, ["validation-1"]);
    let train = splits.train.unwrap();
    assert_eq!(train.ids, ["train-2"]);
    assert_eq!(
        reasons(&train),
        [
            ("train-0", DropReason::NearOtherSplit),
            ("train-1", DropReason::NearOtherSplit)
        ]
    );
    // Train is guarded against equal texts only.
    assert_eq!(splits.raw.unwrap().ids, ["raw-2", "raw-3"]);
    let twins: Vec<(&str, Split)> = leaks
        .iter()
        .map(|leak| (leak.id.as_str(), leak.kept.split))
        .collect();
    let expected = [
        ("validation-0", Split::Golden),
        ("train-0", Split::Golden),
        ("train-1", Split::Validation),
        ("raw-0", Split::Golden),
        ("raw-1", Split::Validation),
    ];
    assert_eq!(twins, expected);
    assert!(
        leaks
            .iter()
            .all(|leak| leak.matched == Match::Near && leak.similarity >= 0.8)
    );
}

#[test]
fn a_guard_for_equal_texts_leaves_similar_ones() {
    let longer = format!("아 {SAID}??");
    let mut splits = Splits {
        golden: Some(labelled("golden", &[(SAID, 0)])),
        raw: Some(raw(&[&longer])),
        ..Splits::default()
    };
    let (_, leaks) = separate(LeakGuard::Exact, &mut splits);
    assert_eq!((splits.raw.unwrap().len(), leaks.len()), (1, 0));
}

#[test]
fn every_copy_of_a_leak_is_told_as_a_leak() {
    let longer = format!("아 {SAID}??");
    let mut splits = Splits {
        golden: Some(labelled("golden", &[(SAID, 0)])),
        train: Some(labelled("train", &[(&longer, 0), (&longer, 1), (&longer, 0)])),
        ..Splits::default()
    };
    let (_, leaks) = separate(LeakGuard::Near, &mut splits);
    assert_eq!((splits.train.unwrap().len(), leaks.len()), (0, 3));
}

#[test]
fn a_file_says_how_much_of_it_is_golden() {
    let mut train = labelled(
        "train",
        &[("하나", 0), ("둘", 0), ("셋", 0), ("넷", 1), ("다섯", 1)],
    );
    train.notes.items = vec![
        ItemRows {
            name: "a.csv".into(),
            rows: 2,
        },
        ItemRows {
            name: "none.csv".into(),
            rows: 0,
        },
        ItemRows {
            name: "b.csv".into(),
            rows: 3,
        },
    ];
    let mut golden = labelled("golden", &[("영", 0), ("둘", 0), ("셋", 1), ("다섯", 1)]);
    golden.notes.items = vec![
        ItemRows {
            name: "g.csv".into(),
            rows: 2,
        },
        ItemRows {
            name: "h.csv".into(),
            rows: 2,
        },
    ];
    let mut splits = Splits {
        golden: Some(golden),
        train: Some(train),
        ..Splits::default()
    };
    let (shares, _) = separate(LeakGuard::Near, &mut splits);
    let share = |item: &str, rows, golden, golden_item: &str| GoldenShare {
        item: item.into(),
        rows,
        golden,
        golden_item: golden_item.into(),
    };
    assert_eq!(
        shares,
        [
            share("a.csv", 2, 1, "g.csv"),
            share("none.csv", 0, 0, "g.csv"),
            share("b.csv", 3, 2, "h.csv")
        ]
    );
    let left: Vec<usize> = splits
        .train
        .unwrap()
        .notes
        .items
        .iter()
        .map(|item| item.rows)
        .collect();
    assert_eq!(left, [1, 0, 1]);
}

/// A sentence of random words.
fn sentence(random: &mut ChaCha8Rng, words: &[String]) -> Vec<String> {
    let count = random.random_range(4..24);
    (0..count)
        .map(|_| words.choose(random).unwrap().clone())
        .collect()
}

/// The set of 3-grams of a text's key, none of a short key.
fn grams(text: &str) -> HashSet<String> {
    let characters: Vec<char> = duplicate_key(text).chars().collect();
    let windows = characters.windows(3).filter(|_| characters.len() >= 10);
    windows.map(|gram| gram.iter().collect()).collect()
}

fn similarity(one: &HashSet<String>, other: &HashSet<String>) -> f64 {
    match one.union(other).count() {
        0 => 0.0,
        all => one.intersection(other).count() as f64 / all as f64,
    }
}

#[test]
fn planted_leaks_are_found_and_nothing_else() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let words: Vec<String> = (0..400)
        .map(|_| {
            let length = random.random_range(1..5);
            (0..length)
                .map(|_| char::from_u32(0xac00 + random.random_range(0..11_172)).unwrap())
                .collect()
        })
        .collect();
    let golden: Vec<Vec<String>> = (0..100).map(|_| sentence(&mut random, &words)).collect();
    let golden_texts: Vec<String> = golden.iter().map(|words| words.join(" ")).collect();
    let mut planted: Vec<(String, Option<usize>)> = Vec::new();
    for (row, words_of) in golden.iter().enumerate() {
        let text = &golden_texts[row];
        planted.push((text.clone(), Some(row)));
        planted.push((text.nfd().collect(), Some(row)));
        planted.push((words_of.join("  ") + " !?", Some(row)));
        for changes in 1..3 {
            let mut changed = words_of.clone();
            for _ in 0..changes {
                let at = random.random_range(0..changed.len());
                changed[at] = words.choose(&mut random).unwrap().clone();
            }
            planted.push((changed.join(" "), None));
        }
    }
    planted.extend((0..1000).map(|_| (sentence(&mut random, &words).join(" "), None)));
    planted.shuffle(&mut random);

    let texts: Vec<(&str, usize)> = golden_texts.iter().map(|text| (text.as_str(), 0)).collect();
    let mut splits = Splits {
        golden: Some(labelled("golden", &texts)),
        raw: Some(raw(&planted
            .iter()
            .map(|(text, _)| text.as_str())
            .collect::<Vec<_>>())),
        ..Splits::default()
    };
    let (_, leaks) = separate(LeakGuard::Near, &mut splits);
    let sets: Vec<HashSet<String>> = golden_texts.iter().map(|text| grams(text)).collect();
    let found: HashMap<&str, &Leak> = leaks.iter().map(|leak| (leak.id.as_str(), leak)).collect();
    let mut near = 0;
    for (row, (text, copy_of)) in planted.iter().enumerate() {
        let leak = found.get(format!("raw-{row}").as_str());
        let set = grams(text);
        let most = sets
            .iter()
            .map(|golden| similarity(&set, golden))
            .fold(0.0, f64::max);
        match (copy_of, leak) {
            (Some(copied), leak) => {
                let leak = leak.unwrap();
                assert_eq!(
                    (&leak.kept.id, leak.matched),
                    (&format!("golden-{copied}"), Match::Exact)
                );
            }
            (None, Some(leak)) => {
                near += usize::from(leak.matched == Match::Near);
                assert!(
                    leak.matched == Match::Exact || leak.similarity == most,
                    "{leak:?}: {most}"
                );
                assert!(leak.similarity >= 0.8);
            }
            (None, None) => assert!(most < 0.8, "{text}: {most}"),
        }
    }
    assert!(near > 30, "only {near} of the changed texts are similar enough");
}

#[test]
fn the_table_of_leaks_has_both_texts() {
    let folder = Folder::new();
    let leak = Leak {
        split: Split::Raw,
        id: "raw-7".into(),
        text: "아 통장에".into(),
        source: "raw.csv".into(),
        kept: Twin {
            split: Split::Golden,
            id: "golden-1".into(),
        },
        kept_text: "통장에".into(),
        similarity: 0.875,
        matched: Match::Near,
    };
    for leaks in [vec![leak], Vec::new()] {
        dataset::write_leaks(&folder.path("leaks.parquet"), &leaks).unwrap();
        let table = inspect::open(&folder.path("leaks.parquet"), "leaks", None)
            .unwrap()
            .all()
            .unwrap();
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "split",
                "id",
                "text",
                "source",
                "kept_split",
                "kept_id",
                "kept_text",
                "similarity",
                "match"
            ]
        );
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| cell.to_csv()).collect())
            .collect();
        let expected = [
            "raw",
            "raw-7",
            "아 통장에",
            "raw.csv",
            "golden",
            "golden-1",
            "통장에",
            "0.875",
            "near",
        ];
        assert_eq!(rows, vec![expected; leaks.len()]);
    }
}
