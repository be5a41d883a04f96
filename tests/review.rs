//! Rows go out to people, decisions come back, and the next run obeys them.

use std::collections::BTreeMap;

use dataset::Column;
use serde_json::{Value, json};

use crate::support::{Project, Said};

/// Rows of `inspect TARGET --sql QUERY`.
fn query(project: &Project, target: &str, query: &str) -> Vec<Value> {
    let said = project
        .pipeline(&["inspect", target, "--sql", query, "--json"])
        .expect(0);
    let document = said.json();
    let rows = document.get("rows").unwrap_or(&document);
    rows.as_array().unwrap().clone()
}

/// Id → label of what is kept.
fn kept(project: &Project) -> BTreeMap<String, String> {
    let rows = query(project, "pseudo_label.kept", "SELECT id, label FROM t");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| (text(&row["id"]), text(&row["label"])))
        .collect()
}

/// A csv file as rows of column → cell.
fn rows(project: &Project, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = project.read(file);
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// The file with decisions filled in: id → (decision, label).
fn fill(project: &Project, file: &str, decisions: &[(&str, &str, &str)]) {
    let rows = rows(project, file);
    let columns: Vec<String> = rows[0].keys().cloned().collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns).unwrap();
    for mut row in rows {
        if let Some((_, decision, label)) = decisions.iter().find(|(id, _, _)| row["id"] == *id) {
            row.insert("decision".to_owned(), (*decision).to_owned());
            row.insert("label".to_owned(), (*label).to_owned());
        }
        writer
            .write_record(columns.iter().map(|column| &row[column]))
            .unwrap();
    }
    project.write(file, writer.into_inner().unwrap());
}

/// Names of the files of decisions.
fn files(project: &Project) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(project.path("overrides/pseudo_label")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn other_label(label: &str) -> &'static str {
    if label == "분노" { "슬픔" } else { "분노" }
}

fn import(project: &Project, arguments: &[&str]) -> Said {
    project.pipeline(&[&["review", "import", "pseudo_label"], arguments].concat())
}

#[test]
fn decisions_that_come_back_are_obeyed() {
    let project = Project::finished();
    let export = [
        "review",
        "export",
        "pseudo_label",
        "--to",
        "review.csv",
        "--lowest-margin",
        "3",
    ];
    let said = project.pipeline(&export).expect(0);
    assert!(
        said.out.contains("3 rows of pseudo_label@1 (3 lowest margin)"),
        "{}",
        said.out
    );
    let sent = rows(&project, "review.csv");
    let least = query(
        &project,
        "pseudo_label.kept",
        "SELECT id FROM t ORDER BY pred_margin, id LIMIT 3",
    );
    let ids: Vec<&str> = sent.iter().map(|row| row["id"].as_str()).collect();
    let expected: Vec<&str> = least.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, expected);
    // Somebody's work is not written over.
    project
        .pipeline(&export)
        .expect(2)
        .names(&["review.csv", "--force"]);

    let label = other_label(&sent[2]["pred_emotion"]);
    fill(
        &project,
        "review.csv",
        &[
            (ids[0], "drop", ""),
            (ids[1], "keep", ""),
            (ids[2], "label", label),
        ],
    );
    let said = import(&project, &["review.csv"]).expect(0);
    assert!(
        said.out.starts_with("3 decisions: 1 keep, 1 drop, 1 label\n"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("next: `pipeline run` runs pseudo_label, student, evaluate"),
        "{}",
        said.out
    );
    let written = files(&project);
    assert_eq!(written.len(), 1);
    assert!(written[0].starts_with("0001-"), "{written:?}");
    // What was confirmed is the label that the person saw, whatever another model says.
    let confirmed = format!("{},keep,{},", ids[1], sent[1]["pred_emotion"]);
    assert!(
        project
            .read(&format!("overrides/pseudo_label/{}", written[0]))
            .contains(&confirmed)
    );

    let explained = project.pipeline(&["explain", "pseudo_label"]).expect(0);
    assert!(explained.out.contains("input overrides"), "{}", explained.out);
    let before = kept(&project);
    assert_eq!(project.executed(&["pseudo_label"]), ["pseudo_label"]);
    let after = kept(&project);
    assert!(before.contains_key(ids[0]) && !after.contains_key(ids[0]));
    assert_eq!(after[ids[1]], sent[1]["pred_emotion"]);
    assert_eq!(after[ids[2]], label);
    let reason = format!("SELECT drop_reason FROM t WHERE id = '{}'", ids[0]);
    assert_eq!(
        query(&project, "pseudo_label.decided", &reason)[0]["drop_reason"],
        "review"
    );

    // The same decisions again are nothing new.
    let said = import(&project, &["review.csv"]).expect(0);
    assert!(said.out.contains("nothing new"), "{}", said.out);
    assert_eq!(files(&project), written);
    assert!(project.executed(&["pseudo_label"]).is_empty());

    // A later decision takes the place of an earlier one, the others stay.
    fill(
        &project,
        "review.csv",
        &[(ids[0], "keep", ""), (ids[1], "", ""), (ids[2], "", "")],
    );
    let said = import(&project, &["review.csv"]).expect(0);
    assert!(
        said.out.contains("1 decision: 1 keep; 1 replaces an earlier one"),
        "{}",
        said.out
    );
    let list = project.pipeline(&["review", "list", "--json"]).expect(0).json();
    assert_eq!(list["overrides"][0]["decisions"], 3);
    assert_eq!(list["overrides"][0]["keep"], 2);
    assert_eq!(list["overrides"][0]["marks"], json!(["counts", "not run yet"]));
    assert_eq!(list["overrides"][1]["versions"], json!(["pseudo_label@2"]));

    project.pipeline(&["review", "undo", "pseudo_label"]).expect(0);
    assert!(project.executed(&["pseudo_label"]).is_empty());
    project.pipeline(&["review", "undo", "pseudo_label"]).expect(0);
    project.pipeline(&["run", "pseudo_label"]).expect(0);
    assert_eq!(kept(&project), before);
    project.pipeline(&["review", "undo", "pseudo_label"]).expect(4);
}

