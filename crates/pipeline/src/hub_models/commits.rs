//! `hub.json` of a store: the commit that each branch or tag was when it was asked for.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use dag::{Store, WriterLock};
use stage::HubModel;

use crate::error::{CliError, Exit};

/// `owner/name@revision` → commit.
pub(super) struct Commits(BTreeMap<String, String>);

impl Commits {
    /// None if the store has none yet.
    pub(super) fn read(store: &Store) -> Result<Self, CliError> {
        let path = file(store);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self(BTreeMap::new())),
            Err(error) => return Err(CliError::io(&path, &error)),
        };
        let damaged = |what: String| {
            CliError::new(Exit::Storage, format!("`{}` {what}", path.display()))
                .hint("it maps `owner/name@revision` to a commit; without the file the Hub is asked again")
        };
        let commits: BTreeMap<String, String> =
            serde_json::from_str(&text).map_err(|error| damaged(format!("is damaged: {error}")))?;
        let is_commit = |text: &str| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match commits.iter().find(|(_, commit)| !is_commit(commit)) {
            Some((model, commit)) => Err(damaged(format!(
                "gives `{model}` the commit `{commit}`, which is none"
            ))),
            None => Ok(Self(commits)),
        }
    }

    pub(super) fn get(&self, model: &HubModel) -> Option<&str> {
        self.0.get(&model.to_string()).map(String::as_str)
    }

    pub(super) fn insert(&mut self, model: &HubModel, commit: String) {
        self.0.insert(model.to_string(), commit);
    }

    /// Only the holder of the lock may.
    pub(super) fn write(&self, store: &Store, _: &WriterLock) -> Result<(), CliError> {
        let (path, temporary) = (file(store), store.root().join(".tmp-hub.json"));
        let written = serde_json::to_string_pretty(&self.0)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(&temporary, text + "\n"))
            .and_then(|()| std::fs::File::open(&temporary)?.sync_all())
            .and_then(|()| std::fs::rename(&temporary, &path));
        written.map_err(|error| CliError::io(&path, &error))
    }
}

fn file(store: &Store) -> PathBuf {
    store.root().join("hub.json")
}
