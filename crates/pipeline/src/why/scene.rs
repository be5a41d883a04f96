//! The pipeline, its store, and the versions that are looked at.

use std::collections::BTreeMap;
use std::path::Path;

use dag::{Dag, Store, Version};
use dataset::Normalize;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::args::ProjectArgs;
use crate::error::{CliError, Exit};
use crate::review::rows::{self, Records};

pub(super) struct Scene {
    pub(super) dag: Dag,
    pub(super) store: Store,
    /// The newest complete version of each stage that has one, in the order of work.
    pub(super) versions: Vec<(usize, Version)>,
}

impl Scene {
    /// With `stage` only that one and those before it.
    pub(super) fn open(project: &ProjectArgs, stage: Option<&str>) -> Result<Self, CliError> {
        let dag = project.load()?;
        let store = project.store()?;
        let wanted = match stage {
            None => dag.order.clone(),
            Some(name) => upstream(&dag, name)?,
        };
        let complete = |index: &usize| Some((*index, store.newest_complete(&dag.stages[*index].name)?));
        let versions: Vec<(usize, Version)> = wanted.iter().filter_map(complete).collect();
        if let Some(name) = stage
            && !versions.iter().any(|(_, version)| version.stage == name)
        {
            return Err(never_ran(&format!("stage `{name}` never ran"), Some(name)));
        }
        if versions.is_empty() {
            return Err(never_ran("the stages of this pipeline never ran", None));
        }
        Ok(Self { dag, store, versions })
    }

    /// Versions of stages of a kind.
    pub(super) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Version> {
        self.versions
            .iter()
            .filter(move |(index, _)| self.dag.stages[*index].kind.name() == kind)
            .map(|(_, version)| version)
    }

    /// The row `id` of a file of a version; none if there is no such file or no such row.
    pub(super) fn row(
        &self,
        version: &Version,
        file: &str,
        id: &str,
        columns: &[&str],
    ) -> Result<Records, CliError> {
        let path = version.path.join(file);
        if !path.is_file() {
            return Ok(Records::none());
        }
        row_of(&path, &format!("{}.{file}", version.reference()), id, columns)
    }

    /// A document of a version; null if there is none.
    pub(super) fn document(&self, version: &Version, file: &str) -> Result<Value, CliError> {
        let path = version.path.join(file);
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                CliError::new(Exit::Storage, format!("`{}`: not JSON: {error}", path.display()))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
            Err(error) => Err(CliError::io(&path, &error)),
        }
    }

    /// Label → probability, in the order of the labels.
    pub(super) fn by_label(&self, values: &[f64]) -> Vec<(String, f64)> {
        let names = self.dag.labels.names().map(str::to_owned);
        names.zip(values.iter().copied()).collect()
    }
}

/// The row `id` of a parquet file, however its Hangul is composed.
pub(super) fn row_of(path: &Path, name: &str, id: &str, columns: &[&str]) -> Result<Records, CliError> {
    let mut spellings = vec![
        id.to_owned(),
        Normalize::Nfc.apply(id).into_owned(),
        id.nfd().collect(),
    ];
    spellings.dedup();
    rows::with_ids(
        &rows::open(path, name)?,
        spellings.iter().map(String::as_str),
        columns,
    )
}

fn never_ran(message: &str, stage: Option<&str>) -> CliError {
    let command = stage.map_or_else(
        || "pipeline run".to_owned(),
        |stage| format!("pipeline run {stage}"),
    );
    CliError::new(Exit::Missing, message).hint(format!("`{command}` makes what can be looked into"))
}

fn upstream(dag: &Dag, name: &str) -> Result<Vec<usize>, CliError> {
    let Some(index) = dag.index_of(name) else {
        let names = dag.stages.iter().map(|spec| spec.name.as_str());
        let error = CliError::new(Exit::Usage, format!("no stage `{name}` in the pipeline file"));
        return Err(match stage::nearest(name, names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        });
    };
    let mut wanted = BTreeMap::from([(index, ())]);
    let mut open = vec![index];
    while let Some(next) = open.pop() {
        for need in dag.needs(next) {
            if wanted.insert(need, ()).is_none() {
                open.push(need);
            }
        }
    }
    Ok(dag
        .order
        .iter()
        .copied()
        .filter(|index| wanted.contains_key(index))
        .collect())
}