#[test]
fn a_file_with_mistakes_changes_nothing_and_names_them_all() {
    let project = Project::finished();
    project.write(
        "review.csv",
        "id,decision,label,text\nraw-1,kep,,\nraw-050,drop,,\nraw-2,label,기뿜,\nraw-3,keep,,다른 글\n",
    );
    import(&project, &["review.csv"]).expect(1).names(&[
        "line 2, `decision`: unknown decision `kep`, did you mean `keep`?",
        "line 3, `id`: unknown id `raw-050`, did you mean `raw-50`?",
        "line 4, `label`: unknown label `기뿜`, did you mean `기쁨`?",
        "line 5, `text`: row `raw-3` has the text “",
        "nothing was imported",
    ]);
    assert!(files(&project).is_empty());
    import(&project, &["absent.csv"]).expect(4);
    project
        .pipeline(&["review", "import", "student", "review.csv"])
        .expect(2)
        .names(&["prepare, pseudo_label"]);
    // Decisions that the pipeline file names take the place of those that are imported.
    project.write("mine.csv", "id,decision\n");
    project.write("review.csv", "id,decision\nraw-1,drop\n");
    project.edit(
        "{scored: score.scored}",
        "{scored: score.scored, overrides: mine.csv}",
    );
    import(&project, &["review.csv"])
        .expect(2)
        .names(&["mine.csv", "remove the input `overrides`"]);
}

#[test]
fn a_stage_that_never_ran_has_nothing_to_review() {
    let project = Project::new();
    let export = ["review", "export", "pseudo_label", "--to", "review.csv"];
    project
        .pipeline(&export)
        .expect(4)
        .names(&["`pseudo_label` never ran"]);
    let export = ["review", "export", "pseudo_lable", "--to", "review.csv"];
    project
        .pipeline(&export)
        .expect(2)
        .names(&["did you mean `pseudo_label`?"]);
    assert!(!project.path("review.csv").exists());
}

