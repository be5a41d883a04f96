//! The documents of this crate as a whole.

use classification::{
    Calibration, ConfusionMatrix, Decision, GateOutcome, Interval, LabelIds, McNemar, Prediction, Tally, Task,
};
use report::{
    Comparison, Curve, CurvePoint, Facts, Flip, GoldenReport, Mistake, ModelSection, classification_report,
    confusion_matrix_csv, confusion_matrix_svg, curves_svg, golden_report_html, overlaid_curves_svg,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reports {
    cases: Vec<ReportCase>,
    multi_label: Vec<MultiLabelCase>,
}

#[derive(Deserialize)]
struct MultiLabelCase {
    labels: Vec<String>,
    /// True and predicted class ids of each row, as one digit each.
    rows: Vec<[String; 2]>,
    text: String,
}

#[derive(Deserialize)]
struct ReportCase {
    labels: Vec<String>,
    confusion: Vec<Vec<u64>>,
    text: String,
}

/// The texts are scikit-learn's (`fixtures/make_reports.py`).
#[test]
fn classification_report_equals_scikit_learns_byte_for_byte() {
    let reports: Reports =
        serde_json::from_str(include_str!("fixtures/classification_reports.json")).unwrap();
    for case in reports.cases {
        let ours = classification_report(&case.labels, &matrix(&case.confusion));
        assert_eq!(ours, case.text);
    }
}

/// The texts are scikit-learn's (`fixtures/make_reports.py`).
#[test]
fn multi_label_report_equals_scikit_learns_byte_for_byte() {
    let reports: Reports =
        serde_json::from_str(include_str!("fixtures/classification_reports.json")).unwrap();
    for case in reports.multi_label {
        let rows: Vec<(&str, &str)> = case
            .rows
            .iter()
            .map(|[truth, given]| (truth.as_str(), given.as_str()))
            .collect();
        let ours = classification_report(&case.labels, &label_counts(case.labels.len(), &rows));
        assert_eq!(ours, case.text);
    }
}

/// Rows with true and predicted class ids, as one digit each.
fn label_counts(classes: usize, rows: &[(&str, &str)]) -> Tally {
    let ids = |digits: &str| -> LabelIds {
        digits
            .chars()
            .map(|digit| digit.to_digit(16).unwrap() as usize)
            .collect()
    };
    let (truth, given): (Vec<LabelIds>, Vec<LabelIds>) =
        rows.iter().map(|(truth, given)| (ids(truth), ids(given))).unzip();
    Tally::count(Task::MultiLabel, classes, truth.iter(), given.iter())
}

fn matrix(counts: &[Vec<u64>]) -> Tally {
    let mut matrix = ConfusionMatrix::new(counts.len());
    for (truth, row) in counts.iter().enumerate() {
        for (predicted, &count) in row.iter().enumerate() {
            (0..count).for_each(|_| matrix.add(truth, predicted));
        }
    }
    Tally::Classes(matrix)
}

#[test]
fn counts_of_labels_are_a_line_each() {
    let counts = label_counts(2, &[("01", "0"), ("", "1"), ("", "")]);
    let csv = confusion_matrix_csv(&["기쁨", "슬픔"], &counts);
    assert_eq!(csv, "label,tn,fp,fn,tp\n기쁨,2,0,0,1\n슬픔,1,1,1,0\n");
    let svg = confusion_matrix_svg(&["기쁨", "<b>"], &counts).unwrap();
    assert!(
        svg.contains("false pos.") && svg.contains("&lt;b&gt;") && svg.contains(">50%<"),
        "{svg}"
    );
}

#[test]
fn csv_quotes_names_that_need_it() {
    let csv = confusion_matrix_csv(&["기쁨", "a,\"b\""], &matrix(&[vec![3, 1], vec![0, 2]]));
    assert_eq!(
        csv,
        "true \\ predicted,기쁨,\"a,\"\"b\"\"\"\n기쁨,3,1\n\"a,\"\"b\"\"\",0,2\n"
    );
}

#[test]
fn names_in_charts_are_escaped() {
    let svg = confusion_matrix_svg(&["<b>", "기쁨"], &matrix(&[vec![3, 1], vec![0, 0]])).unwrap();
    assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
}

#[test]
fn matrix_shows_counts_and_rates() {
    let svg = confusion_matrix_svg(&["슬픔", "기쁨"], &matrix(&[vec![3, 1], vec![0, 0]])).unwrap();
    assert!(
        svg.contains(">3<") && svg.contains(">75%<") && svg.contains("슬픔"),
        "{svg}"
    );
}

#[test]
fn curves_leave_out_what_is_not_a_number() {
    let point = |step, value| CurvePoint {
        step,
        epoch: 1.0,
        split: "train".into(),
        name: "loss".into(),
        value,
    };
    let svg = curves_svg(&[point(1, 2.0), point(2, f64::NAN), point(3, 1.0)]).unwrap();
    assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{svg}");
}

#[test]
fn curves_of_nothing_are_a_picture_all_the_same() {
    assert!(curves_svg(&[]).unwrap().starts_with("<svg"));
}

#[test]
fn runs_of_one_name_share_a_colour_and_a_line_in_the_legend() {
    let run = |name: &str, value: f64| Curve {
        name: name.into(),
        points: vec![CurvePoint {
            step: 9,
            epoch: 1.0,
            split: "validation".into(),
            name: "macro_f1".into(),
            value,
        }],
    };
    let svg = overlaid_curves_svg(&[run("a=1", 0.2), run("a=1", 0.3), run("a=<2>", 0.4)]).unwrap();
    assert_eq!(svg.matches(r#"class="d0""#).count(), 2, "{svg}");
    assert_eq!(svg.matches("a=1<").count(), 1, "{svg}");
    assert!(
        svg.contains("validation macro_f1") && svg.contains("a=&lt;2&gt;"),
        "{svg}"
    );
}

#[test]
fn no_runs_are_a_picture_all_the_same() {
    let svg = overlaid_curves_svg(&[]).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("nothing was measured"),
        "{svg}"
    );
}

#[test]
fn many_points_are_thinned_out() {
    let point = |step: u64| CurvePoint {
        step,
        epoch: 0.0,
        split: "train".into(),
        name: "loss".into(),
        value: 1.0 / (step + 1) as f64,
    };
    let points: Vec<CurvePoint> = (0..100_000).map(point).collect();
    assert!(curves_svg(&points).unwrap().len() < 20_000);
}

fn golden_report() -> GoldenReport {
    let labels = ["분노", "슬픔", "불안", "상처", "당황", "기쁨"]
        .map(str::to_owned)
        .to_vec();
    let truth: Vec<usize> = (0..471).map(|row| row % 6).collect();
    let predict = |skill: usize| -> Vec<usize> {
        truth
            .iter()
            .enumerate()
            .map(|(row, &class)| {
                if (row * 7) % 10 < skill {
                    class
                } else {
                    (row / 3) % 6
                }
            })
            .collect()
    };
    let section = |name: &str, skill: usize| {
        let predicted = predict(skill);
        let confusion = Tally::Classes(ConfusionMatrix::from_predictions(&truth, &predicted, 6));
        let metrics = confusion.metrics();
        let decisions: Vec<Decision> = predicted
            .iter()
            .enumerate()
            .map(|(row, &class)| {
                let mut logits = [0.0f32; 6];
                logits[class] = 1.0 + (row % 17) as f32 / 4.0;
                Prediction::from_logits(&logits).into()
            })
            .collect();
        let truths: Vec<LabelIds> = truth.iter().map(|&class| class.into()).collect();
        let bootstrap = classification::Bootstrap::new(&truth, &[&predicted], 6, 200, 1);
        ModelSection {
            name: name.into(),
            metrics,
            intervals: bootstrap.intervals(0, 0.95),
            confusion,
            ece: 0.0871,
            negative_log_likelihood: 1.21,
            brier: 0.61,
            reliability: Calibration::measure(Task::SingleLabel, &decisions, &truths).reliability,
            mistakes: (0..30).map(|row| mistake(row, &labels)).collect(),
        }
    };
    let flip = |row: usize| Flip {
        id: format!("golden-{row}"),
        text: "진짜 너무 속상해서 아무 말도 못 했어… <script>alert(1)</script>".into(),
        label: labels[row % 6].clone(),
        baseline: labels[(row + 1) % 6].clone(),
        candidate: labels[row % 6].clone(),
        confidence: 0.91,
    };
    GoldenReport {
        title: "evaluate".into(),
        rows: 471,
        digest: "3f1d6c0a".repeat(8),
        supports: (0..6)
            .map(|class| truth.iter().filter(|&&label| label == class).count() as u64)
            .collect(),
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
            fixed: (0..30).map(flip).collect(),
            broken: (0..2).map(flip).collect(),
        }),
        gates: vec![
            GateOutcome {
                gate: "student.macro_f1 >= 0.45".into(),
                value: 0.61,
                bound: None,
                passed: true,
            },
            GateOutcome {
                gate: "student.macro_f1 - teacher.macro_f1 >= 0 at 95%".into(),
                value: 0.0213,
                bound: Some(-0.0101),
                passed: false,
            },
        ],
        facts: vec![Facts {
            title: "Settings".into(),
            rows: vec![("bootstrap".into(), "200 resamples, seed 42".into())],
        }],
        labels,
    }
}

