//! Why a stage runs: one field of its identity that is not what it was.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One difference between what was made and what is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// `params.epochs`, `seed`, `input train`, `never ran`, `forced`, …
    pub field: String,
    /// The value that went into the newest version; null where there is none.
    pub before: Value,
    /// The value now; null where there is none.
    pub after: Value,
}

impl Reason {
    /// `field` was `before` and is `after`.
    pub fn changed(field: impl Into<String>, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self {
            field: field.into(),
            before: before.into(),
            after: after.into(),
        }
    }

    /// There is no version.
    pub fn never_ran() -> Self {
        Self::changed("never ran", Value::Null, Value::Null)
    }

    /// The user asked for it.
    pub fn forced() -> Self {
        Self::changed("forced", Value::Null, Value::Null)
    }

    /// The stage that makes an input runs.
    pub fn input_runs(input: &str, stage: &str) -> Self {
        Self::changed(
            format!("input {input}"),
            Value::Null,
            format!("stage `{stage}` runs anew"),
        )
    }

    /// Nobody knows yet which commit of the Hub an input is.
    pub fn not_resolved(input: &str) -> Self {
        Self::changed(input, Value::Null, "not resolved yet")
    }

    /// A stage that this one comes after does not let it begin.
    pub fn held_back(before: &str, why: &str) -> Self {
        Self::changed(format!("after {before}"), Value::Null, why)
    }

    /// A file of the version is gone.
    pub fn output_missing(file: &str) -> Self {
        Self::changed("output missing", file, Value::Null)
    }

    /// A file of the version is not what was written.
    pub fn output_modified(file: &str) -> Self {
        Self::changed("output modified", file, Value::Null)
    }

    /// The same reason seen from a stage further down: through `input`, made by `stage`.
    #[must_use]
    pub fn through(&self, input: &str, stage: &str) -> Self {
        Self {
            field: format!("input {input}: stage {stage}: {}", self.field),
            ..self.clone()
        }
    }
}

impl fmt::Display for Reason {
    /// `params.epochs: 5 → 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, before, after } = self;
        match (before, after) {
            (Value::Null, Value::Null) => f.write_str(field),
            (Value::Null, Value::String(words)) if words.contains(' ') => write!(f, "{field}: {words}"),
            (Value::String(file), Value::Null) if field.ends_with("output missing") => {
                write!(f, "{field}: {file}")
            }
            (Value::String(file), Value::Null) if field.ends_with("output modified") => {
                write!(f, "{field}: {file}")
            }
            _ if is_digests(before) && is_digests(after) => {
                write!(f, "{field} changed ({} → {})", words(before), words(after))
            }
            _ => write!(f, "{field}: {} → {}", words(before), words(after)),
        }
    }
}

/// Short digests: one as text, several as a list.
pub(super) fn digests(short: impl IntoIterator<Item = String>) -> Value {
    let mut short: Vec<Value> = short.into_iter().map(Value::from).collect();
    if short.len() == 1 {
        short.remove(0)
    } else {
        Value::Array(short)
    }
}

fn is_digests(value: &Value) -> bool {
    let is_digest = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    match value {
        Value::Array(items) => !items.is_empty() && items.iter().all(is_digest),
        other => is_digest(other),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reasons_read_as_sentences() {
        let text = |reason: Reason| reason.to_string();
        assert_eq!(
            text(Reason::changed("params.epochs", 5, 2)),
            "params.epochs: 5 → 2"
        );
        assert_eq!(
            text(Reason::changed("params.dropout", Value::Null, 0.1)),
            "params.dropout: none → 0.1"
        );
        assert_eq!(text(Reason::never_ran()), "never ran");
        assert_eq!(
            text(Reason::input_runs("raw", "prepare")),
            "input raw: stage `prepare` runs anew"
        );
        assert_eq!(
            text(Reason::output_missing("kept.parquet")),
            "output missing: kept.parquet"
        );
        let input = Reason::changed("input train", "0a1b2c3d", json!(["0a1b2c3d", "4e5f6071"]));
        assert_eq!(text(input), "input train changed (0a1b2c3d → 0a1b2c3d, 4e5f6071)");
    }

    #[test]
    fn a_reason_keeps_its_values_through_stages() {
        let reason = Reason::changed("params.min_confidence", 0.75, 0.9).through("train", "pseudo_label");
        assert_eq!(
            reason.to_string(),
            "input train: stage pseudo_label: params.min_confidence: 0.75 → 0.9"
        );
    }
}
