//! Which rows are worth a look.

use std::collections::HashMap;

use dag::{Digest, Version};
use dataset::inspect::{self, Inspector};

use super::args::ExportArgs;
use super::rows::{self, Record, Records, failed};
use super::subject::{Kind, LABELLED, Subject};
use crate::error::{CliError, Exit};

/// Without a wish: the rows nearest to another label, and a few of each class.
const LOWEST_MARGIN: usize = 200;
const PER_CLASS: usize = 20;
/// Rows just below a threshold are drawn from so many times as many as are asked for.
const NEAR: usize = 10;

/// A row that goes out.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) text: String,
    /// What the model says, or the label in the user's table.
    pub(super) labels: Vec<String>,
    pub(super) confidence: Option<f64>,
    pub(super) margin: Option<f64>,
    pub(super) second: Option<String>,
    /// Why it was chosen.
    pub(super) why: String,
}

/// The rows that were chosen, in order, each with its reasons.
#[derive(Default)]
struct Chosen {
    ids: Vec<(String, Vec<String>)>,
    at: HashMap<String, usize>,
}

impl Chosen {
    fn add(&mut self, id: &str, why: &str) {
        match self.at.get(id) {
            Some(at) => self.ids[*at].1.push(why.to_owned()),
            None => {
                self.at.insert(id.to_owned(), self.ids.len());
                self.ids.push((id.to_owned(), vec![why.to_owned()]));
            }
        }
    }
}

/// What is asked for, defaults filled in.
pub(super) struct Wish {
    lowest_margin: usize,
    per_class: usize,
    dropped: usize,
    /// All rows that the condition leaves.
    all: bool,
    seed: u64,
    condition: Option<String>,
}

impl Wish {
    pub(super) fn of(args: &ExportArgs, subject: &Subject) -> Result<Self, CliError> {
        if subject.kind == Kind::Prepare {
            let given = [
                ("--lowest-margin", args.lowest_margin),
                ("--dropped", args.dropped),
            ];
            if let Some((option, _)) = given.into_iter().find(|(_, given)| given.is_some()) {
                return Err(CliError::new(
                    Exit::Usage,
                    format!(
                        "`{option}` needs predictions, which stage `{}` has not",
                        subject.name()
                    ),
                )
                .hint("of a prepare stage: `--per-class N`, `--where EXPR`"));
            }
        }
        let none = args.lowest_margin.is_none() && args.per_class.is_none() && args.dropped.is_none();
        let (all, default) = (none && args.condition.is_some(), none && args.condition.is_none());
        let or_default =
            |given: Option<usize>, value: usize| given.unwrap_or(if default { value } else { 0 });
        Ok(Self {
            lowest_margin: or_default(args.lowest_margin, LOWEST_MARGIN),
            per_class: or_default(args.per_class, PER_CLASS),
            dropped: args.dropped.unwrap_or(0),
            all,
            seed: args.seed,
            condition: args.condition.clone(),
        })
    }
}

/// The rows of a version that are wished for.
pub(super) fn choose(subject: &Subject, version: &Version, wish: &Wish) -> Result<Vec<Candidate>, CliError> {
    match subject.kind {
        Kind::Select => of_selection(subject, version, wish),
        Kind::Prepare => of_tables(subject, version, wish),
    }
}

fn of_selection(subject: &Subject, version: &Version, wish: &Wish) -> Result<Vec<Candidate>, CliError> {
    let narrowed = |table: Inspector| match &wish.condition {
        Some(condition) => table.filter(condition).map_err(failed),
        None => Ok(table),
    };
    let file = |name: &str| {
        rows::open(
            &version.path.join(name),
            &format!("{}.{name}", version.reference()),
        )
    };
    let mut chosen = Chosen::default();
    let kept = narrowed(file("kept.parquet")?)?;
    let slim = rows::select(&kept, &["id", "pred_emotion", "pred_margin"])?;
    if wish.lowest_margin > 0 {
        let mut order: Vec<(f64, String)> = slim
            .iter()
            .map(|row| (row.number("pred_margin").unwrap_or_default(), id_of(row)))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        for (_, id) in order.iter().take(wish.lowest_margin) {
            chosen.add(id, "lowest margin");
        }
    }
    sample_classes(subject, &slim, "pred_emotion", wish, &mut chosen);
    if wish.all {
        slim.iter().for_each(|row| chosen.add(&id_of(row), "condition"));
    }
    let scored = subject.scored(version)?;
    if wish.dropped > 0 {
        let scored = narrowed(scored.clone())?;
        for (id, reason) in just_below(&scored, &file("decided.parquet")?, wish)? {
            chosen.add(&id, &format!("dropped: {reason}"));
        }
    }
    let columns = [
        "id",
        "text",
        "pred_emotion",
        "pred_conf",
        "pred_margin",
        "pred_second",
    ];
    candidates(&scored, &columns, "pred_emotion", &chosen)
}

