//! compare: versions, runs and reports side by side.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::Project;

/// Two runs that differ in the teacher's epochs and the least confidence; the second evaluation is `production`.
fn project() -> &'static Project {
    static PROJECT: OnceLock<Project> = OnceLock::new();
    PROJECT.get_or_init(|| {
        let project = Project::finished();
        let settings = [
            "run",
            "--set",
            "stages.teacher.params.seed=11",
            "--set",
            "stages.pseudo_label.params.max_per_class=20",
        ];
        project.pipeline(&settings).expect(0);
        project
            .pipeline(&["artifacts", "tag", "evaluate@2", "production"])
            .expect(0);
        project
    })
}

fn compare(arguments: &[&str]) -> Value {
    let all = [&["compare", "--json"], arguments].concat();
    project().pipeline(&all).expect(0).json()
}

fn section<'v>(document: &'v Value, title: &str) -> &'v Value {
    let sections = document["sections"].as_array().unwrap();
    let found = sections.iter().find(|section| section["title"] == title);
    found.unwrap_or_else(|| panic!("no section `{title}` in {document:#}"))
}

fn figure<'v>(section: &'v Value, name: &str) -> &'v Value {
    let figures = section["figures"].as_array().unwrap();
    figures.iter().find(|figure| figure["name"] == name).unwrap()
}

fn table<'v>(section: &'v Value, title: &str) -> &'v Value {
    let tables = section["tables"].as_array().unwrap();
    tables.iter().find(|table| table["title"] == title).unwrap()
}

fn report(version: &str) -> Value {
    let said = project().pipeline(&["inspect", &format!("{version}.report.json")]);
    said.expect(0).json()
}

#[test]
fn what_went_in_differently_is_told_at_the_stage_where_it_was_changed() {
    let document = compare(&["evaluate@1", "evaluate@2"]);
    let told: Vec<(&str, &str)> = document["differences"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|stage| {
            let reasons = stage["reasons"].as_array().unwrap();
            let name = stage["stage"].as_str().unwrap();
            reasons
                .iter()
                .map(move |reason| (name, reason["field"].as_str().unwrap()))
        })
        .collect();
    assert_eq!(
        told,
        [("teacher", "seed"), ("pseudo_label", "params.max_per_class")]
    );
}

#[test]
fn figures_are_those_of_both_reports_and_differences_those_of_the_figures() {
    let document = compare(&["evaluate@1", "evaluate@production"]);
    assert_eq!(document["b"]["tags"], json!(["production"]));
    let (a, b) = (report("evaluate@1"), report("evaluate@2"));
    for model in ["teacher", "student"] {
        let section = section(&document, model);
        let (first, second) = (&a["models"][model], &b["models"][model]);
        let figures = [
            ("macro_f1", &first["macro_f1"], &second["macro_f1"]),
            ("ece", &first["ece"], &second["ece"]),
            (
                "per_class.기쁨.f1",
                &first["per_class"]["기쁨"]["f1"],
                &second["per_class"]["기쁨"]["f1"],
            ),
        ];
        for (name, before, after) in figures {
            let shown = figure(section, name);
            assert_eq!((&shown["a"], &shown["b"]), (before, after), "{model} {name}");
            let difference = after.as_f64().unwrap() - before.as_f64().unwrap();
            assert_eq!(shown["difference"], difference, "{model} {name}");
        }
        assert_eq!(figure(section, "macro_f1")["a_ci95"], first["ci95"]["macro_f1"]);
        let test = &section["test"];
        let tested = test["macro_f1_difference"].as_f64().unwrap();
        let shown = figure(section, "macro_f1")["difference"].as_f64().unwrap();
        assert!((tested - shown).abs() < 1e-12, "{tested} {shown}");
        assert_eq!(test["rows"], 12);
    }
}

