//! SIGINT and SIGTERM.

use std::time::{Duration, Instant};

use dag::{News, Observer, Outcome, Plan, Selection, execute};
use serde_json::json;

use crate::project::{Project, actions};

/// Raises a signal as soon as a stage says something.
struct Impatient(dag::Interrupt);

impl Observer for Impatient {
    fn observe(&mut self, news: &News<'_>) {
        if let News::StageEvent { .. } = news {
            self.0.raise(2);
        }
    }
}

#[test]
fn an_interrupted_run_ends_its_stages_and_says_so() {
    let project = Project::new();
    project.write("data.txt", "data");
    let project = project
        .stage("slow", json!({"sleep_ms": 60_000}), &["x=data.txt"])
        .stage("next", json!({}), &["x=slow.out"]);
    let lock = project.lock();
    let plan = Plan::new(&project.dag, &project.store, &Selection::default()).unwrap();
    let started = Instant::now();
    let mut observer = Impatient(project.options.interrupt.clone());
    let outcome = execute(
        &plan,
        &project.dag,
        &project.store,
        &lock,
        &project.options,
        &mut observer,
    )
    .unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!((outcome.outcome, outcome.signal), (Outcome::Interrupted, Some(2)));
    assert_eq!(actions(&outcome.stages), "slow=run next=blocked");
    assert_eq!(outcome.failures().count(), 0);
    assert_eq!(project.names("slow"), Vec::<String>::new());
    assert_eq!(project.store.runs()[0].outcome(), Some(Outcome::Interrupted));
}

#[test]
fn a_stage_that_ignores_the_signal_is_killed_after_the_grace() {
    let mut project = Project::new().stage("stubborn", json!({}), &[]);
    project.options.command = ["sh", "-c", "trap '' TERM; echo '{\"event\":\"message\",\"level\":\"info\",\"text\":\"\"}'; while :; do sleep 0.05; done"]
        .map(Into::into)
        .to_vec();
    project.options.grace = Duration::from_millis(200);
    let lock = project.lock();
    let plan = Plan::new(&project.dag, &project.store, &Selection::default()).unwrap();
    let started = Instant::now();
    let mut observer = Impatient(project.options.interrupt.clone());
    let outcome = execute(
        &plan,
        &project.dag,
        &project.store,
        &lock,
        &project.options,
        &mut observer,
    )
    .unwrap();
    assert_eq!(outcome.outcome, Outcome::Interrupted);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}
