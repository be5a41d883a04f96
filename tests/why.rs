//! Why a row was kept or dropped, from its line in the user's file on.

use serde_json::Value;

use crate::support::Project;

fn why(project: &Project, id: &str) -> Value {
    project.pipeline(&["why", id, "--json"]).expect(0).json()
}

#[test]
fn the_way_of_a_row_is_told_from_its_line_to_the_models() {
    let project = Project::finished();
    let id = project
        .pipeline(&[
            "inspect",
            "pseudo_label.kept",
            "--sql",
            "SELECT id FROM t ORDER BY id LIMIT 1",
            "--csv",
        ])
        .expect(0);
    let id = id.out.lines().last().unwrap().to_owned();
    let story = why(&project, &id);
    let number: u64 = id.strip_prefix("raw-").unwrap().parse().unwrap();
    let origin = &story["prepared"][0]["origin"];
    assert_eq!(origin["file"], "raw.csv");
    assert_eq!(origin["row"], number);
    assert_eq!(origin["line"], number + 2);
    assert_eq!(origin["changed_since"], false);
    let line = project
        .read("raw.csv")
        .lines()
        .nth(number as usize + 1)
        .unwrap()
        .to_owned();
    assert_eq!(story["text"], line.as_str());
    assert_eq!(story["scored"][0]["version"], "score@1");
    assert_eq!(story["scored"][0]["probabilities"].as_object().unwrap().len(), 3);
    let selected = &story["selected"][0];
    assert_eq!(selected["kept"], true);
    assert_eq!(selected["checks"][0]["name"], "confidence");
    assert_eq!(selected["checks"][0]["threshold"], 0.2);
    let learnt = story["learnt"].as_array().unwrap();
    assert_eq!(learnt.len(), 1);
    assert_eq!(learnt[0]["version"], "student@1");
    assert_eq!(learnt[0]["from"], "pseudo_label@1.kept");

    let said = project.pipeline(&["why", &id]).expect(0);
    for part in [
        "raw.csv line ",
        "prepare@1",
        "score@1",
        "confidence 0.",
        " >= 0.2, ",
        "student@1 learnt it as ",
    ] {
        assert!(said.out.contains(part), "no `{part}` in:\n{}", said.out);
    }
}

#[test]
fn a_dropped_row_says_by_how_much_and_what_people_decided() {
    let project = Project::finished();
    project.edit("min_confidence: 0.2", "min_confidence: 0.99");
    project.pipeline(&["run", "pseudo_label"]).expect(0);
    let selected = why(&project, "raw-0")["selected"][0].clone();
    assert_eq!(selected["drop_reason"], "confidence");
    assert_eq!(selected["checks"][0]["passed"], false);
    let said = project.pipeline(&["why", "raw-0"]).expect(0);
    assert!(said.out.contains(" < 0.99, short by 0."), "{}", said.out);
    project.write(
        "review.csv",
        "id,decision,label,note\nraw-0,label,기쁨,분명하다\n",
    );
    project
        .pipeline(&["review", "import", "pseudo_label", "review.csv"])
        .expect(0);
    let reviewed = why(&project, "raw-0")["reviewed"][0].clone();
    assert_eq!(reviewed["decision"], "label");
    assert_eq!(reviewed["note"], "분명하다");
    assert_eq!(reviewed["version"], Value::Null);
    project.pipeline(&["run", "pseudo_label"]).expect(0);
    let story = why(&project, "raw-0");
    assert_eq!(story["reviewed"][0]["version"], "pseudo_label@3");
    assert_eq!(story["selected"][0]["review"], "label");
    assert_eq!(story["selected"][0]["labels"][0], "기쁨");
}

