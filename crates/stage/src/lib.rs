//! The contract between the engine (`dag`) and the stages.
//!
//! The engine knows a stage as a [`StageKind`]: names of inputs, artifacts and params, a version, a check.
//! A stage knows the engine as a [`Context`]: the inputs it was given, a folder to write to, a place for
//! progress. Neither knows what the other does.

mod artifact;
mod child;
mod context;
mod encoding;
mod event;
mod failure;
pub mod fault;
mod format;
mod guard;
mod hub_model;
mod invocation;
mod kind;
mod params;
mod words;

pub use artifact::ArtifactType;
pub use child::{run_child, run_in_process};
pub use context::{Completion, Context};
pub use encoding::Encoding;
pub use event::{Event, EventSink, Level};
pub use failure::{Failure, FailureKind};
pub use format::Format;
pub use guard::{Duty, Guard, Role};
pub use hub_model::{HubModel, HubNameError};
pub use invocation::{Ancestor, InputItem, Invocation, Runtime, Sheet, SourceOptions};
pub use kind::{InputSpec, OutputSpec, ParamInput, Resolved, StageKind, Uses};
pub use params::{CheckContext, Params, Problem, nearest, resolve};
pub use words::grouped;
