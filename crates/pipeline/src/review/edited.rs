//! An artifact that somebody edited by hand: what it says differently from the version that it came from.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use classification::LabelIds;
use dag::{Manifest, Version, VersionName};
use dataset::{
    Cell, Decided, DecisionProblem, Mistake, Normalize, Override, Overrides, Spot, Verdict, same_text,
};
use stage::grouped;

use super::args::ImportArgs;
use super::decisions::Proposals;
use super::rows::{self, Record};
use super::subject::{Kind, Known, Subject, label_title};
use crate::error::{CliError, Exit};

/// A table of fewer rows than this share of what it was is taken for a part of it.
const LEAST_SHARE: f64 = 0.5;

/// The rows as they were, and which of them stood in the table.
struct Base {
    /// Every row that there was to choose from.
    known: HashMap<String, Known>,
    /// Labels of rows that a review decided about before, in place of the predicted ones.
    reviewed: HashMap<String, LabelIds>,
    /// Sorted.
    members: Vec<String>,
}

/// Reads the edited table `args.reviewed`; the version that it came from.
pub(super) fn read(
    subject: &Subject,
    args: &ImportArgs,
    before: &Overrides,
) -> Result<(Proposals, Version), CliError> {
    let version = origin(subject, args)?;
    let (base, label) = match subject.kind {
        Kind::Select => (
            of_selection(subject, &version, before)?,
            label_title(subject.dag.task),
        ),
        Kind::Prepare => of_table(subject, &version, &args.reviewed)?,
    };
    let name = args.reviewed.display().to_string();
    let edited = rows::open(&args.reviewed, &name)?;
    let there = edited.schema().map_err(rows::failed)?;
    for column in ["id", label] {
        if !there.iter().any(|info| info.name == column) {
            return Err(
                CliError::new(Exit::StageFailed, format!("`{name}`: no column `{column}`")).hint(format!(
                    "an edited `kept.parquet` has the columns `id` and `{label}`"
                )),
            );
        }
    }
    let columns = ["id", label, "text", "pred_emotion"];
    let edited = rows::select(&edited, &columns)?;
    let mut reader = Reader {
        subject,
        base: &base,
        label,
        seen: HashMap::new(),
        proposals: Proposals::default(),
    };
    for (at, row) in edited.iter().enumerate() {
        reader.row(Spot::Row(at as u64 + 1), row);
    }
    let gone: Vec<&String> = base
        .members
        .iter()
        .filter(|id| !reader.seen.contains_key(*id))
        .collect();
    let most = base.members.len() as f64 * (1.0 - LEAST_SHARE);
    if gone.len() as f64 > most && !args.force {
        let (gone, all) = (grouped(gone.len() as u64), grouped(base.members.len() as u64));
        return Err(CliError::new(
            Exit::StageFailed,
            format!(
                "`{name}` lacks {gone} of the {all} rows of `{}`: each would be dropped",
                version.reference()
            ),
        )
        .hint("`--force` if that is meant; `--from STAGE@N` if it was a copy of another version"));
    }
    let mut proposals = reader.proposals;
    for id in gone {
        let text = base
            .known
            .get(id)
            .map(|known| known.text.clone())
            .unwrap_or_default();
        proposals
            .decisions
            .push(decided(Spot::Row(0), id, Verdict::Drop, text));
    }
    proposals
        .notes
        .push(format!("compared with {}", version.reference()));
    Ok((proposals, version))
}

struct Reader<'r> {
    subject: &'r Subject,
    base: &'r Base,
    label: &'static str,
    /// Where each id stands first.
    seen: HashMap<String, Spot>,
    proposals: Proposals,
}

