//! The program from outside: each module is one subject.

mod architecture; // who may depend on whom
mod bad_input; // what a wrong file says, and with which exit code
mod commands; // inspect, predict, evaluate, tokenize, export, artifacts
mod determinism; // same inputs and seed, same artifacts
mod run; // run, status, explain: what is executed and what is reused
mod sample; // the shipped pipeline and data
mod support;
