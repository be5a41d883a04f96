//! `pipeline artifacts`: versions, lineage, integrity, clean-up.

use dag::{Interrupt, Wait};
use serde_json::json;

use crate::args::{ArtifactsArgs, ArtifactsCommand, ProjectArgs};
use crate::error::{CliError, Exit};
use crate::{output, table, words};

pub(crate) fn artifacts(args: &ArtifactsArgs) -> Result<(), CliError> {
    match &args.command {
        ArtifactsCommand::List { stage, project, json } => list(project, stage.as_deref(), *json),
        ArtifactsCommand::Show { version, project } => show(project, version),
        ArtifactsCommand::Verify { project, json } => verify(project, *json),
        ArtifactsCommand::Gc {
            keep,
            dry_run,
            project,
        } => collect(project, *keep as usize, *dry_run),
    }
}

fn list(project: &ProjectArgs, stage: Option<&str>, json: bool) -> Result<(), CliError> {
    let versions = project.store()?.list(stage);
    if json {
        return output::print_json(&json!({"schema_version": 1, "versions": versions}));
    }
    let row = |info: &dag::VersionInfo| {
        let mut marks: Vec<&str> = info.tags.iter().map(String::as_str).collect();
        marks.extend(info.latest.then_some("latest"));
        marks.extend((!info.gates_failed.is_empty()).then_some("gate not met"));
        marks.extend(info.damage.as_deref());
        vec![
            format!("{}@{}", info.stage, info.number),
            info.version.clone(),
            info.created.clone().unwrap_or_default(),
            info.seconds.map(words::seconds).unwrap_or_default(),
            words::bytes(info.bytes),
            marks.join(", "),
        ]
    };
    let header = ["reference", "version", "made", "took", "size", ""];
    output::print(&table::strings(&header, versions.iter().map(row).collect()))
}

fn show(project: &ProjectArgs, reference: &str) -> Result<(), CliError> {
    let version = project
        .store()?
        .resolve_version(reference)
        .map_err(stage::Failure::from)?;
    output::print(&version.manifest.clone().to_json())
}

fn verify(project: &ProjectArgs, json: bool) -> Result<(), CliError> {
    let found = project.store()?.verify();
    let broken: Vec<String> = found
        .broken
        .iter()
        .map(|broken| format!("{}: {}", broken.reference(), broken.damage))
        .collect();
    if json {
        output::print_json(
            &json!({"schema_version": 1, "intact": found.intact, "broken": broken, "bytes": found.bytes}),
        )?;
    } else {
        output::print_line(&format!(
            "{} versions intact, {} read",
            found.intact.len(),
            words::bytes(found.bytes)
        ))?;
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(CliError::new(
        Exit::Storage,
        format!("{} broken: {}", broken.len(), broken.join("; ")),
    )
    .hint("the next `pipeline run` sets a broken version aside and makes it anew"))
}

fn collect(project: &ProjectArgs, keep: usize, dry_run: bool) -> Result<(), CliError> {
    let store = project.store()?;
    let interrupt = Interrupt::default();
    let lock = store
        .lock(
            "pipeline artifacts gc",
            Wait::AtMost(std::time::Duration::ZERO),
            &interrupt,
            &mut |_| {},
        )
        .map_err(|error| CliError::from(stage::Failure::from(error)))?;
    let collection = store.collect(&lock, keep, dry_run)?;
    let verb = if dry_run { "would remove" } else { "removed" };
    for removal in &collection.removed {
        let broken = if removal.broken { " (broken)" } else { "" };
        let size = words::bytes(removal.bytes);
        output::print_line(&format!(
            "{verb} {}/{}  {size}{broken}",
            removal.stage, removal.version
        ))?;
    }
    let (removed, freed) = (collection.removed.len(), words::bytes(collection.bytes));
    output::print_line(&format!(
        "{verb} {removed} versions, {freed}; {} kept",
        collection.kept
    ))
}
