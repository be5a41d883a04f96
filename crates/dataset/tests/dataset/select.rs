//! Selection: thresholds as 32-bit floats, inclusive; caps; the files.

use classification::Task;
use dataset::{
    Cap, Cell, Column, DatasetError, Overrides, Policy, Request, Rule, Selection, Teaching, Threshold,
    inspect,
};
use stage::{ArtifactType, InputItem};

use crate::{Folder, labels};

/// A scored table of (label, confidence, margin).
fn scored(folder: &Folder, rows: &[(&str, f32, f32)]) -> InputItem {
    scored_with(folder, rows, Vec::new())
}

/// The same with more columns.
fn scored_with(folder: &Folder, rows: &[(&str, f32, f32)], more: Vec<Column>) -> InputItem {
    let path = folder.path("scored.parquet");
    let strings = |name: &str, value: &dyn Fn(usize) -> String| {
        Column::Str(
            name.to_owned(),
            (0..rows.len()).map(|row| Some(value(row))).collect(),
        )
    };
    let mut columns = vec![
        strings("id", &|row| format!("raw-{row}")),
        strings("text", &|row| format!("문장 {row}")),
        strings("source", &|_| "test".into()),
        strings("pred_emotion", &|row| rows[row].0.to_owned()),
        Column::F32("pred_conf".into(), rows.iter().map(|row| row.1).collect()),
        Column::F32("pred_margin".into(), rows.iter().map(|row| row.2).collect()),
        strings("pred_second", &|_| "불안".into()),
        Column::ListF32(
            "probs".into(),
            rows.iter()
                .map(|row| vec![row.1, (1.0 - row.1) / 2.0, (1.0 - row.1) / 2.0])
                .collect(),
        ),
    ];
    columns.extend(more);
    dataset::write_columns(&path, columns).unwrap();
    item(folder, "scored")
}

/// A validation table of (predicted, confidence, margin, true label).
fn validation(folder: &Folder, rows: &[(&str, f32, f32, &str)]) -> InputItem {
    let path = folder.path("validation.parquet");
    let text = |name: &str, values: Vec<&str>| {
        Column::Str(
            name.into(),
            values.into_iter().map(|value| Some(value.to_owned())).collect(),
        )
    };
    let columns = vec![
        text("pred_emotion", rows.iter().map(|row| row.0).collect()),
        Column::F32("pred_conf".into(), rows.iter().map(|row| row.1).collect()),
        Column::F32("pred_margin".into(), rows.iter().map(|row| row.2).collect()),
        text("label", rows.iter().map(|row| row.3).collect()),
    ];
    dataset::write_columns(&path, columns).unwrap();
    item(folder, "validation")
}

fn item(folder: &Folder, name: &str) -> InputItem {
    InputItem {
        name: name.to_owned(),
        ..folder.item(&format!("{name}.parquet"), ArtifactType::Scored)
    }
}

fn policy(min_confidence: f32, min_margin: f32, cap: Option<Cap>) -> Policy {
    Policy {
        rule: Rule::Fixed,
        classes: vec![
            Threshold {
                min_confidence,
                min_margin
            };
            3
        ],
        max_disagreement: None,
        cap,
        balance: None,
        teaching: Teaching::Hard,
    }
}

/// Selects with the rows in `scored`, and in `validation` if there are some.
struct Run {
    scored: InputItem,
    validation: Option<InputItem>,
    overrides: Option<Overrides>,
    policy: Policy,
    labels: classification::LabelSet,
}

impl Run {
    fn new(folder: &Folder, rows: &[(&str, f32, f32)], policy: Policy) -> Self {
        Self {
            scored: scored(folder, rows),
            validation: None,
            overrides: None,
            policy,
            labels: labels(),
        }
    }

    fn select(&self) -> Result<Selection<'_>, DatasetError> {
        dataset::select(&Request {
            scored: &self.scored,
            validation: self.validation.as_ref(),
            overrides: self.overrides.as_ref(),
            policy: &self.policy,
            labels: &self.labels,
            task: Task::SingleLabel,
        })
    }

    fn kept(&self, folder: &Folder) -> Vec<String> {
        ids(folder, &self.select().unwrap())
    }

    fn error(&self) -> String {
        self.select().err().unwrap().to_string()
    }
}

