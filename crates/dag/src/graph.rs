//! The stages as a picture: for a terminal, for Mermaid, for Graphviz.

use std::fmt::Write;

use crate::Dag;

/// One line per stage, each after those that it reads:
///
/// ```text
/// o       prepare (prepare)
/// +-o     teacher (fine_tune)
/// +-+-o   score (score)
/// ```
///
/// `o` is the stage; it reads, or comes after, the stages whose columns end in a `+` on its line.
pub fn ascii(dag: &Dag) -> String {
    let rows = &dag.order;
    let row_of = |stage: usize| rows.iter().position(|other| *other == stage);
    let reads: Vec<Vec<usize>> = rows
        .iter()
        .map(|stage| dag.waits_for(*stage).into_iter().filter_map(row_of).collect())
        .collect();
    let last_reader = |row: usize| reads.iter().rposition(|reads| reads.contains(&row));
    let mut text = String::new();
    for (row, stage) in rows.iter().enumerate() {
        let stage = &dag.stages[*stage];
        let first = reads[row].iter().min().copied().unwrap_or(row);
        let mut line = String::new();
        for column in 0..row {
            let open = last_reader(column).is_some_and(|last| last > row);
            line.push(match (reads[row].contains(&column), column > first, open) {
                (true, ..) => '+',
                (false, _, true) => '|',
                (false, true, false) => '-',
                (false, false, false) => ' ',
            });
            line.push(if column >= first { '-' } else { ' ' });
        }
        line.push('o');
        let width = rows.len() * 2;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line:width$} {} ({})", stage.name, stage.kind.name());
    }
    text
}

/// A Mermaid flowchart.
pub fn mermaid(dag: &Dag) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for stage in &dag.stages {
        let _ = writeln!(
            text,
            "    {}[\"{}<br/><i>{}</i>\"]",
            node_id(&stage.name),
            stage.name,
            stage.kind.name()
        );
    }
    for (from, to, inputs) in edges(dag) {
        let _ = writeln!(
            text,
            "    {} -->|{}| {}",
            node_id(from),
            inputs.join(", "),
            node_id(to)
        );
    }
    for (from, to) in afters(dag) {
        let _ = writeln!(text, "    {} -.->|after| {}", node_id(from), node_id(to));
    }
    text
}

/// A Graphviz digraph.
pub fn dot(dag: &Dag) -> String {
    let mut text = "digraph pipeline {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
    for stage in &dag.stages {
        let _ = writeln!(
            text,
            "    \"{}\" [label=\"{}\\n{}\"];",
            stage.name,
            stage.name,
            stage.kind.name()
        );
    }
    for (from, to, inputs) in edges(dag) {
        let _ = writeln!(
            text,
            "    \"{from}\" -> \"{to}\" [label=\"{}\"];",
            inputs.join(", ")
        );
    }
    for (from, to) in afters(dag) {
        let _ = writeln!(
            text,
            "    \"{from}\" -> \"{to}\" [label=\"after\", style=dashed];"
        );
    }
    text.push_str("}\n");
    text
}

/// (stage that is read, stage that reads, names of the inputs), in the file's order.
fn edges(dag: &Dag) -> Vec<(&str, &str, Vec<&str>)> {
    let mut edges = Vec::new();
    for (index, stage) in dag.stages.iter().enumerate() {
        for from in dag.needs(index) {
            let reads = |items: &[crate::InputRef]| {
                items
                    .iter()
                    .any(|item| matches!(item, crate::InputRef::Artifact { stage, .. } if *stage == from))
            };
            let inputs = stage
                .inputs
                .iter()
                .filter(|(_, items)| reads(items))
                .map(|(name, _)| name.as_str())
                .collect();
            edges.push((dag.stages[from].name.as_str(), stage.name.as_str(), inputs));
        }
    }
    edges
}

/// (stage whose gates must be met, stage that comes after it), in the file's order.
fn afters(dag: &Dag) -> Vec<(&str, &str)> {
    let pairs = dag.stages.iter().flat_map(|stage| {
        let before = stage.after.iter();
        before.map(|before| (dag.stages[*before].name.as_str(), stage.name.as_str()))
    });
    pairs.collect()
}

/// `end` and other words of Mermaid's are no ids.
fn node_id(stage: &str) -> String {
    format!("stage_{stage}")
}
