//! What A and B name: a version in the store, a run, or a report.

use std::path::{Path, PathBuf};

use dag::{Manifest, Reference, RunRecord, Store, Version};
use report::Side;
use serde_json::Value;
use stage::nearest;

use crate::error::{CliError, Exit};
use crate::output;

/// One side of a comparison.
pub(super) enum Subject {
    Version(Box<Version>),
    Run(Run),
    /// A report of `evaluate`, with what lies beside it.
    Report {
        name: String,
        file: PathBuf,
    },
}

/// A run of the store.
pub(super) struct Run {
    pub(super) record: RunRecord,
    folder: PathBuf,
}

/// The file of a report, within a version and a folder of `pipeline evaluate --out`.
pub(super) const REPORT: &str = "report.json";

impl Subject {
    /// A path if something of that kind lies there, else a run, else a version.
    pub(super) fn find(store: &Store, given: &str) -> Result<Self, CliError> {
        let path = Path::new(given);
        if let Some(found) = Self::at(store, path)? {
            return Ok(found);
        }
        if given.contains(['/', '\\']) || given.ends_with(".json") || path.is_file() {
            let message = match path.exists() {
                true => format!("`{given}` holds no report, version or run"),
                false => format!("no file or folder `{given}`"),
            };
            return Err(CliError::new(Exit::Missing, message).hint(FORMS));
        }
        if given.starts_with(|c: char| c.is_ascii_digit()) || is_latest(given) {
            return Ok(Self::Run(Run::find(store, given)?));
        }
        match store.resolve_version(given) {
            Ok(version) => Ok(Self::Version(Box::new(version))),
            Err(error) => {
                let malformed = given.parse::<Reference>().is_err();
                let mut failure = CliError::from(stage::Failure::from(error));
                if malformed {
                    failure.exit = Exit::Usage;
                    failure.hints = vec![FORMS.to_owned()];
                }
                Err(failure)
            }
        }
    }

    /// What lies at a path.
    fn at(store: &Store, path: &Path) -> Result<Option<Self>, CliError> {
        let report = |file: PathBuf| {
            Some(Self::Report {
                name: path.display().to_string(),
                file,
            })
        };
        if path.is_file() {
            let file = match path.extension().is_some_and(|ending| ending == "json") {
                true => path.to_owned(),
                // The html beside it is what people have open.
                false => path.with_file_name(REPORT),
            };
            return Ok(if file.is_file() { report(file) } else { None });
        }
        if path.join(Manifest::FILE).is_file() {
            return Self::version_at(store, path).map(Some);
        }
        if path.join("run.json").is_file() {
            return Run::read(path).map(|run| Some(Self::Run(run)));
        }
        let file = path.join(REPORT);
        Ok(if file.is_file() { report(file) } else { None })
    }

    /// A version by its folder, in whatever store it lies.
    fn version_at(store: &Store, path: &Path) -> Result<Self, CliError> {
        let folder = path.canonicalize().map_err(|error| CliError::io(path, &error))?;
        let name = |path: Option<&Path>| path?.file_name()?.to_str().map(str::to_owned);
        let parts = name(Some(&folder)).zip(name(folder.parent()));
        let root = folder.parent().and_then(Path::parent);
        let (Some((version, stage)), Some(root)) = (parts, root) else {
            return Err(CliError::new(
                Exit::Missing,
                format!("`{}` is no version", path.display()),
            ));
        };
        let other;
        let store = if root == store.root() {
            store
        } else {
            other = Store::open(root);
            &other
        };
        let version = store
            .resolve_version(&format!("{stage}@{version}"))
            .map_err(stage::Failure::from)?;
        Ok(Self::Version(Box::new(version)))
    }

    /// As it is called in words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Version(version) => version.reference(),
            Self::Run(run) => run.record.run.clone(),
            Self::Report { name, .. } => name.clone(),
        }
    }

    /// The kind of stage that made it, or `run`.
    pub(super) fn kind(&self) -> &str {
        match self {
            Self::Version(version) => &version.manifest.key.kind,
            Self::Run(_) => "run",
            Self::Report { .. } => "evaluate",
        }
    }

    /// The folder in which its files lie.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Version(version) => &version.path,
            Self::Run(run) => &run.folder,
            Self::Report { file, .. } => file.parent().unwrap_or(Path::new("")),
        }
    }

    /// A JSON document among its files; null if it has none of that name.
    pub(super) fn document(&self, file: &str) -> Result<Value, CliError> {
        let path = match self {
            Self::Report { file: report, .. } if file == REPORT => report.clone(),
            _ => self.path().join(file),
        };
        if !path.is_file() {
            return Ok(Value::Null);
        }
        read_json(&path)
    }

    /// Its line in the head of the comparison.
    pub(super) fn side(&self, store: &Store) -> Side {
        let path = output::relative(self.path()).display().to_string();
        let bare = Side {
            name: self.name(),
            version: None,
            tags: Vec::new(),
            created: None,
            seconds: None,
            path,
        };
        match self {
            Self::Version(version) => {
                let own = |(tag, number): (String, u32)| (number == version.name.number).then_some(tag);
                Side {
                    version: Some(version.name.to_string()),
                    tags: store.tags(&version.stage).into_iter().filter_map(own).collect(),
                    created: Some(version.created()),
                    seconds: version.seconds(),
                    ..bare
                }
            }
            Self::Run(run) => Side {
                created: Some(run.record.started.clone()),
                ..bare
            },
            Self::Report { .. } => bare,
        }
    }
}

impl Run {
    /// By its id, or counted back from the newest: `latest`, `latest~1`.
    fn find(store: &Store, given: &str) -> Result<Self, CliError> {
        let mut records = store.runs();
        let ids: Vec<String> = records.iter().map(|record| record.run.clone()).collect();
        let place = match given.strip_prefix("latest") {
            Some("") => ids.len().checked_sub(1),
            Some(back) => back
                .strip_prefix('~')
                .and_then(|back| back.parse().ok())
                .and_then(|back: usize| ids.len().checked_sub(1)?.checked_sub(back)),
            None => ids.iter().position(|id| id == given),
        };
        let Some(place) = place else {
            let error = CliError::new(Exit::Missing, format!("there is no run `{given}`"));
            let close = nearest(given, ids.iter().map(String::as_str));
            return Err(match (close, ids.last()) {
                (_, None) => error.hint("nothing has run yet; `pipeline run` makes the artifacts"),
                (Some(close), _) => error.hint(format!("did you mean `{close}`?")),
                (None, Some(last)) => {
                    error.hint(format!("there are {} runs, the newest is `{last}`", ids.len()))
                }
            });
        };
        let record = records.swap_remove(place);
        Ok(Self {
            folder: store.runs_folder().join(&record.run),
            record,
        })
    }

    fn read(folder: &Path) -> Result<Self, CliError> {
        let file = folder.join("run.json");
        let record = serde_json::from_value(read_json(&file)?)
            .map_err(|error| CliError::new(Exit::StageFailed, format!("`{}`: {error}", file.display())))?;
        Ok(Self {
            record,
            folder: folder.to_owned(),
        })
    }
}

const FORMS: &str = "give versions (`evaluate@7`, `evaluate@production`), runs (an id, `latest`, `latest~1`) or reports \
     (`out/report.json`)";

fn is_latest(given: &str) -> bool {
    given.strip_prefix("latest").is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('~')
                .is_some_and(|back| back.parse::<usize>().is_ok())
    })
}

fn read_json(path: &Path) -> Result<Value, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        CliError::new(
            Exit::StageFailed,
            format!("`{}`: not JSON: {error}", path.display()),
        )
    })
}
