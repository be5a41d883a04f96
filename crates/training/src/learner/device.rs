//! Learning through burn's autodiff, on any of its devices. Parameters, gradients and running averages stay there.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use model::{Batch, SequenceClassifier};
use tokenizer::Encoding;

use super::flat::{Flat, Layout};
use super::{Figures, Learner, State};
use crate::examples::Targets;
use crate::norm::CLIPPING_EPSILON;
use crate::objective::Objective;
use crate::optimizer::{BETA_1, BETA_2, EPSILON};
use crate::{Optimizer, Rule, TrainingError};

/// Time between two looks at figures. To read a number, everything that was queued before has to be computed, while
/// nothing new is queued.
const PATIENCE: Duration = Duration::from_millis(500);

/// A model on a device of burn.
pub struct DeviceLearner {
    /// None only after a step that failed.
    model: Option<SequenceClassifier>,
    best: Option<SequenceClassifier>,
    layout: Layout,
    /// Of this step.
    gradient: Option<Flat>,
    /// Of this step's batches.
    losses: Vec<Tensor<1>>,
    /// Of each step that was not told yet: its losses, then the norm.
    untold: Vec<Vec<Tensor<1>>>,
    told: Instant,
    rule: Rule,
    weight_decay: f64,
    updates: usize,
    first: Option<Flat>,
    second: Option<Flat>,
    objective: Objective,
    pad_id: u32,
    device: Device,
}

impl DeviceLearner {
    /// A learner of `model`, whose parameters are on `device`, an autodiff device, by the rule of an `optimizer` that has not
    /// made a step. Batches are filled up with `pad_id`.
    pub fn new(
        model: SequenceClassifier,
        objective: Objective,
        optimizer: Optimizer,
        pad_id: u32,
        device: &Device,
    ) -> Self {
        Self {
            layout: Layout::of(&model),
            model: Some(model),
            best: None,
            gradient: None,
            losses: Vec::new(),
            untold: Vec::new(),
            told: Instant::now(),
            rule: optimizer.rule(),
            weight_decay: optimizer.weight_decay(),
            updates: 0,
            first: None,
            second: None,
            objective,
            pad_id,
            device: device.clone(),
        }
    }

    fn model(&self) -> Result<&SequenceClassifier, TrainingError> {
        self.model.as_ref().ok_or_else(lost)
    }

    /// The updates of `torch.optim.AdamW`, `Adam` and `SGD` as in [`Optimizer`]: what is to be subtracted from the parameters.
    fn change(&mut self, gradient: Flat, learning_rate: f64) -> Flat {
        if self.rule == Rule::Sgd {
            return gradient.map(|gradient| gradient.mul_scalar(learning_rate));
        }
        let average = |before: Option<Flat>, new: Flat, beta: f64| {
            let new = new.map(|new| new.mul_scalar(1.0 - beta));
            match before {
                Some(before) => before.zip(new, |before, new| before.mul_scalar(beta) + new),
                None => new,
            }
        };
        let square = gradient.clone().map(|gradient| gradient.square());
        let first = average(self.first.take(), gradient, BETA_1);
        let second = average(self.second.take(), square, BETA_2);
        self.first = Some(first.clone());
        self.second = Some(second.clone());
        let updates = i32::try_from(self.updates).unwrap_or(i32::MAX);
        let correction = |beta: f64| 1.0 - beta.powi(updates);
        let (step, root) = (learning_rate / correction(BETA_1), correction(BETA_2).sqrt());
        first.zip(second, |first, second| {
            let denominator = second.sqrt().div_scalar(root).add_scalar(EPSILON);
            first.mul_scalar(step) / denominator
        })
    }
}

impl Learner for DeviceLearner {
    fn backward(
        &mut self,
        texts: &[&[u32]],
        targets: &Targets<'_>,
        weight: f64,
        seed: u64,
    ) -> Result<(), TrainingError> {
        self.device.seed(seed);
        let model = self.model()?;
        let batch = Batch::suiting(&self.device, texts, self.pad_id, model.max_length());
        let logits = model.forward(&batch);
        let loss = self.objective.sum(logits, targets, &self.device);
        let loss = loss.div_scalar(weight);
        let value = loss.clone().inner();
        let gradient = self.layout.gradients(model, loss.backward())?;
        self.losses.push(value);
        self.gradient = Some(match self.gradient.take() {
            Some(sum) => sum.zip(gradient, |sum, gradient| sum + gradient),
            None => gradient,
        });
        Ok(())
    }

