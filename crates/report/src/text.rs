//! Plain text that other programs' users know.

use std::fmt::Write;

use classification::{Metrics, Tally};

/// What scikit-learn's `classification_report(truth, predicted, labels=ALL, target_names=labels, zero_division=0)`
/// returns, byte for byte, with its default of two digits.
///
/// Names are right-aligned by their number of characters, as there; Hangul is two columns wide on a terminal.
///
/// # Panics
/// If there is not one label per class.
pub fn classification_report(labels: &[impl AsRef<str>], tally: &Tally) -> String {
    let metrics = tally.metrics();
    assert_eq!(labels.len(), metrics.per_class.len(), "one label per class");
    let longest = labels.iter().map(|label| label.as_ref().chars().count()).max();
    let width = longest.unwrap_or(0).max("weighted avg".len());
    let several = metrics.multi_label;
    // scikit-learn's supports are floats if the task is single-label and no row was predicted right.
    let floats = several.is_none() && tally.correct() == 0;
    let support = |count: u64| {
        if floats {
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
    text.push('\n');
    let total: u64 = metrics.per_class.iter().map(|class| class.support).sum();
    match several {
        None => {
            text += &format!(
                "{:>width$}  {:>9} {:>9} {:>9.2} {:>9}\n",
                "accuracy",
                "",
                "",
                metrics.accuracy,
                support(total)
            );
        }
        Some(several) => {
            let (precision, recall) = (several.micro_precision, several.micro_recall);
            text += &row("micro avg", precision, recall, several.micro_f1, total);
        }
    }
    let (precision, recall) = (metrics.macro_precision, metrics.macro_recall);
    text += &row("macro avg", precision, recall, metrics.macro_f1, total);
    let (precision, recall) = (metrics.weighted_precision, metrics.weighted_recall);
    text += &row("weighted avg", precision, recall, metrics.weighted_f1, total);
    if let Some(several) = several {
        let (precision, recall) = (several.samples_precision, several.samples_recall);
        text += &row("samples avg", precision, recall, several.samples_f1, total);
    }
    text
}

/// `eval_NAME = VALUE`, one per line, sorted by name, as the example scripts of Hugging Face transformers write it.
pub fn eval_results(metrics: &Metrics, loss: f64) -> String {
    let mut lines = vec![
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
    if let Some(several) = metrics.multi_label {
        lines.extend([
            ("hamming_loss", several.hamming_loss.to_string()),
            ("micro_f1", several.micro_f1.to_string()),
            ("micro_precision", several.micro_precision.to_string()),
            ("micro_recall", several.micro_recall.to_string()),
            ("samples_f1", several.samples_f1.to_string()),
            ("samples_precision", several.samples_precision.to_string()),
            ("samples_recall", several.samples_recall.to_string()),
        ]);
        lines.sort_unstable();
    }
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
