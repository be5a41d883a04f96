//! hf-hub behind two questions: what is at a revision, and one file of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use hf_hub::repository::RepoTypeModel;
use hf_hub::{HFClient, HFError, HFRepositorySync};
use stage::HubModel;

use crate::cache::{self, Repository};
use crate::progress::{News, Reporter};
use crate::{HubError, Progress, Settings, Watch};

/// How often who waits is asked whether to go on.
const TICK: Duration = Duration::from_millis(100);
/// A Hub that is silent for so long has gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a header cannot hold, so that none is sent.
const NO_TOKEN: &str = "\n";

/// A connection to one repository.
pub(crate) struct Client {
    repository: HFRepositorySync<RepoTypeModel>,
    pub(crate) model: HubModel,
    pub(crate) endpoint: String,
    pub(crate) has_token: bool,
    /// Where files come in.
    pub(crate) staging: PathBuf,
}

/// What is at a revision.
pub(crate) struct Description {
    pub(crate) commit: String,
    /// Names of all files, if the Hub lists them.
    pub(crate) files: Option<BTreeSet<String>>,
}

/// A file as it came, not checked yet.
pub(crate) struct Staged {
    /// A file in the staging folder, or a link to a blob of the cache.
    pub(crate) path: PathBuf,
    /// What the Hub calls its content.
    pub(crate) etag: String,
    /// As the Hub says.
    pub(crate) size: Option<u64>,
}

impl Client {
    /// Nothing is asked yet. Files will come into the staging folder, not into the cache.
    pub(crate) fn new(settings: &Settings, model: &HubModel) -> Result<Self, HubError> {
        let staging = Repository::new(settings.cache(), model).staging();
        // All that hf-hub would look up in the environment itself is given, also that there is no token.
        let client = HFClient::builder()
            .endpoint(settings.endpoint())
            .token(settings.token().unwrap_or(NO_TOKEN))
            .cache_dir(&staging)
            .user_agent(concat!("pipeline/", env!("CARGO_PKG_VERSION")))
            .retry_max_attempts(3)
            .build_sync()
            .map_err(|error| HubError::Client(error.to_string()))?;
        Ok(Self {
            repository: client.model(model.owner(), model.name()),
            model: model.clone(),
            endpoint: settings.endpoint().to_owned(),
            has_token: settings.token().is_some(),
            staging,
        })
    }

    /// The commit that `revision` is now, and its files.
    pub(crate) fn describe(&self, revision: &str, watch: &mut dyn Watch) -> Result<Description, HubError> {
        let (repository, asked) = (self.repository.clone(), revision.to_owned());
        let info = self.wait(watch, "", None, move |_| {
            repository
                .info()
                .revision(asked)
                .expand(vec!["sha".to_owned(), "siblings".to_owned()])
                .send()
        })?;
        let info = info
            .0
            .map_err(|error| HubError::new(error, self, revision, None))?;
        let commit = info
            .sha
            .filter(|commit| cache::is_commit(commit))
            .ok_or_else(|| HubError::Answer {
                endpoint: self.endpoint.clone(),
                what: format!("no commit for `{}` at `{revision}`", self.model.repository()),
            })?;
        let files = info
            .siblings
            .map(|files| files.into_iter().map(|file| file.rfilename).collect());
        Ok(Description { commit, files })
    }

    /// Brings one file into the staging folder; `lock` is held until its transfer has ended, even if the caller
    /// gave up on it.
    pub(crate) fn download(
        &self,
        file: &str,
        commit: &str,
        again: bool,
        lock: &Arc<File>,
        watch: &mut dyn Watch,
    ) -> Result<Staged, HubError> {
        let (repository, name, revision) = (self.repository.clone(), file.to_owned(), commit.to_owned());
        let (result, size) = self.wait(watch, file, Some(lock.clone()), move |news| {
            let request = repository.download_file().filename(name).revision(revision);
            request.force_download(again).progress(Reporter(news)).send()
        })?;
        let link = result.map_err(|error| HubError::new(error, self, commit, Some(file)))?;
        let staged = std::fs::read_link(&link).map(|target| (link.with_file_name("").join(&target), target));
        let (path, target) = staged.map_err(|source| HubError::Disk { path: link, source })?;
        let etag = target
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Staged { path, etag, size })
    }

    /// What the Hub says to a request for one byte of the file: hf-hub takes whatever comes for the file.
    pub(crate) fn probe(&self, file: &str, commit: &str, watch: &mut dyn Watch) -> Result<(), HubError> {
        let (repository, name, revision) = (self.repository.clone(), file.to_owned(), commit.to_owned());
        let (result, _) = self.wait(watch, "", None, move |_| {
            repository
                .download_file_to_bytes()
                .filename(name)
                .revision(revision)
                .range(0..1)
                .send()
        })?;
        result
            .map(drop)
            .map_err(|error| HubError::new(error, self, commit, Some(file)))
    }

    /// Runs `work` on a thread and waits for it: hf-hub has no time limit and hears of no interrupt.
    fn wait<T: Send + 'static>(
        &self,
        watch: &mut dyn Watch,
        file: &str,
        lock: Option<Arc<File>>,
        work: impl FnOnce(Sender<News>) -> Result<T, HFError> + Send + 'static,
    ) -> Result<(Result<T, HFError>, Option<u64>), HubError> {
        let (sender, news) = channel();
        let worker = std::thread::spawn(move || {
            let result = work(sender);
            drop(lock);
            result
        });
        let size = self.listen(&news, file, watch)?;
        let result = worker
            .join()
            .unwrap_or_else(|_| Err(HFError::Other("hf-hub broke down".to_owned())));
        Ok((result, size))
    }

    /// Passes on what the worker says until it has nothing more to say.
    fn listen(
        &self,
        news: &Receiver<News>,
        file: &str,
        watch: &mut dyn Watch,
    ) -> Result<Option<u64>, HubError> {
        let (mut size, mut heard) = (None, Instant::now());
        loop {
            match news.recv_timeout(TICK) {
                Ok(News::Size(total)) => size = Some(total).filter(|total| *total > 0),
                Ok(News::Bytes(done)) => {
                    watch.progress(&Progress {
                        file: file.to_owned(),
                        done,
                        total: size,
                    });
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(size),
                Err(RecvTimeoutError::Timeout) => {
                    if heard.elapsed() > PATIENCE {
                        return Err(self.unreachable(format!("silent for {} seconds", PATIENCE.as_secs())));
                    }
                    if watch.is_interrupted() {
                        return Err(HubError::Interrupted);
                    }
                    continue;
                }
            }
            heard = Instant::now();
            if watch.is_interrupted() {
                return Err(HubError::Interrupted);
            }
        }
    }

    pub(crate) fn unreachable(&self, reason: String) -> HubError {
        HubError::Unreachable {
            endpoint: self.endpoint.clone(),
            reason,
        }
    }
}
