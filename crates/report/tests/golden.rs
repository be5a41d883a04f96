//! The golden report as a whole, on a made-up run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use classification::{
    Bootstrap, Calibration, ConfusionMatrix, Decision, GateOutcome, Interval, LabelIds, McNemar, Prediction,
    ReliabilityBin, Tally, Task, wilson,
};
use report::{
    Background, CalibrationFigures, ClassShares, ClassTable, Comparison, CurvePoint, Flip, Funnel,
    FunnelClass, GoldenReport, GuardNote, KeptPrecision, LeakCount, LeakExample, Leaks, LineageStage,
    Mistake, ModelSection, Recalibration, Slice, SliceFigures, SliceTable, Suspect, Suspects, SweepClass,
    SweepPoint, TrainingRun, golden_report_html,
};

const LABELS: [&str; 6] = ["분노", "불안", "슬픔", "평온", "당황", "기쁨"];
const ROWS: usize = 471;
const TEXT: &str = "오늘 하루종일 아무것도 안 하고 누워만 있었는데 왜 이렇게 피곤하지 ㅋㅋㅋ 😭";

fn labels() -> Vec<String> {
    LABELS.map(str::to_owned).to_vec()
}

fn truth() -> Vec<usize> {
    (0..ROWS).map(|row| row % 11 % 6).collect()
}

/// Right on `skill` rows of ten.
fn predict(skill: usize) -> Vec<usize> {
    let answer = |(row, class)| {
        if (row * 7) % 10 < skill {
            class
        } else {
            (row / 3) % 6
        }
    };
    truth().into_iter().enumerate().map(answer).collect()
}

fn section(name: &str, skill: usize) -> ModelSection {
    let (truth, predicted) = (truth(), predict(skill));
    let confusion = Tally::Classes(ConfusionMatrix::from_predictions(&truth, &predicted, 6));
    let decision = |(row, class): (usize, &usize)| -> Decision {
        let mut logits = [0.0f32; 6];
        logits[*class] = 1.0 + (row % 17) as f32 / 4.0;
        Prediction::from_logits(&logits).into()
    };
    let decisions: Vec<Decision> = predicted.iter().enumerate().map(decision).collect();
    let truths: Vec<LabelIds> = truth.iter().map(|&class| class.into()).collect();
    ModelSection {
        name: name.into(),
        settings: "normalisation nfc, at most 64 tokens".into(),
        metrics: confusion.metrics(),
        intervals: Bootstrap::new(&truth, &[&predicted], 6, 200, 1).intervals(0, 0.95),
        calibration: Calibration::measure(Task::SingleLabel, &decisions, &truths),
        confusion,
        mistakes: (0..50).map(mistake).collect(),
    }
}

fn mistake(row: usize) -> Mistake {
    Mistake {
        id: format!("golden-{row}"),
        text: TEXT.repeat(1 + row % 3),
        label: LABELS[row % 6].into(),
        predicted: LABELS[(row + 2) % 6].into(),
        confidence: 0.99 - row as f32 / 100.0,
        second: Some(LABELS[row % 6].into()),
    }
}

fn flip(row: usize) -> Flip {
    Flip {
        id: format!("golden-{row}"),
        text: "진짜 너무 속상해서 아무 말도 못 했어… <script>alert(1)</script>".into(),
        label: LABELS[row % 6].into(),
        baseline: LABELS[(row + 1) % 6].into(),
        baseline_confidence: 0.61,
        candidate: LABELS[row % 6].into(),
        confidence: 0.91,
    }
}

fn slice(name: &str, rows: u64) -> Slice {
    let figures = |right: u64| SliceFigures {
        accuracy: right as f64 / rows as f64,
        interval: wilson(right, rows),
        macro_f1: 0.41,
    };
    Slice {
        name: name.into(),
        rows,
        models: vec![figures(rows / 2), figures(rows * 3 / 5)],
    }
}

