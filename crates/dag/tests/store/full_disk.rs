//! A disk that is full, wherever that happens.
//!
//! The disk is a small memory file system in a mount namespace of its own, so that no rights are needed.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use dag::{Interrupt, Outcome, Plan, Selection, Store, Wait, execute};
use stage::{Failure, FailureKind};

use crate::project::{Project, names_in};

/// Set: this process fills the disk that the project in this folder lies on.
const FOLDER: &str = "DAG_TEST_FULL_DISK";

#[test]
fn a_full_disk_leaves_the_old_versions_intact_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=$1 tmpfs \"$2\" 2>/dev/null || exit 77; shift 2; exec \"$@\"";
    let unshare = |size: &str, program: &[&str]| {
        let mut command = Command::new("unshare");
        command
            .args(["-rm", "sh", "-c", script, "sh", size])
            .arg(folder.path())
            .args(program);
        command.env(FOLDER, folder.path()).stdin(Stdio::null());
        command
    };
    if !unshare("64k", &["true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("SKIPPED: this system does not let users mount a memory file system");
        return;
    }
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "full_disk::full_disk_process", "--nocapture"];
    let program = [&[program.to_str().unwrap()], arguments.as_slice()].concat();
    let output = unshare("400k", &program).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn full_disk_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut project = Project::chain_in(PathBuf::from(folder));
    let mut failures = Vec::new();
    for free_pages in 0..40 {
        project.set("first", "text", "old");
        assert_eq!(run(&project).unwrap(), Outcome::Done);
        let old = ["first", "second", "third"].map(|stage| project.latest(stage));
        fill(&project, free_pages);
        project.set("first", "text", "new".repeat(4000));
        match run(&project) {
            Ok(outcome) => assert_eq!(outcome, Outcome::Done),
            Err(failure) => {
                assert_eq!(
                    failure.kind,
                    FailureKind::Storage,
                    "{free_pages} pages: {failure:?}"
                );
                assert!(
                    failure.hints.iter().any(|hint| hint.contains("free")),
                    "{free_pages} pages: {failure:?}"
                );
                failures.push(failure.message);
            }
        }
        for stage in ["first", "second", "third"] {
            let names = names_in(&project.store.stage_folder(stage));
            assert!(
                names.iter().all(|name| !name.starts_with(".tmp-")),
                "{free_pages} pages: {names:?}"
            );
        }
        assert!(
            old.iter().all(|version| project.store.check(version).is_ok()),
            "{free_pages} pages"
        );
        std::fs::remove_file(project.path("ballast")).unwrap();
        assert_eq!(run(&project).unwrap(), Outcome::Done, "{free_pages} pages");
        std::fs::remove_dir_all(project.store.root()).unwrap();
    }
    let kinds = ["run.json", "out.txt", "first/.tmp", "third/.tmp"];
    for kind in kinds {
        assert!(
            failures.iter().any(|failure| failure.contains(kind)),
            "never full at {kind}: {failures:#?}"
        );
    }
}

/// Leaves so many pages of the disk free.
fn fill(project: &Project, free_pages: usize) {
    const PAGE: usize = 4096;
    let mut ballast = File::create(project.path("ballast")).unwrap();
    let mut pages = 0;
    while ballast.write_all(&[0; PAGE]).is_ok() {
        pages += 1;
    }
    ballast.set_len((PAGE * (pages - free_pages)) as u64).unwrap();
}

fn run(project: &Project) -> Result<Outcome, Failure> {
    let store = Store::open(project.store.root());
    let lock = store.lock("test", Wait::Forever, &Interrupt::default(), &mut |_| {})?;
    let plan = Plan::new(&project.dag, &store, &Selection::default()).unwrap();
    let outcome = execute(&plan, &project.dag, &store, &lock, &project.options, &mut ())?;
    match outcome.failures().next() {
        Some((_, failure)) => Err(failure.clone()),
        None => Ok(outcome.outcome),
    }
}
