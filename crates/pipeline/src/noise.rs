//! `pipeline noise`: labels of training rows that are likely wrong, by confident learning on the probabilities of
//! models that were trained without these rows.

mod args;
mod document;
mod predictions;

use std::path::Path;

use classification::LabelNoise;
use dag::{Dag, InputRef};
use stage::ArtifactType;

pub(crate) use args::NoiseArgs;

use crate::args::Verbosity;
use crate::error::{CliError, Exit};
use crate::{output, sweep, table, terminal};

use document::Document;
use predictions::Predictions;

pub(crate) fn noise(args: &NoiseArgs, verbosity: Verbosity) -> Result<(), CliError> {
    let dag = args.project.load()?;
    let stage = match &args.stage {
        Some(stage) => stage.clone(),
        None => first_fine_tune(&dag)?,
    };
    if let Some(to) = args.to.as_ref().filter(|to| to.exists()) {
        // It may hold decisions.
        let message = format!("`{}` exists and is not written over", to.display());
        return Err(CliError::new(Exit::Usage, message).hint("name another file"));
    }
    let versions = sweep::fold_versions(&args.project, &stage, args.folds, args.wait, verbosity)?;
    if !verbosity.quiet && learns_from_models(&dag, &stage) {
        terminal::print_error(&format!(
            "note: stage `{stage}` is trained on pseudo-labels, too; a suspected one is a mistake of the model that gave it\n"
        ));
    }

    let mut rows = Predictions::default();
    for version in &versions {
        rows.add(&version.path, &dag.labels, dag.task)?;
    }
    let noise = LabelNoise::find(dag.task, &rows.labels, &rows.probabilities, dag.labels.len());
    let versions = versions.into_iter().map(|version| version.version).collect();
    let mut document = Document::new(stage, versions, &dag.labels, &rows, &noise);
    if let Some(to) = &args.to {
        std::fs::write(to, document.review()).map_err(|error| CliError::io(to, &error))?;
        document.to = Some(to.clone());
    }
    if args.json {
        return output::print_json(&document);
    }
    output::print(&document.text(args.top, table::terminal_width()))?;
    match &args.to {
        Some(to) => output::print(&next_step(&dag, &document.stage, to)),
        None => Ok(()),
    }
}

/// Where the file is, and what comes next.
fn next_step(dag: &Dag, stage: &str, file: &Path) -> String {
    let file = output::relative(file).display().to_string();
    let reviewed = train_items(dag, stage).find_map(|item| match item {
        InputRef::Artifact { stage, .. } if dag.stages[*stage].kind.name() == "prepare" => {
            Some(&dag.stages[*stage].name)
        }
        _ => None,
    });
    match reviewed {
        None => format!("\n{file}\n"),
        Some(stage) => format!(
            "\n{file}: write `keep` or `drop` into the column `decision`, or a label into `label`; then\n\
             pipeline review import {stage} {file}\n"
        ),
    }
}

/// The first `fine_tune` stage in the order of work.
fn first_fine_tune(dag: &Dag) -> Result<String, CliError> {
    let stages = dag.order.iter().map(|index| &dag.stages[*index]);
    let mut named = stages.filter(|stage| stage.kind.name() == "fine_tune");
    let first = named.next().map(|stage| stage.name.clone());
    first.ok_or_else(|| CliError::new(Exit::Usage, "the pipeline file has no `fine_tune` stage"))
}

/// Whether its training rows have labels that a model gave.
fn learns_from_models(dag: &Dag, stage: &str) -> bool {
    let given = |item: &InputRef| matches!(item, InputRef::Artifact { artifact_type, .. } if *artifact_type == ArtifactType::Kept);
    train_items(dag, stage).any(given)
}

fn train_items<'d>(dag: &'d Dag, stage: &str) -> impl Iterator<Item = &'d InputRef> {
    let inputs = dag.index_of(stage).map(|index| &dag.stages[index].inputs);
    let train = inputs.into_iter().flatten().filter(|(name, _)| name == "train");
    train.flat_map(|(_, items)| items)
}
