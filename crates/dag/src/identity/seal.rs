//! Sealing: fixing what a stage reads, by content, before it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stage::{Ancestor, ArtifactType, Failure, InputItem, Role, SourceOptions};

use super::{Digest, KeyInput, StageKey, lineage};
use crate::store::{InputItemRecord, InputRecord, Promoted, Store, Version};
use crate::{Dag, HubInput, InputRef};

/// A stage's key with where each input lies.
pub(crate) struct Seal {
    /// All that determines the result.
    pub(crate) key: StageKey,
    /// What the key's inputs are.
    pub(crate) inputs: SealedInputs,
}

/// Inputs whose content is known, and what else there is in the store that the result depends on.
pub(crate) struct SealedInputs {
    items: BTreeMap<String, Vec<SealedItem>>,
    /// Of known inputs; empty unless the kind uses it.
    lineage: Vec<Version>,
    /// By tag.
    promoted: BTreeMap<String, Promoted>,
}

struct SealedItem {
    item: InputItem,
    digest: Digest,
    file_name: Option<String>,
    producer: Option<String>,
    commit: Option<String>,
}

impl Seal {
    /// Seals stage `index`; `version_of` says which version of another stage it reads.
    pub(crate) fn new<'a>(
        dag: &Dag,
        index: usize,
        store: &Store,
        version_of: impl Fn(usize) -> Option<&'a Version>,
    ) -> Result<Self, Failure> {
        let inputs = SealedInputs::new(dag, index, store, version_of)?;
        Ok(Self {
            key: inputs.key(dag, index),
            inputs,
        })
    }
}

