//! Two results side by side: the figures of both, what differs between them, and the rows that came out differently.

use classification::Interval;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::ReportError;
use crate::template::render;

/// Two results of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct SideBySide {
    /// `evaluate`, `fine_tune`, …, or `run`.
    pub kind: String,
    /// What is compared with.
    pub a: Side,
    /// What is compared.
    pub b: Side,
    /// What must be known before the figures are read.
    pub warnings: Vec<String>,
    /// What went in differently, from the first stage on: the stage and what differs, in words.
    #[serde(skip)]
    pub differences: Vec<(String, Vec<String>)>,
    /// The figures.
    pub sections: Vec<Section>,
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// As in references: `evaluate@7`; else a run's id or a path.
    pub name: String,
    /// The version's folder: `0007-ab12cd34`.
    pub version: Option<String>,
    /// Tags of the version.
    pub tags: Vec<String>,
    /// When it was made, in UTC.
    pub created: Option<String>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// Where it lies.
    pub path: String,
}

/// Figures that belong together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    /// Heading: a model's name, for example.
    pub title: String,
    /// Sentences below the heading.
    pub notes: Vec<String>,
    /// Figures of both.
    pub figures: Vec<Figure>,
    /// Whether the two differ by more than chance.
    pub test: Option<PairedTest>,
    /// Rows with columns of their own.
    pub tables: Vec<Rows>,
    /// An svg.
    #[serde(skip)]
    pub picture: Option<String>,
}

/// A figure of both.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// As in reports and gates: `macro_f1`, `per_class.기쁨.f1`.
    pub name: String,
    /// Of the first.
    pub a: Option<f64>,
    /// Its 95 % interval.
    pub a_ci95: Option<Interval>,
    /// Of the second.
    pub b: Option<f64>,
    /// Its 95 % interval.
    pub b_ci95: Option<Interval>,
    /// The second minus the first; none where that would mean nothing.
    pub difference: Option<f64>,
    /// Its 95 % interval by the paired bootstrap.
    pub difference_ci95: Option<Interval>,
    /// How it is written.
    #[serde(skip)]
    pub unit: Unit,
    /// Which direction is good.
    #[serde(skip)]
    pub better: Better,
}

/// How a figure is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Four digits.
    #[default]
    Number,
    /// Whole.
    Count,
}

/// Which direction of a figure is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Better {
    /// Neither.
    #[default]
    Neither,
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// Two models on the same rows.
#[derive(Clone, Debug, Serialize)]
pub struct PairedTest {
    /// How many rows.
    pub rows: u64,
    /// Resamples of the paired bootstrap.
    pub resamples: usize,
    /// Macro-F1 of the second minus that of the first.
    pub macro_f1_difference: f64,
    /// Its 95 % interval.
    pub ci95: Option<Interval>,
    /// McNemar's test of which rows are right, two-sided.
    pub mcnemar_p: f64,
    /// Rows that only the second has right.
    pub fixed: u64,
    /// Rows that only the first has right.
    pub broken: u64,
    /// Rows that both have wrong, each in its own way.
    pub changed: u64,
}

/// Rows of a table with a heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Heading.
    pub title: String,
    /// How many there are; not all need be here.
    pub of: u64,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// A cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// A value in [`Rows`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// None.
    Empty,
    /// A word or a text.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A figure.
    Number(f64),
}

impl Unit {
    /// A value in words.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Count => grouped(value.abs() as u64, if value < 0.0 { "\u{2212}" } else { "" }),
            Self::Number => format!("{value:.4}"),
        }
    }

    /// A difference in words, with its sign and a real minus.
    pub fn show_difference(self, value: f64) -> String {
        let digits = match self {
            Self::Count => grouped(value.abs() as u64, ""),
            Self::Number => format!("{:.4}", value.abs()),
        };
        let sign = match value {
            // Nothing that these digits show.
            _ if digits.bytes().all(|digit| matches!(digit, b'0' | b'.')) => "±",
            value if value < 0.0 => "\u{2212}",
            _ => "+",
        };
        format!("{sign}{digits}")
    }
}

impl Figure {
    /// Whether both are the same.
    pub fn is_same(&self) -> bool {
        self.a == self.b
    }

    /// Whether a difference whose interval leaves out zero is a good one; none if it may be chance.
    pub fn judgement(&self) -> Option<bool> {
        let (difference, interval) = self.difference.zip(self.difference_ci95)?;
        let certain = interval.low > 0.0 || interval.high < 0.0;
        match self.better {
            Better::Neither => None,
            _ if !certain => None,
            Better::Higher => Some(difference > 0.0),
            Better::Lower => Some(difference < 0.0),
        }
    }
}

impl PairedTest {
    /// What it says, in a sentence.
    pub fn words(&self) -> String {
        let interval = self.ci95.map(|interval| {
            let ends = [interval.low, interval.high].map(|end| Unit::Number.show_difference(end));
            let verdict = if interval.low > 0.0 || interval.high < 0.0 {
                "leaves out zero"
            } else {
                "holds zero: these rows do not tell the two apart"
            };
            format!(" (95 % from {} to {}, which {verdict})", ends[0], ends[1])
        });
        format!(
            "macro-F1 {} on the same {} rows{}",
            Unit::Number.show_difference(self.macro_f1_difference),
            grouped(self.rows, ""),
            interval.unwrap_or_default()
        )
    }

