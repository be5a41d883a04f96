//! The order of the stages, and the cycles that leave them without one.

use super::report::Report;
use super::source::Place;
use super::stages::Draft;

/// Stage `from` is read by another stage's input, or has to be done before it.
pub(super) struct Edge {
    /// Index of the stage that is read.
    pub(super) from: usize,
    /// The input that reads it; none: `after` names it.
    pub(super) input: Option<String>,
    /// Where the reference stands.
    pub(super) place: Place,
}

/// Indices of the stages, each after those that it reads, otherwise in the file's order. `edges` holds what each
/// stage reads. A cycle is reported; the order is then of no use.
pub(super) fn order(drafts: &[Draft<'_>], edges: &[Vec<Edge>], report: &mut Report<'_>) -> Vec<usize> {
    let mut search = Search {
        drafts,
        edges,
        state: vec![State::New; drafts.len()],
        path: Vec::new(),
        found: Vec::new(),
    };
    for stage in 0..drafts.len() {
        search.visit(stage, report);
    }
    let mut order: Vec<usize> = Vec::with_capacity(drafts.len());
    while let Some(next) = (0..drafts.len())
        .find(|stage| !order.contains(stage) && edges[*stage].iter().all(|edge| order.contains(&edge.from)))
    {
        order.push(next);
    }
    order
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    OnPath,
    Done,
}

/// Depth first, from each stage to what it reads.
struct Search<'a> {
    drafts: &'a [Draft<'a>],
    edges: &'a [Vec<Edge>],
    state: Vec<State>,
    path: Vec<usize>,
    /// Places of the inputs that were reported.
    found: Vec<Place>,
}

impl Search<'_> {
    fn visit(&mut self, stage: usize, report: &mut Report<'_>) {
        if self.state[stage] != State::New {
            return;
        }
        self.state[stage] = State::OnPath;
        self.path.push(stage);
        for edge in &self.edges[stage] {
            if self.state[edge.from] == State::OnPath {
                self.report_cycle(edge.from, report);
            }
            self.visit(edge.from, report);
        }
        self.path.pop();
        self.state[stage] = State::Done;
    }

    /// The path from `first` to its end is a cycle. Files are mostly written in the order of the data, so the input
    /// that closes it is the one that reads a stage further down.
    fn report_cycle(&mut self, first: usize, report: &mut Report<'_>) {
        let start = self
            .path
            .iter()
            .position(|stage| *stage == first)
            .unwrap_or_default();
        let cycle = &self.path[start..];
        let read_by = |at: usize| cycle[(at + 1) % cycle.len()];
        let Some(at) = (0..cycle.len()).find(|at| read_by(*at) >= cycle[*at]) else {
            return;
        };
        let reader = cycle[at];
        let Some(edge) = self.edges[reader].iter().find(|edge| edge.from == read_by(at)) else {
            return;
        };
        if self.found.contains(&edge.place) {
            return;
        }
        self.found.push(edge.place);
        // The cycle goes from reader to read; the message follows the data, and ends with the stage that is read.
        let names: Vec<&str> = (0..=cycle.len())
            .rev()
            .map(|step| self.drafts[cycle[(at + step) % cycle.len()]].name)
            .collect();
        let what = match &edge.input {
            Some(input) => format!("input `{input}`"),
            None => "`after`".to_owned(),
        };
        let message = format!(
            "stage `{}`: {what} closes a cycle: {}",
            self.drafts[reader].name,
            names.join(" -> ")
        );
        report
            .error(edge.place, message)
            .hint("a stage cannot need its own results");
    }
}
