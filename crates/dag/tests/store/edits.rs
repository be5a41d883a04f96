//! Artifacts that somebody edited by hand: never used, never lost, never in silence.

use dag::{Selection, explain};
use serde_json::json;

use crate::project::{Diary, Project, actions, names_in};

/// The smallest thing that passes for a parquet file.
const PARQUET: &str = "PAR1\u{0}\u{0}\u{0}\u{0}PAR1";

/// A stage that takes decisions and writes a table, and one that reads the other thing it writes.
fn selecting() -> Project {
    let project = Project::new()
        .stage(
            "select",
            json!({"text": PARQUET, "outputs": ["kept.parquet", "out.txt"]}),
            &[],
        )
        .stage("student", json!({}), &["x=select.out"]);
    project.run();
    project
}

fn edit(project: &Project, file: &str) {
    std::fs::write(project.latest("select").path.join(file), "edited by hand").unwrap();
}

#[test]
fn an_edit_is_said_before_anything_is_done_about_it() {
    let project = selecting();
    edit(&project, "kept.parquet");
    let folder = project.latest("select").path.display().to_string();
    let aside = project.path("artifacts/.broken/select").display().to_string();
    let explanation = explain(&project.dag, &project.store, "select").unwrap();
    let report = &explanation.stage.report;
    assert_eq!(report.reasons[0].to_string(), "output modified: kept.parquet");
    assert_eq!(
        report.notes,
        [format!(
            "`kept.parquet` of select@1 was edited: it is not what the stage wrote, and does not count. `pipeline run` \
             sets it aside below `{aside}` and makes it anew. Edits that are meant: `pipeline review import select \
             {folder}/kept.parquet` makes them decisions that stay."
        )]
    );
}

#[test]
fn an_edited_version_is_set_aside_whole_and_the_stage_runs_anew() {
    let project = selecting();
    edit(&project, "kept.parquet");
    let name = project.latest("select").name.to_string();
    let mut diary = Diary::default();
    let outcome = project.run_observed(&Selection::default(), &mut diary);
    assert_eq!(actions(&outcome.stages), "select=run student=reuse");
    let aside = project.path("artifacts/.broken/select").join(&name);
    assert_eq!(
        std::fs::read_to_string(aside.join("kept.parquet")).unwrap(),
        "edited by hand"
    );
    let note = format!(
        "`kept.parquet` of select@1 was edited: it is not what the stage wrote, and does not count. With the edits it is \
         set aside as `{aside}`. Edits that are meant: `pipeline review import select {aside}/kept.parquet` makes them \
         decisions that stay.",
        aside = aside.display()
    );
    assert_eq!(outcome.stages[0].notes, [note.as_str()]);
    assert!(diary.0.contains(&format!("warning {note}")), "{:?}", diary.0);
}

#[test]
fn an_edit_is_noticed_if_only_a_stage_further_down_is_asked_for() {
    let project = selecting();
    edit(&project, "kept.parquet");
    let outcome = project.run_selected(&Selection::targets(["student"]));
    assert_eq!(actions(&outcome.stages), "select=run student=reuse");
}

#[test]
fn an_edit_is_noticed_if_something_else_is_asked_for_by_now() {
    let mut project = selecting();
    edit(&project, "kept.parquet");
    project.set("select", "sleep_ms", 1);
    let explanation = explain(&project.dag, &project.store, "select").unwrap();
    assert_eq!(
        explanation.stage.report.reasons[0].to_string(),
        "params.sleep_ms: none → 1"
    );
    assert!(explanation.stage.report.notes[0].contains("was edited"));
    project.run();
    assert_eq!(names_in(&project.path("artifacts/.broken/select")).len(), 1);
    assert!(project.plan(&Selection::default()).is_current());
}

#[test]
fn an_edit_is_noticed_while_what_precedes_runs_anew() {
    let project = Project::chain();
    project.run();
    std::fs::write(project.latest("third").path.join("out.txt"), "edited").unwrap();
    project.write("data.txt", "DATA");
    let plan = project.plan(&Selection::default());
    assert!(plan.stage("third").unwrap().report.notes[0].contains("`out.txt` of third@1 was edited"));
    project.run();
    assert_eq!(names_in(&project.path("artifacts/.broken/third")).len(), 1);
}

#[test]
fn an_edited_version_is_not_taken_as_it_is() {
    let project = selecting();
    edit(&project, "out.txt");
    let only = Selection {
        only: Some("student".to_owned()),
        ..Selection::default()
    };
    assert_eq!(
        project.planned(&only),
        "student=blocked",
        "there is no other version of `select`"
    );
}

#[test]
fn decisions_are_offered_for_tables_only() {
    let project = selecting();
    edit(&project, "out.txt");
    let plan = project.plan(&Selection::default());
    let note = &plan.stages[0].report.notes[0];
    assert!(
        note.contains("`out.txt` of select@1 was edited") && !note.contains("review import"),
        "{note}"
    );
}

#[test]
fn numbers_of_edited_versions_are_not_used_again() {
    let project = selecting();
    edit(&project, "kept.parquet");
    project.run();
    assert_eq!(project.latest("select").name.number, 2);
}

#[test]
fn decisions_count_by_what_is_in_them() {
    let project = Project::new();
    project.write("0001-a.csv", "x,drop");
    project.write("0002-b.csv", "x,drop");
    project.write("0003-c.csv", "x,keep");
    let with = |file: &str| {
        let input = format!("overrides={file}");
        Project::new_in(&project).stage("select", json!({}), &[&input])
    };
    with("0001-a.csv").run();
    assert!(with("0002-b.csv").plan(&Selection::default()).is_current());
    let reasons = with("0003-c.csv").reasons("select");
    assert!(reasons[0].starts_with("input overrides changed ("), "{reasons:?}");
    let reasons = Project::new_in(&project)
        .stage("select", json!({}), &[])
        .reasons("select");
    assert!(
        reasons[0].starts_with("input overrides: ") && reasons[0].ends_with("→ none"),
        "{reasons:?}"
    );
}