/// Id → true and predicted label, from the artifact itself.
fn predictions(version: &str, model: &str) -> BTreeMap<String, (String, String)> {
    let reference = format!("{version}.models/{model}/predictions.parquet");
    let document = project()
        .pipeline(&["inspect", &reference, "--head", "100", "--json"])
        .expect(0)
        .json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = document["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        (
            text(&row["id"]),
            (text(&row["label"]), text(&row["pred_emotion"])),
        )
    })
    .collect()
}

#[test]
fn flips_are_those_of_the_predictions() {
    let document = compare(&["evaluate@1", "evaluate@2"]);
    for model in ["teacher", "student"] {
        let (a, b) = (predictions("evaluate@1", model), predictions("evaluate@2", model));
        let ids = |wanted: &dyn Fn(&str, &str, &str) -> bool| -> Vec<String> {
            let rows = a
                .iter()
                .filter(|(id, (truth, one))| wanted(truth, one, &b[*id].1));
            rows.map(|(id, _)| id.clone()).collect()
        };
        let expected = [
            ("fixed", ids(&|truth, one, other| one != truth && other == truth)),
            ("broken", ids(&|truth, one, other| one == truth && other != truth)),
            (
                "wrong in another way",
                ids(&|truth, one, other| one != truth && other != truth && one != other),
            ),
        ];
        for (title, expected) in expected {
            let shown = table(section(&document, model), title);
            assert_eq!(shown["of"], expected.len(), "{model} {title}");
            let rows = shown["rows"].as_array().unwrap();
            let mut ids: Vec<String> = rows
                .iter()
                .map(|row| row["id"].as_str().unwrap().to_owned())
                .collect();
            ids.sort();
            assert_eq!(ids, expected, "{model} {title}");
            assert!(
                rows.iter()
                    .all(|row| row["text"].as_str().unwrap().starts_with("저녁"))
            );
        }
    }
}

#[test]
fn other_golden_rows_are_said_and_nothing_is_made_of_them() {
    let project = Project::finished();
    let golden = project.read("golden.csv");
    let fewer: Vec<&str> = golden.lines().take(10).collect();
    project.write("golden.csv", fewer.join("\n") + "\n");
    project.pipeline(&["run"]).expect(0);
    let said = project
        .pipeline(&["compare", "evaluate@1", "evaluate@2"])
        .expect(0);
    assert!(
        said.out
            .contains("warning: the golden sets differ: A was measured on 12 rows"),
        "{}",
        said.out
    );
    assert!(said.out.contains("input golden changed"), "{}", said.out);
    let document = project
        .pipeline(&["compare", "evaluate@1", "evaluate@2", "--json"])
        .expect(0)
        .json();
    for section in document["sections"].as_array().unwrap() {
        assert_eq!(section["test"], Value::Null);
        let figures = section["figures"].as_array().unwrap();
        assert!(!figures.is_empty() && figures.iter().all(|figure| figure["difference"].is_null()));
    }
}

#[test]
fn selections_count_the_rows_that_both_keep_and_that_one_alone_keeps() {
    let document = compare(&["pseudo_label@1", "pseudo_label@2"]);
    let kept = |version: &str| report(version)["kept"].as_u64().unwrap();
    let (a, b) = (kept("pseudo_label@1"), kept("pseudo_label@2"));
    let section = section(&document, "kept rows");
    let classes = table(section, "by class")["rows"].as_array().unwrap();
    let all = classes.iter().find(|row| row["class"] == "all").unwrap();
    let count = |name: &str| all[name].as_u64().unwrap();
    assert_eq!((count("A"), count("B")), (a, b));
    let moved = count("another class in B");
    assert_eq!(count("both") + count("only A") + moved, a);
    assert_eq!(count("both") + count("only B") + moved, b);
    let alone = table(section, "only A keeps");
    assert_eq!(alone["of"], count("only A"));
    let rows = alone["rows"].as_array().unwrap();
    assert_eq!(rows.len() as u64, count("only A"));
    assert!(
        rows.iter().all(|row| row["dropped by B"].is_string()),
        "{alone:#}"
    );
}

