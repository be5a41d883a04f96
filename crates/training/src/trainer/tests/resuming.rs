//! Runs that end early and go on from a checkpoint.

use super::*;
use crate::{Progress, Step, Wish};

/// Ends a run after some step, and has what it left.
#[derive(Default)]
struct Stop {
    after: usize,
    left: Option<Checkpoint<'static>>,
    steps: Vec<usize>,
}

impl Stop {
    fn after(step: usize) -> Self {
        Self {
            after: step,
            ..Self::default()
        }
    }
}

impl Observer for Stop {
    fn step(&mut self, step: Step) {
        self.steps.push(step.step);
    }

    fn wish(&mut self, steps: usize) -> Wish {
        if steps >= self.after {
            Wish::End
        } else {
            Wish::GoOn
        }
    }

    fn keep(&mut self, checkpoint: &Checkpoint<'_>) {
        self.left = Some(through_a_file(checkpoint));
    }
}

/// As a file would keep it: progress as JSON, tensors by name.
fn through_a_file(checkpoint: &Checkpoint<'_>) -> Checkpoint<'static> {
    let progress = serde_json::to_string(&checkpoint.progress).unwrap();
    let tensors = checkpoint
        .tensors()
        .into_iter()
        .map(|(name, values)| (name, values.to_vec()));
    let progress: Progress = serde_json::from_str(&progress).unwrap();
    Checkpoint::new(progress, tensors.collect()).unwrap()
}

/// Accumulated batches, dropout, evaluations between epochs, a record every three steps: 52 texts make 13 batches and
/// so 5 steps an epoch, the last of one batch.
fn eventful() -> TrainingOptions {
    TrainingOptions {
        epochs: 4,
        batch_size: 4,
        gradient_accumulation_steps: 3,
        learning_rate: 1e-2,
        eval_every: EvalEvery::Steps(4),
        early_stopping: Some(EarlyStopping {
            metric: Metric::Loss,
            patience: 3,
            min_delta: 0.0,
        }),
        log_every: 3,
        ..TrainingOptions::default()
    }
}

/// What a run comes to, but for seconds.
fn outcome(trained: &Trained) -> (Vec<u32>, Summary, Vec<Record>, Option<f64>) {
    let summary = Summary {
        seconds: 0.0,
        ..trained.summary.clone()
    };
    let loss = trained.validation.as_ref().map(|evaluation| evaluation.loss);
    (weights(trained), summary, trained.records.clone(), loss)
}

fn assert_resumes(task: Task, train_on: &Examples, validation: Option<&Examples>, options: &TrainingOptions) {
    let go = |checkpoint, observer: &mut dyn Observer| {
        run_from(checkpoint, task, 0.2, train_on, validation, options, observer)
    };
    let undisturbed = go(None, &mut ()).unwrap();
    let steps = undisturbed.summary.steps;
    assert!(steps > 8, "{steps} steps are too few for this test");
    for step in 1..steps {
        let mut stop = Stop::after(step);
        let error = go(None, &mut stop).unwrap_err();
        assert!(
            matches!(error, TrainingError::Interrupted { step: at } if at == step),
            "{error}"
        );
        let left = stop.left.unwrap();
        let mut rest = Stop::after(usize::MAX);
        let resumed = go(Some(left), &mut rest).unwrap();
        assert_eq!(rest.steps, (step + 1..=steps).collect::<Vec<_>>());
        assert!(
            outcome(&resumed) == outcome(&undisturbed),
            "stopped after step {step}: {:?}, undisturbed {:?}",
            resumed.summary,
            undisturbed.summary
        );
    }
}

#[test]
fn a_run_that_stops_after_any_step_and_goes_on_ends_as_an_undisturbed_one() {
    assert_resumes(Task::SingleLabel, &examples(52), Some(&examples(20)), &eventful());
}

#[test]
fn several_labels_go_on_as_well() {
    let (train_on, validation) = (examples_with_several_labels(52), examples_with_several_labels(12));
    assert_resumes(Task::MultiLabel, &train_on, Some(&validation), &eventful());
}

#[test]
fn without_validation_and_without_averages_a_run_goes_on() {
    let options = TrainingOptions {
        rule: Rule::Sgd,
        early_stopping: None,
        ..eventful()
    };
    assert_resumes(Task::SingleLabel, &examples(52), None, &options);
}

#[test]
fn a_run_may_be_interrupted_again_and_again() {
    let (train_on, validation) = (examples(52), examples(20));
    let go = |checkpoint, observer: &mut dyn Observer| {
        run_from(
            checkpoint,
            Task::SingleLabel,
            0.2,
            &train_on,
            Some(&validation),
            &eventful(),
            observer,
        )
    };
    let undisturbed = go(None, &mut ()).unwrap();
    let mut left = None;
    for step in 1..undisturbed.summary.steps {
        let mut stop = Stop::after(step);
        go(left.take(), &mut stop).unwrap_err();
        left = stop.left;
    }
    assert!(outcome(&go(left, &mut ()).unwrap()) == outcome(&undisturbed));
}

#[test]
fn a_checkpoint_of_another_model_or_other_texts_is_refused() {
    let (train_on, validation) = (examples(52), examples(20));
    let mut stop = Stop::after(6);
    let data = Some(&validation);
    run_from(
        None,
        Task::SingleLabel,
        0.0,
        &train_on,
        data,
        &eventful(),
        &mut stop,
    )
    .unwrap_err();
    let left = stop.left.unwrap();
    let refused = |checkpoint, validation: &Examples| {
        let validation = Some(validation);
        let error = run_from(
            Some(checkpoint),
            Task::SingleLabel,
            0.0,
            &train_on,
            validation,
            &eventful(),
            &mut (),
        )
        .unwrap_err();
        assert!(matches!(error, TrainingError::Checkpoint(_)), "{error}");
    };
    refused(left.clone(), &examples(19));
    let mut tensors: std::collections::BTreeMap<String, Vec<f32>> = left
        .tensors()
        .into_iter()
        .map(|(name, values)| (name, values.to_vec()))
        .collect();
    tensors.get_mut("second_moment.0").unwrap().pop();
    refused(
        Checkpoint::new(left.progress.clone().into_owned(), tensors.clone()).unwrap(),
        &validation,
    );
    tensors.insert("third_moment.0".to_owned(), Vec::new());
    assert!(Checkpoint::new(left.progress.into_owned(), tensors).is_err());
}