impl Reader<'_> {
    fn row(&mut self, at: Spot, row: Record<'_>) {
        let Some(id) = row.text("id").filter(|id| !id.is_empty()) else {
            return self.mistake(at, "id", DecisionProblem::NoId);
        };
        if let Some(first) = self.seen.insert(id.clone(), at) {
            return self.mistake(at, "id", DecisionProblem::Repeated { id, first });
        }
        let label = match self.labels(row) {
            Ok(label) => label,
            Err(problem) => return self.mistake(at, self.label, problem),
        };
        let text = row.text("text");
        let Some(known) = self.base.known.get(&id) else {
            let ids = self.base.known.keys().map(String::as_str);
            let nearest = rows::close_id(&id, ids);
            return self.mistake(at, "id", DecisionProblem::UnknownId { id, nearest });
        };
        if let Some(text) = text
            && !same_text(&text, &known.text)
        {
            let text = super::settle::short(&known.text);
            return self.mistake(at, "text", DecisionProblem::OtherText { id, text });
        }
        let predicted = row
            .names("pred_emotion")
            .filter(|_| self.subject.kind == Kind::Select);
        if let (Some(names), Some(label)) = (predicted, &known.label)
            && ids(&names, self.subject).is_none_or(|ids| ids != *label)
        {
            let problem = DecisionProblem::PredictionChanged(names.join(","));
            return self.mistake(at, "pred_emotion", problem);
        }
        let is_member = self.base.members.binary_search(&id).is_ok();
        let before = self.base.reviewed.get(&id).or(known.label.as_ref());
        let same = before == Some(&label);
        let verdict = match (is_member, same) {
            (true, true) => return,
            (false, true) => Verdict::Keep,
            (_, false) => Verdict::Label(label),
        };
        let text = known.text.clone();
        self.proposals.decisions.push(decided(at, &id, verdict, text));
    }

    fn labels(&self, row: Record<'_>) -> Result<LabelIds, DecisionProblem> {
        let names = match row.cell(self.label) {
            Cell::List(_) => row.names(self.label).unwrap_or_default(),
            cell => {
                let cell = cell.to_csv();
                let parts = cell.split(',').map(str::trim).filter(|name| !name.is_empty());
                match self.subject.dag.task {
                    classification::Task::SingleLabel => vec![cell.trim().to_owned()],
                    classification::Task::MultiLabel => parts.map(str::to_owned).collect(),
                }
            }
        };
        let labels = &self.subject.dag.labels;
        let id = |name: &String| {
            if name.is_empty() {
                return Err(DecisionProblem::NoLabel);
            }
            labels
                .resolve(&Normalize::Nfc.apply(name))
                .ok_or_else(|| DecisionProblem::UnknownLabel {
                    label: name.clone(),
                    nearest: dataset::nearest_label(name, labels),
                })
        };
        names
            .iter()
            .map(id)
            .collect::<Result<Vec<usize>, _>>()
            .map(LabelIds::from)
    }

    fn mistake(&mut self, at: Spot, column: &'static str, problem: DecisionProblem) {
        self.proposals.mistakes.push(Mistake { at, column, problem });
    }
}

fn ids(names: &[String], subject: &Subject) -> Option<LabelIds> {
    let labels = &subject.dag.labels;
    let ids = names
        .iter()
        .map(|name| labels.resolve(&Normalize::Nfc.apply(name)));
    ids.collect::<Option<Vec<usize>>>().map(LabelIds::from)
}

fn decided(at: Spot, id: &str, verdict: Verdict, text: String) -> Decided {
    Decided {
        at,
        id: id.to_owned(),
        seen: None,
        decision: Override {
            verdict,
            text,
            note: String::new(),
        },
    }
}

/// The rows that a selection had to choose from, and those that it kept, with the labels that it gave them: as its
/// intact files say, whatever became of `kept.parquet`.
fn of_selection(subject: &Subject, version: &Version, before: &Overrides) -> Result<Base, CliError> {
    let decided = intact(subject, version, "decided.parquet")?;
    let decided = rows::select(
        &rows::open(&decided, "decided.parquet")?,
        &["id", "kept", "review"],
    )?;
    let scored = rows::select(&subject.scored(version)?, &["id", "text", "pred_emotion"])?;
    let known: HashMap<String, Known> = scored
        .iter()
        .map(|row| subject.known(row))
        .map(|known| (known.id.clone(), known))
        .collect();
    let (mut members, mut reviewed) = (BTreeSet::new(), HashMap::new());
    for row in decided.iter().filter(|row| *row.cell("kept") == Cell::Bool(true)) {
        let Some(id) = row.text("id") else { continue };
        if row.text("review").is_some()
            && let Some(Override {
                verdict: Verdict::KeepAs(label) | Verdict::Label(label),
                ..
            }) = before.by_id(&id)
        {
            reviewed.insert(id.clone(), label.clone());
        }
        members.insert(id);
    }
    Ok(Base {
        known,
        reviewed,
        members: members.into_iter().collect(),
    })
}

