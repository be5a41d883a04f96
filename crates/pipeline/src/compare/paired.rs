//! Two models' answers to the same rows: whether they differ by more than chance, and on which rows they differ.

use std::collections::BTreeMap;
use std::path::Path;

use classification::{Bootstrap, Interval, LabelIds, McNemar, Metrics, MultiLabelMetrics, Tally, Task};
use dataset::inspect;
use report::{Cell, Figure, PairedTest, Rows};

use crate::error::CliError;

const RESAMPLES: usize = 1000;
const SEED: u64 = 42;
const LEVEL: f64 = 0.95;

/// What a model says about labelled rows.
#[derive(Default)]
pub(super) struct Predictions {
    ids: Vec<String>,
    truth: Vec<Vec<String>>,
    given: Vec<Vec<String>>,
    confidence: Vec<f64>,
    /// Of rows that came with one.
    pub(super) texts: BTreeMap<String, String>,
    task: Task,
}

/// What two models' answers have to show.
pub(super) struct Paired {
    pub(super) test: PairedTest,
    /// The 95 % interval of the difference of each figure, by its name in reports.
    differences: BTreeMap<String, Interval>,
    /// Fixed, broken and changed rows.
    pub(super) tables: Vec<Rows>,
}

impl Predictions {
    /// Reads `id`, `text`, `label` or `labels`, `pred_emotion` and `pred_conf`; none if there is no such file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, CliError> {
        if !path.is_file() {
            return Ok(None);
        }
        let failed = |error: dataset::DatasetError| stage::Failure::from(error);
        let opened = inspect::open(path, &path.display().to_string(), None).map_err(failed)?;
        let columns = opened.schema().map_err(failed)?;
        let column = |name: &str| columns.iter().find(|column| column.name == name);
        let label = column("label").or(column("labels"));
        let several = label.is_some_and(|label| label.dtype.starts_with("list"));
        let (label, text) = (
            label.map_or("label", |label| &label.name),
            if column("text").is_some() { "text" } else { "NULL" },
        );
        let query = format!("SELECT id, {text} AS text, {label}, pred_emotion, pred_conf FROM t");
        let mut predictions = Self {
            task: if several {
                Task::MultiLabel
            } else {
                Task::SingleLabel
            },
            ..Self::default()
        };
        for row in opened
            .sql(&query)
            .and_then(|rows| rows.all())
            .map_err(failed)?
            .rows
        {
            let [id, text, truth, given, confidence] = row.as_slice() else {
                continue;
            };
            let id = names(id).concat();
            if let dataset::Cell::Text(text) = text {
                predictions.texts.insert(id.clone(), text.clone());
            }
            predictions.ids.push(id);
            predictions.truth.push(names(truth));
            predictions.given.push(names(given));
            predictions.confidence.push(match confidence {
                dataset::Cell::Float(value) => *value,
                _ => f64::NAN,
            });
        }
        Ok(Some(predictions))
    }

    /// Whether both are about the same rows with the same truth.
    pub(super) fn same_rows(&self, other: &Self) -> bool {
        self.task == other.task && self.ids == other.ids && self.truth == other.truth
    }

    /// The second's answers against this one's on the same rows, the first `limit` rows of each sort. None if a label
    /// is none of `labels`.
    pub(super) fn against(
        &self,
        second: &Self,
        labels: &[String],
        texts: &BTreeMap<String, String>,
        limit: usize,
    ) -> Option<Paired> {
        let ids = |rows: &[Vec<String>]| -> Option<Vec<LabelIds>> {
            let id = |name: &String| labels.iter().position(|label| label == name);
            rows.iter().map(|row| row.iter().map(id).collect()).collect()
        };
        let (truth, first_ids, second_ids) = (ids(&self.truth)?, ids(&self.given)?, ids(&second.given)?);
        let one_each = |rows: &[LabelIds]| rows.iter().all(|row| row.len() == 1);
        if self.task == Task::SingleLabel
            && ![&truth, &first_ids, &second_ids]
                .iter()
                .all(|rows| one_each(rows))
        {
            return None;
        }
        let models: [Vec<&LabelIds>; 2] = [first_ids.iter().collect(), second_ids.iter().collect()];
        let slices: Vec<&[&LabelIds]> = models.iter().map(Vec::as_slice).collect();
        let bootstrap = Bootstrap::of_task(self.task, &truth, &slices, labels.len(), RESAMPLES, SEED);
        let difference = |metrics: &[Metrics]| metrics[1].macro_f1 - metrics[0].macro_f1;
        let measured =
            |given: &[LabelIds]| Tally::count(self.task, labels.len(), truth.iter(), given.iter()).metrics();
        let right = |given: &[LabelIds]| -> Vec<bool> {
            let rows = truth.iter().zip(given);
            rows.map(|(truth, given)| truth == given).collect()
        };
        let (a, b) = (right(&first_ids), right(&second_ids));
        let mcnemar = McNemar::from_right(&a, &b);
        let sort = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
            let mut rows: Vec<usize> = (0..truth.len()).filter(|row| wanted(*row)).collect();
            rows.sort_by(|x, y| second.confidence[*y].total_cmp(&second.confidence[*x]));
            rows
        };
        let changed = sort(&|row| !a[row] && !b[row] && first_ids[row] != second_ids[row]);
        let test = PairedTest {
            rows: truth.len() as u64,
            resamples: RESAMPLES,
            macro_f1_difference: difference(&[measured(&first_ids), measured(&second_ids)]),
            ci95: bootstrap.interval(LEVEL, difference),
            mcnemar_p: mcnemar.p_value,
            fixed: mcnemar.fixed,
            broken: mcnemar.broken,
            changed: changed.len() as u64,
        };
        let rows = |title: &str, rows: Vec<usize>| self.rows(second, title, &rows, texts, limit);
        let tables = vec![
            rows("fixed", sort(&|row| !a[row] && b[row])),
            rows("broken", sort(&|row| a[row] && !b[row])),
            rows("wrong in another way", changed),
        ];
        Some(Paired {
            test,
            differences: differences(&bootstrap, labels, self.task),
            tables,
        })
    }

    fn rows(
        &self,
        second: &Self,
        title: &str,
        rows: &[usize],
        texts: &BTreeMap<String, String>,
        limit: usize,
    ) -> Rows {
        let text = |names: &[String]| Cell::Text(names.join(", "));
        let row = |row: &usize| {
            vec![
                Cell::Text(self.ids[*row].clone()),
                text(&self.truth[*row]),
                text(&self.given[*row]),
                Cell::Number(self.confidence[*row]),
                text(&second.given[*row]),
                Cell::Number(second.confidence[*row]),
                texts
                    .get(&self.ids[*row])
                    .map_or(Cell::Empty, |text| Cell::Text(text.clone())),
            ]
        };
        Rows {
            title: title.to_owned(),
            of: rows.len() as u64,
            columns: ["id", "label", "A", "conf A", "B", "conf B", "text"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.iter().take(limit).map(row).collect(),
        }
    }
}