fn ids(folder: &Folder, selection: &Selection<'_>) -> Vec<String> {
    let table = kept(folder, selection);
    table.rows.iter().map(|row| row[0].display()).collect()
}

fn kept(folder: &Folder, selection: &Selection<'_>) -> dataset::Table {
    let path = folder.path("kept.parquet");
    selection.write_kept(&path).unwrap();
    inspect::open(&path, "kept", None).unwrap().all().unwrap()
}

fn decided(folder: &Folder, selection: &Selection<'_>) -> Vec<String> {
    let path = folder.path("decided.parquet");
    selection.write_decided(&path).unwrap();
    let table = inspect::open(&path, "decided", None).unwrap().all().unwrap();
    let line = |row: &Vec<Cell>| row.iter().map(Cell::display).collect::<Vec<_>>().join(" ");
    table.rows.iter().map(line).collect()
}

#[test]
fn thresholds_are_inclusive_in_32_bits() {
    let folder = Folder::new();
    let rows = [
        ("분노", 0.9, 0.2),
        ("분노", 0.9_f32.next_down(), 0.2),
        ("분노", 0.9, 0.2_f32.next_down()),
    ];
    assert_eq!(
        Run::new(&folder, &rows, policy(0.9, 0.2, None)).kept(&folder),
        ["raw-0"]
    );
}

