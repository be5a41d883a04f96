//! How the models came about, from what the stages upstream left. A file that is missing or not understood costs a
//! section of the report and a warning, never the evaluation.

mod prepare;
mod score;
mod select;
#[cfg(test)]
mod tests;
mod train;

use report::{Background, ClassShares, ClassTable, LineageStage};
use serde::de::DeserializeOwned;
use serde_json::Value;
use stage::{Ancestor, Context};

use crate::golden::Golden;
use prepare::Prepared;
use select::Selected;

/// Longest value of a param that is shown whole, in characters.
const LONGEST: usize = 300;

/// Reads what there is.
pub(crate) fn gather(ctx: &Context, golden: &Golden) -> Background {
    let upstream = Upstream { ctx };
    let prepared: Vec<(&Ancestor, Prepared)> = upstream.documents("prepare", "report.json");
    let selected: Vec<(&Ancestor, Selected)> = upstream.documents("select", "report.json");
    Background {
        leaks: prepared
            .iter()
            .filter_map(|(stage, prepared)| prepare::leaks(&upstream, stage, prepared))
            .collect(),
        shares: shares(ctx, golden, &prepared, &selected),
        funnels: selected
            .iter()
            .map(|(stage, selected)| select::funnel(&upstream, stage, selected, &prepared))
            .collect(),
        recalibrations: upstream
            .documents("score", "report.json")
            .into_iter()
            .filter_map(|(stage, scored)| score::recalibration(stage, scored))
            .collect(),
        training: upstream
            .documents("fine_tune", "metrics.json")
            .into_iter()
            .map(|(stage, trained)| train::run(&upstream, stage, &trained))
            .collect(),
        lineage: ctx.lineage().iter().map(lineage).collect(),
    }
}

/// The stages upstream.
struct Upstream<'c> {
    ctx: &'c Context,
}

impl<'c> Upstream<'c> {
    /// A JSON document of every stage of a kind.
    fn documents<T: DeserializeOwned>(&self, kind: &str, file: &str) -> Vec<(&'c Ancestor, T)> {
        let stages = self.ctx.lineage().iter().filter(|stage| stage.kind == kind);
        stages
            .filter_map(|stage| {
                let read = std::fs::read(stage.path.join(file));
                let read = read.map_err(|error| error.to_string());
                let document =
                    read.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
                Some((stage, self.or_warn(stage, file, document)?))
            })
            .collect()
    }

    /// What was read; a warning if it was not.
    fn or_warn<T, E: std::fmt::Display>(
        &self,
        stage: &Ancestor,
        file: &str,
        read: Result<T, E>,
    ) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                let (stage, version) = (&stage.stage, digits(&stage.fingerprint));
                self.ctx.warn(format!(
                    "the report goes without `{file}` of stage `{stage}` ({version}), which cannot be read: {error}"
                ));
                None
            }
        }
    }

    /// The stage that an input of `stage` comes from, if it is one stage's artifact.
    fn source(&self, stage: &Ancestor, input: &str) -> Option<&'c Ancestor> {
        let (_, items) = stage.inputs.iter().find(|(name, _)| name == input)?;
        let [item] = items.as_slice() else { return None };
        let (source, _) = item.split_once('.')?;
        self.ctx.lineage().iter().find(|stage| stage.stage == source)
    }
}

/// The first digits of a fingerprint, as in the names of folders.
fn digits(fingerprint: &str) -> &str {
    fingerprint.get(..8).unwrap_or(fingerprint)
}

/// Train, raw, kept and golden, as far as they are known; none where golden alone is.
fn shares(
    ctx: &Context,
    golden: &Golden,
    prepared: &[(&Ancestor, Prepared)],
    selected: &[(&Ancestor, Selected)],
) -> Option<ClassShares> {
    let labels: Vec<&str> = ctx.labels().names().collect();
    let trains = prepared.iter().filter_map(|(stage, prepared)| {
        let counts = prepared.train(&labels)?;
        Some((*stage, "train", counts))
    });
    let trains: Vec<(&Ancestor, &str, Vec<u64>)> = trains.collect();
    let candidates = selected
        .iter()
        .map(|(stage, selected)| (*stage, "raw, predicted", selected.candidates(&labels)));
    let kept = selected
        .iter()
        .map(|(stage, selected)| (*stage, "kept", selected.kept(&labels)));
    let tables: Vec<(&Ancestor, &str, Vec<u64>)> = trains.into_iter().chain(candidates).chain(kept).collect();
    if tables.is_empty() {
        return None;
    }
    // A stage is named only where there are several of its kind.
    let several = |table: &str| tables.iter().filter(|(_, name, _)| *name == table).count() > 1;
    let table = |(stage, name, counts): &(&Ancestor, &str, Vec<u64>)| ClassTable {
        name: match several(name) {
            true => format!("{name} ({})", stage.stage),
            false => (*name).to_owned(),
        },
        counts: counts.clone(),
    };
    let golden = ClassTable {
        name: "golden".to_owned(),
        counts: golden.supports.clone(),
    };
    Some(ClassShares {
        tables: tables.iter().map(table).chain([golden]).collect(),
    })
}

fn lineage(stage: &Ancestor) -> LineageStage {
    let params = stage.params.as_object().into_iter().flatten();
    let given = params.filter(|(_, value)| !value.is_null());
    LineageStage {
        stage: stage.stage.clone(),
        kind: stage.kind.clone(),
        fingerprint: digits(&stage.fingerprint).to_owned(),
        inputs: stage
            .inputs
            .iter()
            .map(|(name, items)| (name.clone(), items.join(", ")))
            .collect(),
        params: given.map(|(name, value)| (name.clone(), shown(value))).collect(),
    }
}

/// A value as in the pipeline file, as far as it is not too long.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
