//! What a stage's process is told.

use std::path::Path;

use stage::{Invocation, Runtime};

use crate::Dag;
use crate::identity::Seal;

/// The invocation of stage `index` with sealed inputs, writing to `output`, with `work` to come back to.
pub(super) fn invocation(dag: &Dag, index: usize, seal: &Seal, output: &Path, work: &Path) -> Invocation {
    let spec = &dag.stages[index];
    let runtime = &dag.runtime;
    Invocation {
        format: Invocation::FORMAT,
        stage: spec.name.clone(),
        kind: spec.kind.name().to_owned(),
        params: spec.params.clone(),
        seed: spec.seed,
        task: dag.task,
        labels: dag.labels.clone(),
        precision: spec.precision.clone(),
        runtime: Runtime {
            device: runtime.device.clone(),
            backend: runtime.backend.clone(),
            threads: runtime.threads,
        },
        inputs: seal.inputs.items(),
        input_order: spec.inputs.iter().map(|(name, _)| name.clone()).collect(),
        lineage: seal.inputs.ancestors(),
        guard: spec.guard.clone().unwrap_or_default(),
        promoted: seal.inputs.promoted(),
        output: output.to_owned(),
        work: Some(work.to_owned()),
        fingerprint: seal.key.fingerprint().to_string(),
        parent: Some(std::process::id()),
    }
}
