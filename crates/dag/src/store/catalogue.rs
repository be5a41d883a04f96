//! What is in the store, for listings.

use serde::Serialize;

use super::{Store, Version, disk};

/// A version as `artifacts list` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct VersionInfo {
    /// The stage's name.
    pub stage: String,
    /// The folder's name: `0003-ab12cd34`.
    pub version: String,
    /// Running number.
    pub number: u32,
    /// When it was made, in UTC.
    pub created: Option<String>,
    /// How long the stage ran.
    pub seconds: Option<f64>,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Whether `latest` links to it.
    pub latest: bool,
    /// Tags that name it.
    pub tags: Vec<String>,
    /// Gates that were not met.
    pub gates_failed: Vec<String>,
    /// What is wrong with it, if it does not count.
    pub damage: Option<String>,
}

impl Store {
    /// Versions by stage and number; of one stage if `stage` is given. Files are held against the manifests as
    /// in a run, trusting remembered digests.
    pub fn list(&self, stage: Option<&str>) -> Vec<VersionInfo> {
        let stages = stage.map_or_else(|| self.stages(), |stage| vec![stage.to_owned()]);
        let mut list = Vec::new();
        for stage in stages {
            let (latest, tags) = (self.latest(&stage), self.tags(&stage));
            for name in self.versions(&stage) {
                let path = self.stage_folder(&stage).join(name.to_string());
                let loaded = self.load(&stage, &name);
                let damage = match &loaded {
                    Ok(version) => self.check(version).err().map(|broken| broken.damage.to_string()),
                    Err(broken) => Some(broken.damage.to_string()),
                };
                let version = loaded.ok();
                list.push(VersionInfo {
                    version: name.to_string(),
                    number: name.number,
                    created: version.as_ref().map(Version::created),
                    seconds: version.as_ref().and_then(Version::seconds),
                    bytes: disk::size(&path),
                    latest: latest.as_ref() == Some(&name),
                    tags: tags
                        .iter()
                        .filter(|(_, number)| **number == name.number)
                        .map(|(tag, _)| tag.clone())
                        .collect(),
                    gates_failed: version
                        .map(|version| version.manifest.gates_failed)
                        .unwrap_or_default(),
                    damage,
                    stage: stage.clone(),
                });
            }
        }
        self.save_memory();
        list
    }
}