#[test]
fn the_first_reason_counts_and_stands_beside_what_had_to_be_reached() {
    let folder = Folder::new();
    let rows = [
        ("분노", 0.1, 0.0),
        ("분노", 0.9, 0.0),
        ("분노", 0.8, 0.5),
        ("분노", 0.9, 0.5),
    ];
    let run = Run::new(&folder, &rows, policy(0.75, 0.25, Some(Cap::MaxPerClass(1))));
    assert_eq!(
        decided(&folder, &run.select().unwrap()),
        [
            "raw-0 false confidence 0.7500 0.2500  ",
            "raw-1 false margin 0.7500 0.2500  ",
            "raw-2 false class_cap 0.7500 0.2500 2 ",
            "raw-3 true  0.7500 0.2500 1 "
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
    let run = Run::new(&folder, &rows, policy(0.5, 0.0, Some(Cap::MaxPerClass(3))));
    assert_eq!(run.kept(&folder), ["raw-0", "raw-1", "raw-2", "raw-4"]);
}

#[test]
fn top_k_keeps_the_most_confident_of_each_class_however_unsure() {
    let folder = Folder::new();
    let rows = [
        ("분노", 0.3, 0.0),
        ("분노", 0.9, 0.5),
        ("기쁨", 0.2, 0.0),
        ("분노", 0.4, 0.0),
    ];
    let run = Run::new(&folder, &rows, policy(0.0, 0.0, Some(Cap::TopK(2))));
    let selection = run.select().unwrap();
    assert_eq!(ids(&folder, &selection), ["raw-1", "raw-2", "raw-3"]);
    assert_eq!(selection.funnel.drops["top_k"], 1);
}

#[test]
fn balance_keeps_no_more_than_so_many_times_the_rarest_class_that_keeps_any() {
    let folder = Folder::new();
    let mut rows = vec![("불안", 0.5, 0.0), ("기쁨", 0.8, 0.5), ("기쁨", 0.9, 0.5)];
    rows.extend((0..9).map(|row| ("분노", 0.8 + row as f32 / 100.0, 0.5)));
    let run = Run::new(
        &folder,
        &rows,
        Policy {
            balance: Some(1.5),
            ..policy(0.75, 0.0, None)
        },
    );
    let selection = run.select().unwrap();
    assert_eq!(
        ids(&folder, &selection),
        ["raw-1", "raw-2", "raw-9", "raw-10", "raw-11"]
    );
    assert_eq!(selection.funnel.drops["balance"], 6);
}

#[test]
fn rows_on_which_models_disagree_are_dropped() {
    let folder = Folder::new();
    let rows = [("분노", 0.9, 0.5), ("분노", 0.9, 0.5), ("분노", 0.1, 0.5)];
    let column = Column::F32("disagreement".into(), vec![0.0, 1.0 / 3.0, 1.0]);
    let votes = Column::ListStr("votes".into(), vec![vec!["분노".into(), "기쁨".into()]; 3]);
    let mut run = Run::new(
        &folder,
        &rows,
        Policy {
            max_disagreement: Some(0.0),
            ..policy(0.75, 0.0, None)
        },
    );
    assert!(
        run.error().contains("no column `disagreement`"),
        "{}",
        run.error()
    );
    run.scored = scored_with(&folder, &rows, vec![column, votes]);
    let selection = run.select().unwrap();
    let table = kept(&folder, &selection);
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names[7..], ["probs", "disagreement", "votes", "label"]);
    assert_eq!(table.rows.len(), 1);
    assert_eq!(
        (
            selection.funnel.drops["disagreement"],
            selection.funnel.drops["confidence"]
        ),
        (1, 1)
    );
}

#[test]
fn a_class_may_have_thresholds_of_its_own() {
    let folder = Folder::new();
    let mut run = Run::new(
        &folder,
        &[("분노", 0.6, 0.5), ("기쁨", 0.6, 0.5)],
        policy(0.75, 0.2, None),
    );
    run.policy.classes[2].min_confidence = 0.5;
    assert_eq!(run.kept(&folder), ["raw-1"]);
}

#[test]
fn classes_that_the_model_is_less_often_sure_of_have_lower_adaptive_thresholds() {
    let folder = Folder::new();
    // Four are sure of 분노, two of 기쁨, none of 불안: statuses 1, 1/2 and 0, mapped 1, 1/3 and 0.
    let mut rows = vec![("분노", 0.9, 0.5); 4];
    rows.extend([
        ("기쁨", 0.9, 0.5),
        ("기쁨", 0.95, 0.5),
        ("기쁨", 0.31, 0.5),
        ("기쁨", 0.29, 0.5),
    ]);
    rows.extend([("분노", 0.89, 0.5), ("불안", 0.1, 0.5)]);
    let run = Run::new(
        &folder,
        &rows,
        Policy {
            rule: Rule::FlexMatch,
            ..policy(0.9, 0.2, None)
        },
    );
    let selection = run.select().unwrap();
    let thresholds: Vec<f32> = selection
        .thresholds
        .iter()
        .map(|class| class.min_confidence.unwrap())
        .collect();
    let base = f64::from(0.9f32);
    assert_eq!(thresholds, [0.9, 0.0, (base / 3.0) as f32]);
    let dropped = decided(&folder, &selection);
    assert!(dropped[7].contains("false confidence") && dropped[8].contains("false confidence"));
    assert_eq!(selection.funnel.kept, 8);
}

#[test]
fn without_a_confident_row_adaptive_thresholds_stay_where_they_are() {
    let folder = Folder::new();
    let run = Run::new(
        &folder,
        &[("분노", 0.5, 0.5)],
        Policy {
            rule: Rule::FlexMatch,
            ..policy(0.9, 0.2, None)
        },
    );
    assert!(run.kept(&folder).is_empty());
}

/// Validation rows of 분노 with falling confidence, right but for those at `wrong`.
fn known(count: usize, wrong: &[usize]) -> Vec<(&'static str, f32, f32, &'static str)> {
    let truth = |row| if wrong.contains(&row) { "불안" } else { "분노" };
    (0..count)
        .map(|row| ("분노", 0.99 - row as f32 / 1000.0, 0.5, truth(row)))
        .collect()
}

fn target(folder: &Folder, known: &[(&str, f32, f32, &str)], rows: &[(&str, f32, f32)]) -> Run {
    Run {
        validation: Some(validation(folder, known)),
        ..Run::new(
            folder,
            rows,
            Policy {
                rule: Rule::TargetPrecision(0.9),
                ..policy(0.0, 0.0, None)
            },
        )
    }
}

#[test]
fn a_target_precision_takes_the_lowest_threshold_whose_interval_meets_it() {
    let folder = Folder::new();
    // 60 right ones, then wrong ones: of 61 and of 62 Wilson's lower bound is 0.91 and 0.89.
    let known = known(100, &(60..100).collect::<Vec<_>>());
    let at = |row: usize| known[row].1;
    let rows = [("분노", at(60), 0.5), ("분노", at(61), 0.5), ("분노", 0.99, 0.0)];
    let run = target(&folder, &known, &rows);
    let selection = run.select().unwrap();
    assert_eq!(selection.thresholds[0].min_confidence, Some(at(60)));
    assert_eq!(ids(&folder, &selection), ["raw-0", "raw-2"]);
    let evidence = selection.evidence.as_ref().unwrap()[0];
    assert_eq!(
        (
            evidence.predicted,
            evidence.evidence.rows,
            evidence.evidence.correct
        ),
        (100, 61, 60)
    );
    assert!(evidence.evidence.ci95.unwrap().low >= 0.9);
}

#[test]
fn a_class_without_enough_evidence_abstains() {
    let folder = Folder::new();
    let rows = [("분노", 0.99, 0.9), ("기쁨", 0.99, 0.9)];
    let enough = target(&folder, &known(35, &[]), &rows);
    assert_eq!(enough.kept(&folder), ["raw-0"]);
    let short = target(&folder, &known(34, &[]), &rows);
    let selection = short.select().unwrap();
    assert_eq!(
        decided(&folder, &selection),
        [
            "raw-0 false abstained  0.0000  ",
            "raw-1 false abstained  0.0000  "
        ]
    );
    assert_eq!(selection.funnel.drops["abstained"], 2);
    // The best there is: all of them.
    assert_eq!(selection.evidence.as_ref().unwrap()[0].evidence.rows, 34);
    assert_eq!(selection.evidence.as_ref().unwrap()[2].min_confidence, None);
}

#[test]
fn evidence_is_of_rows_that_would_be_kept() {
    let folder = Folder::new();
    // The wrong ones are ambiguous: with a margin asked for they have no part in it.
    let mut known = known(80, &(0..40).collect::<Vec<_>>());
    known[..40].iter_mut().for_each(|row| row.2 = 0.1);
    let mut run = target(&folder, &known, &[("분노", 0.92, 0.5), ("분노", 0.92, 0.1)]);
    assert!(run.kept(&folder).is_empty());
    run.policy.classes[0].min_margin = 0.2;
    assert_eq!(run.kept(&folder), ["raw-0"]);
}

#[test]
fn a_given_confidence_is_a_floor_below_which_no_target_reaches() {
    let folder = Folder::new();
    let mut run = target(
        &folder,
        &known(100, &[]),
        &[("분노", 0.92, 0.5), ("분노", 0.97, 0.5)],
    );
    assert_eq!(run.kept(&folder).len(), 2);
    run.policy.classes[0].min_confidence = 0.95;
    assert_eq!(run.kept(&folder), ["raw-1"]);
}

#[test]
fn equal_confidences_are_never_torn_apart() {
    let folder = Folder::new();
    // 40 right ones and 20 wrong ones at the same confidence: there is no threshold between them.
    let mut known = known(60, &(40..60).collect::<Vec<_>>());
    known.iter_mut().for_each(|row| row.1 = 0.9);
    assert!(
        target(&folder, &known, &[("분노", 0.9, 0.5)])
            .kept(&folder)
            .is_empty()
    );
}

#[test]
fn the_sweep_counts_rows_and_expects_what_validation_shows() {
    let folder = Folder::new();
    let known = [
        ("분노", 0.6, 0.5, "분노"),
        ("분노", 0.9, 0.5, "불안"),
        ("기쁨", 0.9, 0.1, "기쁨"),
    ];
    let rows = [("분노", 0.5, 0.5), ("분노", 0.75, 0.5), ("기쁨", 0.99, 0.1)];
    let mut run = target(&folder, &known, &rows);
    run.policy = policy(0.9, 0.2, None);
    let sweep = run.select().unwrap().sweep;
    let thresholds: Vec<f32> = sweep.overall.iter().map(|point| point.threshold).collect();
    assert_eq!(
        (thresholds[0], thresholds[25], thresholds[49], thresholds.len()),
        (0.5, 0.75, 0.99, 50)
    );
    // The third row's margin is too small.
    let kept: Vec<u64> = [0, 1, 25, 26].map(|at| sweep.overall[at].kept).into();
    assert_eq!(kept, [2, 1, 1, 0]);
    let point = sweep.classes[0].1[0];
    assert_eq!((point.precision, point.validation_rows), (Some(0.5), Some(2)));
    assert_eq!(sweep.classes[0].1[20].precision, Some(0.0));
    assert_eq!(sweep.classes[1].1[0].precision, None);
    assert!(point.ci95.unwrap().low > 0.0);
}

#[test]
fn without_validation_the_sweep_expects_the_mean_confidence() {
    let folder = Folder::new();
    let rows = [("분노", 0.5, 0.5), ("분노", 0.75, 0.5)];
    let mut run = Run::new(&folder, &rows, policy(0.9, 0.2, None));
    let basis = |run: &Run| serde_json::to_value(run.select().unwrap().sweep.basis).unwrap();
    assert_eq!(basis(&run), "confidence");
    let point = run.select().unwrap().sweep.overall[0];
    assert_eq!(
        (point.precision, point.ci95, point.validation_rows),
        (Some(0.625), None, None)
    );
    run.scored = scored_with(
        &folder,
        &rows,
        vec![Column::F32("raw_conf".into(), vec![0.9, 0.9])],
    );
    assert_eq!(basis(&run), "calibrated_confidence");
}

/// Decisions on rows: (id, decision, label, text).
fn review(folder: &Folder, rows: &[[&str; 4]]) -> Overrides {
    let lines = rows.iter().map(|row| row.join(",") + "\n");
    let content = std::iter::once("id,decision,label,text\n".to_owned()).chain(lines);
    let item = folder.file("overrides.csv", content.collect::<String>());
    Overrides::read(&item, &labels(), Task::SingleLabel).unwrap()
}

#[test]
fn a_review_stands_above_all_rules_and_moves_no_other_row() {
    let folder = Folder::new();
    let rows = [
        ("분노", 0.99, 0.9),
        ("분노", 0.98, 0.9),
        ("분노", 0.97, 0.9),
        ("기쁨", 0.1, 0.0),
        ("기쁨", 0.2, 0.0),
        ("기쁨", 0.95, 0.9),
    ];
    let mut run = Run::new(&folder, &rows, policy(0.75, 0.2, Some(Cap::MaxPerClass(2))));
    run.overrides = Some(review(
        &folder,
        &[
            ["raw-0", "drop", "", "문장 0"],
            ["raw-3", "keep", "", "문장 3"],
            ["raw-4", "label", "불안", "문장 4"],
            ["raw-5", "label", "분노", "다른 문장"],
            ["raw-9", "drop", "", ""],
        ],
    ));
    let selection = run.select().unwrap();
    let lines = decided(&folder, &selection);
    assert_eq!(lines[0], "raw-0 false review 0.7500 0.2000 1 drop");
    assert_eq!(lines[2], "raw-2 false class_cap 0.7500 0.2000 3 ");
    assert_eq!(lines[4], "raw-4 true  0.7500 0.2000  label");
    let table = kept(&folder, &selection);
    let taught: Vec<String> = table
        .rows
        .iter()
        .map(|row| format!("{} {} {}", row[0].display(), row[3].display(), row[8].display()))
        .collect();
    assert_eq!(
        taught,
        [
            "raw-1 분노 분노",
            "raw-3 기쁨 기쁨",
            "raw-4 기쁨 불안",
            "raw-5 기쁨 기쁨"
        ]
    );
    let reviewed = selection.reviewed.as_ref().unwrap();
    assert_eq!(
        (
            reviewed.decisions,
            reviewed.kept,
            reviewed.dropped,
            reviewed.relabelled
        ),
        (5, 1, 1, 1)
    );
    assert_eq!(
        (reviewed.changed, reviewed.other_text, reviewed.absent),
        (3, 1, 1)
    );
}

#[test]
fn soft_labels_are_the_probabilities_and_of_a_reviewed_row_what_the_person_said() {
    let folder = Folder::new();
    let mut run = Run::new(
        &folder,
        &[("분노", 0.8, 0.5), ("분노", 0.9, 0.5)],
        policy(0.75, 0.2, None),
    );
    run.policy.teaching = Teaching::Soft;
    run.overrides = Some(review(&folder, &[["raw-1", "label", "기쁨", ""]]));
    let table = kept(&folder, &run.select().unwrap());
    assert_eq!(table.columns[9].name, "soft_label");
    let soft: Vec<String> = table.rows.iter().map(|row| row[9].display()).collect();
    assert_eq!(
        soft,
        [table.rows[0][7].display(), "[0.0000, 0.0000, 1.0000]".to_owned()]
    );
}

#[test]
fn probabilities_of_another_label_set_are_no_soft_labels() {
    let folder = Folder::new();
    let mut run = Run::new(&folder, &[("분노", 0.8, 0.5)], policy(0.75, 0.2, None));
    run.policy.teaching = Teaching::Soft;
    run.labels = classification::LabelSet::from_names(["분노", "불안"]).unwrap();
    run.policy.classes.pop();
    let error = run
        .select()
        .unwrap()
        .write_kept(&folder.path("kept.parquet"))
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("row 0: `probs` is") && error.contains("not 2 numbers"),
        "{error}"
    );
}