fn leaks() -> Leaks {
    let example = |position: usize| LeakExample {
        split: "raw".into(),
        kept_split: "golden".into(),
        text: format!("{TEXT} {position}"),
        kept_text: TEXT.into(),
        similarity: 0.93,
    };
    Leaks {
        stage: "prepare".into(),
        guard: "leak_guard: near, from a similarity of 0.8".into(),
        counts: vec![
            LeakCount {
                split: "train".into(),
                kept_split: "golden".into(),
                exact: 3,
                near: 1,
            },
            LeakCount {
                split: "raw".into(),
                kept_split: "golden".into(),
                exact: 1204,
                near: 317,
            },
        ],
        examples: (0..10).map(example).collect(),
    }
}

fn kept_precision(rows: u64) -> KeptPrecision {
    let kept = rows / 3;
    KeptPrecision {
        rows,
        kept,
        precision: Some((kept - 2) as f64 / kept as f64),
        interval: wilson(kept - 2, kept),
    }
}

fn funnel() -> Funnel {
    let class = |(position, label): (usize, &&str)| {
        let candidates = 240_000 / (position as u64 + 2);
        let kept = if position == 4 { 0 } else { candidates / 5 };
        FunnelClass {
            label: (*label).into(),
            candidates,
            kept,
            drops: vec![
                ("confidence".into(), (candidates - kept) * 3 / 4),
                ("margin".into(), 0),
                ("class_cap".into(), (candidates - kept) / 4),
            ],
            threshold: (position != 4).then_some(0.83),
            evidence: Some(kept_precision(80)),
        }
    };
    let point = |step: u32| {
        let rows = 60_000 / u64::from(step + 1);
        SweepPoint {
            threshold: 0.5 + 0.05 * f64::from(step),
            rows,
            evidence: Some(80 / u64::from(step + 1)),
            precision: Some(0.6 + 0.03 * f64::from(step)),
            interval: wilson(8, 10),
        }
    };
    Funnel {
        stage: "pseudo_label".into(),
        steps: vec![
            ("raw rows read".into(), 241_521),
            ("after prepare".into(), 240_000),
            ("scored".into(), 240_000),
            ("kept".into(), 34_743),
        ],
        drops: vec![
            ("confidence".into(), 150_000),
            ("margin".into(), 0),
            ("class_cap".into(), 55_257),
        ],
        classes: LABELS.iter().enumerate().map(class).collect(),
        rules: vec!["Asked for: precision 0.9 in every class, at most 8,000 rows a class.".into()],
        validation: Some(kept_precision(470)),
        basis: "The share of labelled rows at or above the threshold that are right.".into(),
        sweep: ["분노", "기쁨"]
            .map(|label| SweepClass {
                label: label.into(),
                points: (0..10).map(point).collect(),
            })
            .to_vec(),
    }
}

fn recalibration() -> Recalibration {
    let bins = |shift: f64| -> Vec<ReliabilityBin> {
        let bin = |bin: u32| {
            let middle = (f64::from(bin) + 0.5) / 15.0;
            ReliabilityBin {
                low: f64::from(bin) / 15.0,
                high: f64::from(bin + 1) / 15.0,
                count: u64::from(bin * bin),
                confidence: middle,
                accuracy: (middle - shift).max(0.0),
            }
        };
        (0..15).map(bin).collect()
    };
    let figures = |ece: f64, shift: f64| CalibrationFigures {
        ece: Some(ece),
        ece_adaptive: Some(ece + 0.01),
        nll: Some(1.2 + ece),
        brier: None,
        reliability: bins(shift),
    };
    Recalibration {
        stage: "score".into(),
        method: "temperature".into(),
        temperature: Some(1.734),
        rows: 470,
        before: figures(0.1213, 0.2),
        after: figures(0.0312, 0.03),
    }
}

