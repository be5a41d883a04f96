//! A training that is killed, and the run after it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Project, Said, command};

/// A teacher with dropout and accumulated batches: 36 texts make 2 steps an epoch, 12 in all.
const TEACHER: &str = "stages.teacher.params={base_model: {architecture: electra, vocab_size: 200, hidden_size: 16, \
     num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 34}, \
     max_length: 32, batch_size: 8, gradient_accumulation_steps: 3, epochs: 6, learning_rate: 5.0e-3, dropout: 0.1, \
     logging_steps: 5, early_stopping: {patience: 5}, checkpoint_every: 3}";
const STEPS: u64 = 12;

fn run(project: &Project, fault: Option<&str>) -> Said {
    let mut command = command(&project.path("."));
    command.args(["run", "teacher", "--set", TEACHER]);
    if let Some(fault) = fault {
        command.env("PIPELINE_FAULT", fault);
    }
    Said::from(command.output().unwrap())
}

/// File → digest of the teacher's version.
fn digests(project: &Project) -> BTreeMap<String, String> {
    let manifest = json(project, "artifacts/teacher/latest/manifest.json");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let files = manifest["files"].as_array().unwrap().iter();
    files
        .map(|file| (text(&file["path"]), text(&file["blake3"])))
        .collect()
}

fn json(project: &Project, file: &str) -> Value {
    serde_json::from_str(&project.read(file)).unwrap()
}

fn undisturbed() -> BTreeMap<String, String> {
    let project = Project::new();
    run(&project, None).expect(0);
    assert_eq!(timings(&project)["resumed_steps"], 0);
    assert_eq!(
        json(&project, "artifacts/teacher/latest/metrics.json")["steps"],
        STEPS
    );
    digests(&project)
}

fn timings(project: &Project) -> Value {
    json(project, "artifacts/teacher/latest/timings.json")
}

/// The files that a killed teacher left for the next run.
fn work(project: &Project) -> Vec<PathBuf> {
    let files = |folder: PathBuf| -> Vec<PathBuf> {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.map(|file| file.path()).collect()
    };
    let folders = files(project.path("artifacts/teacher")).into_iter();
    let left = folders.filter(|path| path.to_string_lossy().contains("/.work-"));
    left.flat_map(files).collect()
}

fn checkpoints(project: &Project) -> Vec<PathBuf> {
    let files = work(project).into_iter();
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "safetensors"))
        .collect()
}

/// The next run goes on after step `resumed` and ends as if nothing had happened.
#[track_caller]
fn assert_goes_on(project: &Project, resumed: u64, expected: &BTreeMap<String, String>, what: &str) {
    let said = run(project, None).expect(0);
    assert_eq!(timings(project)["resumed_steps"], resumed, "{what}");
    assert_eq!(&digests(project), expected, "{what}");
    let line = format!("resumes after step {resumed} of {STEPS}");
    assert_eq!(said.err.contains(&line), resumed > 0, "{what}:\n{}", said.err);
    assert!(work(project).is_empty(), "{what}: {:?}", work(project));
}

#[test]
fn a_training_killed_at_any_moment_goes_on_and_makes_the_files_of_an_undisturbed_one() {
    let expected = undisturbed();
    // Where it is killed, and from which step the next run may go on: a checkpoint is made whole beside the training.
    let faults = [
        ("step:2", &[0][..]),
        ("checkpoint-written:1", &[0]),
        ("checkpoint-synced:1", &[0]),
        ("checkpoint-renamed:1", &[3]),
        ("step:5", &[0, 3]),
        ("checkpoint-written:2", &[3]),
        ("checkpoint-synced:2", &[3]),
        ("checkpoint-renamed:2", &[6]),
        ("step:10", &[6, 9]),
        ("step:12", &[6, 9]),
    ];
    for (fault, resumed) in faults {
        let project = Project::new();
        run(&project, Some(fault)).expect(1).names(&["signal 9"]);
        run(&project, None).expect(0);
        let actual = timings(&project)["resumed_steps"].as_u64().unwrap();
        assert!(resumed.contains(&actual), "{fault}: resumed after step {actual}");
        assert_eq!(digests(&project), expected, "{fault}");
        assert!(work(&project).is_empty(), "{fault}: {:?}", work(&project));
    }
}

#[test]
fn a_training_killed_again_and_again_comes_to_the_same_end() {
    let expected = undisturbed();
    let project = Project::new();
    for _ in 0..3 {
        // Each run comes one checkpoint further.
        run(&project, Some("checkpoint-renamed:1")).expect(1);
    }
    assert_goes_on(&project, 9, &expected, "killed three times");
}

