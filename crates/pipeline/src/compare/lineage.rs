//! What went in differently: the settings and inputs of both, and of all that made their inputs.
//!
//! A change is told once, at the stage where it was made: that the inputs of the stages behind it are others follows.

use std::collections::{BTreeMap, BTreeSet};

use dag::{InputRecord, Reason, Reference, Store, Version, VersionName};
use serde::Serialize;
use serde_json::Value;

use super::subject::Subject;

/// The differences of one stage.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StageDifference {
    /// The stage's name.
    pub(super) stage: String,
    /// The first's version, as `teacher@3`; null if it has none.
    pub(super) a: Option<String>,
    /// The second's version.
    pub(super) b: Option<String>,
    /// Field by field.
    pub(super) reasons: Vec<Reason>,
}

impl StageDifference {
    /// `teacher: @3 → @5`
    pub(super) fn title(&self) -> String {
        match (&self.a, &self.b) {
            (Some(a), Some(b)) if a == b => a.clone(),
            (Some(a), Some(b)) => format!("{a} → {b}"),
            (Some(a), None) => format!("{a}, only in A"),
            (None, Some(b)) => format!("{b}, only in B"),
            (None, None) => self.stage.clone(),
        }
    }
}

/// By stage, from the first on. Nothing is known of what went into a mere report.
pub(super) fn differences(store: &Store, a: &Subject, b: &Subject) -> Vec<StageDifference> {
    let (first, second) = (Ancestry::of(store, a), Ancestry::of(store, b));
    let mut found = Vec::new();
    // The two may be different stages of one kind.
    if let (Subject::Version(a), Subject::Version(b)) = (a, b)
        && a.stage != b.stage
    {
        let mut difference = compare(a, b);
        difference.stage = format!("{} → {}", a.stage, b.stage);
        found.push(difference);
    }
    let named = |subject: &Subject| match subject {
        Subject::Version(version) => Some(version.stage.clone()),
        _ => None,
    };
    let skipped: BTreeSet<String> = match found.is_empty() {
        true => BTreeSet::new(),
        false => [named(a), named(b)].into_iter().flatten().collect(),
    };
    let order = second.order.iter().chain(&first.order);
    let mut seen = BTreeSet::new();
    let mut upstream = Vec::new();
    for stage in order.filter(|stage| !skipped.contains(*stage)) {
        if !seen.insert(stage) {
            continue;
        }
        upstream.push(match (first.versions.get(stage), second.versions.get(stage)) {
            (Some(Ancestor::There(a)), Some(Ancestor::There(b))) => compare(a, b),
            (a, b) => unequal(stage, a, b),
        });
    }
    upstream.append(&mut found);
    upstream.retain(|difference| !difference.reasons.is_empty());
    upstream
}

/// A stage that made something that went in.
enum Ancestor {
    There(Box<Version>),
    /// As `prepare@3`.
    Gone(String),
}

/// All stages that made something that went in, and the stages themselves.
#[derive(Default)]
struct Ancestry {
    versions: BTreeMap<String, Ancestor>,
    /// Each stage behind those that it needs.
    order: Vec<String>,
}

impl Ancestry {
    fn of(store: &Store, subject: &Subject) -> Self {
        let mut ancestry = Self::default();
        match subject {
            Subject::Version(version) => ancestry.add(store, (**version).clone()),
            Subject::Run(run) => {
                for report in &run.record.stages {
                    let name = report.version.as_deref().and_then(VersionName::parse);
                    match name.map(|name| store.load(&report.stage, &name)) {
                        Some(Ok(version)) => ancestry.add(store, version),
                        Some(Err(broken)) => ancestry.lost(&report.stage, broken.reference()),
                        None => {}
                    }
                }
            }
            Subject::Report { .. } => {}
        }
        ancestry
    }

    fn add(&mut self, store: &Store, version: Version) {
        if self.versions.contains_key(&version.stage) {
            return;
        }
        let stage = version.stage.clone();
        let items = version.manifest.inputs.iter().flat_map(|input| &input.items);
        let makers: BTreeSet<String> = items.filter_map(|item| item.version.clone()).collect();
        self.versions
            .insert(stage.clone(), Ancestor::There(Box::new(version)));
        for maker in makers {
            match load(store, &maker) {
                Some(version) => self.add(store, version),
                None => {
                    let stage = maker.split('@').next().unwrap_or_default().to_owned();
                    self.lost(&stage, maker);
                }
            }
        }
        self.order.push(stage);
    }