    fn update(&mut self, learning_rate: f64, max_norm: Option<f64>) -> Result<(), TrainingError> {
        let Some(mut gradient) = self.gradient.take() else {
            return Ok(());
        };
        let model = self.model.take().ok_or_else(lost)?;
        self.updates += 1;
        let norm = gradient.norm();
        if let Some(limit) = max_norm {
            let scale = norm.clone().add_scalar(CLIPPING_EPSILON).recip();
            let scale = scale.mul_scalar(limit).clamp_max(1.0);
            gradient = gradient.map(|gradient| gradient * scale.clone());
        }
        let mut figures = std::mem::take(&mut self.losses);
        figures.push(norm);
        self.untold.push(figures);
        let mut factors = [1.0, 1.0];
        if self.rule == Rule::AdamW {
            factors[0] = (1.0 - learning_rate * self.weight_decay) as f32;
        } else if self.weight_decay != 0.0 {
            let parameters = self.layout.parameters(&model).decayed;
            gradient.decayed = gradient.decayed + parameters.mul_scalar(self.weight_decay);
        }
        let change = self.change(gradient, learning_rate);
        self.model = Some(self.layout.apply(model, factors, change));
        Ok(())
    }

    fn figures(&mut self, all: bool) -> Result<Vec<Figures>, TrainingError> {
        if self.untold.is_empty() || !all && self.told.elapsed() < PATIENCE {
            return Ok(Vec::new());
        }
        let untold = std::mem::take(&mut self.untold);
        let counts: Vec<usize> = untold.iter().map(Vec::len).collect();
        let values = Tensor::cat(untold.into_iter().flatten().collect(), 0).into_data();
        let values = values.try_into_vec_as::<f32>().map_err(TrainingError::tensor)?;
        self.told = Instant::now();
        let mut values = values.into_iter().map(f64::from);
        let figures = counts.into_iter().map(|count| {
            let losses = values.by_ref().take(count - 1).collect();
            let norm = values.next().unwrap_or(f64::NAN);
            Figures { losses, norm }
        });
        Ok(figures.collect())
    }

    fn logits(&self, encodings: &[Encoding]) -> Result<Vec<Vec<f32>>, TrainingError> {
        let device = self.device.clone().without_autodiff();
        let (model, tokens) = (self.model()?.valid(), model::batch_tokens(&device));
        let inference = model::infer(&model, encodings, self.pad_id, tokens, &device, &mut |_, _| {})?;
        Ok(inference.logits)
    }

    fn keep_best(&mut self) -> Result<(), TrainingError> {
        self.best = Some(self.model()?.valid());
        Ok(())
    }

    fn state(&self) -> Result<State<'_>, TrainingError> {
        let best = self.best.as_ref().map(SequenceClassifier::parameters);
        let best = best.transpose()?;
        Ok(State {
            updates: self.updates,
            parameters: Cow::Owned(self.model()?.parameters()?),
            first_moments: Cow::Owned(self.layout.split(self.first.as_ref())?),
            second_moments: Cow::Owned(self.layout.split(self.second.as_ref())?),
            best: best.map(Cow::Owned),
        })
    }

    fn restore(&mut self, state: State<'_>) -> Result<(), TrainingError> {
        let model = self.model.take().ok_or_else(lost)?;
        self.best = match state.best {
            Some(best) => Some(model.valid().with_parameters(best.into_owned())?),
            None => None,
        };
        self.model = Some(model.with_parameters(state.parameters.into_owned())?);
        let device = self.device.clone().without_autodiff();
        self.first = self.layout.join(&state.first_moments, &device)?;
        self.second = self.layout.join(&state.second_moments, &device)?;
        self.updates = state.updates;
        Ok(())
    }

    fn into_model(self: Box<Self>) -> Result<SequenceClassifier, TrainingError> {
        match self.best {
            Some(best) => Ok(best),
            None => Ok(self.model.ok_or_else(lost)?.valid()),
        }
    }
}

fn lost() -> TrainingError {
    TrainingError::Tensor("the model was lost in a step that failed".into())
}

#[cfg(test)]
mod tests {
    use classification::Task;
    use model::{Architecture, ModelConfig, Sizes};

    use super::*;
    use crate::NativeLearner;

