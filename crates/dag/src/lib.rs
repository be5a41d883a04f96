//! The engine: pipeline file → checked [`Dag`] → [`Plan`] → execution; fingerprints, artifact store, run records.
//!
//! It knows stages only through the crate `stage`: names of kinds, artifacts and params, never what they compute.

mod clock;
mod dag;
mod diagnostic;
mod edited;
mod execute;
pub mod graph;
mod hub_input;
mod identity;
mod plan;
mod schema;
mod spec;
mod store;

pub use clock::compact_timestamp;
pub use dag::{Dag, InputRef, ParamSource, RuntimeSpec, StageSpec};
pub use diagnostic::{Diagnostic, Diagnostics, DiagnosticsKind, Location, Severity};
pub use execute::{
    Action, Interrupt, News, Observer, Options, Outcome, RunDocument, RunOutcome, RunRecord, StageReport,
    execute,
};
pub use hub_input::HubInput;
pub use identity::{Digest, Fingerprint, KeyInput, Reason, StageKey};
pub use plan::{Explanation, Plan, PlanError, PlannedStage, Selection, explain, status};
pub use schema::schema;
pub use spec::{
    ArtifactNameError, Override, OverrideError, OverrideOrigin, ResolvePrecision, artifact_names,
    find_artifact, load, overrides_from_env,
};
pub use store::{
    Broken, Collection, Damage, FileRecord, InputItemRecord, InputRecord, LockError, LockHolder, Manifest,
    OutputRecord, ParamRecord, Reference, ReferenceError, Removal, Removed, Store, Verification, Version,
    VersionInfo, VersionName, Wait, WriterLock,
};
