//! Plain text that other programs' users know.

use std::fmt::Write;

use classification::{ConfusionMatrix, Metrics};

/// What scikit-learn's `classification_report(truth, predicted, labels=ALL, target_names=labels, zero_division=0)`
/// returns, byte for byte, with its default of two digits.
///
/// Names are right-aligned by their number of characters, as there; Hangul is two columns wide on a terminal.
///
/// # Panics
/// If there is not one label per class.
pub fn classification_report(labels: &[impl AsRef<str>], matrix: &ConfusionMatrix) -> String {
    assert_eq!(labels.len(), matrix.classes(), "one label per class");
    let metrics = Metrics::from_confusion(matrix);
    let longest = labels.iter().map(|label| label.as_ref().chars().count()).max();
    let width = longest.unwrap_or(0).max("weighted avg".len());
    // scikit-learn's supports are floats if no row was predicted right.
    let support = |count: u64| {
        if matrix.correct() == 0 {
            format!("{count}.0")
        } else {
            count.to_string()
        }
    };
    let row = |name: &str, precision: f64, recall: f64, f1: f64, count: u64| {
        format!(
            "{name:>width$}  {precision:>9.2} {recall:>9.2} {f1:>9.2} {:>9}\n",
            support(count)
        )
    };

    let mut text = format!("{:>width$}  precision    recall  f1-score   support\n\n", "");
    for (label, class) in labels.iter().zip(&metrics.per_class) {
        text += &row(
            label.as_ref(),
            class.precision,
            class.recall,
            class.f1,
            class.support,
        );
    }
    let rows = support(metrics.rows);
    text += &format!(
        "\n{:>width$}  {:>9} {:>9} {:>9.2} {rows:>9}\n",
        "accuracy", "", "", metrics.accuracy
    );
    let (precision, recall) = (metrics.macro_precision, metrics.macro_recall);
    text += &row("macro avg", precision, recall, metrics.macro_f1, metrics.rows);
    let (precision, recall) = (metrics.weighted_precision, metrics.weighted_recall);
    text += &row(
        "weighted avg",
        precision,
        recall,
        metrics.weighted_f1,
        metrics.rows,
    );
    text
}

/// `eval_NAME = VALUE`, one per line, sorted by name, as the example scripts of Hugging Face transformers write it.
pub fn eval_results(metrics: &Metrics, loss: f64) -> String {
    let lines = [
        ("accuracy", metrics.accuracy.to_string()),
        ("loss", loss.to_string()),
        ("macro_f1", metrics.macro_f1.to_string()),
        ("macro_precision", metrics.macro_precision.to_string()),
        ("macro_recall", metrics.macro_recall.to_string()),
        ("samples", metrics.rows.to_string()),
        ("weighted_f1", metrics.weighted_f1.to_string()),
        ("weighted_precision", metrics.weighted_precision.to_string()),
        ("weighted_recall", metrics.weighted_recall.to_string()),
    ];
    lines.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "eval_{name} = {value}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_sorted_lines() {
        let metrics = Metrics::from_predictions(&[0, 1, 1, 1], &[0, 1, 1, 0], 2);
        let text = eval_results(&metrics, 0.5);
        assert!(
            text.starts_with("eval_accuracy = 0.75\neval_loss = 0.5\n"),
            "{text}"
        );
        assert!(text.contains("\neval_samples = 4\n"), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.is_sorted());
    }
}
