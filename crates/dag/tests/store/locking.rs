//! One writer per store.

use std::time::{Duration, Instant};

use dag::{Interrupt, LockError, Store, Wait};

use crate::project::Project;

fn lock(project: &Project, wait: Wait) -> Result<dag::WriterLock, LockError> {
    Store::open(project.store.root()).lock("second writer", wait, &Interrupt::default(), &mut |_| {})
}

#[test]
fn a_second_writer_that_may_not_wait_is_refused_and_told_by_whom() {
    let project = Project::chain();
    let _held = project.lock();
    let error = lock(&project, Wait::AtMost(Duration::ZERO)).unwrap_err();
    let words = error.to_string();
    assert!(
        words.contains(&format!("process {} since ", std::process::id())),
        "{words}"
    );
    assert!(words.contains("`test`"), "{words}");
    assert_eq!(stage::Failure::from(error).kind, stage::FailureKind::Storage);
}

#[test]
fn a_second_writer_waits_says_for_whom_and_goes_on() {
    let project = Project::chain();
    let held = project.lock();
    let waited = std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            drop(held);
        });
        let mut holders = Vec::new();
        let store = Store::open(project.store.root());
        let lock = store.lock("second", Wait::Forever, &Interrupt::default(), &mut |holder| {
            holders.push(holder.clone())
        });
        lock.unwrap();
        holders
    });
    assert_eq!(waited[0].pid, std::process::id());
    assert_eq!(waited[0].command, "test");
}

#[test]
fn waiting_ends_when_its_time_is_over() {
    let project = Project::chain();
    let _held = project.lock();
    let started = Instant::now();
    assert!(matches!(
        lock(&project, Wait::AtMost(Duration::from_millis(200))),
        Err(LockError::Busy { .. })
    ));
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[test]
fn waiting_can_be_interrupted() {
    let project = Project::chain();
    let _held = project.lock();
    let interrupt = Interrupt::default();
    interrupt.raise(15);
    let result = project
        .store
        .lock("second", Wait::Forever, &interrupt, &mut |_| {});
    assert!(matches!(result, Err(LockError::Interrupted { signal: 15 })));
}

#[test]
fn a_damaged_lock_file_is_no_obstacle() {
    let project = Project::chain();
    drop(project.lock());
    std::fs::write(project.path("artifacts/.lock"), "{\"pid\": 12").unwrap();
    drop(project.lock());
}

#[test]
fn readers_need_no_lock() {
    let project = Project::chain();
    project.run();
    let _held = project.lock();
    assert!(dag::status(&project.dag, &project.store).unwrap().is_current());
}

#[test]
fn children_do_not_inherit_the_lock() {
    let project = Project::chain();
    let held = project.lock();
    let mut child = std::process::Command::new("sleep").arg("5").spawn().unwrap();
    drop(held);
    // A moment's patience: a process that another test starts holds every descriptor until it executes its program.
    assert!(lock(&project, Wait::AtMost(Duration::from_secs(2))).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
}
