//! From a gate's text to a [`Gate`]; errors say where in the text.

use crate::gate_side::{ClassFigure, Figure, Operator, Reference, Side, Source, Term};
use crate::gate_syntax::{is_name, leading, operands, operator_position, split_level, split_tag};
use crate::{Gate, LabelSet, Task};

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
        let Some(at) = operator_position(self.text) else {
            return Err(self.error(
                self.text.trim_end().len(),
                "expected an operator: `>=`, `>`, `<=` or `<`",
            ));
        };
        let (left, rest) = self.text.split_at(at);
        let (operator, length) = self.operator(rest, at)?;
        let at = at + length;
        let (right, level) = split_level(&rest[length..]);
        let right = self.side(right, at)?;
        let level = level
            .map(|(text, offset)| self.level(text, at + offset))
            .transpose()?;
        let left = self.side(left, 0)?;
        if left.terms.is_empty() {
            let message = "the left side names no figure; write e.g. `student.macro_f1 >= 0.45`";
            return Err(self.error(leading(self.text), message));
        }
        Ok(Gate {
            text: self.text.trim().to_owned(),
            left,
            operator,
            right,
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

    /// Numbers and figures with ` + ` and ` - ` between them.
    fn side(&self, text: &str, at: usize) -> Result<Side, GateError> {
        let mut side = Side::default();
        for (factor, operand, offset) in operands(text) {
            let at = at + offset + leading(operand);
            match self.operand(operand.trim(), at)? {
                Operand::Number(number) => side.number += factor * number,
                Operand::Term(term) => side.terms.push((factor, term)),
            }
        }
        Ok(side)
    }

    fn operand(&self, text: &str, at: usize) -> Result<Operand, GateError> {
        if let Some(number) = text.parse().ok().filter(|number: &f64| number.is_finite()) {
            return Ok(Operand::Number(number));
        }
        let is_known = |name: &str| self.models.iter().any(|model| model == name);
        let like_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
        match text.split_once('.') {
            Some((name, metric)) if is_known(name) || !like_number => {
                self.term(name, metric, at).map(Operand::Term)
            }
            _ => {
                let message = format!("expected a number or `MODEL.METRIC`, not `{text}`");
                Err(self.error(at, message))
            }
        }
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

    /// `MODEL.METRIC` or `MODEL.METRIC@TAG`, whose model may be one that there is no more.
    fn term(&self, name: &str, metric: &str, at: usize) -> Result<Term, GateError> {
        let (metric, tag) = split_tag(metric);
        let source = match tag {
            None => Source::Model(self.model(name, metric, at)?),
            Some(tag) => {
                let end = at + name.len() + 1 + metric.len() + 1;
                Source::Tagged(self.reference(name, tag, at, end)?)
            }
        };
        Ok(Term {
            source,
            figure: self.figure(metric, at + name.len() + 1)?,
        })
    }

    fn model(&self, name: &str, metric: &str, at: usize) -> Result<usize, GateError> {
        if let Some((model, tag)) = name.split_once('@') {
            let message = format!("the tag stands at the end: `{model}.{metric}@{tag}`");
            return Err(self.error(at, message));
        }
        let model = self.models.iter().position(|model| model == name);
        model.ok_or_else(|| self.unknown(at, "model", name, self.models.to_vec()))
    }

    fn reference(&self, model: &str, tag: &str, at: usize, tag_at: usize) -> Result<Reference, GateError> {
        if !is_name(model) {
            return Err(self.unknown(at, "model", model, self.models.to_vec()));
        }
        let is_number = tag.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || tag == "latest" || !is_name(tag) {
            let message = format!("expected a tag such as `production`, not `{tag}`");
            return Err(self.error(tag_at, message));
        }
        Ok(Reference {
            model: model.to_owned(),
            tag: tag.to_owned(),
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

enum Operand {
    Number(f64),
    Term(Term),
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
    fn errors_about_tags_say_where() {
        assert_eq!(complaint("student.macro_f1 >= student.macro_f1@").0, 38);
        assert_eq!(complaint("student.macro_f1 >= student.macro_f1@7").0, 38);
        assert_eq!(complaint("student.macro_f1 >= 0.1 + student.f2@production").0, 35);
        let (column, message) = complaint("student@production.macro_f1 >= 0");
        assert_eq!(column, 1);
        assert_eq!(
            message,
            "the tag stands at the end: `student.macro_f1@production`"
        );
    }

    #[test]
    fn the_model_of_an_earlier_version_may_be_one_that_there_is_no_more() {
        let gate = parse("student.macro_f1 >= pupil.macro_f1@production - 0.01").unwrap();
        let references: Vec<String> = gate.references().map(ToString::to_string).collect();
        assert_eq!(references, ["pupil@production"]);
        assert_eq!(gate.right.number, -0.01);
    }

    #[test]
    fn tags_are_found_in_any_text() {
        let tags = |text| Gate::tags(text).join(" ");
        assert_eq!(tags("student.macro_f1 >= 0.4"), "");
        assert_eq!(
            tags("s.macro_f1 - s.macro_f1@production >= 0 at 95%"),
            "production"
        );
        assert_eq!(tags("a.b@one + a.b@two >= a.b@one"), "one two");
        assert_eq!(tags("student.per_class.a@b.f1 >= 0"), "");
    }

    #[test]
    fn an_at_sign_in_a_label_is_no_tag() {
        let labels = LabelSet::from_names(["a@b", "c"]).unwrap();
        let gate = |text| Gate::parse(text, &["m".to_owned()], &labels, crate::Task::SingleLabel);
        assert_eq!(gate("m.per_class.a@b.f1 >= 0").unwrap().references().count(), 0);
        assert_eq!(gate("m.per_class.a@b.f1@x >= 0").unwrap().references().count(), 1);
    }

    #[test]
    fn a_gate_of_numbers_alone_is_none() {
        let (column, message) = complaint("0.4 >= student.macro_f1");
        assert_eq!(column, 1);
        assert!(message.starts_with("the left side names no figure"), "{message}");
    }

    #[test]
    fn what_looks_like_a_number_is_not_taken_for_a_model() {
        let (column, message) = complaint("student.macro_f1 >= 0.4x");
        assert_eq!(column, 21);
        assert_eq!(message, "expected a number or `MODEL.METRIC`, not `0.4x`");
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
