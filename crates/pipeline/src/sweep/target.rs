//! Which stage is compared, and by which figure.

use clap::ValueEnum;
use classification::Task;
use dag::{Dag, StageSpec};
use serde_json::Value;

use super::grid::Grid;
use crate::args::{SweepArgs, SweepMetric};
use crate::error::{CliError, Exit};

/// The stage that is compared.
pub(super) struct Target {
    pub(super) stage: String,
    pub(super) metric: SweepMetric,
}

impl SweepMetric {
    /// Its name in `metrics.json`.
    pub(super) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    pub(super) fn lower_is_better(self) -> bool {
        matches!(self, Self::Loss | Self::HammingLoss)
    }

    fn is_for(self, task: Task) -> bool {
        task == Task::MultiLabel || !matches!(self, Self::MicroF1 | Self::SamplesF1 | Self::HammingLoss)
    }
}

impl Target {
    /// What the arguments name, else the last `fine_tune` stage that the grid names, else the last one.
    pub(super) fn choose(args: &SweepArgs, grid: &Grid, dag: &Dag) -> Result<Self, CliError> {
        let index = match &args.stage {
            Some(name) => named(dag, name)?,
            None => chosen(dag, grid)?,
        };
        let spec = &dag.stages[index];
        check_reach(dag, grid, index)?;
        let watched = spec
            .params
            .pointer("/early_stopping/metric")
            .and_then(Value::as_str);
        let watched = watched.and_then(|name| SweepMetric::from_str(name, false).ok());
        let metric = args.metric.or(watched).unwrap_or(SweepMetric::MacroF1);
        if !metric.is_for(dag.task) {
            let message = format!("`{}` is a figure of `task: multi_label` only", metric.name());
            return Err(CliError::new(Exit::Usage, message));
        }
        Ok(Self {
            stage: spec.name.clone(),
            metric,
        })
    }

    /// The stage in `dag`, if it will be validated on something.
    pub(super) fn check(&self, dag: &Dag) -> Result<(), CliError> {
        let spec = dag.index_of(&self.stage).map(|index| &dag.stages[index]);
        let is_validated = |spec: &StageSpec| {
            let has_input = spec
                .inputs
                .iter()
                .any(|(name, items)| name == "validation" && !items.is_empty());
            has_input || spec.params.get("fold").is_some_and(|fold| !fold.is_null())
        };
        if spec.is_some_and(is_validated) {
            return Ok(());
        }
        let message = format!(
            "stage `{}` has no input `validation`: there is no figure to compare by",
            self.stage
        );
        Err(CliError::new(Exit::Usage, message).hint("`--folds 5` validates on parts of its training rows"))
    }
}

fn named(dag: &Dag, name: &str) -> Result<usize, CliError> {
    let is_named = |index: &usize| dag.stages[*index].name == name;
    match (dag.index_of(name), fine_tunes(dag).find(is_named)) {
        (_, Some(index)) => Ok(index),
        (Some(index), None) => {
            let kind = dag.stages[index].kind.name();
            let message = format!("stage `{name}` is of kind `{kind}`; a sweep compares a `fine_tune` stage");
            Err(CliError::new(Exit::Usage, message).hint(choices(dag)))
        }
        (None, None) => {
            let error = CliError::new(Exit::Usage, format!("no stage `{name}` in the pipeline file"));
            let names = fine_tunes(dag).map(|index| dag.stages[index].name.as_str());
            Err(match stage::nearest(name, names) {
                Some(close) => error.hint(format!("did you mean `{close}`?")),
                None => error.hint(choices(dag)),
            })
        }
    }
}

fn chosen(dag: &Dag, grid: &Grid) -> Result<usize, CliError> {
    let is_touched = |index: &usize| {
        grid.axes
            .iter()
            .any(|axis| stage_of(&axis.key) == Some(&dag.stages[*index].name))
    };
    let (touched, last) = (fine_tunes(dag).filter(is_touched).last(), fine_tunes(dag).last());
    touched.or(last).ok_or_else(|| {
        CliError::new(
            Exit::Usage,
            "the pipeline file has no `fine_tune` stage; a sweep compares one",
        )
    })
}

/// Every key of a stage must change something that the compared stage is made from.
fn check_reach(dag: &Dag, grid: &Grid, target: usize) -> Result<(), CliError> {
    let (mut reached, mut open) = (Vec::new(), vec![target]);
    while let Some(index) = open.pop() {
        let name = dag.stages[index].name.as_str();
        if !reached.contains(&name) {
            reached.push(name);
            open.extend(dag.needs(index));
        }
    }
    let aside = |stage: &&str| !reached.contains(stage);
    let Some(stage) = grid
        .axes
        .iter()
        .filter_map(|axis| stage_of(&axis.key))
        .find(aside)
    else {
        return Ok(());
    };
    let target = &dag.stages[target].name;
    let message =
        format!("stage `{target}` is not made from `{stage}`, so no setting of `{stage}` changes it");
    Err(CliError::new(Exit::Usage, message)
        .hint(format!("`--stage` names the stage to compare; {}", choices(dag))))
}

/// `teacher` of `stages.teacher.params.epochs`.
fn stage_of(key: &str) -> Option<&str> {
    key.strip_prefix("stages.")?.split('.').next()
}

/// In the order of work.
fn fine_tunes(dag: &Dag) -> impl Iterator<Item = usize> {
    dag.order
        .iter()
        .copied()
        .filter(|index| dag.stages[*index].kind.name() == "fine_tune")
}

fn choices(dag: &Dag) -> String {
    let names: Vec<&str> = fine_tunes(dag)
        .map(|index| dag.stages[index].name.as_str())
        .collect();
    format!("`fine_tune` stages are: {}", names.join(", "))
}