#[test]
fn kept_rows_have_the_predicted_label_in_the_last_column() {
    let folder = Folder::new();
    let run = Run::new(&folder, &[("기쁨", 0.9, 0.5)], policy(0.75, 0.2, None));
    let table = kept(&folder, &run.select().unwrap());
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
    let run = Run::new(&folder, &[("기쁨", 0.1, 0.0)], policy(0.75, 0.2, None));
    let selection = run.select().unwrap();
    assert!(ids(&folder, &selection).is_empty());
    assert_eq!(selection.funnel.kept, 0);
}

#[test]
fn of_a_table_without_rows_nothing_is_decided() {
    let folder = Folder::new();
    let run = Run::new(&folder, &[], policy(0.75, 0.2, None));
    let selection = run.select().unwrap();
    assert!(ids(&folder, &selection).is_empty() && decided(&folder, &selection).is_empty());
}

#[test]
fn batches_of_rows_make_one_table() {
    let folder = Folder::new();
    let confidence = |row: usize| if row.is_multiple_of(1000) { 0.9 } else { 0.1 };
    let rows: Vec<(&str, f32, f32)> = (0..140_000).map(|row| ("분노", confidence(row), 0.5)).collect();
    let run = Run::new(&folder, &rows, policy(0.75, 0.2, None));
    let kept = run.kept(&folder);
    let expected: Vec<String> = (0..140).map(|row| format!("raw-{}", row * 1000)).collect();
    assert_eq!(kept, expected);
    assert_eq!(decided(&folder, &run.select().unwrap()).len(), 140_000);
}