fn mistake(row: usize, labels: &[String]) -> Mistake {
    Mistake {
        id: format!("golden-{row}"),
        text: "오늘 하루종일 아무것도 안 하고 누워만 있었는데 왜 이렇게 피곤하지 ㅋㅋㅋ 😭"
            .repeat(1 + row % 3),
        label: labels[row % 6].clone(),
        predicted: labels[(row + 2) % 6].clone(),
        confidence: 0.99 - row as f32 / 100.0,
        second: Some(labels[row % 6].clone()),
    }
}

#[test]
fn report_is_one_offline_file() {
    let html = golden_report_html(&golden_report()).unwrap();
    if let Ok(path) = std::env::var("GOLDEN_REPORT_OUT") {
        std::fs::write(path, &html).unwrap();
    }
    for loaded in ["src=", "href=\"http", "url(", "@import", "<link", "<script"] {
        assert!(!html.contains(loaded), "the report holds `{loaded}`");
    }
    assert!(
        html.starts_with("<!doctype html>\n<html lang=\"en\">"),
        "{}",
        &html[..100]
    );
}

#[test]
fn texts_in_the_report_are_escaped() {
    let html = golden_report_html(&golden_report()).unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;"));
}

#[test]
fn report_of_one_model_has_no_comparison() {
    let mut report = golden_report();
    (report.comparison, report.gates, report.facts) = (None, Vec::new(), Vec::new());
    report.models.truncate(1);
    let html = golden_report_html(&report).unwrap();
    assert!(!html.contains("McNemar") && !html.contains("Gates") && !html.contains("Settings"));
}

#[test]
fn a_report_on_several_labels_has_their_figures_and_no_second_choice() {
    let mut report = golden_report();
    (report.comparison, report.gates) = (None, Vec::new());
    let rows: Vec<(&str, &str)> = (0..471)
        .map(|row| if row % 3 == 0 { ("01", "1") } else { ("5", "5") })
        .collect();
    for model in &mut report.models {
        model.confusion = label_counts(6, &rows);
        model.metrics = model.confusion.metrics();
    }
    let html = golden_report_html(&report).unwrap();
    if let Ok(path) = std::env::var("GOLDEN_REPORT_OUT") {
        std::fs::write(format!("{path}.several.html"), &html).unwrap();
    }
    for shown in ["Micro-F1", "Samples F1", "Hamming loss", "true pos."] {
        assert!(html.contains(shown), "{shown}");
    }
    assert!(!html.contains(">Second<"));
}

#[test]
fn long_texts_are_cut() {
    let mut report = golden_report();
    report.models[0].mistakes[0].text = "가".repeat(10_000);
    let html = golden_report_html(&report).unwrap();
    assert!(!html.contains(&"가".repeat(1000)));
}
