//! Whether golden rows are kept apart from all that the models measured on them learn from.
//!
//! A stage that measures takes its golden rows from a stage that separates (its *guard*), and every table that its
//! models learnt from, through however many stages, must come from that same guard: then no row can be in both.
//! What is not so is refused with the way by which rows get to the model, or, where the user wants it or nobody can
//! know, becomes a warning and a reason that goes with the report.

use std::collections::BTreeSet;

use serde_json::Value;
use stage::{Duty, Guard, Role, StageKind};

use super::node::Content;
use super::params::find_param;
use super::report::Report;
use super::source::Place;
use super::stages::Draft;
use super::trace::{End, Hop, Linkage, Search, Way, written};
use crate::InputRef;

/// One thing by which golden rows may have got to a model.
struct Finding {
    place: Place,
    text: String,
    hint: Option<String>,
    /// Otherwise it is said, and that is all.
    is_refused: bool,
}

/// Examines every stage that measures; none for the others.
pub(super) fn check(
    drafts: &[Draft<'_>],
    inputs: &[Vec<(String, Vec<InputRef>)>],
    kinds: &[&'static dyn StageKind],
    report: &mut Report<'_>,
) -> Vec<Option<Guard>> {
    let linkage = Linkage {
        drafts,
        inputs,
        kinds,
    };
    let examine = |stage: usize| match linkage.duty(stage) {
        Duty::Measures {
            golden,
            allow_unguarded,
        } => {
            let findings = Examination::new(&linkage, stage, golden).findings();
            Some(judge(drafts[stage].name, findings, allow_unguarded, report))
        }
        Duty::PassesOn | Duty::Separates { .. } => None,
    };
    (0..drafts.len()).map(examine).collect()
}

fn judge(stage: &str, findings: Vec<Finding>, allow_unguarded: bool, report: &mut Report<'_>) -> Guard {
    let mut reasons: Vec<String> = Vec::new();
    for finding in findings {
        let message = format!("stage `{stage}`: {}", finding.text);
        if finding.is_refused && !allow_unguarded {
            let problem = report.error(finding.place, message);
            problem.hints.extend(finding.hint);
            problem.hint(format!(
                "`allow_unguarded: true` in the params of `{stage}` goes on all the same; its report then says so on top"
            ));
        } else {
            let warning = report.warning(finding.place, message);
            warning.hint(format!(
                "the report of `{stage}` says on top that it is unguarded"
            ));
        }
        if !reasons.contains(&finding.text) {
            reasons.push(finding.text);
        }
    }
    if reasons.is_empty() {
        Guard::Guarded
    } else {
        Guard::Unguarded { reasons }
    }
}

/// Of one stage that measures.
struct Examination<'a, 'l> {
    linkage: &'l Linkage<'a>,
    stage: usize,
    golden: &'static str,
    findings: Vec<Finding>,
}

impl<'a, 'l> Examination<'a, 'l> {
    fn new(linkage: &'l Linkage<'a>, stage: usize, golden: &'static str) -> Self {
        Self {
            linkage,
            stage,
            golden,
            findings: Vec::new(),
        }
    }

    fn findings(mut self) -> Vec<Finding> {
        let (golden, models): (Vec<Hop<'a>>, Vec<Hop<'a>>) = self
            .linkage
            .items(self.stage)
            .partition(|hop| hop.input == self.golden);
        for hop in golden {
            match self.linkage.guard_of(hop.item) {
                Some(guard) => self.guarded(guard, &models),
                None => self.unguarded(hop, &models),
            }
        }
        self.findings
    }

    /// The golden rows come from a guard.
    fn guarded(&mut self, guard: usize, models: &[Hop<'a>]) {
        let guards = self.guards_of(guard);
        for guard in &guards {
            self.examine_guard(*guard);
        }
        for (model, way) in self.ways(guards, models) {
            self.way(guard, &model, &way);
        }
    }

    /// Where the models get to that no guard looked at, each place once, for the first model that gets there.
    fn ways(&self, guards: BTreeSet<usize>, models: &[Hop<'a>]) -> Vec<(Hop<'a>, Way<'a>)> {
        let mut search = Search::new(self.linkage, guards);
        let ways = models.iter().flat_map(|model| {
            search.model(*model);
            search
                .found
                .drain(..)
                .map(|way| (*model, way))
                .collect::<Vec<_>>()
        });
        ways.collect()
    }

    /// The guard, and those that its own golden rows come from.
    fn guards_of(&self, guard: usize) -> BTreeSet<usize> {
        let mut guards = BTreeSet::new();
        let mut open = vec![guard];
        while let Some(guard) = open.pop() {
            if guards.insert(guard) {
                let golden = self.golden_of(guard);
                open.extend(golden.iter().filter_map(|hop| self.linkage.guard_of(hop.item)));
            }
        }
        guards
    }

    /// What a guard reads as golden rows.
    fn golden_of(&self, guard: usize) -> Vec<Hop<'a>> {
        let Duty::Separates { golden, .. } = self.linkage.duty(guard) else {
            return Vec::new();
        };
        self.linkage
            .items(guard)
            .filter(|hop| hop.input == golden)
            .collect()
    }

    /// Golden rows in the other inputs of the guard itself.
    fn examine_guard(&mut self, guard: usize) {
        let Duty::Separates { golden, off } = self.linkage.duty(guard) else {
            return;
        };
        let name = self.linkage.name(guard);
        if let Some(off) = off {
            self.findings.push(Finding {
                place: self.param_place(guard, off),
                text: format!("`{off}` of `{name}`: nobody looks for golden rows in its other tables"),
                hint: None,
                is_refused: false,
            });
        }
        let golden_rows = self.golden_of(guard);
        for hop in self.linkage.items(guard) {
            if hop.input == golden || self.linkage.role(guard, hop.input) == Role::Decisions {
                continue;
            }
            let same = golden_rows
                .iter()
                .find(|golden| self.linkage.same(golden.item, hop.item));
            if let Some(same) = same {
                let text = format!(
                    "the golden rows are among what models learn from: {} holds the same as {name}.{golden} ← {}",
                    self.linkage.words(&[hop]),
                    written(same.item)
                );
                let hint = format!("golden rows are given to `{name}` once, as `{golden}`");
                self.refuse(hop, text, Some(hint));
            }
        }
    }

    /// A way by which a model gets to rows that no guard looked at.
    fn way(&mut self, guard: usize, model: &Hop<'a>, way: &Way<'a>) {
        let Some(last) = way.hops.last() else { return };
        let (name, chain) = (self.linkage.name(guard), self.linkage.words(&way.hops));
        let (model, item) = (model.input, written(last.item));
        let hint = Some(format!(
            "let `{name}` read it and name the artifact of `{name}` in its place: it takes golden rows out"
        ));
        match way.end {
            End::UnknownModel => self.unknown_model(last),
            End::Golden => {
                let text = format!("`{model}` learns from the golden rows: {chain}");
                self.refuse(*last, text, None);
            }
            End::File
                if self
                    .golden_of(guard)
                    .iter()
                    .any(|golden| self.linkage.same(golden.item, last.item)) =>
            {
                let text = format!("`{model}` learns from the golden rows: {chain}");
                self.refuse(*last, text, None);
            }
            End::File => {
                let text = format!("`{model}` learns from `{item}`, which did not pass `{name}`: {chain}");
                self.refuse(*last, text, hint);
            }
            End::OtherGuard => {
                let text = format!(
                    "`{model}` learns from `{item}`, which did not pass `{name}`, where the golden rows come from: {chain}"
                );
                self.refuse(*last, text, hint);
            }
        }
    }

    /// The golden rows come from elsewhere; whether a model learns from just these can be said all the same.
    fn unguarded(&mut self, golden: Hop<'a>, models: &[Hop<'a>]) {
        let item = written(golden.item);
        let source = match golden.item {
            InputRef::Artifact { stage, .. } => {
                format!(
                    "is `{item}`, not golden rows that `{}` keeps apart",
                    self.linkage.name(*stage)
                )
            }
            InputRef::Path { .. } | InputRef::Hub(_) => format!("is the file `{item}`"),
        };
        let text = format!(
            "`{}` {source}: no stage keeps its rows out of what the models learn from",
            self.golden
        );
        self.refuse(golden, text, Some(self.advice()));
        for (model, way) in self.ways(BTreeSet::new(), models) {
            let Some(last) = way.hops.last() else { continue };
            if matches!(way.end, End::UnknownModel) {
                self.unknown_model(last);
            } else if self.linkage.same(last.item, golden.item) {
                let chain = self.linkage.words(&way.hops);
                let text = format!(
                    "`{}` learns from the rows that it is measured on: {chain}",
                    model.input
                );
                self.refuse(*last, text, None);
            }
        }
    }

    fn unknown_model(&mut self, hop: &Hop<'a>) {
        self.findings.push(Finding {
            place: self.place(*hop),
            text: format!("what `{}` was trained on is not known", written(hop.item)),
            hint: None,
            is_refused: false,
        });
    }

    /// Where golden rows should come from.
    fn advice(&self) -> String {
        let guard = (0..self.linkage.drafts.len()).find_map(|stage| match self.linkage.duty(stage) {
            Duty::Separates { golden, .. } => Some((self.linkage.name(stage), golden)),
            Duty::PassesOn | Duty::Measures { .. } => None,
        });
        if let Some((name, golden)) = guard {
            return format!(
                "give the file to `{name}` as `{golden}`, beside the tables that models learn from, and write `{}: {name}.{golden}`",
                self.golden
            );
        }
        let separates = |kind: &&dyn StageKind| matches!(kind.duty(&Value::Null), Duty::Separates { .. });
        let kind = self.linkage.kinds.iter().find(|kind| separates(kind));
        let kind = kind.map_or_else(String::new, |kind| format!(" of kind `{}`", kind.name()));
        format!(
            "let one stage{kind} read it beside the tables that models learn from, and take its golden artifact"
        )
    }

    fn refuse(&mut self, hop: Hop<'a>, text: String, hint: Option<String>) {
        let place = self.place(hop);
        self.findings.push(Finding {
            place,
            text,
            hint,
            is_refused: true,
        });
    }

    /// Where the item stands in the file.
    fn place(&self, hop: Hop<'a>) -> Place {
        let draft = &self.linkage.drafts[hop.stage];
        let Some(entry) = draft.inputs.iter().find(|entry| entry.key == hop.input) else {
            return find_param(draft, hop.input).map_or(draft.place, |entry| entry.node.place);
        };
        match &entry.node.content {
            Content::List(items) => items
                .get(hop.position)
                .map_or(entry.node.place, |item| item.place),
            Content::Map(_) => entry.node.get("path").map_or(entry.node.place, |path| path.place),
            Content::Scalar(_) => entry.node.place,
        }
    }

    /// Where a param stands that is written as `NAME: VALUE`.
    fn param_place(&self, stage: usize, param: &str) -> Place {
        let draft = &self.linkage.drafts[stage];
        let name = param.split(':').next().unwrap_or(param);
        find_param(draft, name).map_or(draft.place, |entry| entry.node.place)
    }
}