#[test]
fn the_funnel_adds_up() {
    let folder = Folder::new();
    let rows = [("분노", 0.1, 0.0), ("분노", 0.9, 0.0), ("기쁨", 0.9, 0.5)];
    let run = Run::new(&folder, &rows, policy(0.75, 0.2, None));
    let json = serde_json::to_string(&run.select().unwrap().funnel).unwrap();
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
    let rows = [("분노", 0.9, 0.5), ("분노", f32::NAN, 0.5)];
    let run = Run::new(&folder, &rows, policy(0.75, 0.2, None));
    assert_eq!(run.error(), "`scored`: row 1: `pred_conf` is NaN");
}

#[test]
fn a_label_of_another_pipeline_is_refused() {
    let folder = Folder::new();
    let run = Run::new(&folder, &[("joy", 0.9, 0.5)], policy(0.75, 0.2, None));
    assert!(run.error().contains("`joy` is no label of this pipeline"));
}

#[test]
fn a_table_without_predictions_is_refused() {
    let folder = Folder::new();
    let mut run = Run::new(&folder, &[], policy(0.75, 0.2, None));
    let path = folder.path("raw.parquet");
    dataset::write_columns(&path, vec![Column::Str("id".into(), vec![Some("a".into())])]).unwrap();
    run.scored = item(&folder, "raw");
    assert!(run.error().contains("no column `text`; the columns are `id`"));
}

#[test]
fn validation_says_how_right_the_selection_would_be() {
    let folder = Folder::new();
    let known = [
        ("분노", 0.9, 0.9, "분노"),
        ("기쁨", 0.9, 0.9, "분노"),
        ("기쁨", 0.1, 0.1, "기쁨"),
    ];
    let mut run = target(&folder, &known, &[]);
    run.policy = policy(0.75, 0.2, None);
    let selection = run.select().unwrap();
    let found = selection.validation.as_ref().unwrap();
    assert_eq!(
        (found.rows, found.kept, found.correct, found.precision),
        (3, 2, 1, Some(0.5))
    );
    let evidence = selection.evidence.as_ref().unwrap();
    assert_eq!(
        (
            evidence[2].predicted,
            evidence[2].evidence.rows,
            evidence[2].evidence.correct
        ),
        (2, 1, 0)
    );
}
