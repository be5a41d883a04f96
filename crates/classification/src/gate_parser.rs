//! From a gate's text to a [`Gate`]; errors say where in the text.

use crate::{ClassFigure, Figure, Gate, LabelSet, Operator, Task, Term};

/// What is wrong with a gate's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateError {
    /// The gate as written.
    pub gate: String,
    /// Where in it, in characters from 1.
    pub column: usize,
    /// What is wrong there. Lower case, no final stop.
    pub message: String,
    /// The name that is not known, if that is what is wrong.
    pub unknown: Option<String>,
    /// The names that could stand in its place.
    pub known: Vec<String>,
}

impl std::fmt::Display for GateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "gate `{}`, column {}: {}",
            self.gate, self.column, self.message
        )
    }
}

impl std::error::Error for GateError {}

/// Figures over all classes.
const WHOLE: &[(&str, Figure)] = &[
    ("accuracy", Figure::Accuracy),
    ("macro_f1", Figure::MacroF1),
    ("weighted_f1", Figure::WeightedF1),
];

/// Figures that there are only where rows have any number of labels.
const MULTI_LABEL: &[(&str, Figure)] = &[
    ("micro_f1", Figure::MicroF1),
    ("samples_f1", Figure::SamplesF1),
    ("hamming_loss", Figure::HammingLoss),
];

/// Reads one gate.
pub(crate) struct Parser<'a> {
    pub(crate) text: &'a str,
    pub(crate) models: &'a [String],
    pub(crate) labels: &'a LabelSet,
    pub(crate) task: Task,
}

