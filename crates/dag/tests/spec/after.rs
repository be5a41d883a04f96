//! `after`: stages that are to be done before.

use crate::{PIPELINE, errors, load, with};

/// The pipeline with a line behind the kind of `score`.
fn after(line: &str) -> String {
    with(
        "    kind: score\n",
        &format!("    kind: score\n    after: {line}\n"),
    )
}

#[test]
fn a_stage_comes_after_one_or_several_others() {
    let names = |line: &str| {
        let dag = load(&after(line));
        let score = &dag.stages[dag.index_of("score").unwrap()];
        let names = score.after.iter().map(|before| dag.stages[*before].name.clone());
        names.collect::<Vec<String>>()
    };
    assert_eq!(names("teacher"), ["teacher"]);
    assert_eq!(names("[prepare, teacher, prepare]"), ["prepare", "teacher"]);
    assert!(names("null").is_empty() && names("[]").is_empty());
    assert!(load(PIPELINE).stages.iter().all(|stage| stage.after.is_empty()));
}

#[test]
fn after_names_stages_not_artifacts() {
    let text = errors(&after("teachr"));
    assert!(
        text.contains("stage `score`: `after` names no stage: `teachr`"),
        "{text}"
    );
    assert!(text.contains("did you mean `teacher`?"), "{text}");
    assert!(errors(&after("{a: b}")).contains("`after` names no stage: a mapping"));
}

#[test]
fn after_can_close_a_cycle() {
    let text = errors(&with(
        "    kind: prepare\n",
        "    kind: prepare\n    after: score\n",
    ));
    assert!(text.contains("stage `prepare`: `after` closes a cycle"), "{text}");
}

#[test]
fn the_graph_shows_it() {
    let dag = load(&with(
        "    kind: evaluate\n",
        "    kind: evaluate\n    after: score\n",
    ));
    assert!(dag::graph::mermaid(&dag).contains("    stage_score -.->|after| stage_evaluate\n"));
    assert!(dag::graph::dot(&dag).contains("\"score\" -> \"evaluate\" [label=\"after\", style=dashed];"));
}
