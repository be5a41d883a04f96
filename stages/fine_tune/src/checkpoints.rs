//! The folder in which a training leaves checkpoints, and finds them after it was killed.

use std::fs::File;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use stage::{Context, Failure, fault};
use training::Checkpoint;

use crate::checkpoint_file;

/// A folder of files `STEP-DIGEST.safetensors`, seldom more than one: the name says what the content is to be, so that
/// a torn or changed file is known by it. What is being written has another name.
pub(crate) struct Checkpoints {
    folder: PathBuf,
    /// Of the version that is being made.
    fingerprint: String,
    /// Syncs and renames what was written last.
    publishing: Option<JoinHandle<Result<(), Error>>>,
}

/// The name of a checkpoint that is not whole yet.
const UNFINISHED: &str = "unfinished";
const ENDING: &str = "safetensors";

impl Checkpoints {
    /// The stage's own folder; none where nobody keeps one for the next run.
    pub(crate) fn open(ctx: &Context) -> Result<Option<Self>, Failure> {
        let Some(folder) = ctx.work() else {
            return Ok(None);
        };
        std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder, &error))?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            fingerprint: ctx.invocation().fingerprint.clone(),
            publishing: None,
        }))
    }

    /// The newest checkpoint that is whole and that `check` accepts. Each other is named in a warning.
    pub(crate) fn newest(
        &self,
        ctx: &Context,
        check: impl Fn(&Checkpoint<'static>) -> Result<(), training::TrainingError>,
    ) -> Option<Checkpoint<'static>> {
        let mut files = self.files();
        files.sort_by_key(|(step, path)| (std::cmp::Reverse(*step), path.clone()));
        files.into_iter().find_map(|(_, path)| {
            let whole = self.read(&path).and_then(|checkpoint| {
                check(&checkpoint).map_err(Error::other)?;
                Ok(checkpoint)
            });
            match whole {
                Ok(checkpoint) => Some(checkpoint),
                Err(error) => {
                    let path = path.display();
                    ctx.warn(format!("the checkpoint `{path}` is not used: {error}"));
                    None
                }
            }
        })
    }

    /// Writes `checkpoint`. Making sure that it is on the disk, and giving it its name, is left to another thread.
    pub(crate) fn write(&mut self, checkpoint: &Checkpoint<'_>) -> Result<(), Error> {
        if let Err(error) = self.finish() {
            tracing::warn!(%error, "the checkpoint before is not whole");
        }
        let path = self.folder.join(UNFINISHED);
        if let Err(error) = checkpoint_file::write(&path, &self.fingerprint, checkpoint) {
            // What there is of it may be what fills the disk.
            let removed = std::fs::remove_file(&path);
            tracing::debug!(?removed, "a part of a checkpoint");
            return Err(error);
        }
        fault::point("checkpoint-written");
        let (folder, step) = (self.folder.clone(), checkpoint.progress.summary.steps);
        let others = self.files().into_iter().map(|(_, path)| path).collect();
        let publish = move || publish(&folder, step, others);
        self.publishing = Some(
            std::thread::Builder::new()
                .name("checkpoint".into())
                .spawn(publish)?,
        );
        Ok(())
    }

    /// Whether the last one is not yet known to be whole.
    pub(crate) fn busy(&self) -> bool {
        self.publishing
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    /// Waits for the last one.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        match self.publishing.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(published)) => published,
            Some(Err(_)) => Err(Error::other("the thread that writes checkpoints panicked")),
        }
    }

    /// Steps and paths of what looks like a checkpoint.
    fn files(&self) -> Vec<(usize, PathBuf)> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths
            .filter_map(|path| {
                let step = path.file_name()?.to_str()?.split_once('-')?.0.parse().ok()?;
                (path.extension()? == ENDING).then_some((step, path))
            })
            .collect()
    }

    fn read(&self, path: &Path) -> Result<Checkpoint<'static>, Error> {
        let named = path.file_stem().and_then(|stem| stem.to_str()?.split_once('-'));
        if named.is_none_or(|(_, digest)| digest_of(path).map_or(true, |actual| actual != digest)) {
            return Err(Error::other("it is damaged"));
        }
        checkpoint_file::read(path, &self.fingerprint)
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::warn!(%error, "the last checkpoint is not whole");
        }
    }
}

/// Gives the unfinished checkpoint its name once its content is on the disk, and removes `others`.
fn publish(folder: &Path, step: usize, others: Vec<PathBuf>) -> Result<(), Error> {
    let unfinished = folder.join(UNFINISHED);
    File::open(&unfinished)?.sync_all()?;
    let digest = digest_of(&unfinished)?;
    let path = folder.join(format!("{step:08}-{digest}.{ENDING}"));
    fault::point("checkpoint-synced");
    std::fs::rename(&unfinished, &path)?;
    File::open(folder)?.sync_all()?;
    fault::point("checkpoint-renamed");
    for other in others.iter().filter(|other| **other != path) {
        std::fs::remove_file(other)?;
    }
    Ok(())
}

fn digest_of(path: &Path) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}
