//! Text and pictures. The golden report is in `golden.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use classification::{ConfusionMatrix, LabelIds, Tally, Task};
use report::{
    Curve, CurvePoint, classification_report, confusion_matrix_csv, confusion_matrix_svg, curves_svg,
    overlaid_curves_svg,
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