#[test]
fn normalisation_duplicates_and_changed_files_are_told() {
    let project = Project::new();
    let golden = project
        .read("golden.csv")
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    let nfd = "\u{110b}\u{1169}\u{1102}\u{1173}\u{11af} \u{1102}\u{1173}\u{11bd}\u{110b}\u{1165}\u{11bb}\u{1103}\u{1161}";
    project.write(
        "raw.csv",
        format!("text\n{nfd}\n오늘 늦었다!\n{golden}\n정말 화가 난다 오늘은\n"),
    );
    project.pipeline(&["run"]).expect(0);
    let story = why(&project, "raw-0");
    assert_eq!(story["text"], "오늘 늦었다");
    let origin = &story["prepared"][0]["origin"];
    assert_eq!(origin["text"], nfd);
    assert_eq!(origin["normalised"].as_array().unwrap().len(), 1);
    assert_eq!(story["prepared"][0]["twins"][0]["id"], "raw-1");
    let duplicate = why(&project, "raw-1");
    assert_eq!(duplicate["prepared"][0]["dropped"], "duplicate");
    assert_eq!(duplicate["scored"].as_array().unwrap().len(), 0);
    let leak = &why(&project, "raw-2")["prepared"][0];
    assert_eq!(leak["dropped"], "in_other_split");
    assert_eq!(leak["leaks"][0]["id"], "golden-0");
    assert_eq!(leak["leaks"][0]["table"], "golden");
    let measured = why(&project, "golden-0");
    let models: Vec<&str> = measured["measured"]
        .as_array()
        .unwrap()
        .iter()
        .map(|measured| measured["model"].as_str().unwrap())
        .collect();
    assert_eq!(models, ["teacher", "student"]);
    assert_eq!(measured["prepared"][0]["twins"][0]["id"], "raw-2");
    project.write("raw.csv", "text\n다른 글\n");
    let origin = why(&project, "raw-0")["prepared"][0]["origin"].clone();
    assert_eq!(
        (&origin["changed_since"], &origin["text"]),
        (&Value::Bool(true), &Value::from("다른 글"))
    );
}

#[test]
fn a_row_is_found_by_its_text_or_by_an_id_that_is_close() {
    let project = Project::finished();
    let said = project.pipeline(&["why", "--text", "59번째 생각"]).expect(0);
    assert!(said.out.starts_with("raw-59  "), "{}", said.out);
    let several = project
        .pipeline(&["why", "--text", "번째 생각", "--json"])
        .expect(0)
        .json();
    assert_eq!(several["matches"].as_array().unwrap().len(), 60);
    project.pipeline(&["why", "--text", "없는 말"]).expect(4);
    project
        .pipeline(&["why", "raw_59"])
        .expect(4)
        .names(&["did you mean `raw-59`?"]);
    project.pipeline(&["why"]).expect(2);
    project
        .pipeline(&["why", "raw-1", "--stage", "nowhere"])
        .expect(2);
}

#[test]
fn awkward_ids_are_found_as_they_are() {
    let project = Project::new();
    let nfd = "\u{1112}\u{1161}\u{11ab}";
    project.write(
        "raw.csv",
        format!("id,text\n\"it's, \"\"a\"\"\",정말 화가 난다 하나\n{nfd},눈물이 멈추지 않아 둘\n"),
    );
    project.pipeline(&["run", "prepare"]).expect(0);
    assert_eq!(why(&project, "it's, \"a\"")["prepared"][0]["origin"]["row"], 0);
    for spelling in [nfd, "한"] {
        assert_eq!(why(&project, spelling)["text"], "눈물이 멈추지 않아 둘");
    }
}

#[test]
fn before_anything_ran_there_is_nothing_to_tell() {
    let project = Project::new();
    project
        .pipeline(&["why", "raw-0"])
        .expect(4)
        .names(&["never ran", "pipeline run"]);
    project.pipeline(&["run", "prepare"]).expect(0);
    assert_eq!(why(&project, "raw-0")["scored"].as_array().unwrap().len(), 0);
    project
        .pipeline(&["why", "raw-0", "--stage", "score"])
        .expect(4)
        .names(&["`score` never ran"]);
}