    fn lost(&mut self, stage: &str, reference: String) {
        if !self.versions.contains_key(stage) {
            self.versions.insert(stage.to_owned(), Ancestor::Gone(reference));
            self.order.push(stage.to_owned());
        }
    }
}

/// The version that a manifest names; none if it was cleared away since.
fn load(store: &Store, reference: &str) -> Option<Version> {
    let reference: Reference = reference.parse().ok()?;
    let number: u32 = reference.version?.parse().ok()?;
    let versions = store.versions(&reference.stage);
    let name = versions.iter().find(|name| name.number == number)?;
    store.load(&reference.stage, name).ok()
}

fn compare(a: &Version, b: &Version) -> StageDifference {
    let (mut reasons, mut explained) = (Vec::new(), BTreeSet::new());
    let names = |version: &Version| -> Vec<String> {
        let inputs = version.manifest.inputs.iter();
        inputs.map(|input| input.name.clone()).collect()
    };
    let all: BTreeSet<String> = names(a).into_iter().chain(names(b)).collect();
    for name in &all {
        let (before, after) = (written(a, name), written(b, name));
        let made = |version: &Version| {
            let items = input(version, name).map(|input| input.items.iter());
            items.is_some_and(|mut items| items.any(|item| item.version.is_some()))
        };
        if before != after {
            reasons.push(Reason::changed(format!("input {name}"), before, after));
            explained.insert(name.as_str());
        } else if made(a) && made(b) {
            explained.insert(name.as_str());
        }
    }
    let own = a.manifest.key.differences(&b.manifest.key, &explained);
    // Told at the stages themselves.
    reasons.extend(
        own.into_iter()
            .filter(|reason| !reason.field.starts_with("lineage")),
    );
    if a.manifest.program != b.manifest.program {
        let (before, after) = (a.manifest.program.as_str(), b.manifest.program.as_str());
        reasons.push(Reason::changed("program", before, after));
    }
    StageDifference {
        stage: b.stage.clone(),
        a: Some(a.reference()),
        b: Some(b.reference()),
        reasons,
    }
}

/// A stage that only one has, or of which a version is gone.
fn unequal(stage: &str, a: Option<&Ancestor>, b: Option<&Ancestor>) -> StageDifference {
    let reference = |ancestor: Option<&Ancestor>| match ancestor? {
        Ancestor::There(version) => Some(version.reference()),
        Ancestor::Gone(reference) => Some(reference.clone()),
    };
    let gone = |ancestor: Option<&Ancestor>| match ancestor? {
        Ancestor::Gone(reference) => Some(format!("`{reference}` is no longer in the store")),
        Ancestor::There(_) => None,
    };
    let (first, second) = (reference(a), reference(b));
    let mut words: Vec<String> = [gone(a), gone(b)].into_iter().flatten().collect();
    words.dedup();
    if first == second {
        words.clear();
    } else if first.is_none() || second.is_none() {
        words.push("the other has no such stage".to_owned());
    }
    StageDifference {
        stage: stage.to_owned(),
        a: first,
        b: second,
        reasons: words
            .into_iter()
            .map(|words| Reason::changed(words, Value::Null, Value::Null))
            .collect(),
    }
}

fn input<'v>(version: &'v Version, name: &str) -> Option<&'v InputRecord> {
    version.manifest.inputs.iter().find(|input| input.name == name)
}

/// Where an input comes from, as the pipeline file has it. Files of the user count by content alone.
fn written(version: &Version, name: &str) -> Value {
    let Some(input) = input(version, name) else {
        return Value::Null;
    };
    let item = |item: &dag::InputItemRecord| match &item.version {
        Some(_) => item.written.clone(),
        None => "a file".to_owned(),
    };
    Value::from(input.items.iter().map(item).collect::<Vec<_>>().join(", "))
}
