//! What a model learns from, all the way up to files.

use std::collections::BTreeSet;
use std::path::Path;

use stage::{ArtifactType, Duty, Role, StageKind};

use super::same_file::same_file;
use super::stages::Draft;
use crate::InputRef;

/// Stages whose inputs are linked.
pub(super) struct Linkage<'a> {
    pub(super) drafts: &'a [Draft<'a>],
    pub(super) inputs: &'a [Vec<(String, Vec<InputRef>)>],
    pub(super) kinds: &'a [&'static dyn StageKind],
}

/// An item that a stage reads.
#[derive(Clone, Copy)]
pub(super) struct Hop<'a> {
    pub(super) stage: usize,
    pub(super) input: &'a str,
    /// Within the input.
    pub(super) position: usize,
    pub(super) item: &'a InputRef,
}

/// What is found at the end of a way up that should not be there.
pub(super) enum End {
    /// A file.
    File,
    /// The golden artifact of one of the guards.
    Golden,
    /// An artifact of a stage that keeps other golden rows apart.
    OtherGuard,
    /// A model that no stage made.
    UnknownModel,
}

/// A way up from a model.
pub(super) struct Way<'a> {
    /// From an input of the stage that made the model to what should not be there.
    pub(super) hops: Vec<Hop<'a>>,
    pub(super) end: End,
}

impl<'a> Linkage<'a> {
    pub(super) fn duty(&self, stage: usize) -> Duty {
        let draft = &self.drafts[stage];
        match (draft.kind, &draft.resolved) {
            (Some(kind), Some(resolved)) => kind.duty(&resolved.params),
            _ => Duty::PassesOn,
        }
    }

    pub(super) fn name(&self, stage: usize) -> &'a str {
        self.drafts[stage].name
    }

    /// All items that a stage reads.
    pub(super) fn items(&self, stage: usize) -> impl Iterator<Item = Hop<'a>> + use<'a> {
        self.inputs[stage].iter().flat_map(move |(input, items)| {
            let items = items.iter().enumerate();
            items.map(move |(position, item)| Hop {
                stage,
                input: input.as_str(),
                position,
                item,
            })
        })
    }

    /// The stage whose golden artifact this is.
    pub(super) fn guard_of(&self, item: &InputRef) -> Option<usize> {
        let InputRef::Artifact { stage, file, .. } = item else {
            return None;
        };
        let Duty::Separates { golden, .. } = self.duty(*stage) else {
            return None;
        };
        (Path::new(file).file_stem().is_some_and(|stem| stem == golden)).then_some(*stage)
    }

    /// What models learn from an input; params that name models are no inputs of the kind.
    pub(super) fn role(&self, stage: usize, input: &str) -> Role {
        let draft = &self.drafts[stage];
        match draft.kind {
            Some(kind) if draft.input_spec(input).is_some() => kind.role(input),
            _ => Role::Pretrained,
        }
    }

    /// Whether both are the same rows.
    pub(super) fn same(&self, a: &InputRef, b: &InputRef) -> bool {
        match (a, b) {
            (InputRef::Path { path: a, .. }, InputRef::Path { path: b, .. }) => same_file(a, b),
            (
                InputRef::Artifact { stage: a, file, .. },
                InputRef::Artifact {
                    stage: b,
                    file: other,
                    ..
                },
            ) => (a, file) == (b, other),
            _ => false,
        }
    }

    /// The way in words: `student.train ← pseudo_label.kept ← score.raw ← datasets/golden.csv`.
    pub(super) fn words(&self, hops: &[Hop<'a>]) -> String {
        let Some((last, above)) = hops.split_last() else {
            return String::new();
        };
        let input = |hop: &Hop<'_>| format!("{}.{}", self.name(hop.stage), hop.input);
        let mut parts = Vec::new();
        if let Some((first, rest)) = above.split_first() {
            parts.push(input(first));
            // The last input says which stage reads what is at the end, and so takes the place of its artifact.
            let between = [first].into_iter().chain(rest).take(rest.len());
            parts.extend(between.map(|hop| written(hop.item).to_owned()));
        }
        parts.push(input(last));
        parts.push(written(last.item).to_owned());
        parts.join(" ← ")
    }
}

/// The search up from the models that one stage measures on golden rows that `guards` keep apart.
pub(super) struct Search<'a, 'l> {
    linkage: &'l Linkage<'a>,
    /// Without any, every way ends at files.
    guards: BTreeSet<usize>,
    /// Stages looked at, as data and as what a model learnt from.
    seen: BTreeSet<(usize, bool)>,
    hops: Vec<Hop<'a>>,
    pub(super) found: Vec<Way<'a>>,
}

impl<'a, 'l> Search<'a, 'l> {
    pub(super) fn new(linkage: &'l Linkage<'a>, guards: BTreeSet<usize>) -> Self {
        Self {
            linkage,
            guards,
            seen: BTreeSet::new(),
            hops: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Looks at all that the model `hop` learnt from.
    pub(super) fn model(&mut self, hop: Hop<'a>) {
        match hop.item {
            InputRef::Artifact { stage, .. } => self.follow(*stage, true),
            InputRef::Path { .. } | InputRef::Hub(_) => {
                self.hops.push(hop);
                self.end(End::UnknownModel);
                self.hops.pop();
            }
        }
    }

    /// `is_learnt`: rows count. Behind one of the guards they do not, as it looked at them; models still do.
    fn follow(&mut self, stage: usize, is_learnt: bool) {
        if !self.seen.insert((stage, is_learnt)) {
            return;
        }
        let golden = match self.linkage.duty(stage) {
            Duty::Separates { golden, .. } => Some(golden),
            Duty::PassesOn | Duty::Measures { .. } => None,
        };
        for hop in self.linkage.items(stage) {
            let role = self.linkage.role(stage, hop.input);
            if role == Role::Decisions || Some(hop.input) == golden {
                continue;
            }
            self.hops.push(hop);
            self.look_at(hop.item, role, is_learnt);
            self.hops.pop();
        }
    }

    fn look_at(&mut self, item: &'a InputRef, role: Role, is_learnt: bool) {
        let (stage, artifact_type) = match item {
            InputRef::Artifact {
                stage, artifact_type, ..
            } => (*stage, *artifact_type),
            InputRef::Path {
                artifact_type: ArtifactType::Model,
                ..
            }
            | InputRef::Hub(_) => {
                if role != Role::Pretrained {
                    self.end(End::UnknownModel);
                }
                return;
            }
            InputRef::Path { .. } => {
                if is_learnt {
                    self.end(End::File);
                }
                return;
            }
        };
        let is_learnt = is_learnt || artifact_type == ArtifactType::Model;
        let is_guard = self.guards.contains(&stage);
        match self.linkage.duty(stage) {
            Duty::Separates { .. } if is_guard => match self.linkage.guard_of(item) {
                Some(_) => self.end(End::Golden),
                None => self.follow(stage, false),
            },
            Duty::Separates { .. } if is_learnt => {
                self.end(End::OtherGuard);
                if self.guards.is_empty() {
                    self.follow(stage, true);
                }
            }
            Duty::Separates { .. } => self.follow(stage, false),
            Duty::PassesOn | Duty::Measures { .. } => self.follow(stage, is_learnt),
        }
    }

    fn end(&mut self, end: End) {
        let hops = self.hops.clone();
        self.found.push(Way { hops, end });
    }
}

/// An item as the pipeline file names it.
pub(super) fn written(item: &InputRef) -> &str {
    match item {
        InputRef::Artifact { written, .. } | InputRef::Path { written, .. } => written,
        InputRef::Hub(input) => &input.written,
    }
}
