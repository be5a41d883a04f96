//! The stage that a review is about, and the rows that it can decide about.

use classification::LabelIds;
use dag::{Dag, InputItemRecord, InputRef, StageSpec, Store, Version};
use dataset::Normalize;
use dataset::inspect::Inspector;

use super::history::History;
use super::rows::{self, Record};
use crate::args::ProjectArgs;
use crate::error::{CliError, Exit};

/// A stage whose rows people decide about.
pub(super) struct Subject {
    pub(super) dag: Dag,
    pub(super) store: Store,
    index: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Decides about the raw rows with a model's predictions.
    Select,
    /// Decides about the tables of the user.
    Prepare,
}

/// The tables of a prepare stage that people label, in the order in which they are shown.
pub(super) const LABELLED: [&str; 3] = ["golden", "validation", "train"];

/// A row that there is.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// As in the table.
    pub(super) id: String,
    pub(super) text: String,
    /// The prediction, or the label in the user's table; none of raw texts.
    pub(super) label: Option<LabelIds>,
}

impl Subject {
    pub(super) fn find(project: &ProjectArgs, name: &str) -> Result<Self, CliError> {
        let dag = project.load()?;
        let kinds = |spec: &StageSpec| match spec.kind.name() {
            "select" => Some(Kind::Select),
            "prepare" => Some(Kind::Prepare),
            _ => None,
        };
        let reviewable: Vec<&str> = dag
            .stages
            .iter()
            .filter(|spec| kinds(spec).is_some())
            .map(|spec| spec.name.as_str())
            .collect();
        let Some(index) = dag.index_of(name) else {
            let error = CliError::new(Exit::Usage, format!("no stage `{name}` in the pipeline file"));
            return Err(match stage::nearest(name, reviewable.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("stages to review: {}", reviewable.join(", "))),
            });
        };
        let Some(kind) = kinds(&dag.stages[index]) else {
            return Err(CliError::new(
                Exit::Usage,
                format!("`{name}` decides about no rows: only select and prepare stages are reviewed"),
            )
            .hint(format!("stages to review: {}", reviewable.join(", "))));
        };
        Ok(Self {
            store: project.store()?,
            index,
            kind,
            dag,
        })
    }

    pub(super) fn spec(&self) -> &StageSpec {
        &self.dag.stages[self.index]
    }

    pub(super) fn name(&self) -> &str {
        &self.spec().name
    }

    pub(super) fn history(&self) -> Result<History, CliError> {
        History::open(&self.dag.base_dir, self.name())
    }

    /// Refuses a stage whose pipeline file names other decisions than those that are written here.
    pub(super) fn require_own_history(&self, history: &History) -> Result<(), CliError> {
        let named = self.spec().inputs.iter().find(|(name, _)| name == "overrides");
        let Some((_, items)) = named else { return Ok(()) };
        for item in items {
            if let InputRef::Path { path, written, .. } = item
                && path.parent() != Some(history.folder())
            {
                return Err(CliError::new(
                    Exit::Usage,
                    format!(
                        "stage `{}` takes its decisions from `{written}`: new ones would not count",
                        self.name()
                    ),
                )
                .hint("remove the input `overrides` from the pipeline file: the newest file of `overrides/STAGE` is taken by itself"));
            }
        }
        Ok(())
    }

    /// The version last made, whatever became of its files.
    pub(super) fn version(&self) -> Result<Version, CliError> {
        let name = self.name();
        let latest = self.store.latest(name);
        let others = self.store.versions(name).into_iter().rev();
        let loaded = latest
            .into_iter()
            .chain(others)
            .find_map(|version| self.store.load(name, &version).ok());
        loaded.ok_or_else(|| self.never_ran())
    }

    /// The version last made, whole.
    pub(super) fn whole_version(&self) -> Result<Version, CliError> {
        let version = self.version()?;
        self.require_whole(&version)?;
        Ok(version)
    }

    pub(super) fn require_whole(&self, version: &Version) -> Result<(), CliError> {
        self.store.check(version).map_err(|broken| {
            CliError::new(
                Exit::Missing,
                format!("`{}` is broken: {}", broken.reference(), broken.damage),
            )
            .hint(format!(
                "`pipeline run {}` sets it aside, where nothing is lost, and makes it anew",
                self.name()
            ))
        })
    }

    fn never_ran(&self) -> CliError {
        CliError::new(Exit::Missing, format!("stage `{}` never ran", self.name()))
            .hint(format!("`pipeline run {}` makes its artifacts", self.name()))
    }

    /// The table with all rows that the version chose from.
    pub(super) fn scored(&self, version: &Version) -> Result<Inspector, CliError> {
        let item = scored_item(version).ok_or_else(|| {
            CliError::new(
                Exit::Missing,
                format!("`{}` names no input `scored`", version.reference()),
            )
        })?;
        let path = rows::item_path(&self.store, &self.dag.base_dir, item)?;
        rows::open(&path, &item.written)
    }

    /// The tables with the rows that can be decided about.
    pub(super) fn tables(&self, version: &Version) -> Result<Vec<Inspector>, CliError> {
        match self.kind {
            Kind::Select => Ok(vec![self.scored(version)?]),
            Kind::Prepare => LABELLED
                .iter()
                .chain(&["raw"])
                .map(|table| version.path.join(format!("{table}.parquet")))
                .filter(|path| path.is_file())
                .map(|path| rows::open(&path, &path.display().to_string()))
                .collect(),
        }
    }

    /// The column with the label that a row has.
    pub(super) fn label_column(&self) -> &'static str {
        match (self.kind, self.dag.task) {
            (Kind::Select, _) => "pred_emotion",
            (Kind::Prepare, task) => label_title(task),
        }
    }

    pub(super) fn known(&self, record: Record<'_>) -> Known {
        let label = record.names(self.label_column()).map(|names| {
            let ids = names
                .iter()
                .filter_map(|name| self.dag.labels.resolve(&Normalize::Nfc.apply(name)));
            ids.collect()
        });
        Known {
            id: record.text("id").unwrap_or_default(),
            text: record.text("text").unwrap_or_default(),
            label,
        }
    }
}

/// The column with the labels of a labelled table.
pub(super) fn label_title(task: classification::Task) -> &'static str {
    match task {
        classification::Task::SingleLabel => "label",
        classification::Task::MultiLabel => "labels",
    }
}

fn scored_item(version: &Version) -> Option<&InputItemRecord> {
    let input = version
        .manifest
        .inputs
        .iter()
        .find(|input| input.name == "scored")?;
    input.items.first()
}