#[test]
fn trainings_are_compared_on_their_validation_rows() {
    let document = compare(&["teacher@1", "teacher@2"]);
    let validation = section(&document, "validation");
    assert_eq!(validation["test"]["rows"], 12);
    assert_eq!(figure(validation, "epochs_run")["difference"], 0.0);
    let epochs = table(section(&document, "learning curves"), "by epoch");
    assert_eq!(epochs["of"], 2);
}

#[test]
fn scores_say_how_often_they_agree() {
    let document = compare(&["score@1", "score@2"]);
    let given = section(&document, "labels given");
    let note = given["notes"][0].as_str().unwrap();
    let differing = table(given, "another class in B")["of"].as_u64().unwrap();
    assert!(
        note.starts_with(&format!("{} of 60 common rows", 60 - differing)),
        "{note}"
    );
}

#[test]
fn runs_show_what_was_done_and_the_figures_that_came_of_it() {
    let said = project().pipeline(&["compare", "latest~1", "latest"]).expect(0);
    for part in [
        "prepare",
        "reuse",
        "seed: 7 → 11",
        "params.max_per_class: none → 20",
        "evaluate: student",
        "macro_f1",
    ] {
        assert!(said.out.contains(part), "no `{part}` in:\n{}", said.out);
    }
}

#[test]
fn reports_of_evaluate_are_compared_by_file_folder_and_version() {
    let project = project();
    let model = |version: &str| format!("artifacts/teacher/{version}/model");
    let versions: Vec<String> = std::fs::read_dir(project.path("artifacts/teacher"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("000"))
        .collect();
    for version in &versions {
        let out = format!("out-{}", &version[..4]);
        let arguments = [
            "evaluate",
            "--model",
            &model(version),
            "--data",
            "golden.csv",
            "--out",
            &out,
        ];
        project.pipeline(&arguments).expect(0);
    }
    let document = compare(&["out-0001/report.json", "out-0002"]);
    assert_eq!(document["kind"], "evaluate");
    assert_eq!(section(&document, "model")["test"]["rows"], 12);
    assert_eq!(document["differences"], json!([]));
    let mixed = compare(&["out-0001/report.html", "evaluate@1"]);
    assert_eq!(mixed["b"]["name"], "evaluate@1");
}

#[test]
fn the_page_is_one_file_with_both_names_and_escaped_texts() {
    let page = project().path("compared.html");
    let arguments = [
        "compare",
        "evaluate@1",
        "evaluate@2",
        "--html",
        page.to_str().unwrap(),
    ];
    let said = project().pipeline(&arguments).expect(0);
    assert!(said.out.ends_with("compared.html\n"), "{}", said.out);
    let html = project().read("compared.html");
    assert!(html.contains("evaluate@1 and evaluate@2") && html.contains("params.max_per_class: none → 20"));
    for foreign in ["http://", "https://", "src=", "@import", "url("] {
        let own = html.replace("http://www.w3.org/", "");
        assert!(!own.contains(foreign), "`{foreign}`");
    }
}

#[test]
fn what_is_not_there_is_exit_4_and_says_what_is() {
    let cases = [
        ("evaluate@9", "versions: 1, 2"),
        ("evalute", "did you mean `evaluate`?"),
        ("evaluate@producton", "did you mean `production`?"),
        ("latest~70", "the newest is"),
        ("19990101-000000-1", "there is no run"),
        ("nowhere/report.json", "no file or folder"),
        ("golden.csv", "holds no report, version or run"),
    ];
    for (given, words) in cases {
        project()
            .pipeline(&["compare", given, "evaluate"])
            .expect(4)
            .names(&[words]);
    }
}

#[test]
fn only_what_is_alike_is_compared() {
    project()
        .pipeline(&["compare", "teacher", "evaluate"])
        .expect(2)
        .names(&["is of kind `fine_tune`", "two versions of one kind"]);
    project()
        .pipeline(&["compare", "latest", "evaluate"])
        .expect(2)
        .names(&["is a run"]);
    project()
        .pipeline(&["compare", "Evaluate", "evaluate"])
        .expect(2)
        .names(&["give versions"]);
}