impl Parser<'_> {
    pub(crate) fn gate(&self) -> Result<Gate, GateError> {
        let Some(at) = self.text.find(['<', '>', '=']) else {
            return Err(self.error(
                self.text.trim_end().len(),
                "expected an operator: `>=`, `>`, `<=` or `<`",
            ));
        };
        let (left, rest) = self.text.split_at(at);
        let (operator, length) = self.operator(rest, at)?;
        let (threshold, level) = self.right_side(&rest[length..], at + length)?;
        let (minuend, subtrahend) = match left.find(" - ") {
            None => (self.term(left, 0)?, None),
            Some(minus) => {
                let second = self.term(&left[minus + 3..], minus + 3)?;
                (self.term(&left[..minus], 0)?, Some(second))
            }
        };
        Ok(Gate {
            text: self.text.trim().to_owned(),
            minuend,
            subtrahend,
            operator,
            threshold,
            level,
        })
    }

    fn operator(&self, rest: &str, at: usize) -> Result<(Operator, usize), GateError> {
        let known = [
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            (">", Operator::Above),
            ("<", Operator::Below),
        ];
        let found = known.into_iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, operator) = found.ok_or_else(|| self.error(at, "expected `>=`, `>`, `<=` or `<`"))?;
        Ok((operator, sign.len()))
    }

    /// `NUMBER` or `NUMBER at LEVEL%`.
    fn right_side(&self, text: &str, at: usize) -> Result<(f64, Option<f64>), GateError> {
        let (number, level) = match text.find(" at ") {
            None => (text, None),
            Some(split) => (&text[..split], Some((&text[split + 4..], at + split + 4))),
        };
        let parsed = number
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite());
        let threshold = parsed.ok_or_else(|| {
            let message = format!(
                "expected a number, then perhaps `at 95%`, not `{}`",
                number.trim()
            );
            self.error(at + leading(number), message)
        })?;
        Ok((
            threshold,
            level.map(|(text, at)| self.level(text, at)).transpose()?,
        ))
    }

    fn level(&self, text: &str, at: usize) -> Result<f64, GateError> {
        let percent = text
            .trim()
            .strip_suffix('%')
            .and_then(|number| number.trim_end().parse::<f64>().ok());
        let percent = percent.filter(|percent| *percent > 0.0 && *percent < 100.0);
        let message = || {
            format!(
                "expected a level between 0% and 100% such as `95%`, not `{}`",
                text.trim()
            )
        };
        percent
            .map(|percent| percent / 100.0)
            .ok_or_else(|| self.error(at + leading(text), message()))
    }

    /// `MODEL.METRIC`
    fn term(&self, text: &str, at: usize) -> Result<Term, GateError> {
        let at = at + leading(text);
        let text = text.trim();
        let Some((name, metric)) = text.split_once('.') else {
            return Err(self.error(at, format!("expected `MODEL.METRIC`, not `{text}`")));
        };
        let model = self.models.iter().position(|model| model == name);
        let model = model.ok_or_else(|| self.unknown(at, "model", name, self.models.to_vec()))?;
        Ok(Term {
            model,
            figure: self.figure(metric, at + name.len() + 1)?,
        })
    }

    fn figure(&self, metric: &str, at: usize) -> Result<Figure, GateError> {
        let figures = WHOLE.iter().chain(if self.task == Task::MultiLabel {
            MULTI_LABEL
        } else {
            &[]
        });
        if let Some((_, figure)) = figures.clone().find(|(name, _)| *name == metric) {
            return Ok(*figure);
        }
        let known = figures.map(|(name, _)| *name).chain(["per_class.LABEL.f1"]);
        let known: Vec<String> = known.map(str::to_owned).collect();
        let unknown = || self.unknown(at, "metric", metric, known.clone());
        let of_class = metric
            .strip_prefix("per_class.")
            .and_then(|rest| rest.rsplit_once('.'));
        let (label, figure) = of_class.ok_or_else(unknown)?;
        let figure = match figure {
            "precision" => ClassFigure::Precision,
            "recall" => ClassFigure::Recall,
            "f1" => ClassFigure::F1,
            _ => return Err(unknown()),
        };
        let class = self.labels.resolve(label).ok_or_else(|| {
            let names = self.labels.names().map(str::to_owned).collect();
            self.unknown(at + "per_class.".len(), "label", label, names)
        })?;
        Ok(Figure::Class(class, figure))
    }

    fn error(&self, byte: usize, message: impl Into<String>) -> GateError {
        let column = self.text[..byte].chars().count() + 1;
        let (gate, message) = (self.text.to_owned(), message.into());
        GateError {
            gate,
            column,
            message,
            unknown: None,
            known: Vec::new(),
        }
    }

    fn unknown(&self, byte: usize, what: &str, name: &str, known: Vec<String>) -> GateError {
        let message = format!("unknown {what} `{name}`; known are: {}", known.join(", "));
        GateError {
            unknown: Some(name.to_owned()),
            known,
            ..self.error(byte, message)
        }
    }
}

/// Bytes of white space before the first word.
fn leading(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Gate, GateError> {
        let models = ["teacher".to_owned(), "student".to_owned()];
        let labels = LabelSet::from_names(["분노", "기쁨"]).unwrap();
        Parser {
            text,
            models: &models,
            labels: &labels,
            task: crate::Task::SingleLabel,
        }
        .gate()
    }

    fn complaint(text: &str) -> (usize, String) {
        let error = parse(text).unwrap_err();
        (error.column, error.message)
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(complaint("student.macro_f1").0, 17);
        assert_eq!(complaint("student.macro_f1 = 3").0, 18);
        assert_eq!(complaint("student.macro_f1 >= high").0, 21);
        assert_eq!(complaint("student.macro_f1 >= 0 at much").0, 26);
        assert_eq!(complaint("student.f2 >= 0").0, 9);
        assert_eq!(complaint("student.per_class.슬픔.f1 >= 0").0, 19);
        assert_eq!(complaint("student.macro_f1 - techer.macro_f1 >= 0").0, 20);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(complaint("student.per_class.기쁨.f1 >= 많이").0, 28);
    }

    #[test]
    fn unknown_model_names_those_that_there_are() {
        assert_eq!(
            complaint("pupil.accuracy >= 0").1,
            "unknown model `pupil`; known are: teacher, student"
        );
    }

    #[test]
    fn not_a_number_is_not_a_threshold() {
        assert_eq!(complaint("student.accuracy >= NaN").0, 21);
    }
}
