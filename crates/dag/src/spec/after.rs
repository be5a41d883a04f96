//! `after`: the stages whose gates must be met before a stage begins.

use super::node::{Content, Node};
use super::order::Edge;
use super::report::Report;
use super::stages::Draft;

/// What stage `index` comes after, as edges; a stage that it names twice stands there once.
pub(super) fn link(drafts: &[Draft<'_>], index: usize, report: &mut Report<'_>) -> Vec<Edge> {
    let stage = &drafts[index];
    let Some(node) = stage.after.filter(|node| !node.is_null()) else {
        return Vec::new();
    };
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) => std::slice::from_ref(node),
    };
    let mut edges: Vec<Edge> = Vec::new();
    for item in items {
        if let Some(from) = find(drafts, stage, item, report)
            && !edges.iter().any(|edge| edge.from == from)
        {
            edges.push(Edge {
                from,
                input: None,
                place: item.place,
            });
        }
    }
    edges
}

fn find(drafts: &[Draft<'_>], stage: &Draft<'_>, item: &Node, report: &mut Report<'_>) -> Option<usize> {
    let names = || drafts.iter().map(|draft| draft.name);
    let found = item
        .text()
        .and_then(|name| drafts.iter().position(|draft| draft.name == name));
    if found.is_none() {
        let message = format!(
            "stage `{}`: `after` names no stage: {}",
            stage.name,
            item.describe()
        );
        let problem = report.error(item.place, message);
        problem.hint(match stage::nearest(item.text().unwrap_or_default(), names()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("stages are: {}", names().collect::<Vec<_>>().join(", ")),
        });
    }
    found
}