fn training(stage: &str) -> TrainingRun {
    let point = |step: u64, split: &str, name: &str, value: f64| CurvePoint {
        step,
        epoch: step as f64 / 100.0,
        split: split.into(),
        name: name.into(),
        value,
    };
    let train = (1..=100).map(|step| point(step * 10, "train", "loss", 1.8 / (1.0 + step as f64 / 20.0)));
    let validation = (1..=10).flat_map(|epoch| {
        let at = epoch as f64;
        [
            point(epoch * 100, "validation", "loss", 1.5 / at.sqrt() + at * 0.03),
            point(epoch * 100, "validation", "macro_f1", 0.31 - 1.0 / (at + 3.0)),
        ]
    });
    TrainingRun {
        stage: stage.into(),
        points: train.chain(validation).collect(),
        best_step: Some(700),
        words: "The model of epoch 7 of 10 was kept: validation macro-F1 0.2134.".into(),
    }
}

fn background() -> Background {
    let table = |name: &str, counts: [u64; 6]| ClassTable {
        name: name.into(),
        counts: counts.to_vec(),
    };
    let stage = |stage: &str, kind: &str| LineageStage {
        stage: stage.into(),
        kind: kind.into(),
        fingerprint: "816dd3cb".into(),
        inputs: vec![("train".into(), "pseudo_label.kept, prepare.train".into())],
        params: vec![
            (
                "base_model".into(),
                r#"{"architecture":"electra","hidden_size":128}"#.into(),
            ),
            ("epochs".into(), "10".into()),
        ],
    };
    Background {
        leaks: vec![leaks()],
        shares: Some(ClassShares {
            tables: vec![
                table("train", [950, 210, 130, 420, 350, 1228]),
                table("raw (predicted)", [61_000, 2743, 33_000, 91_000, 120, 52_137]),
                table("kept", [8000, 2743, 8000, 8000, 0, 8000]),
                table("golden", [145, 28, 17, 55, 49, 177]),
            ],
        }),
        funnels: vec![funnel()],
        recalibrations: vec![recalibration()],
        training: vec![training("teacher"), training("student")],
        lineage: vec![stage("prepare", "prepare"), stage("teacher", "fine_tune")],
    }
}

fn gate(gate: &str, passed: bool, reason: &str) -> GateOutcome {
    GateOutcome {
        gate: gate.into(),
        value: Some(0.61),
        threshold: Some(0.45),
        bound: None,
        passed,
        reason: reason.into(),
    }
}

fn golden_report() -> GoldenReport {
    let truth = truth();
    let of_class = |class| truth.iter().filter(|&&label| label == class).count() as u64;
    GoldenReport {
        title: "evaluate".into(),
        guard: GuardNote::Guarded,
        labels: labels(),
        rows: ROWS as u64,
        digest: "3f1d6c0a".repeat(8),
        supports: (0..6).map(of_class).collect(),
        bootstrap: 200,
        models: vec![section("teacher", 4), section("student", 5)],
        comparison: Some(Comparison {
            baseline: "teacher".into(),
            candidate: "student".into(),
            difference: 0.0213,
            interval: Some(Interval {
                low: -0.0101,
                high: 0.0541,
            }),
            mcnemar: McNemar::from_counts(61, 40),
            both_right: 200,
            both_wrong: 170,
            fixed: (0..50).map(flip).collect(),
            broken: (0..2).map(flip).collect(),
        }),
        gates: vec![
            gate(
                "student.macro_f1 >= 0.45",
                true,
                "0.6100, by 0.1600 more than asked",
            ),
            gate(
                "student.macro_f1 - teacher.macro_f1 >= 0 at 95%",
                false,
                "+0.0213, but the lower end of its 95 % interval is −0.0101",
            ),
        ],
        slices: vec![
            SliceTable {
                by: "length".into(),
                description: "By length in characters".into(),
                slices: vec![slice("1–20", 114), slice("21–40", 263), slice("41 and more", 94)],
            },
            SliceTable {
                by: "source".into(),
                description: "By source".into(),
                slices: vec![slice("golden.csv", 471)],
            },
        ],
        suspects: Some(Suspects {
            count: 31,
            agreed: 402,
            rows: (0..31)
                .map(|row| Suspect {
                    id: format!("golden-{row}"),
                    text: TEXT.into(),
                    label: LABELS[row % 6].into(),
                    suggested: LABELS[(row + 1) % 6].into(),
                    self_confidence: 0.02,
                })
                .collect(),
            macro_f1: vec![(0.41, 0.45), (0.43, 0.47)],
        }),
        background: background(),
        settings: vec![
            ("Bootstrap".into(), "200 resamples, seed 42".into()),
            ("Precision".into(), "f32".into()),
        ],
    }
}