#[test]
fn a_damaged_or_foreign_checkpoint_is_named_and_not_used() {
    let expected = undisturbed();
    type Harm<'a> = (&'a str, &'a dyn Fn(&PathBuf));
    let change = |path: &PathBuf, change: &dyn Fn(&mut Vec<u8>)| {
        let mut content = std::fs::read(path).unwrap();
        change(&mut content);
        std::fs::write(path, content).unwrap();
    };
    let harms: [Harm<'_>; 4] = [
        ("cut off", &|path| {
            change(path, &|content| content.truncate(content.len() / 2))
        }),
        ("emptied", &|path| change(path, &Vec::clear)),
        ("one bit", &|path| {
            change(path, &|content| *content.last_mut().unwrap() ^= 1)
        }),
        ("another name", &|path| {
            std::fs::rename(path, path.with_file_name("00000007-0.safetensors")).unwrap();
        }),
    ];
    for (what, harm) in harms {
        let project = Project::new();
        run(&project, Some("checkpoint-renamed:2")).expect(1);
        let files = work(&project);
        let newest = files
            .iter()
            .find(|path| path.to_string_lossy().contains("/00000006-"));
        harm(newest.unwrap_or_else(|| panic!("{files:?}")));
        let said = run(&project, None)
            .expect(0)
            .names(&["is not used: it is damaged"]);
        // The one before had not been removed yet.
        assert!(
            said.err.contains("resumes after step 3 of 12"),
            "{what}:\n{}",
            said.err
        );
        assert_eq!(digests(&project), expected, "{what}");
    }
}

#[test]
fn a_checkpoint_of_another_training_is_not_used() {
    let [project, other] = [7, 8].map(|seed| {
        let project = Project::new();
        project.edit("seed: 7", &format!("seed: {seed}"));
        run(&project, Some("checkpoint-renamed:1")).expect(1);
        project
    });
    let (foreign, own) = (checkpoints(&project), checkpoints(&other));
    std::fs::copy(
        &foreign[0],
        own[0].with_file_name(foreign[0].file_name().unwrap()),
    )
    .unwrap();
    std::fs::remove_file(&own[0]).unwrap();
    run(&other, None)
        .expect(0)
        .names(&["is not used: it is of another version"]);
    assert_eq!(timings(&other)["resumed_steps"], 0);
}

#[test]
fn how_often_checkpoints_are_made_is_no_reason_to_train_again() {
    let project = Project::new();
    project.pipeline(&["run", "teacher"]).expect(0);
    let set = [
        "teacher",
        "--set",
        "stages.teacher.params.checkpoint_every={minutes: 0.5}",
    ];
    assert!(project.executed(&set).is_empty());
}

/// A teacher of a hundred thousand steps.
const LONG: [&str; 8] = [
    "run",
    "teacher",
    "--set",
    "stages.teacher.params.epochs=20000",
    "--set",
    "stages.teacher.params.early_stopping=none",
    "--set",
    "stages.teacher.params.checkpoint_every=50",
];

#[test]
fn an_interrupted_training_leaves_a_checkpoint_before_its_time() {
    use rustix::process::{Pid, Signal, kill_process};
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let project = Project::new();
        let mut program = command(&project.path("."));
        let program = program.args(LONG).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = program.spawn().unwrap();
        let start = Instant::now();
        while checkpoints(&project).is_empty() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "no checkpoint after a minute"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let said = Said::from(child.wait_with_output().unwrap()).expect(code);
        let after = said.err.split("interrupted after step ").nth(1);
        let after = after.and_then(|rest| rest.split(';').next()).expect(&said.err);
        let left = checkpoints(&project);
        let named = |path: &PathBuf| {
            let name = path.file_name()?.to_str()?;
            name.split('-').next()?.parse::<u64>().ok()
        };
        let steps: Vec<u64> = left.iter().filter_map(named).collect();
        assert_eq!(steps, [after.replace(',', "").parse::<u64>().unwrap()]);
        // Another kill, so that this test need not train to the end.
        let mut again = command(&project.path("."));
        let again = again.args(LONG).env("PIPELINE_FAULT", "step:1").output().unwrap();
        let resumed = format!("resumes after step {after} of 100,000");
        Said::from(again).expect(1).names(&[&resumed]);
    }
}
