//! What an interrupted run leaves, and what the next one makes of it.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::project::{LABELS, Project};
use crate::shards::SHARD_ROWS;

/// Two whole shards and a part of one.
const ROWS: usize = 2 * SHARD_ROWS + 1000;

fn csv() -> String {
    let words = [
        "좋아", "정말", "좋다", "오늘", "하루", "싫어", "밉다", "우리", "모두",
    ];
    let row = |row: usize| {
        let text: Vec<&str> = (0..1 + row % 7)
            .map(|at| words[(row / 7 + at * at) % 9])
            .collect();
        format!("r{row},{}\n", text.join(" "))
    };
    format!("id,text\n{}", (0..ROWS).map(row).collect::<String>())
}

/// A run that nothing disturbed, with the shards that it leaves when nobody commits it.
struct Whole {
    project: Project,
    shards: TempDir,
}

impl Whole {
    fn new() -> Self {
        let project = project();
        project.run().unwrap();
        let shards = TempDir::new().unwrap();
        copy(&project.path("work"), shards.path());
        Self { project, shards }
    }

    /// Another project, in which a run was killed after it had left what `leave` makes of the shards.
    fn killed(&self, leave: impl FnOnce(&Path)) -> Project {
        let project = project();
        let work = project.path("work");
        copy(self.shards.path(), &work);
        leave(&work);
        project
    }
}

fn project() -> Project {
    Project::new().table("raw", &csv()).with_work()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_bytes() {
    let whole = Whole::new();
    let torn = |path: &Path| {
        let content = std::fs::read(path).unwrap();
        std::fs::write(path, &content[..content.len() / 2]).unwrap();
    };
    let none = |_: &Path| {};
    /// What was left, from which row the next run goes on, and how it came to be so.
    type Leaving<'a> = (&'a str, u64, &'a dyn Fn(&Path));
    let leaves: [Leaving<'_>; 6] = [
        ("everything", ROWS as u64, &none),
        ("a torn table", SHARD_ROWS as u64, &|work| {
            torn(&work.join("00001.parquet"))
        }),
        ("a torn note", SHARD_ROWS as u64, &|work| {
            torn(&work.join("00001.json"))
        }),
        ("a table without its note", 2 * SHARD_ROWS as u64, &|work| {
            std::fs::remove_file(work.join("00002.json")).unwrap();
        }),
        ("a note without its table", 0, &|work| {
            std::fs::remove_file(work.join("00000.parquet")).unwrap()
        }),
        ("a shard under its temporary name", SHARD_ROWS as u64, &|work| {
            std::fs::rename(work.join("00001.parquet"), work.join("00001.parquet.tmp")).unwrap();
        }),
    ];
    for (what, resumed, leave) in leaves {
        let project = whole.killed(leave);
        let outcome = project.run_for(LABELS);
        assert_eq!(
            outcome.result.unwrap().timings["resumed_rows"],
            json!(resumed),
            "{what}"
        );
        for file in ["scored.parquet", "report.json"] {
            assert!(project.bytes(file) == whole.project.bytes(file), "{what}: {file}");
        }
        let said = outcome
            .messages
            .iter()
            .find(|message| message.starts_with("resumes"));
        let expected = format!("resumes at row {} of 17,384", stage::grouped(resumed));
        assert_eq!(said, (resumed > 0).then_some(&expected), "{what}");
    }
    let ids = whole.project.strings("scored.parquet", "id");
    assert!((0..ROWS).all(|row| ids[row] == format!("r{row}")) && ids.len() == ROWS);
}

#[test]
fn whole_shards_are_taken_as_they_are() {
    let project = Whole::new().killed(|work| {
        let note = work.join("00000.json");
        let mut shard: Value = serde_json::from_slice(&std::fs::read(&note).unwrap()).unwrap();
        shard["counts"]["tokens"] = json!(1_000_000_000);
        std::fs::write(&note, shard.to_string()).unwrap();
    });
    project.run().unwrap();
    assert!(project.report()["tokens"].as_u64() > Some(1_000_000_000));
}

#[test]
fn rows_at_another_temperature_are_scored_again() {
    let whole = Whole::new();
    let project = whole
        .killed(|_| {})
        .table("validation", "text,label\n좋아,기쁨\n밉다,분노\n좋아,불안\n");
    assert_eq!(project.run().unwrap().timings["resumed_rows"], json!(0));
    let temperature = project.report()["temperature"].as_f64().unwrap();
    assert_ne!(temperature, 1.0);
    assert_eq!(project.numbers("scored.parquet", "raw_conf").len(), ROWS);
}

#[test]
fn without_a_folder_that_is_kept_nothing_is_left_beside_the_outputs() {
    let project = Project::new().table("raw", "text\n좋아\n");
    project.run().unwrap();
    let mut files: Vec<_> = std::fs::read_dir(project.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["report.json", "scored.parquet"]);
}

#[test]
fn a_repeated_id_is_found_before_anything_is_scored() {
    let project = Project::new()
        .table("raw", "id,text\na,좋아\nb,싫어\n")
        .table("raw", "id,text\nb,밉다\n");
    let outcome = project.run_for(LABELS);
    assert_eq!(
        outcome.result.unwrap_err().message,
        "repeated id `b`: `raw-0.csv` row 1 (line 3) and `raw-1.csv` row 0 (line 2)"
    );
    assert!(!project.path("out/.shards").exists());
}