/// The rows of one of the tables that prepare made, and the column with their labels.
fn of_table(subject: &Subject, version: &Version, file: &Path) -> Result<(Base, &'static str), CliError> {
    let stem = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let table = format!("{stem}.parquet");
    if !super::subject::LABELLED.contains(&stem.as_str()) {
        return Err(CliError::new(
            Exit::Usage,
            format!(
                "`{}`: its name does not say which table of `{}` it is",
                file.display(),
                subject.name()
            ),
        )
        .hint("name it train.parquet, validation.parquet or golden.parquet"));
    }
    let path = intact(subject, version, &table)?;
    let label = label_title(subject.dag.task);
    let records = rows::select(&rows::open(&path, &table)?, &["id", "text", label])?;
    let known: HashMap<String, Known> = records
        .iter()
        .map(|row| subject.known(row))
        .map(|known| (known.id.clone(), known))
        .collect();
    let members: BTreeSet<String> = known.keys().cloned().collect();
    let base = Base {
        known,
        reviewed: HashMap::new(),
        members: members.into_iter().collect(),
    };
    Ok((base, label))
}

/// A file of the version that is what was written: in its folder, or in that of a version of the same fingerprint.
fn intact(subject: &Subject, version: &Version, file: &str) -> Result<PathBuf, CliError> {
    let recorded = version.manifest.files.iter().find(|record| record.path == file);
    let same = subject
        .store
        .versions(subject.name())
        .into_iter()
        .filter_map(|name| {
            let other = subject.store.load(subject.name(), &name).ok()?;
            (other.manifest.fingerprint == version.manifest.fingerprint).then_some(other.path)
        });
    let found = std::iter::once(version.path.clone())
        .chain(same)
        .map(|folder| folder.join(file))
        .find(|path| {
            let digest = subject.store.digest(path).ok();
            digest.is_some() && digest == recorded.map(|record| record.blake3)
        });
    found.ok_or_else(|| {
        let name = subject.name();
        CliError::new(
            Exit::Missing,
            format!("`{file}` of `{}` is not there as it was made", version.reference()),
        )
        .hint(format!(
            "`pipeline run {name}` sets edited files aside under `{}`, where nothing is lost, and makes the version \
             anew; then import the edited file from there",
            subject.store.root().join(".broken").join(name).display()
        ))
    })
}

/// The version that the edited file was a copy of.
fn origin(subject: &Subject, args: &ImportArgs) -> Result<Version, CliError> {
    if let Some(reference) = &args.from {
        let wanted = subject.store.versions(subject.name()).into_iter().find(|name| {
            *reference == format!("{}@{}", subject.name(), name.number)
                || *reference == name.number.to_string()
        });
        let loaded = wanted.map(|name| subject.store.load(subject.name(), &name));
        return match loaded {
            Some(Ok(version)) => Ok(version),
            Some(Err(broken)) => Err(CliError::new(
                Exit::Missing,
                format!("`{}` is broken: {}", broken.reference(), broken.damage),
            )),
            None => Err(CliError::new(
                Exit::Missing,
                format!("stage `{}` has no version `{reference}`", subject.name()),
            )
            .hint("`pipeline artifacts list` shows those that there are")),
        };
    }
    let folder = std::path::absolute(&args.reviewed)
        .ok()
        .and_then(|path| Some(path.parent()?.to_owned()));
    match folder.and_then(|folder| version_in(&folder, subject.name())) {
        Some(version) => Ok(version),
        None => subject.version(),
    }
}

/// The version whose folder this is, also if it was set aside.
fn version_in(folder: &Path, stage: &str) -> Option<Version> {
    let text = std::fs::read_to_string(folder.join(Manifest::FILE)).ok()?;
    let manifest = Manifest::parse(&text).ok()?;
    (manifest.stage == stage).then(|| Version {
        stage: manifest.stage.clone(),
        name: VersionName::new(manifest.number, &manifest.fingerprint),
        path: folder.to_owned(),
        manifest,
    })
}
