//! Models of promoted versions, for gates that compare with them.

use std::collections::BTreeMap;
use std::path::Path;

use classification::{Earlier, Gate, LabelIds, LabelSet, Reference};
use dataset::Cell;
use serde::Deserialize;
use serde::de::IgnoredAny;
use stage::{Context, Failure, nearest};

use crate::files;
use crate::golden::Golden;

/// What models of promoted versions said about the golden rows.
#[derive(Default)]
pub(crate) struct Promoted {
    /// One list of labels per golden row.
    models: Vec<(Reference, Vec<LabelIds>)>,
    /// Why others cannot be compared with.
    unusable: BTreeMap<Reference, String>,
}

/// What of a `report.json` matters here.
#[derive(Deserialize)]
struct Report {
    golden: GoldenEntry,
    models: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct GoldenEntry {
    digest: String,
}

/// What a version says of one of its models.
enum Said {
    /// One list of labels per golden row.
    Labels(Vec<LabelIds>),
    /// Nothing that could be compared with, and why.
    Nothing(String),
}

impl Promoted {
    /// Reads what the gates refer to. A tag that no version has is left out.
    pub(crate) fn read(ctx: &Context, gates: &[Gate], golden: &Golden) -> Result<Self, Failure> {
        let mut promoted = Self::default();
        for reference in gates.iter().flat_map(Gate::references) {
            let is_known = promoted.models.iter().any(|(known, _)| known == reference);
            let Some(report) = ctx.invocation().promoted.get(&reference.tag) else {
                continue;
            };
            if is_known {
                continue;
            }
            match read(report, reference, golden, ctx.labels())? {
                Said::Labels(labels) => promoted.models.push((reference.clone(), labels)),
                Said::Nothing(words) => {
                    promoted.unusable.insert(reference.clone(), words);
                }
            }
        }
        Ok(promoted)
    }

    /// The labels that each model gave the golden rows.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &[LabelIds]> {
        self.models.iter().map(|(_, labels)| labels.as_slice())
    }

    /// What is known of a model, whose figures stand behind those of `models` others.
    pub(crate) fn earlier(&self, reference: &Reference, models: usize) -> Earlier {
        if let Some(words) = self.unusable.get(reference) {
            return Earlier::Unusable(words.clone());
        }
        let position = self.models.iter().position(|(known, _)| known == reference);
        position.map_or(Earlier::NotYet, |position| Earlier::At(models + position))
    }
}

/// The labels that a model of the version with this `report.json` gave the golden rows.
fn read(report: &Path, reference: &Reference, golden: &Golden, labels: &LabelSet) -> Result<Said, Failure> {
    let Reference { model, tag } = reference;
    let text = std::fs::read(report).map_err(|error| Failure::io(report, &error))?;
    let known: Report = serde_json::from_slice(&text).map_err(|error| damaged(report, error))?;
    if known.golden.digest != golden.digest {
        let words = format!("the golden set is not the one that `{tag}` was measured on");
        return Ok(Said::Nothing(words));
    }
    if !known.models.contains_key(model) {
        let names = || known.models.keys().map(String::as_str);
        let hint = match nearest(model, names()) {
            Some(close) => format!("did you mean `{close}@{tag}`?"),
            None => format!("its models are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        let words = format!("the version promoted as `{tag}` has no model `{model}`; {hint}");
        return Ok(Said::Nothing(words));
    }
    let path = report.with_file_name(files::of_model(model, files::PREDICTIONS));
    if !path.is_file() {
        let words = format!(
            "the version promoted as `{tag}` has kept no predictions; evaluate its models anew and promote that"
        );
        return Ok(Said::Nothing(words));
    }
    predictions(&path, reference, golden, labels)
}

fn predictions(
    path: &Path,
    reference: &Reference,
    golden: &Golden,
    labels: &LabelSet,
) -> Result<Said, Failure> {
    let name = format!("{}.{}", reference, files::PREDICTIONS);
    let table = dataset::inspect::open(path, &name, None)?.sql("SELECT id, pred_emotion FROM t")?;
    let rows = table.all()?.rows;
    let ids = golden.rows.ids.iter();
    let same = |(row, id): (&Vec<Cell>, &String)| matches!(&row[0], Cell::Text(own) if own == id);
    if rows.len() != golden.rows.len() || !rows.iter().zip(ids).all(same) {
        return Err(damaged(path, "it has not the golden rows of its report"));
    }
    let mut given = Vec::with_capacity(rows.len());
    for row in &rows {
        let names = match &row[1] {
            Cell::List(names) => names.as_slice(),
            name => std::slice::from_ref(name),
        };
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            let name = name.display();
            match labels.resolve(&name) {
                Some(id) => ids.push(id),
                None => {
                    let words =
                        format!("`{reference}` predicts `{name}`, which is not among the labels any more");
                    return Ok(Said::Nothing(words));
                }
            }
        }
        given.push(LabelIds::from(ids));
    }
    Ok(Said::Labels(given))
}

fn damaged(path: &Path, what: impl std::fmt::Display) -> Failure {
    Failure::storage(format!("`{}` cannot be used: {what}", path.display()))
}