    fn model() -> SequenceClassifier {
        let sizes = Sizes {
            vocab_size: 20,
            embedding_size: None,
            hidden_size: 16,
            num_hidden_layers: 2,
            num_attention_heads: 2,
            intermediate_size: 32,
            max_position_embeddings: 12,
        };
        let config = ModelConfig::from_scratch(Architecture::Electra, &sizes).unwrap();
        let config = config.with_dropout(Some(0.0), Some(0.0));
        SequenceClassifier::init(&config, 3, &Device::flex().autodiff(), 1).unwrap()
    }

    fn learners(rule: Rule) -> [Box<dyn Learner>; 2] {
        let objective = Objective::new(Task::SingleLabel, 3, 0.1, None);
        let (optimizer, device) = (|| Optimizer::new(rule, 0.1), Device::flex().autodiff());
        [
            Box::new(DeviceLearner::new(
                model(),
                objective.clone(),
                optimizer(),
                0,
                &device,
            )),
            Box::new(NativeLearner::new(&model(), objective, optimizer()).unwrap()),
        ]
    }

    /// Two batches, one update.
    fn step(learner: &mut dyn Learner, number: u32) {
        let first = [vec![2, 5 + number, 3], vec![2, 9, 8, 7, 3]];
        let second = [vec![2, 6, 6, 3 + number]];
        let classes: Vec<classification::LabelIds> = vec![0.into(), 2.into()];
        for (texts, labels) in [(&first[..], &classes[..]), (&second[..], &classes[1..])] {
            let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
            let targets = Targets::Labels(labels.iter().collect());
            learner.backward(&texts, &targets, 3.0, 7).unwrap();
        }
        learner.update(1e-3, Some(0.5)).unwrap();
    }

    fn assert_told_alike(one: &[Figures], other: &[Figures]) {
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(other) {
            assert_eq!(one.losses.len(), 2);
            for (one, other) in one.losses.iter().zip(&other.losses) {
                assert!((one - other).abs() < 1e-5, "{one} {other}");
            }
            assert!((one.norm - other.norm).abs() < 1e-5, "{one:?} {other:?}");
        }
    }

    #[test]
    fn every_step_is_told_once_and_in_order() {
        let [mut asked_often, mut asked_once] = learners(Rule::AdamW);
        let mut told = Vec::new();
        for number in 0..3 {
            step(asked_often.as_mut(), number);
            told.extend(asked_often.figures(number == 1).unwrap());
            step(asked_once.as_mut(), number);
        }
        told.extend(asked_often.figures(true).unwrap());
        assert_told_alike(&told, &asked_once.figures(true).unwrap());
        assert!(asked_often.figures(true).unwrap().is_empty());
        assert!(asked_once.figures(true).unwrap().is_empty());
    }

    fn assert_close(one: &State<'_>, other: &State<'_>) {
        let pairs = [
            (&one.parameters, &other.parameters),
            (&one.first_moments, &other.first_moments),
            (&one.second_moments, &other.second_moments),
        ];
        for (one, other) in pairs {
            assert_eq!(one.len(), other.len());
            for (one, other) in one.iter().flatten().zip(other.iter().flatten()) {
                assert!((one - other).abs() < 1e-6 + 1e-4 * other.abs(), "{one} {other}");
            }
        }
    }

    #[test]
    fn tensors_are_updated_as_vectors_are() {
        for rule in [Rule::AdamW, Rule::Adam, Rule::Sgd] {
            let [mut device, mut host] = learners(rule);
            for number in 0..3 {
                step(device.as_mut(), number);
                step(host.as_mut(), number);
            }
            let told = [device.figures(true).unwrap(), host.figures(true).unwrap()];
            assert_eq!(told[0].len(), 3);
            assert_told_alike(&told[0], &told[1]);
            assert_close(&device.state().unwrap(), &host.state().unwrap());
        }
    }

    #[test]
    fn a_restored_learner_goes_on() {
        let [mut undisturbed, _] = learners(Rule::AdamW);
        step(undisturbed.as_mut(), 0);
        let state = undisturbed.state().unwrap();
        let [mut resumed, _] = learners(Rule::AdamW);
        resumed.restore(state.clone()).unwrap();
        step(undisturbed.as_mut(), 1);
        step(resumed.as_mut(), 1);
        let expected = undisturbed.figures(true).unwrap();
        assert_eq!(resumed.figures(true).unwrap(), expected[1..]);
        assert_close(&resumed.state().unwrap(), &undisturbed.state().unwrap());
    }
}
