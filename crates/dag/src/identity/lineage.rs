//! The versions that a result stands on, all the way up.
//!
//! A version's manifest says which versions it was made from. Where the present version of such a stage holds the same
//! content, the result stands on that one as well as on the recorded one, and the present one is taken: an early
//! cut-off upstream leaves an input as it is and yet changes the lineage. Where it does not (a stale version is taken
//! as it is), the record is right.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use stage::Ancestor;

use super::Digest;
use crate::Dag;
use crate::store::{Store, Version};

/// The versions upstream of stage `index`, each stage once, those that others need first. Of a stage whose several
/// versions went in, the one that is read directly counts, else the one met first.
pub(crate) fn versions<'a>(
    dag: &Dag,
    index: usize,
    store: &Store,
    version_of: &impl Fn(usize) -> Option<&'a Version>,
) -> Vec<Version> {
    let direct: Vec<&Version> = dag.needs(index).into_iter().filter_map(version_of).collect();
    let mut search = Search {
        store,
        read: direct
            .iter()
            .map(|version| (version.stage.as_str(), *version))
            .collect(),
        present: &|stage| version_of(dag.index_of(stage)?),
        seen: BTreeSet::new(),
        found: Vec::new(),
    };
    for version in direct {
        search.follow(version);
    }
    search.found
}

/// What a stage process is told of a version upstream.
pub(crate) fn ancestor(version: &Version) -> Ancestor {
    let manifest = &version.manifest;
    let params = manifest.params.iter();
    let params: Map<String, Value> = params
        .map(|(name, param)| (name.clone(), param.value.clone()))
        .collect();
    let inputs = manifest.inputs.iter().map(|input| {
        let written = input.items.iter().map(|item| item.written.clone()).collect();
        (input.name.clone(), written)
    });
    Ancestor {
        stage: version.stage.clone(),
        kind: manifest.key.kind.clone(),
        fingerprint: manifest.fingerprint.to_string(),
        params: Value::Object(params),
        inputs: inputs.collect(),
        path: version.path.clone(),
    }
}

/// Depth first, from each version to what it was made from.
struct Search<'a, 's> {
    store: &'s Store,
    /// Versions that are read directly.
    read: BTreeMap<&'a str, &'a Version>,
    present: &'s dyn Fn(&str) -> Option<&'a Version>,
    seen: BTreeSet<String>,
    found: Vec<Version>,
}

impl Search<'_, '_> {
    fn follow(&mut self, version: &Version) {
        if !self.seen.insert(version.stage.clone()) {
            return;
        }
        for item in version.manifest.inputs.iter().flat_map(|input| &input.items) {
            let reference = item
                .version
                .as_deref()
                .and_then(|reference| reference.split_once('@'));
            let Some((stage, number)) = reference else {
                continue;
            };
            if let Some(above) = self.version(stage, number, item.digest) {
                self.follow(&above);
            }
        }
        self.found.push(version.clone());
    }

    fn version(&self, stage: &str, number: &str, digest: Digest) -> Option<Version> {
        if let Some(read) = self.read.get(stage) {
            return Some((*read).clone());
        }
        let same_content = |version: &&Version| {
            let outputs = version.manifest.outputs.iter();
            outputs
                .map(|output| version.manifest.digest_of(&output.file))
                .any(|made| made == Some(digest))
        };
        if let Some(present) = (self.present)(stage).filter(same_content) {
            return Some(present.clone());
        }
        let mut names = self.store.versions(stage).into_iter();
        let name = names.find(|name| Ok(name.number) == number.parse())?;
        self.store.load(stage, &name).ok()
    }
}