/// The page; where `GOLDEN_REPORT_OUT` names a folder, it is also written there for a look at it.
fn page(name: &str, change: impl FnOnce(&mut GoldenReport)) -> String {
    let mut report = golden_report();
    change(&mut report);
    let html = golden_report_html(&report).unwrap();
    if let Ok(folder) = std::env::var("GOLDEN_REPORT_OUT") {
        std::fs::write(format!("{folder}/{name}.html"), &html).unwrap();
    }
    html
}

#[test]
fn report_is_one_offline_file() {
    let html = page("rich", |_| {});
    for loaded in ["src=", "href=\"http", "url(", "@import", "<link", "<script"] {
        assert!(!html.contains(loaded), "the report holds `{loaded}`");
    }
    assert!(
        html.starts_with("<!doctype html>\n<html lang=\"en\">"),
        "{}",
        &html[..100]
    );
    assert!(html.len() < 500_000, "{} bytes", html.len());
}

#[test]
fn every_section_is_reached_from_the_contents() {
    let html = page("rich", |_| {});
    let targets: Vec<&str> = html
        .split("href=\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(targets.len() > 12, "{targets:?}");
    for target in targets {
        assert_eq!(html.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
}

#[test]
fn ids_are_unique() {
    let html = page("rich", |_| {});
    let mut ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn every_wide_region_has_a_name_and_the_keyboard_reaches_it() {
    let html = page("rich", |_| {});
    let regions = html.matches("class=\"wide\"").count();
    let usable = html
        .split("<div class=\"wide\" role=\"region\" aria-label=\"")
        .skip(1);
    let usable = usable.filter(|rest| {
        let tag = rest.split('>').next().unwrap_or_default();
        !tag.starts_with('"') && tag.ends_with("tabindex=\"0\"")
    });
    assert_eq!(usable.count(), regions);
}

#[test]
fn texts_in_the_report_are_escaped() {
    assert!(page("rich", |_| {}).contains("&lt;script&gt;alert(1)&lt;"));
}

#[test]
fn an_undecided_difference_is_said_so() {
    let html = page("rich", |_| {});
    assert!(
        html.contains("These 471 golden rows do not tell student and teacher apart: macro-F1"),
        "{html}"
    );
}

#[test]
fn a_difference_beyond_chance_is_better_or_worse() {
    let with = |low: f64, high: f64| {
        page("decided", |report| {
            let comparison = report.comparison.as_mut().unwrap();
            comparison.interval = Some(Interval { low, high });
        })
    };
    assert!(with(0.01, 0.03).contains("student is better than teacher: macro-F1"));
    assert!(with(-0.03, -0.01).contains("student is worse than teacher: macro-F1"));
}

#[test]
fn classes_that_a_model_never_finds_are_named() {
    let html = page("blind", |report| {
        let truth = truth();
        let given: Vec<usize> = truth.iter().map(|&class| class % 2).collect();
        let student = &mut report.models[1];
        student.confusion = Tally::Classes(ConfusionMatrix::from_predictions(&truth, &given, 6));
        student.metrics = student.confusion.metrics();
    });
    assert!(html.contains("student finds no row of 슬픔, 평온, 당황, 기쁨."));
    assert!(page("rich", |_| {}).contains("The weakest class of student is"));
}

#[test]
fn unguarded_rows_are_said_before_all_else() {
    let reasons = vec!["`train` of stage `teacher` is `golden.csv` <itself>".to_owned()];
    let html = page("unguarded", |report| report.guard = GuardNote::Unguarded(reasons));
    let banner = html.find("Unguarded.").unwrap();
    assert!(banner < html.find("<h1>").unwrap());
    assert!(html.contains("<code>golden.csv</code> &lt;itself&gt;"));
    assert!(!page("rich", |_| {}).contains("Unguarded."));
}

#[test]
fn gates_have_their_reasons() {
    let html = page("rich", |_| {});
    assert!(html.contains("the lower end of its 95 % interval is −0.0101"));
    assert!(html.contains("1 of 2 gates are not met"));
}

#[test]
fn what_is_not_known_is_left_out() {
    let html = page("bare", |report| {
        (report.comparison, report.suspects) = (None, None);
        (report.gates, report.slices) = (Vec::new(), Vec::new());
        report.background = Background::default();
        report.guard = GuardNote::Unknown;
        report.models.truncate(1);
    });
    for absent in [
        "McNemar",
        "Gates",
        "Slices",
        "Pseudo-labels",
        "Training",
        "leaks",
        "Suspected",
    ] {
        assert!(!html.contains(absent), "{absent}");
    }
    assert!(html.contains("teacher reaches macro-F1"));
}

#[test]
fn a_class_that_abstains_is_named() {
    assert!(page("rich", |_| {}).contains(">abstains<"));
}

#[test]
fn a_report_on_several_labels_has_their_figures_and_no_second_choice() {
    let html = page("several", |report| {
        (report.comparison, report.gates) = (None, Vec::new());
        let truth: Vec<LabelIds> = (0..ROWS).map(|row| (0..row % 3).collect()).collect();
        let given: Vec<LabelIds> = (0..ROWS).map(|row| (0..row % 4).collect()).collect();
        for model in &mut report.models {
            model.confusion = Tally::count(Task::MultiLabel, 6, truth.iter(), given.iter());
            model.metrics = model.confusion.metrics();
        }
    });
    for shown in ["Micro-F1", "Samples F1", "Hamming loss", "true pos."] {
        assert!(html.contains(shown), "{shown}");
    }
    assert!(!html.contains(">Second<"));
}

#[test]
fn many_classes_with_long_names_are_drawn() {
    let html = page("many", |report| {
        report.labels = (0..44)
            .map(|class| format!("아주 긴 이름의 감정 {class}"))
            .collect();
        report.supports = vec![10; 44];
        let truth: Vec<usize> = (0..440).map(|row| row % 44).collect();
        let given: Vec<usize> = (0..440).map(|row| (row + row / 100) % 44).collect();
        for model in &mut report.models {
            model.confusion = Tally::Classes(ConfusionMatrix::from_predictions(&truth, &given, 44));
            model.metrics = model.confusion.metrics();
            model.intervals = None;
        }
        (report.background.shares, report.background.funnels) = (None, Vec::new());
    });
    assert!(html.contains("아주 긴 이름의 감정 43"));
}

#[test]
fn long_texts_are_cut() {
    let html = page("long", |report| {
        report.models[0].mistakes[0].text = "가".repeat(10_000);
        report.background.leaks[0].examples[0].kept_text = "나".repeat(10_000);
    });
    for text in ["가", "나"] {
        assert!(html.contains(&text.repeat(400)) && !html.contains(&text.repeat(401)));
    }
}

#[test]
fn a_report_full_of_long_texts_is_under_three_megabytes() {
    let html = page("full", |report| {
        let long = "뷁<&".repeat(5000);
        for model in &mut report.models {
            model.mistakes.iter_mut().for_each(|row| row.text = long.clone());
        }
        let comparison = report.comparison.as_mut().unwrap();
        comparison.broken = (0..50).map(flip).collect();
        let flips = comparison.fixed.iter_mut().chain(&mut comparison.broken);
        flips.for_each(|row| row.text = long.clone());
        let suspects = &mut report.suspects.as_mut().unwrap().rows;
        suspects.iter_mut().for_each(|row| row.text = long.clone());
    });
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
}