    /// Flips and McNemar's test, in a sentence.
    pub fn flips(&self) -> String {
        let p = if self.mcnemar_p < 1e-4 {
            "p < 0.0001".to_owned()
        } else {
            format!("p = {:.4}", self.mcnemar_p)
        };
        format!(
            "{} fixed, {} broken (McNemar {p}), {} wrong in another way",
            grouped(self.fixed, ""),
            grouped(self.broken, ""),
            grouped(self.changed, "")
        )
    }
}

impl Cell {
    /// In words.
    pub fn show(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => grouped(*count, ""),
            Self::Number(value) => Unit::Number.show(*value),
        }
    }

    /// Whether it is written to the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Count(_) | Self::Number(_))
    }
}

impl Serialize for Rows {
    /// Rows as objects, keys as the columns.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Objects<'a>(&'a Rows);
        struct Object<'a>(&'a [String], &'a [Cell]);
        impl Serialize for Objects<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(Some(self.0.rows.len()))?;
                for row in &self.0.rows {
                    list.serialize_element(&Object(&self.0.columns, row))?;
                }
                list.end()
            }
        }
        impl Serialize for Object<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().zip(self.1))
            }
        }
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("title", &self.title)?;
        map.serialize_entry("of", &self.of)?;
        map.serialize_entry("rows", &Objects(self))?;
        map.end()
    }
}

/// The comparison as one html file.
pub fn compare_html(compared: &SideBySide) -> Result<String, ReportError> {
    let section = |section: &'_ Section| DrawnSection {
        title: section.title.clone(),
        notes: section.notes.clone(),
        intervals: section
            .figures
            .iter()
            .any(|figure| figure.difference_ci95.is_some()),
        figures: section.figures.iter().map(DrawnFigure::new).collect(),
        test: section.test.as_ref().map(|test| (test.words(), test.flips())),
        tables: section.tables.iter().map(DrawnRows::new).collect(),
        picture: section.picture.clone(),
    };
    let page = Page {
        kind: &compared.kind,
        a: &compared.a,
        b: &compared.b,
        warnings: &compared.warnings,
        differences: &compared.differences,
        sections: compared.sections.iter().map(section).collect(),
    };
    render("compare.html", page)
}

#[derive(Serialize)]
struct Page<'a> {
    kind: &'a str,
    a: &'a Side,
    b: &'a Side,
    warnings: &'a [String],
    differences: &'a [(String, Vec<String>)],
    sections: Vec<DrawnSection>,
}

#[derive(Serialize)]
struct DrawnSection {
    title: String,
    notes: Vec<String>,
    /// Whether any difference has an interval.
    intervals: bool,
    figures: Vec<DrawnFigure>,
    test: Option<(String, String)>,
    tables: Vec<DrawnRows>,
    picture: Option<String>,
}

#[derive(Serialize)]
struct DrawnFigure {
    name: String,
    a: Option<String>,
    a_ci95: Option<Interval>,
    b: Option<String>,
    b_ci95: Option<Interval>,
    difference: Option<String>,
    difference_ci95: Option<[String; 2]>,
    good: Option<bool>,
}

impl DrawnFigure {
    fn new(figure: &Figure) -> Self {
        let ends =
            |interval: Interval| [interval.low, interval.high].map(|end| Unit::Number.show_difference(end));
        Self {
            name: figure.name.clone(),
            a: figure.a.map(|value| figure.unit.show(value)),
            a_ci95: figure.a_ci95,
            b: figure.b.map(|value| figure.unit.show(value)),
            b_ci95: figure.b_ci95,
            difference: figure.difference.map(|value| figure.unit.show_difference(value)),
            difference_ci95: figure.difference_ci95.map(ends),
            good: figure.judgement(),
        }
    }
}

#[derive(Serialize)]
struct DrawnRows {
    title: String,
    of: u64,
    shown: u64,
    columns: Vec<(String, &'static str)>,
    rows: Vec<Vec<String>>,
}

impl DrawnRows {
    fn new(rows: &Rows) -> Self {
        let class = |(at, name): (usize, &String)| {
            let number = rows.rows.iter().any(|row| row[at].is_number());
            let class = match name.as_str() {
                "text" => "text",
                _ if number => "number",
                _ => "name",
            };
            (name.clone(), class)
        };
        Self {
            title: rows.title.clone(),
            of: rows.of,
            shown: rows.rows.len() as u64,
            columns: rows.columns.iter().enumerate().map(class).collect(),
            rows: rows
                .rows
                .iter()
                .map(|row| row.iter().map(Cell::show).collect())
                .collect(),
        }
    }
}

fn grouped(value: u64, sign: &str) -> String {
    format!("{sign}{}", crate::template::thousands(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_carry_their_sign() {
        let shown = [0.0123, -0.5, -1e-6].map(|value| Unit::Number.show_difference(value));
        assert_eq!(shown, ["+0.0123", "\u{2212}0.5000", "±0.0000"]);
        assert_eq!(Unit::Count.show_difference(-1234.0), "\u{2212}1,234");
    }

    #[test]
    fn a_difference_within_chance_is_neither_good_nor_bad() {
        let figure = |low: f64, better: Better| Figure {
            name: "macro_f1".into(),
            a: Some(0.5),
            a_ci95: None,
            b: Some(0.6),
            b_ci95: None,
            difference: Some(0.1),
            difference_ci95: Some(Interval { low, high: 0.2 }),
            unit: Unit::Number,
            better,
        };
        assert_eq!(figure(0.05, Better::Higher).judgement(), Some(true));
        assert_eq!(figure(0.05, Better::Lower).judgement(), Some(false));
        assert_eq!(figure(-0.05, Better::Higher).judgement(), None);
        assert_eq!(figure(0.05, Better::Neither).judgement(), None);
    }
}
