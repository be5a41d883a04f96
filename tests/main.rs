//! The program from outside: each module is one subject.

mod architecture; // who may depend on whom
mod artifacts; // tags, lineage, edits and clean-up in the store
mod bad_input; // what a wrong file says, and with which exit code
mod commands; // inspect, predict, evaluate, tokenize, export, artifacts
mod compare; // versions, runs and reports side by side
mod determinism; // same inputs and seed, same artifacts
mod examples; // the shipped examples
mod guard; // golden rows and what models learn from
mod hub; // models of the Hub: when it is asked, what is remembered, what a miss says
#[path = "../crates/hub/tests/server/mod.rs"]
#[expect(dead_code, reason = "only the tests of the client let it misbehave")]
mod hub_server;
mod inspect; // samples, conditions, SQL, wide and empty tables
mod multilabel; // rows with any number of labels
mod noise; // labels that are likely wrong; gates against a promoted version
mod predict; // predict and evaluate in all their forms
mod recorded; // what each kind makes under its version
mod resume; // a training that is killed, and the run after it
mod review; // export, import, undo: decisions of people and edited artifacts
mod run; // run, status, explain: what is executed and what is reused
mod sample; // the shipped pipeline and data
mod support;
mod sweep; // points, folds, what is reused and what is left behind
mod why; // a row's way from its line to the models