impl Paired {
    /// Adds the intervals to the figures.
    pub(super) fn complete(&self, figures: &mut [Figure]) {
        for figure in figures {
            figure.difference_ci95 = self.differences.get(&figure.name).copied();
        }
    }
}

/// Of the second of two models and the first, figure by figure.
fn differences(bootstrap: &Bootstrap, labels: &[String], task: Task) -> BTreeMap<String, Interval> {
    let mut found = BTreeMap::new();
    let mut add = |name: &str, figure: &dyn Fn(&Metrics) -> f64| {
        let difference = |metrics: &[Metrics]| figure(&metrics[1]) - figure(&metrics[0]);
        if let Some(interval) = bootstrap.interval(LEVEL, difference) {
            found.insert(name.to_owned(), interval);
        }
    };
    add("accuracy", &|metrics| metrics.accuracy);
    add("macro_f1", &|metrics| metrics.macro_f1);
    add("weighted_f1", &|metrics| metrics.weighted_f1);
    for (class, label) in labels.iter().enumerate() {
        add(&format!("per_class.{label}.f1"), &|metrics| {
            metrics.per_class[class].f1
        });
    }
    if task == Task::MultiLabel {
        let mut several = |name: &str, figure: fn(MultiLabelMetrics) -> f64| {
            add(name, &|metrics| {
                metrics.multi_label.map(figure).unwrap_or_default()
            });
        };
        several("micro_f1", |metrics| metrics.micro_f1);
        several("samples_f1", |metrics| metrics.samples_f1);
        several("hamming_loss", |metrics| metrics.hamming_loss);
    }
    found
}

/// One name, or those of a list.
fn names(cell: &dataset::Cell) -> Vec<String> {
    match cell {
        dataset::Cell::Null => Vec::new(),
        dataset::Cell::List(cells) => cells.iter().flat_map(names).collect(),
        other => vec![other.display()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(given: [&str; 4]) -> Predictions {
        let each = |names: [&str; 4]| names.map(|name| vec![name.to_owned()]).to_vec();
        Predictions {
            ids: (0..4).map(|row| format!("golden-{row}")).collect(),
            truth: each(["분노", "분노", "기쁨", "슬픔"]),
            given: each(given),
            confidence: vec![0.5, 0.6, 0.7, 0.8],
            ..Predictions::default()
        }
    }

    fn labels() -> Vec<String> {
        ["분노", "슬픔", "기쁨"].map(str::to_owned).to_vec()
    }

    #[test]
    fn rows_are_fixed_broken_or_wrong_in_another_way() {
        let first = predictions(["분노", "기쁨", "기쁨", "분노"]);
        let second = predictions(["슬픔", "분노", "기쁨", "기쁨"]);
        let texts = BTreeMap::from([("golden-1".to_owned(), "하나".to_owned())]);
        let paired = first.against(&second, &labels(), &texts, 10).unwrap();
        let ids: Vec<Vec<String>> = paired
            .tables
            .iter()
            .map(|table| table.rows.iter().map(|row| row[0].show()).collect())
            .collect();
        assert_eq!(ids, [["golden-1"], ["golden-0"], ["golden-3"]]);
        assert_eq!(paired.tables[0].rows[0][6], Cell::Text("하나".into()));
        let test = paired.test;
        assert_eq!(
            (test.fixed, test.broken, test.changed, test.mcnemar_p),
            (1, 1, 1, 1.0)
        );
        // F1 of the first: 2/4, 0, 2/3; of the second: 2/3, 0, 2/3.
        assert!((test.macro_f1_difference - (2.0 / 3.0 - 0.5) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_same_answers_differ_by_exactly_nothing() {
        let first = predictions(["분노", "기쁨", "기쁨", "분노"]);
        let paired = first.against(&first, &labels(), &BTreeMap::new(), 10).unwrap();
        let interval = paired.test.ci95.unwrap();
        assert_eq!((interval.low, interval.high, paired.test.fixed), (0.0, 0.0, 0));
    }

    #[test]
    fn other_truths_are_other_rows() {
        let first = predictions(["분노", "기쁨", "기쁨", "분노"]);
        let mut second = predictions(["분노", "기쁨", "기쁨", "분노"]);
        assert!(first.same_rows(&second));
        second.truth[2] = vec!["슬픔".to_owned()];
        assert!(!first.same_rows(&second));
    }
}
