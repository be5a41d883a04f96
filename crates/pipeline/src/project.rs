//! The pipeline file and the store that a command works on.

use std::path::{Path, PathBuf};

use dag::{Dag, DiagnosticsKind, Override, Store};

use crate::args::ProjectArgs;
use crate::error::{CliError, Exit};
use crate::hub_models;
use crate::kinds::KINDS;

impl ProjectArgs {
    /// Reads and checks the pipeline file with all overrides.
    pub(crate) fn load(&self) -> Result<Dag, CliError> {
        self.load_with(Vec::new())
    }

    /// The same, with `more` in place of values of the file and of other overrides.
    pub(crate) fn load_with(&self, more: Vec<Override>) -> Result<Dag, CliError> {
        let mut overrides = self.overrides()?;
        overrides.extend(more);
        let resolve = |runtime: &dag::RuntimeSpec, requested: &str| {
            model::resolve_precision(&runtime.device, &runtime.backend, requested).map(str::to_owned)
        };
        let mut dag = dag::load(&self.file, &overrides, KINDS, &resolve).map_err(|diagnostics| {
            let exit = match diagnostics.kind {
                DiagnosticsKind::Invalid | DiagnosticsKind::Missing => Exit::Usage,
                DiagnosticsKind::Unreadable => Exit::Storage,
            };
            crate::terminal::print_error(&format!("{diagnostics}\n"));
            CliError::silent(exit)
        })?;
        hub_models::recall(&mut dag, &self.store()?)?;
        Ok(dag)
    }

    /// The store: `--artifacts`, else beside the pipeline file.
    pub(crate) fn store(&self) -> Result<Store, CliError> {
        let folder = match &self.artifacts {
            Some(folder) => folder.clone(),
            None => self.file.parent().unwrap_or(Path::new("")).join("artifacts"),
        };
        let absolute: PathBuf =
            std::path::absolute(&folder).map_err(|error| CliError::io(&folder, &error))?;
        Ok(Store::open(absolute))
    }

    /// The file or folder that `STAGE[@NUMBER].ARTIFACT` names.
    pub(crate) fn resolve(&self, reference: &str) -> Result<PathBuf, CliError> {
        Ok(self.store()?.resolve(reference).map_err(stage::Failure::from)?)
    }

    fn overrides(&self) -> Result<Vec<Override>, CliError> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut overrides = dag::overrides_from_env(variables);
        let device = self
            .device
            .iter()
            .map(|device| format!("runtime.device={device}"));
        let backend = self
            .backend
            .iter()
            .map(|backend| format!("runtime.backend={backend}"));
        for setting in self.set.iter().cloned().chain(device).chain(backend) {
            let parsed = Override::parse(&setting).map_err(|error| CliError::new(Exit::Usage, error))?;
            overrides.push(parsed);
        }
        Ok(overrides)
    }
}
