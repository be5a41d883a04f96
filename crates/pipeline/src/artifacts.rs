//! `pipeline artifacts`: versions, lineage, tags, integrity, clean-up.

mod args;

use dag::{Interrupt, Reference, Removed, Store, Wait, WriterLock};
use serde_json::json;
use stage::Failure;

use crate::args::ProjectArgs;
use crate::error::{CliError, Exit};
use crate::{output, table, words};

pub(crate) use args::ArtifactsArgs;
use args::ArtifactsCommand;

pub(crate) fn artifacts(args: &ArtifactsArgs) -> Result<(), CliError> {
    match &args.command {
        ArtifactsCommand::List { stage, project, json } => list(project, stage.as_deref(), *json),
        ArtifactsCommand::Show { version, project } => show(project, version),
        ArtifactsCommand::Tag {
            version,
            tag,
            project,
        } => give_tag(project, version, tag),
        ArtifactsCommand::Untag { tag, project } => take_tag(project, tag),
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
    let store = project.store()?;
    let version = store.resolve_version(reference).map_err(Failure::from)?;
    let mut shown = serde_json::to_value(&version.manifest).map_err(Failure::stage)?;
    let tags = store.tags(&version.stage).into_iter();
    let tags: Vec<String> = tags
        .filter(|(_, number)| *number == version.name.number)
        .map(|(tag, _)| tag)
        .collect();
    if !tags.is_empty() {
        shown["tags"] = tags.into();
    }
    output::print_json(&shown)
}

fn give_tag(project: &ProjectArgs, reference: &str, tag: &str) -> Result<(), CliError> {
    let store = project.store()?;
    let lock = lock(&store, "pipeline artifacts tag")?;
    let version = store.resolve_version(reference).map_err(Failure::from)?;
    let stage = &version.stage;
    let before = store.tag(&lock, &version, tag)?;
    let before = before.filter(|before| *before != version.name.number);
    let before = before.map_or_else(String::new, |number| format!(", which {stage}@{number} was"));
    output::print_line(&format!("{} is `{stage}@{tag}`{before}", version.reference()))
}

fn take_tag(project: &ProjectArgs, reference: &str) -> Result<(), CliError> {
    let store = project.store()?;
    let parsed: Reference = reference.parse().map_err(Failure::from)?;
    let (Some(tag), None) = (&parsed.version, &parsed.artifact) else {
        return Err(CliError::new(Exit::Usage, format!("`{reference}` names no tag")).hint("write STAGE@TAG"));
    };
    let lock = lock(&store, "pipeline artifacts untag")?;
    match store.untag(&lock, &parsed.stage, tag)? {
        Some(number) => output::print_line(&format!("{0}@{number} is no longer `{0}@{tag}`", parsed.stage)),
        None => {
            let known: Vec<String> = store.tags(&parsed.stage).into_keys().collect();
            let failure = Failure::missing(format!("no version of `{}` has the tag `{tag}`", parsed.stage));
            Err(failure.hint(format!("tags: {}", known.join(", "))).into())
        }
    }
}

/// The store for this command alone; another run is not waited for.
fn lock(store: &Store, command: &str) -> Result<WriterLock, CliError> {
    let wait = Wait::AtMost(std::time::Duration::ZERO);
    let lock = store.lock(command, wait, &Interrupt::default(), &mut |_| {});
    lock.map_err(|error| CliError::from(Failure::from(error)))
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
    let lock = lock(&store, "pipeline artifacts gc")?;
    let collection = store.collect(&lock, keep, dry_run)?;
    let verb = if dry_run { "would remove" } else { "removed" };
    for removal in &collection.removed {
        let what = match removal.what {
            Removed::Version => "",
            Removed::Broken => " (broken or edited)",
            Removed::Unfinished => " (work that did not come to its end)",
        };
        let size = words::bytes(removal.bytes);
        output::print_line(&format!(
            "{verb} {}/{}  {size}{what}",
            removal.stage, removal.version
        ))?;
    }
    let (removed, freed) = (collection.removed.len(), words::bytes(collection.bytes));
    output::print_line(&format!(
        "{verb} {removed} folders, {freed}; {} versions kept",
        collection.kept
    ))
}