/// Rows that a threshold dropped, drawn from those that came nearest to it.
fn just_below(
    scored: &Inspector,
    decided: &Inspector,
    wish: &Wish,
) -> Result<Vec<(String, String)>, CliError> {
    let query = "SELECT scored.id AS id, drop_reason, pred_conf, pred_margin, threshold, min_margin \
                 FROM scored JOIN decided ON scored.id = decided.id \
                 WHERE drop_reason IN ('confidence', 'margin')";
    let answer = inspect::sql(&[("scored", scored), ("decided", decided)], query).map_err(failed)?;
    let records = Records::new(answer.all().map_err(failed)?);
    let mut near: Vec<(f64, String, String)> = records
        .iter()
        .map(|row| {
            let short = |wanted: &str, had: &str| {
                row.number(wanted).unwrap_or_default() - row.number(had).unwrap_or_default()
            };
            let shortfall = short("threshold", "pred_conf").max(short("min_margin", "pred_margin"));
            (shortfall, id_of(row), row.text("drop_reason").unwrap_or_default())
        })
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    near.truncate(wish.dropped.saturating_mul(NEAR));
    let near = near.into_iter().map(|(_, id, reason)| (id, reason)).collect();
    Ok(draw(near, wish.dropped, wish.seed, |(id, _)| id))
}

fn of_tables(subject: &Subject, version: &Version, wish: &Wish) -> Result<Vec<Candidate>, CliError> {
    let label = subject.label_column();
    let mut all = Vec::new();
    for table in LABELLED {
        let path = version.path.join(format!("{table}.parquet"));
        if !path.is_file() {
            continue;
        }
        let mut rows = rows::open(&path, &format!("{}.{table}", version.reference()))?;
        if let Some(condition) = &wish.condition {
            rows = rows.filter(condition).map_err(failed)?;
        }
        let slim = rows::select(&rows, &["id", label])?;
        let mut chosen = Chosen::default();
        sample_classes(subject, &slim, label, wish, &mut chosen);
        if wish.all {
            slim.iter().for_each(|row| chosen.add(&id_of(row), "condition"));
        }
        for mut candidate in candidates(&rows, &["id", "text", label], label, &chosen)? {
            candidate.why = format!("{table}: {}", candidate.why);
            all.push(candidate);
        }
    }
    Ok(all)
}

/// Draws rows of every class, in the order of the labels.
fn sample_classes(subject: &Subject, rows: &Records, column: &str, wish: &Wish, chosen: &mut Chosen) {
    if wish.per_class == 0 {
        return;
    }
    let mut by_class: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows.iter() {
        for label in row.names(column).unwrap_or_default() {
            by_class.entry(label).or_default().push(id_of(row));
        }
    }
    for label in subject.dag.labels.names() {
        let ids = by_class.remove(label).unwrap_or_default();
        for id in draw(ids, wish.per_class, wish.seed, |id| id) {
            chosen.add(&id, &format!("sample of {label}"));
        }
    }
}

/// Draws `count` of `items`: those whose ids have the least digests together with the seed. A draw changes little when
/// rows come or go.
fn draw<T>(items: Vec<T>, count: usize, seed: u64, id: impl Fn(&T) -> &String) -> Vec<T> {
    let digest = |item: &T| Digest::of(format!("{seed}\n{}", id(item)).as_bytes());
    let mut items: Vec<(Digest, T)> = items.into_iter().map(|item| (digest(&item), item)).collect();
    items.sort_by_key(|(digest, _)| *digest);
    items.truncate(count);
    items.into_iter().map(|(_, item)| item).collect()
}

/// The chosen rows with all that people see of them, in the order in which they were chosen.
fn candidates(
    table: &Inspector,
    columns: &[&str],
    label: &str,
    chosen: &Chosen,
) -> Result<Vec<Candidate>, CliError> {
    let records = rows::with_ids(table, chosen.ids.iter().map(|(id, _)| id.as_str()), columns)?;
    let mut candidates: Vec<(usize, Candidate)> = records
        .iter()
        .filter_map(|row| {
            let id = id_of(row);
            let at = *chosen.at.get(&id)?;
            let candidate = Candidate {
                text: row.text("text").unwrap_or_default(),
                labels: row.names(label).unwrap_or_default(),
                confidence: row.number("pred_conf"),
                margin: row.number("pred_margin"),
                second: row.text("pred_second"),
                why: chosen.ids[at].1.join("; "),
                id,
            };
            Some((at, candidate))
        })
        .collect();
    candidates.sort_by_key(|(at, _)| *at);
    Ok(candidates.into_iter().map(|(_, candidate)| candidate).collect())
}

fn id_of(row: Record<'_>) -> String {
    row.text("id").unwrap_or_default()
}
