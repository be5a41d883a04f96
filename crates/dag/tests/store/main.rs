//! The store, the plan and the execution over hand-made pipelines of small files.
//!
//! Stages are real child processes: this test program started again with one test selected, see [`helpers`].

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its world is not as expected"
)]

mod after;
mod crash;
mod edits;
mod execution;
mod explanation;
mod full_disk;
mod helpers;
mod hub;
mod interruption;
mod key;
mod lineage;
mod locking;
mod maintenance;
mod project;
mod references;
mod script;
mod selection;
mod staleness;
mod tags;
mod work;