impl SealedInputs {
    /// Inputs that read a stage for which `version_of` knows no version, or a model of the Hub whose commit is not
    /// known, are left out.
    pub(crate) fn new<'a>(
        dag: &Dag,
        index: usize,
        store: &Store,
        version_of: impl Fn(usize) -> Option<&'a Version>,
    ) -> Result<Self, Failure> {
        let spec = &dag.stages[index];
        let mut inputs = BTreeMap::new();
        let lineage = if spec.kind.uses().lineage {
            lineage::versions(dag, index, store, &version_of)
        } else {
            Vec::new()
        };
        for (name, items) in &spec.inputs {
            let mut sealed = Vec::with_capacity(items.len());
            for item in items {
                match item {
                    InputRef::Artifact {
                        stage,
                        file,
                        artifact_type,
                        written,
                    } => {
                        let Some(version) = version_of(*stage) else { break };
                        sealed.push(SealedItem::artifact(version, file, *artifact_type, written)?);
                    }
                    InputRef::Path {
                        path,
                        written,
                        artifact_type,
                        options,
                    } => {
                        let digest = digest_input(store, &spec.name, name, path, written)?;
                        let mut item = SealedItem::path(path, written, *artifact_type, options, digest);
                        if spec.kind.role(name) == Role::Decisions {
                            // Its name is a running number: the decisions count.
                            item.file_name = None;
                        }
                        sealed.push(item);
                    }
                    InputRef::Hub(input) => {
                        let Some(commit) = &input.commit else { break };
                        sealed.push(SealedItem::hub(input, commit));
                    }
                }
            }
            if sealed.len() == items.len() {
                inputs.insert(name.clone(), sealed);
            }
        }
        Ok(Self {
            items: inputs,
            lineage,
            promoted: store.promoted(&spec.name, &spec.kind.tags(&spec.params))?,
        })
    }

    /// The stage's key with these inputs.
    pub(crate) fn key(&self, dag: &Dag, index: usize) -> StageKey {
        let inputs = self
            .items
            .iter()
            .map(|(name, items)| (name.clone(), items.iter().map(SealedItem::key).collect()));
        let lineage = self.lineage.iter();
        let promoted = self.promoted.iter();
        StageKey {
            lineage: lineage
                .map(|version| (version.stage.clone(), version.manifest.fingerprint))
                .collect(),
            promoted: promoted
                .map(|(tag, promoted)| (tag.clone(), promoted.digest))
                .collect(),
            ..StageKey::new(&dag.stages[index], dag.task, &dag.labels, inputs.collect())
        }
    }

    /// The stages upstream, those that others need first.
    pub(crate) fn ancestors(&self) -> Vec<Ancestor> {
        self.lineage.iter().map(lineage::ancestor).collect()
    }

    /// Tag → report, for tags that the params refer to.
    pub(crate) fn promoted(&self) -> BTreeMap<String, PathBuf> {
        let promoted = self.promoted.iter();
        promoted
            .map(|(tag, promoted)| (tag.clone(), promoted.report.clone()))
            .collect()
    }

    /// What the stage process is given.
    pub(crate) fn items(&self) -> BTreeMap<String, Vec<InputItem>> {
        let items = |sealed: &[SealedItem]| sealed.iter().map(|sealed| sealed.item.clone()).collect();
        self.items
            .iter()
            .map(|(name, sealed)| (name.clone(), items(sealed)))
            .collect()
    }

    /// For the manifest, in the order of `names`.
    pub(crate) fn records<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<InputRecord> {
        let record = |sealed: &SealedItem| InputItemRecord {
            written: sealed.item.name.clone(),
            artifact_type: sealed.item.artifact_type,
            version: sealed.producer.clone(),
            digest: sealed.digest,
            commit: sealed.commit.clone(),
        };
        let records = names.into_iter().filter_map(|name| {
            let items = self.items.get(name)?;
            Some(InputRecord {
                name: name.to_owned(),
                items: items.iter().map(record).collect(),
            })
        });
        records.collect()
    }

    /// Refuses models of the Hub whose files are not here.
    pub(crate) fn require_places(&self) -> Result<(), Failure> {
        for (input, items) in &self.items {
            if let Some(sealed) = items
                .iter()
                .find(|sealed| sealed.item.path.as_os_str().is_empty())
            {
                let name = &sealed.item.name;
                return Err(Failure::missing(format!(
                    "input `{input}`: the files of `{name}` are not here"
                )));
            }
        }
        Ok(())
    }

    /// Refuses inputs whose content is no longer what was sealed.
    pub(crate) fn check_unchanged(&self, store: &Store) -> Result<(), Failure> {
        for (input, items) in &self.items {
            // What a commit holds does not change.
            for sealed in items.iter().filter(|sealed| sealed.commit.is_none()) {
                let now = store.digest(&sealed.item.path);
                if !now.is_ok_and(|digest| digest == sealed.digest) {
                    let name = &sealed.item.name;
                    let message = format!("input `{input}` (`{name}`) changed while the stage ran");
                    return Err(Failure::stage(message).hint(
                        "the result was not kept, because nobody could say what it was made from; run again",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl SealedItem {
    fn artifact(
        version: &Version,
        file: &str,
        artifact_type: ArtifactType,
        written: &str,
    ) -> Result<Self, Failure> {
        let Some(digest) = version.manifest.digest_of(file) else {
            return Err(
                Failure::missing(format!("`{}` has no `{file}`", version.reference())).hint(format!(
                    "run stage `{}` anew: pipeline run {0} --force",
                    version.stage
                )),
            );
        };
        let (path, options) = (version.path.join(file), SourceOptions::default());
        let item = InputItem {
            path,
            name: written.to_owned(),
            artifact_type,
            options,
        };
        Ok(Self {
            item,
            digest,
            file_name: None,
            producer: Some(version.reference()),
            commit: None,
        })
    }

    fn path(
        path: &Path,
        written: &str,
        artifact_type: ArtifactType,
        options: &SourceOptions,
        digest: Digest,
    ) -> Self {
        // What a model directory is called does not matter; a table's name does.
        let name = || path.file_name().map(|name| name.to_string_lossy().into_owned());
        let file_name = if artifact_type == ArtifactType::Model {
            None
        } else {
            name()
        };
        let (path, name, options) = (PathBuf::from(path), written.to_owned(), options.clone());
        Self {
            item: InputItem {
                path,
                name,
                artifact_type,
                options,
            },
            digest,
            file_name,
            producer: None,
            commit: None,
        }
    }

    fn hub(input: &HubInput, commit: &str) -> Self {
        let item = InputItem {
            // Empty as long as the files have no place; see `SealedInputs::require_places`.
            path: input.path.clone().unwrap_or_default(),
            name: input.written.clone(),
            artifact_type: HubInput::ARTIFACT_TYPE,
            options: SourceOptions::default(),
        };
        Self {
            item,
            digest: Digest::of(format!("commit {commit}").as_bytes()),
            file_name: None,
            producer: None,
            commit: Some(commit.to_owned()),
        }
    }

    fn key(&self) -> KeyInput {
        KeyInput {
            digest: self.digest,
            artifact_type: self.item.artifact_type,
            options: self.item.options.clone(),
            file_name: self.file_name.clone(),
            commit: self.commit.clone(),
        }
    }
}

fn digest_input(
    store: &Store,
    stage: &str,
    input: &str,
    path: &Path,
    written: &str,
) -> Result<Digest, Failure> {
    store.digest(path).map_err(|error| {
        let failure = Failure::io(path, &error);
        Failure {
            message: format!("input `{input}` of stage `{stage}` (`{written}`): {error}"),
            ..failure
        }
    })
}
