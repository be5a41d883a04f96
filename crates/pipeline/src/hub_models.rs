//! Models of the Hub that a pipeline names: which commits they stand for, and where their files are.
//!
//! What a branch stands for is asked once and remembered in the store, so that a branch that moves changes no result
//! unless somebody wants it to. Commands that only look ask nobody.

mod commits;
#[cfg(feature = "hub")]
mod source;
#[cfg(not(feature = "hub"))]
#[path = "hub_models/no_source.rs"]
mod source;

use std::collections::BTreeSet;

use dag::{Action, Dag, Plan, Selection, Store};
use stage::HubModel;

use crate::error::CliError;
use crate::run::Engine;
use crate::terminal::Terminal;

use commits::Commits;
use source::Source;

/// Tells every model its commit, as far as store and cache know it.
pub(crate) fn recall(dag: &mut Dag, store: &Store) -> Result<(), CliError> {
    let Some(first) = dag.hub_inputs_mut().next() else {
        return Ok(());
    };
    Source::check(&first.model)?;
    let commits = Commits::read(store)?;
    for input in dag.hub_inputs_mut().filter(|input| input.commit.is_none()) {
        let known = commits.get(&input.model).map(str::to_owned);
        input.commit = known.or_else(|| source::cached_commit(&input.model));
    }
    Ok(())
}

/// Makes the selected stages ready to run: asks for commits that are not remembered, or for all if `update`, and
/// fetches the models of stages that will run.
pub(crate) fn prepare(
    engine: &Engine<'_>,
    dag: &mut Dag,
    selection: &Selection,
    update: bool,
    terminal: &mut Terminal,
) -> Result<(), CliError> {
    if dag.hub_inputs_mut().next().is_none() {
        return Ok(());
    }
    // Another run may have asked while this one waited for the store.
    let mut commits = Commits::read(engine.store())?;
    for input in dag.hub_inputs_mut() {
        input.commit = commits
            .get(&input.model)
            .map(str::to_owned)
            .or(input.commit.take());
    }
    let plan = Plan::new(dag, engine.store(), selection)?;
    let is_open = |model: &HubModel| model.commit().is_none() && (update || commits.get(model).is_none());
    let open: Vec<HubModel> = models(dag, &plan, None).into_iter().filter(is_open).collect();
    if !open.is_empty() {
        let mut source = Source::connect(engine, terminal)?;
        for model in open {
            let commit = source.resolve(&model)?;
            dag.hub_inputs_mut()
                .filter(|input| input.model == model)
                .for_each(|input| input.commit = Some(commit.clone()));
            commits.insert(&model, commit);
        }
        commits.write(engine.store(), engine.lock())?;
    }
    let plan = Plan::new(dag, engine.store(), selection)?;
    let needed = models(dag, &plan, Some(Action::Run));
    if needed.is_empty() {
        return Ok(());
    }
    let mut source = Source::connect(engine, terminal)?;
    for input in dag.hub_inputs_mut().filter(|input| needed.contains(&input.model)) {
        if let Some(commit) = &input.commit {
            input.path = Some(source.fetch(&input.model, commit)?);
        }
    }
    Ok(())
}

/// Models that the plan's stages read, or those of stages about which `action` is planned.
fn models(dag: &Dag, plan: &Plan, action: Option<Action>) -> BTreeSet<HubModel> {
    let planned = plan.stages.iter().map(|planned| &planned.report);
    let chosen = planned.filter(|report| action.is_none_or(|action| report.action == action));
    let indices = chosen.filter_map(|report| dag.index_of(&report.stage));
    indices
        .flat_map(|index| dag.hub_inputs(index))
        .map(|input| input.model.clone())
        .collect()
}
