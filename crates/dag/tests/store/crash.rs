//! A kill at any moment leaves a store that the next run uses without any manual step.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use dag::{Outcome, Selection};

use crate::helpers;
use crate::project::{Project, actions, names_in};

/// Runs the chain in `folder` in a process of its own.
fn runner(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "helpers::runner_process", "--nocapture"])
        .env(helpers::RUNNER, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn run_with_fault(folder: &Path, fault: &str) -> ExitStatus {
    runner(folder).env("PIPELINE_FAULT", fault).status().unwrap()
}

/// The files of all versions with their content, but for what was measured.
fn content(project: &Project) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for stage in ["first", "second", "third"] {
        for version in project.names(stage) {
            let folder = project.store.stage_folder(stage).join(&version);
            for file in names_in(&folder)
                .into_iter()
                .filter(|file| file != "timings.json")
            {
                files.push((
                    format!("{stage}/{version}/{file}"),
                    std::fs::read(folder.join(&file)).unwrap(),
                ));
            }
        }
    }
    files
}

#[test]
fn a_kill_at_any_commit_point_is_mended_by_the_next_run() {
    let undisturbed = Project::chain();
    undisturbed.run();
    let expected = content(&undisturbed);
    for point in 1.. {
        let project = Project::chain();
        let status = run_with_fault(&project.folder, &format!("any:{point}"));
        if status.success() {
            assert!(point > 40, "only {point} fault points were come to");
            break;
        }
        assert_eq!(status.signal(), Some(9), "point {point}");
        let outcome = project.run();
        assert_eq!(outcome.outcome, Outcome::Done, "point {point}");
        assert_eq!(content(&project), expected, "point {point}");
        assert!(
            leftovers(&project).is_empty(),
            "point {point}: {:?}",
            leftovers(&project)
        );
        assert_eq!(
            actions(&project.run().stages),
            "first=reuse second=reuse third=reuse",
            "point {point}"
        );
    }
}

#[test]
fn a_kill_while_a_version_is_replaced_leaves_the_old_one_in_use() {
    for point in [
        "manifest-written",
        "folder-synced",
        "renamed",
        "latest-linked",
        "latest-replaced",
    ] {
        let project = Project::chain();
        project.run();
        project.write("data.txt", "DATA");
        assert_eq!(
            run_with_fault(&project.folder, point).signal(),
            Some(9),
            "{point}"
        );
        assert!(project.store.check(&project.latest("first")).is_ok(), "{point}");
        assert_eq!(project.run().outcome, Outcome::Done, "{point}");
        assert_eq!(project.names("first").len(), 2, "{point}");
    }
}

#[test]
fn what_a_killed_run_left_is_cleared_by_the_next() {
    let project = Project::chain();
    assert_eq!(run_with_fault(&project.folder, "child-ended").signal(), Some(9));
    assert_eq!(leftovers(&project).len(), 1);
    project.run();
    assert!(leftovers(&project).is_empty());
}

#[test]
fn a_killed_stage_goes_on_with_its_work_folder() {
    let mut project = Project::chain();
    let status = runner(&project.folder)
        .env(helpers::WORK, "1")
        .env("PIPELINE_FAULT", "child-ended")
        .status();
    assert_eq!(status.unwrap().signal(), Some(9));
    project.set("first", "work", true);
    assert_eq!(project.run().outcome, Outcome::Done);
    assert_eq!(
        project.output("first"),
        "1dataxx",
        "a mark of the killed run and one of this one"
    );
    assert_eq!(project.names("first").len(), 1);
}

#[test]
fn a_kill_between_version_and_work_folder_leaves_no_work_folder_for_ever() {
    let project = Project::chain();
    let status = runner(&project.folder)
        .env(helpers::WORK, "1")
        .env("PIPELINE_FAULT", "latest-replaced")
        .status();
    assert_eq!(status.unwrap().signal(), Some(9));
    assert_eq!(project.names("first").len(), 2, "{:?}", project.names("first"));
    let mut project = project;
    project.set("first", "work", true);
    assert_eq!(actions(&project.run().stages), "first=reuse second=run third=run");
    assert_eq!(project.names("first").len(), 1, "{:?}", project.names("first"));
}

#[test]
fn a_killed_run_is_shown_as_interrupted() {
    let project = Project::chain();
    run_with_fault(&project.folder, "renamed:2");
    let records = project.store.runs();
    assert_eq!(records[0].outcome, None, "it had no time to write its end");
    assert_eq!(records[0].outcome(), Some(Outcome::Interrupted));
}

#[test]
fn a_stage_dies_with_its_runner() {
    let project = Project::chain();
    let mut running = runner(&project.folder)
        .env(helpers::SLEEP, "60000")
        .spawn()
        .unwrap();
    let runs = project.store.runs_folder();
    let events = || {
        names_in(&runs)
            .first()
            .map(|run| runs.join(run).join("events.jsonl"))
    };
    let invocation = || {
        names_in(&runs)
            .first()
            .map(|run| runs.join(run).join("first.invocation.json"))
    };
    wait_until("the stage works", || events().is_some_and(|path| path.exists()));
    let invocation = invocation().unwrap();
    assert!(is_running_with(&invocation));
    running.kill().unwrap();
    running.wait().unwrap();
    wait_until("the stage is gone", || !is_running_with(&invocation));
    assert_eq!(project.run().outcome, Outcome::Done);
}

#[test]
fn a_stage_that_is_just_starting_dies_with_its_runner() {
    let project = Project::chain();
    let mut command = runner(&project.folder);
    command
        .env(helpers::SLEEP, "60000")
        .env("PIPELINE_FAULT", "child-started");
    assert_eq!(command.status().unwrap().signal(), Some(9));
    let run = project.store.runs().remove(0).run;
    let invocation = project
        .store
        .runs_folder()
        .join(run)
        .join("first.invocation.json");
    assert!(invocation.exists());
    wait_until("the stage is gone", || !is_running_with(&invocation));
}

#[test]
fn the_lock_of_a_killed_run_is_free() {
    let project = Project::chain();
    run_with_fault(&project.folder, "child-started");
    let started = Instant::now();
    assert_eq!(
        project.planned(&Selection::default()),
        "first=run second=run third=run"
    );
    drop(project.lock());
    assert!(started.elapsed() < Duration::from_secs(2));
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not so after ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn leftovers(project: &Project) -> Vec<String> {
    let root = project.store.root();
    let mut found: Vec<String> = names_in(root)
        .into_iter()
        .filter(|name| name.starts_with(".tmp-"))
        .collect();
    for stage in ["first", "second", "third", "runs"] {
        found.extend(
            names_in(&root.join(stage))
                .into_iter()
                .filter(|name| name.starts_with(".tmp-")),
        );
    }
    found
}

fn is_running_with(argument: &Path) -> bool {
    let argument = argument.to_str().unwrap();
    names_in_proc().any(|pid| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(argument)
    })
}

fn names_in_proc() -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
}