#[test]
fn samples_are_seeded_and_rows_just_below_the_threshold_come_with_their_reason() {
    let project = Project::finished();
    let middle = query(
        &project,
        "score.scored",
        "SELECT pred_conf FROM t ORDER BY pred_conf LIMIT 31",
    );
    let threshold = middle[30]["pred_conf"].to_string();
    project.edit("min_confidence: 0.2", &format!("min_confidence: {threshold}"));
    project.pipeline(&["run", "pseudo_label"]).expect(0);
    let export = |name: &str, seed: &str| {
        let options = ["--per-class", "2", "--dropped", "2", "--seed", seed];
        let command = ["review", "export", "pseudo_label", "--to", name];
        project.pipeline(&[&command[..], &options[..]].concat()).expect(0);
        rows(&project, name)
    };
    let (one, again, other) = (export("1.csv", "1"), export("2.csv", "1"), export("3.csv", "2"));
    assert_eq!(one, again);
    assert_ne!(one, other);
    let dropped: Vec<_> = one
        .iter()
        .filter(|row| row["why"] == "dropped: confidence")
        .collect();
    assert_eq!(dropped.len(), 2);
    let kept = kept(&project);
    for row in &one {
        assert_eq!(
            kept.contains_key(&row["id"]),
            row["why"].starts_with("sample of "),
            "{row:?}"
        );
    }
    // A person may keep what the threshold dropped.
    fill(&project, "1.csv", &[(&dropped[0]["id"], "keep", "")]);
    import(&project, &["1.csv"]).expect(0);
    project.pipeline(&["run", "pseudo_label"]).expect(0);
    assert_eq!(
        self::kept(&project)[&dropped[0]["id"]],
        dropped[0]["pred_emotion"]
    );
}

#[test]
fn annotations_of_label_studio_are_decisions() {
    let project = Project::finished();
    let export = [
        "review",
        "export",
        "pseudo_label",
        "--to",
        "tasks.json",
        "--lowest-margin",
        "3",
    ];
    let said = project.pipeline(&export).expect(0);
    assert!(said.out.contains("<Choice value=\"기쁨\"/>"), "{}", said.out);
    let mut tasks: Value = serde_json::from_str(&project.read("tasks.json")).unwrap();
    let chosen = |label: &str| json!([{"was_cancelled": false, "result": [{"type": "choices", "value": {"choices": [label]}}]}]);
    let predicted = tasks[0]["predictions"][0]["result"][0]["value"]["choices"][0]
        .as_str()
        .unwrap()
        .to_owned();
    tasks[0]["annotations"] = chosen(&predicted);
    tasks[1]["annotations"] = chosen("drop");
    tasks[2]["annotations"] = json!([{"was_cancelled": true, "result": []}]);
    project.write("tasks.json", tasks.to_string());
    let said = import(&project, &["tasks.json"]).expect(0);
    assert!(
        said.out
            .starts_with("2 decisions: 1 keep, 1 drop; 1 row without a decision\n"),
        "{}",
        said.out
    );
    project.pipeline(&["run", "pseudo_label"]).expect(0);
    let kept = kept(&project);
    assert!(!kept.contains_key(tasks[1]["data"]["id"].as_str().unwrap()));
}

#[test]
fn a_table_that_was_edited_by_hand_is_offered_and_becomes_decisions() {
    let project = Project::finished();
    let original = kept(&project);
    let mut edited: Vec<(String, String)> = original.clone().into_iter().collect();
    let (gone, _) = edited.remove(0);
    let changed = edited[0].0.clone();
    edited[0].1 = other_label(&edited[0].1).to_owned();
    let version = std::fs::read_link(project.path("artifacts/pseudo_label/latest")).unwrap();
    let path = project
        .path("artifacts/pseudo_label")
        .join(&version)
        .join("kept.parquet");
    let column = |name: &str, value: fn(&(String, String)) -> &String| {
        Column::Str(
            name.to_owned(),
            edited.iter().map(|row| Some(value(row).clone())).collect(),
        )
    };
    dataset::write_columns(
        &path,
        vec![column("id", |row| &row.0), column("label", |row| &row.1)],
    )
    .unwrap();

    let said = project.pipeline(&["run"]).expect(0);
    assert_eq!(kept(&project), original);
    let offer = said
        .err
        .split("pipeline review import pseudo_label ")
        .nth(1)
        .unwrap();
    let aside = offer.split('`').next().unwrap().to_owned();
    let said = import(&project, &[&aside]).expect(0);
    assert!(
        said.out
            .starts_with("2 decisions: 1 drop, 1 label; compared with pseudo_label@1"),
        "{}",
        said.out
    );
    project.pipeline(&["run"]).expect(0);
    let now = kept(&project);
    assert!(!now.contains_key(&gone));
    assert_eq!(now[&changed], edited[0].1);
    assert_eq!(now.len(), original.len() - 1);
    let said = import(&project, &["artifacts/pseudo_label/latest/kept.parquet"]).expect(0);
    assert!(
        said.out.starts_with("0 decisions; compared with pseudo_label@"),
        "{}",
        said.out
    );

    // A part of the table is not taken for the whole.
    let part: Vec<Option<String>> = edited.iter().take(2).map(|row| Some(row.0.clone())).collect();
    let labels = edited.iter().take(2).map(|row| Some(row.1.clone())).collect();
    let part = vec![
        Column::Str("id".into(), part),
        Column::Str("label".into(), labels),
    ];
    dataset::write_columns(&project.path("part.parquet"), part).unwrap();
    import(&project, &["part.parquet"])
        .expect(1)
        .names(&["lacks", "--force"]);
    let foreign = vec![
        Column::Str("id".into(), vec![Some("raw-1000".into())]),
        Column::Str("label".into(), vec![Some("기쁨".into())]),
    ];
    dataset::write_columns(&project.path("foreign.parquet"), foreign).unwrap();
    import(&project, &["foreign.parquet", "--force"])
        .expect(1)
        .names(&["row 1, `id`: unknown id `raw-1000`"]);
}

