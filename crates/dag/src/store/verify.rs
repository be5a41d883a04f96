//! Reading every file of every version again, whatever is remembered.

use super::{Broken, Store};
use crate::identity::digest_file;

/// What a verification found.
#[derive(Debug, Default)]
pub struct Verification {
    /// Versions that are what they were: `prepare@3`.
    pub intact: Vec<String>,
    /// Versions that are not.
    pub broken: Vec<Broken>,
    /// Bytes read.
    pub bytes: u64,
}

impl Store {
    /// Hashes all files of all versions and compares them with the manifests.
    pub fn verify(&self) -> Verification {
        let mut found = Verification::default();
        for stage in self.stages() {
            for name in self.versions(&stage) {
                let loaded = self.load(&stage, &name);
                let checked = loaded.and_then(|version| {
                    found.bytes += version.manifest.bytes();
                    self.check_with(&version, digest_file).map(|()| version)
                });
                match checked {
                    Ok(version) => found.intact.push(version.reference()),
                    Err(broken) => found.broken.push(broken),
                }
            }
        }
        found
    }
}
