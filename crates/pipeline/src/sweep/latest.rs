//! Where `latest` links to. A sweep measures: it leaves the links where they were.

use std::collections::BTreeMap;

use dag::{Dag, Store, VersionName};

use crate::error::CliError;
use crate::run::Engine;

/// The links of all stages before a sweep.
pub(super) struct Latest(BTreeMap<String, Option<VersionName>>);

impl Latest {
    pub(super) fn remember<'a>(store: &Store, dags: impl Iterator<Item = &'a Dag>) -> Self {
        let stages = dags.flat_map(|dag| &dag.stages);
        Self(
            stages
                .map(|stage| (stage.name.clone(), store.latest(&stage.name)))
                .collect(),
        )
    }

    /// Links back. A stage that had no version gets that of `best` (stage → version), the best point's.
    pub(super) fn restore(
        &self,
        engine: &Engine<'_>,
        best: Option<&BTreeMap<String, String>>,
    ) -> Result<(), CliError> {
        for (stage, before) in &self.0 {
            let new = || VersionName::parse(best?.get(stage)?);
            let Some(name) = before.clone().or_else(new) else {
                continue;
            };
            match engine.store().load(stage, &name) {
                Ok(version) => engine.store().link_latest(engine.lock(), &version)?,
                Err(broken) => tracing::debug!(version = broken.reference(), "it is gone, `latest` stays"),
            }
        }
        Ok(())
    }
}
