//! `STAGE[@NUMBER|@TAG].ARTIFACT`.

use dag::ReferenceError;
use serde_json::json;
use stage::Failure;

use crate::project::Project;

/// One version with two reports, a table and a folder.
fn made() -> Project {
    let outputs = json!([
        "report.json",
        "report.html",
        "kept.parquet",
        "models/a/errors.txt"
    ]);
    // The smallest thing that passes for a parquet file.
    let text = "PAR1\u{0}\u{0}\u{0}\u{0}PAR1";
    let project = Project::new().stage("evaluate", json!({"outputs": outputs, "text": text}), &[]);
    assert_eq!(project.run().outcome, dag::Outcome::Done);
    project
}

#[test]
fn an_artifact_is_named_by_its_stem_or_its_full_name() {
    let project = made();
    let folder = project.latest("evaluate").path;
    let names = [
        ("evaluate.kept", "kept.parquet"),
        ("evaluate.kept.parquet", "kept.parquet"),
        ("evaluate@1.report.html", "report.html"),
        ("evaluate@latest.report.json", "report.json"),
        ("evaluate.models/a/errors", "models/a/errors.txt"),
        ("evaluate.errors", "models/a/errors.txt"),
        ("evaluate.manifest.json", "manifest.json"),
    ];
    for (reference, file) in names {
        assert_eq!(
            project.store.resolve(reference).unwrap(),
            folder.join(file),
            "{reference}"
        );
    }
}

#[test]
fn stems_that_collide_are_refused_with_their_full_names() {
    let error = made().store.resolve("evaluate.report").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`report` of `evaluate@1` may be `report.json` or `report.html`"
    );
}

#[test]
fn what_is_not_there_is_answered_with_the_nearest() {
    let project = made();
    let hint = |reference: &str| {
        Failure::from(project.store.resolve(reference).unwrap_err())
            .hints
            .join("; ")
    };
    assert_eq!(hint("evalute.kept"), "did you mean `evaluate`?");
    assert_eq!(hint("evaluate.kpet"), "did you mean `kept`?");
    assert_eq!(hint("evaluate@7.kept"), "versions: 1");
    assert!(hint("evaluate").starts_with("artifacts: report.json, report.html"));
    assert!(matches!(
        project.store.resolve("x.kept"),
        Err(ReferenceError::UnknownStage { .. })
    ));
}

#[test]
fn a_tag_names_a_version() {
    let mut project = made();
    let first = project.latest("evaluate");
    project.store.tag(&project.lock(), &first, "best").unwrap();
    project.set("evaluate", "sleep_ms", 1);
    project.run();
    assert_eq!(
        project.store.resolve_version("evaluate@best").unwrap().name,
        first.name
    );
    assert_eq!(project.store.resolve_version("evaluate").unwrap().name.number, 2);
    assert!(project.store.tag(&project.lock(), &first, "12").is_err());
}

#[test]
fn a_broken_version_is_not_handed_out() {
    let project = made();
    std::fs::write(project.latest("evaluate").path.join("report.html"), "edited").unwrap();
    let error = project.store.resolve("evaluate@1.report.html").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`evaluate@1` is broken: `report.html` was modified"
    );
}