#[test]
fn texts_and_ids_that_are_awkward_in_a_spreadsheet_come_back_unchanged() {
    let project = Project::new();
    let nfd = "\u{1112}\u{1161}\u{11ab}-1";
    let long = "정말 ".repeat(3000);
    let mut raw = String::from("id,text\n");
    for (id, text) in [
        ("-1", "=1+1 정말 화가 난다"),
        ("\"a,\"\"b\"\"\"", "\"@친구 눈물이\n멈추지 않아\""),
        (nfd, "-_- 오늘 정말 신난다"),
        ("'long", long.as_str()),
    ] {
        raw.push_str(&format!("{id},{text}\n"));
    }
    project.write("raw.csv", raw);
    project.pipeline(&["run"]).expect(0);
    let export = [
        "review",
        "export",
        "pseudo_label",
        "--to",
        "review.csv",
        "--lowest-margin",
        "10",
    ];
    project.pipeline(&export).expect(0);
    let sent = project.read("review.csv");
    assert!(
        sent.contains("\n'-1,'=1+1 정말") || sent.contains("'-1,'=1+1 정말"),
        "{sent}"
    );
    let ids: Vec<String> = rows(&project, "review.csv")
        .iter()
        .map(|row| row["id"].clone())
        .collect();
    assert_eq!(ids.len(), 4);
    let decisions: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "drop", "")).collect();
    fill(&project, "review.csv", &decisions);
    import(&project, &["review.csv"]).expect(0);
    project.pipeline(&["run", "pseudo_label"]).expect(0);
    assert!(kept(&project).is_empty());
}

#[test]
fn labels_of_the_user_s_tables_can_be_reviewed() {
    let project = Project::finished();
    let export = [
        "review",
        "export",
        "prepare",
        "--to",
        "review.csv",
        "--per-class",
        "1",
    ];
    project.pipeline(&export).expect(0);
    let sent = rows(&project, "review.csv");
    let trained = sent.iter().find(|row| row["why"].starts_with("train: ")).unwrap();
    let golden = sent
        .iter()
        .find(|row| row["why"].starts_with("golden: "))
        .unwrap();
    let label = other_label(&trained["given_label"]);
    fill(
        &project,
        "review.csv",
        &[(&trained["id"], "label", label), (&golden["id"], "drop", "")],
    );
    let said = project
        .pipeline(&["review", "import", "prepare", "review.csv"])
        .expect(0);
    assert!(
        said.out.starts_with("2 decisions: 1 drop, 1 label"),
        "{}",
        said.out
    );
    project.pipeline(&["run", "prepare"]).expect(0);
    let of = |id: &str| format!("SELECT label FROM t WHERE id = '{id}'");
    assert_eq!(
        query(&project, "prepare.train", &of(&trained["id"]))[0]["label"],
        label
    );
    assert!(query(&project, "prepare.golden", &of(&golden["id"])).is_empty());
    // What was dropped can be taken back, though no table has it any more.
    fill(
        &project,
        "review.csv",
        &[(&trained["id"], "", ""), (&golden["id"], "keep", "")],
    );
    project
        .pipeline(&["review", "import", "prepare", "review.csv"])
        .expect(0);
    project.pipeline(&["run", "prepare"]).expect(0);
    assert_eq!(query(&project, "prepare.golden", &of(&golden["id"])).len(), 1);
    project
        .pipeline(&["review", "export", "prepare", "--to", "x.csv", "--dropped", "1"])
        .expect(2);
}
